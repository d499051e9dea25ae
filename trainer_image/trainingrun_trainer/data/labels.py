"""Labels under one name however they are written, and which of them are used under which names."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from trainingrun_api.evaluation import JoinedLabel
from trainingrun_api.label_names import label_name
from trainingrun_api.labels import Labels

from ..errors import DataError

log = logging.getLogger(__name__)


class Spellings:
    """Gives labels their names, and remembers how they were written."""

    def __init__(self) -> None:
        self._texts: Counter[str] = Counter()
        self._names: dict[str, str] = {}

    def names(self, written: Iterable[str]) -> tuple[str, ...]:
        """The names of a row's labels, sorted, each once."""
        names = set()
        for one in written:
            name = self._names.get(one)
            if name is None:
                name = self._names[one] = label_name(one)
            if name:
                self._texts[one] += 1
                names.add(name)
        return tuple(sorted(names))

    def joined(self) -> list[JoinedLabel]:
        """Labels that were written in several ways, in alphabetical order."""
        ways: defaultdict[str, list[int]] = defaultdict(list)
        for written, texts in self._texts.items():
            ways[self._names[written]].append(texts)
        return [
            JoinedLabel(label=name, spellings=len(texts), texts=sum(texts) - max(texts))
            for name, texts in sorted(ways.items())
            if len(texts) > 1
        ]


def agreed(answers: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The labels that more than half of the annotators gave, sorted; none of them may have that many."""
    votes = Counter(label for labels in answers for label in labels)
    return tuple(sorted(label for label, count in votes.items() if 2 * count > len(answers)))


class LabelRules:
    """spec.labels, applied to one text after another; in the end it is known whether it fits the data."""

    def __init__(self, wanted: Labels) -> None:
        self._wanted = wanted
        self._named = frozenset(wanted.include or wanted.exclude or ())
        self._seen: Counter[str] = Counter()
        self._renamed: set[str] = set()

    def kept(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Of a text's labels, under their last names, those that aren't left out."""
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
