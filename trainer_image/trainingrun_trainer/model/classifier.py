"""What training needs of a model, whatever format it is saved in."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from trainingrun_api.lineage import HeadOrigin

from ..errors import ModelError, SettingsError
from ..records import EncodedTexts, Example, Targets
from ..tokens import TokenWriter
from .outputs import THRESHOLD, Outputs

Features = dict[str, Tensor]
"""What a tokenizer gives: input_ids, attention_mask and so on, each (texts, tokens)."""

DEFAULT_MAX_TOKENS = 256
"""Longer texts cost much and seldom say more about their label."""

TEXTS_AT_ONCE = 1024


class Classifier(ABC):
    """A network, its tokenizer, its configuration and its labels."""

    def __init__(
        self,
        network: nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        config: PreTrainedConfig,
        outputs: Outputs,
    ) -> None:
        outputs.write(config)
        self.network = network
        self.tokenizer = tokenizer
        self.config = config
        self.labels = outputs.labels
        self.multi_label = outputs.multi_label
        self.max_tokens = DEFAULT_MAX_TOKENS
        self.head_origin = HeadOrigin.NEW
        self.notes: list[str] = []

    @abstractmethod
    def logits(self, features: Features) -> Tensor:
        """Scores before softmax or sigmoid, (texts, labels)."""

    @abstractmethod
    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters that start anew for these labels."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model, its tokenizer and its labels in the format users of the base model know."""

    @abstractmethod
    def token_limit(self) -> int:
        """Tokens that the model reads at most, by its own configuration."""

    def limit_tokens(self, wanted: int | None) -> None:
        """Cut texts after so many tokens. Raises SettingsError when the model can't read that many."""
        most = self.token_limit()
        if wanted is not None and wanted > most:
            raise SettingsError(
                f"spec.training.maxSequenceLength is {wanted}, but this model reads at most {most} tokens"
            )
        self.max_tokens = wanted or min(most, DEFAULT_MAX_TOKENS)

    def set_threshold(self, value: float) -> None:
        """Save with the model the probability from which on a text is given a label."""
        setattr(self.config, THRESHOLD, value)

    def encode(self, examples: Sequence[Example]) -> EncodedTexts:
        """Tokenise, cutting after `max_tokens`."""
        truncated = 0
        with TokenWriter() as writer:
            for start in range(0, len(examples), TEXTS_AT_ONCE):
                texts = [example.text for example in examples[start : start + TEXTS_AT_ONCE]]
                whole = self.tokenizer(texts, verbose=False)["input_ids"]
                too_long = sum(len(ids) > self.max_tokens for ids in whole)
                truncated += too_long
                writer.add(self._cut(texts) if too_long else whole)
            return EncodedTexts(writer.tokens(), self._targets(examples), truncated)

    def pad(self, input_ids: list[list[int]]) -> Features:
        """One batch, padded to its longest text."""
        return dict(self.tokenizer.pad({"input_ids": input_ids}, return_tensors="pt"))

    def _targets(self, examples: Sequence[Example]) -> Targets:
        index = {label: position for position, label in enumerate(self.labels)}
        if not self.multi_label:
            return np.array([index[example.label] for example in examples])
        targets = np.zeros((len(examples), len(self.labels)), dtype=np.int64)
        for row, example in zip(targets, examples, strict=True):
            row[[index[label] for label in example.labels]] = 1
        return targets

    def _cut(self, texts: list[str]) -> list[list[int]]:
        # By the tokenizer, since the last token has to be its end mark.
        cut: list[list[int]] = self.tokenizer(texts, truncation=True, max_length=self.max_tokens)["input_ids"]
        return cut


def other_outputs(saved: Outputs, wanted: Outputs) -> str:
    """Why a head that the base model has is not used."""
    if saved.labels == wanted.labels:
        number = "several labels" if saved.multi_label else "one label"
        return f"the head is new: the base model's was made for {number} a text"
    shown = ", ".join(saved.labels[:8]) + (", …" if len(saved.labels) > 8 else "")
    return f"the head is new: the base model's was made for other labels ({shown or 'without names'})"


def most_tokens(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> int:
    """Tokens that tokenizer and position embeddings allow; some models have no such embeddings."""
    return min(
        tokenizer.model_max_length, getattr(config, "max_position_embeddings", tokenizer.model_max_length)
    )


def require_padding(tokenizer: PreTrainedTokenizerBase) -> None:
    """Have the tokenizer pad; models that only ever saw one text at a time have no padding token."""
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise ModelError(
                "the base model's tokenizer has neither pad_token nor eos_token: add one of them"
            )
        tokenizer.pad_token = tokenizer.eos_token
