"""What training needs of a model, whatever format it is saved in."""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from trainingrun_api.lineage import HeadOrigin

from ..errors import ModelError, SettingsError
from ..records import EncodedTexts, Example, Starts, Targets
from ..tokens import TokenWriter
from .context import CONTEXT, NO_CONTEXT, Context
from .outputs import THRESHOLD, Outputs
from .tokenising import Tokenised, tokenise

Features = dict[str, Tensor]
"""What a tokenizer gives: input_ids, attention_mask and so on, each (texts, tokens)."""

LEAST_TOKENS = 64
"""A longer limit than short texts need costs nothing, since batches are padded to their longest text; a model
that is given longer texts later reads them."""

LENGTH_SAMPLE = 20_000
"""Texts whose lengths say how long the data are."""

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
        self.max_tokens = LEAST_TOKENS
        self.context = NO_CONTEXT
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

    def limit_tokens(self, wanted: int | None, examples: Sequence[Example]) -> None:
        """Cut texts after so many tokens; None: where 99 of 100 of the examples end, context included.

        Raises SettingsError when the model can't read that many.
        """
        most = self.token_limit()
        if wanted is not None and wanted > most:
            raise SettingsError(
                f"spec.training.maxSequenceLength is {wanted}, but this model reads at most {most} tokens"
            )
        self.max_tokens = wanted or min(most, max(self._usual_tokens(examples), LEAST_TOKENS))

    def use_context(self, parameters: Sequence[str]) -> None:
        """Put the values of these fields beside each text, here and wherever the saved model is used.

        A base model's own context is forgotten.
        """
        earlier = getattr(self.config, CONTEXT, None)
        if earlier is not None:
            delattr(self.config, CONTEXT)
            if list(parameters) != earlier["parameters"]:
                names = ", ".join(earlier["parameters"])
                self.notes.append(f"the base model was trained with other context ({names})")
        if parameters:
            self.context = Context.fitting(parameters, self.tokenizer)
            setattr(self.config, CONTEXT, self.context.saved())

    def set_threshold(self, value: float) -> None:
        """Save with the model the probability from which on a text is given a label."""
        setattr(self.config, THRESHOLD, value)

    def encode(self, examples: Sequence[Example]) -> EncodedTexts:
        """Tokenise texts and their context, cutting after `max_tokens`.

        Raises SettingsError for a context that leaves little room for its text.
        """
        truncated = 0
        starts: list[Starts] = []
        with TokenWriter() as writer:
            for part in self._tokenised(examples, self.max_tokens):
                writer.add(part.input_ids)
                truncated += part.truncated
                if part.context_starts is not None:
                    starts.append(part.context_starts)
            return EncodedTexts(
                input_ids=writer.tokens(),
                targets=self._targets(examples),
                truncated=truncated,
                context_starts=np.concatenate(starts) if starts else None,
            )

    def pad(self, input_ids: list[list[int]], context_starts: Sequence[int] | None = None) -> Features:
        """One batch, padded to its longest text."""
        tokens = {"input_ids": input_ids}
        if context_starts is not None:
            tokens["token_type_ids"] = [
                [0] * start + [1] * (len(ids) - start)
                for ids, start in zip(input_ids, context_starts, strict=True)
            ]
        return dict(self.tokenizer.pad(tokens, return_tensors="pt"))

    def _tokenised(self, examples: Sequence[Example], max_tokens: int) -> Iterator[Tokenised]:
        for start in range(0, len(examples), TEXTS_AT_ONCE):
            part = examples[start : start + TEXTS_AT_ONCE]
            yield tokenise(self.tokenizer, self.context, part, max_tokens)

    def _usual_tokens(self, examples: Sequence[Example]) -> int:
        """The 99th percentile of their tokens, of an even sample when there are many; a multiple of 8."""
        sample = examples[:: math.ceil(len(examples) / LENGTH_SAMPLE)]
        lengths = [len(ids) for part in self._tokenised(sample, sys.maxsize) for ids in part.input_ids]
        return 8 * math.ceil(np.percentile(lengths, 99) / 8)

    def _targets(self, examples: Sequence[Example]) -> Targets:
        index = {label: position for position, label in enumerate(self.labels)}
        if not self.multi_label:
            return np.array([index[example.label] for example in examples])
        targets = np.zeros((len(examples), len(self.labels)), dtype=np.int64)
        for row, example in zip(targets, examples, strict=True):
            row[[index[label] for label in example.labels]] = 1
        return targets


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
