"""Which labels are used, and under which names."""

import logging
from collections import Counter
from difflib import get_close_matches

from trainingrun_api.labels import Labels

from ..errors import DataError

log = logging.getLogger(__name__)


class LabelRules:
    """spec.labels, applied to one text after another; in the end it is known whether it fits the data."""

    def __init__(self, wanted: Labels) -> None:
        self._wanted = wanted
        self._named = frozenset(wanted.include or wanted.exclude or ())
        self._seen: Counter[str] = Counter()
        self._renamed: set[str] = set()

    def apply(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The labels under their last names, without those that are left out; sorted, each once."""
        labels = self.renamed(labels)
        self._seen.update(labels)
        return labels if not self._named else tuple(label for label in labels if self._keeps(label))

    def renamed(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The labels under their last names, sorted, each once."""
        aliases = self._wanted.aliases
        if aliases.keys().isdisjoint(labels):
            return labels
        self._renamed.update(label for label in labels if label in aliases)
        return tuple(sorted({aliases.get(label, label) for label in labels}))

    def require_known(self) -> None:
        """After all texts: raises DataError for labels to include or exclude that the data lack.

        An alias of a label that occurs nowhere is logged.
        """
        for alias in sorted(self._wanted.aliases.keys() - self._renamed):
            log.warning("spec.labels.aliases: no text has the label %r", alias)
        which = "include" if self._wanted.include else "exclude"
        unknown = sorted(self._named - self._seen.keys())
        if unknown:
            label = "label" if len(unknown) == 1 else "labels"
            named = ", ".join(map(self._with_guess, unknown))
            there_are = ", ".join(map(repr, sorted(self._seen)))
            raise DataError(f"spec.labels.{which}: no text has the {label} {named}. There are {there_are}")

    def _with_guess(self, name: str) -> str:
        close = get_close_matches(name, self._seen, n=1)
        return f"{name!r} (did you mean {close[0]!r}?)" if close else repr(name)

    def _keeps(self, label: str) -> bool:
        return (label in self._named) == bool(self._wanted.include)
