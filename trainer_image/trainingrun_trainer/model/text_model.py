"""What all models have in common: a network that reads tokens."""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_api.lineage import HeadOrigin

from ..errors import SettingsError
from ..records import Example
from .context import NO_CONTEXT
from .tokenizer import Tokenised, fit_tokenizer, tokenise

Features = dict[str, Tensor]
"""What a tokenizer gives: input_ids, attention_mask and so on, each (texts, tokens)."""

MOST_TOKENS = "most_tokens"
"""Key of config.json that keeps `TextModel.token_limit`: a saved model has the limit of its run."""

POSITIONS = ("max_position_embeddings", "max_seq_len")
"""What configurations call the tokens that the model has positions for; the latter is MPT's."""

LEAST_TOKENS = 64
"""A longer limit than short texts need costs nothing, since batches are padded to their longest text; a model
that is given longer texts later reads them."""

LENGTH_SAMPLE = 20_000
"""Texts whose lengths say how long the data are."""

TEXTS_AT_ONCE = 1024


class Embedder(Protocol):
    """A model that gives texts embeddings."""

    network: SentenceTransformer

    def embed(self, features: Features) -> Tensor:
        """Text embeddings, (texts, dimensions)."""

    def pad(self, input_ids: list[list[int]], context_starts: Sequence[int] | None = None) -> Features:
        """One batch, padded to its longest text."""


class TextModel(ABC):
    """A network, its tokenizer and its configuration."""

    network: nn.Module

    def __init__(self, tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> None:
        fit_tokenizer(tokenizer, config)
        self.tokenizer = tokenizer
        self.config = config
        self.max_tokens = LEAST_TOKENS
        self.context = NO_CONTEXT
        self.notes: list[str] = []
        self.head_origin: HeadOrigin | None = None

    @abstractmethod
    def outputs(self, features: Features) -> Features:
        """What others read of the model, by the names that ONNX graphs of its kind have for it."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model and its tokenizer in the format users of the base model know."""

    def token_limit(self) -> int:
        """Tokens that tokenizer and position embeddings allow; some models have no such embeddings.

        Of a model that an earlier run has saved, what its base model allowed.
        """
        saved = getattr(self.config, MOST_TOKENS, None)
        stated = (getattr(self.config.get_text_config(), name, None) for name in POSITIONS)
        limits = [saved or self.tokenizer.model_max_length, *stated, *self._positions()]
        # None and -1 are what models without a limit say.
        return min(limit for limit in limits if limit is not None and limit > 0)

    def _positions(self) -> Iterator[int]:
        """Tokens that tables of position embeddings have room for, where padding takes some of it."""
        for name, module in self.network.named_modules():
            padding = getattr(module, "padding_idx", None)
            if name.endswith("position_embeddings") and padding is not None:
                yield cast("Tensor", module.weight).shape[0] - padding - 1

    def limit_tokens(self, wanted: int | None, examples: Sequence[Example]) -> None:
        """Cut texts after so many tokens; None: where 99 of 100 of the examples end, context included.

        Raises SettingsError when the model can't read that many.
        """
        most = self.token_limit()
        if wanted is not None and wanted > most:
            raise SettingsError(
                f"spec.training.maxSequenceLength is {wanted}, but this model reads at most {most} tokens"
            )
        setattr(self.config, MOST_TOKENS, most)
        self.max_tokens = wanted or min(most, max(self._usual_tokens(examples), LEAST_TOKENS))

    def pad(self, input_ids: list[list[int]], context_starts: Sequence[int] | None = None) -> Features:
        tokens = {"input_ids": input_ids}
        if context_starts is not None:
            tokens["token_type_ids"] = [
                [0] * start + [1] * (len(ids) - start)
                for ids, start in zip(input_ids, context_starts, strict=True)
            ]
        return dict(self.tokenizer.pad(tokens, return_tensors="pt"))

    def tokenised(self, examples: Sequence[Example], max_tokens: int) -> Iterator[Tokenised]:
        """Texts with their context, TEXTS_AT_ONCE at a time, cut after `max_tokens`."""
        for start in range(0, len(examples), TEXTS_AT_ONCE):
            part = examples[start : start + TEXTS_AT_ONCE]
            yield tokenise(self.tokenizer, self.context, part, max_tokens)

    def _usual_tokens(self, examples: Sequence[Example]) -> int:
        """The 99th percentile of their tokens, of an even sample when there are many; a multiple of 8."""
        sample = examples[:: math.ceil(len(examples) / LENGTH_SAMPLE)]
        lengths = [len(ids) for part in self.tokenised(sample, sys.maxsize) for ids in part.input_ids]
        return 8 * math.ceil(np.percentile(lengths, 99) / 8)


def token_table(transformer: PreTrainedModel) -> nn.Embedding | None:
    """The table; None where embeddings come about otherwise: CANINE hashes characters, I-BERT rounds."""
    try:
        table = transformer.get_input_embeddings()
    except NotImplementedError:
        return None
    return table if isinstance(table, nn.Embedding) else None
