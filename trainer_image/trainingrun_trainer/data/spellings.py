"""Labels under one name, however they are written."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from trainingrun_api.evaluation import JoinedLabel
from trainingrun_api.label_names import label_name


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
