"""What config.json says of a classifier's outputs: their labels, and whether a text has one or several."""

from dataclasses import dataclass
from typing import Any, Final, Self

from transformers import PreTrainedConfig

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
