"""What training needs of a classifier, whatever format it is saved in."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from trainingrun_api.lineage import HeadOrigin

from ..records import EncodedTexts, Example, Starts, Targets
from ..tokens import TokenWriter
from .context import CONTEXT, Context
from .text_model import Embedder, Features, TextModel

MULTI_LABEL: Final = "multi_label_classification"
SINGLE_LABEL: Final = "single_label_classification"

THRESHOLD = "threshold"
"""Key of config.json that holds the probability from which on a label is given; transformers has none."""


@dataclass(frozen=True)
class Outputs:
    """One output for each label, in this order."""

    labels: list[str]
    multi_label: bool = False
    """True: any number of labels a text, by a sigmoid each. False: one label a text, by softmax."""

    @classmethod
    def saved(cls, config: dict[str, Any]) -> Self:
        """What a configuration says; one label a text when it doesn't say, as transformers has it."""
        names = {int(index): str(label) for index, label in (config.get("id2label") or {}).items()}
        labels = [label for _, label in sorted(names.items())]
        return cls(labels, config.get("problem_type") == MULTI_LABEL)

    @staticmethod
    def forget(config: PreTrainedConfig) -> None:
        """Make a configuration that of a model without a classification head."""
        config.num_labels = 2  # what transformers has when nobody says
        config.problem_type = None
        if hasattr(config, THRESHOLD):
            delattr(config, THRESHOLD)

    def order_of(self, wanted: Self) -> list[int] | None:
        """Where each of the `wanted` outputs stands among these; None when they are of other labels."""
        if self.multi_label is not wanted.multi_label or sorted(self.labels) != sorted(wanted.labels):
            return None
        return [self.labels.index(label) for label in wanted.labels]

    def write(self, config: PreTrainedConfig) -> None:
        """Name the outputs in the configuration; a threshold chosen for earlier ones goes."""
        config.id2label = dict(enumerate(self.labels))
        config.label2id = {label: index for index, label in enumerate(self.labels)}
        config.problem_type = MULTI_LABEL if self.multi_label else SINGLE_LABEL
        if hasattr(config, THRESHOLD):
            delattr(config, THRESHOLD)


class Classifier(TextModel):
    """A network with one output for each label; `save` writes these too."""

    pooled: ClassVar[bool] = False
    """Whether it reads the text embedding of sentence-transformers, and is saved as such a model."""

    def __init__(
        self,
        network: nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        config: PreTrainedConfig,
        outputs: Outputs,
    ) -> None:
        outputs.write(config)
        super().__init__(tokenizer, config)
        self.network = network
        self.labels = outputs.labels
        self.multi_label = outputs.multi_label
        self.head_origin = HeadOrigin.NEW
        self.head_is_new = True

    @property
    def embedder(self) -> Embedder | None:
        """What gives texts embeddings that can be compared; None where nothing does."""
        return None

    @property
    @abstractmethod
    def output_layer(self) -> nn.Linear | None:
        """The last layer of the head, with an output for each label; None when the head is in the body."""

    @abstractmethod
    def embed(self, features: Features) -> Tensor:
        """What the output layer reads of each text, (texts, dimensions)."""

    @abstractmethod
    def logits(self, features: Features) -> Tensor:
        """Scores before softmax or sigmoid, (texts, labels)."""

    def outputs(self, features: Features) -> Features:
        return {"logits": self.logits(features)}

    @abstractmethod
    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters that start anew for these labels."""

    def set_output(self, weight: Tensor, bias: Tensor) -> None:
        """Start the output layer elsewhere: weight is (labels, dimensions), bias (labels)."""
        layer = self.output_layer
        assert layer is not None
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)

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

    def reuse_head(self, order: Sequence[int]) -> None:
        """Go on with the base model's head; `order` is where each label stands among its outputs."""
        layer = self.output_layer
        with torch.no_grad():
            for parameter in layer.parameters() if layer else ():
                parameter.copy_(parameter[list(order)])
        self.head_origin = HeadOrigin.REUSED
        self.head_is_new = False

    def encode(self, examples: Sequence[Example]) -> EncodedTexts:
        """Tokenise texts and their context, cutting after `max_tokens`.

        Raises SettingsError for a context that leaves little room for its text.
        """
        truncated = 0
        starts: list[Starts] = []
        with TokenWriter() as writer:
            for part in self.tokenised(examples, self.max_tokens):
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

    def _targets(self, examples: Sequence[Example]) -> Targets:
        index = {label: position for position, label in enumerate(self.labels)}
        if not self.multi_label:
            return np.fromiter((index[example.label] for example in examples), np.int64, len(examples))
        targets = np.zeros((len(examples), len(self.labels)), dtype=np.int8)
        for row, example in zip(targets, examples, strict=True):
            row[[index[label] for label in example.labels]] = 1
        return targets


def other_outputs(saved: Outputs, wanted: Outputs) -> str:
    """Why a head that the base model has is not used."""
    if sorted(saved.labels) == sorted(wanted.labels):
        number = "several labels" if saved.multi_label else "one label"
        return f"the head is new: the base model's was made for {number} a text"
    shown = ", ".join(saved.labels[:8]) + (", …" if len(saved.labels) > 8 else "")
    return f"the head is new: the base model's was made for other labels ({shown or 'without names'})"
