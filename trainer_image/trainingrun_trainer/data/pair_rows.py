"""Rows of texts that are compared, as a stream."""

from collections.abc import Iterator, Sequence

from trainingrun_api.dataset import DataSource

from ..errors import DataError
from ..records import Pair
from .fetched import FetchedSource
from .fields import listed, score_of, text_of
from .metadata import Metadata
from .place import errors_of
from .rows import Row
from .selection import Selection
from .tally import Tally

TEXT, PAIR, NEGATIVE = "textField", "pairField", "negativeField"


class PairReading:
    """Pairs and triplets of one data set after the other; to be iterated over once.

    Rows that a filter leaves out, or where a text or the score is missing, are counted. Iteration raises
    DataError that names file, line, field and what to change.
    """

    def __init__(self, sources: Sequence[FetchedSource]) -> None:
        self._sources = sources
        self.tallies = [Tally(fetched.source.name, fetched.commit) for fetched in sources]
        self.metadata = Metadata()

    def __iter__(self) -> Iterator[Pair]:
        for fetched, tally in zip(self._sources, self.tallies, strict=True):
            with errors_of(fetched.source):
                yield from self._rows_of(fetched, tally)

    def _rows_of(self, fetched: FetchedSource, tally: Tally) -> Iterator[Pair]:
        wanted = _wanted(fetched.source)
        for row in Selection(fetched, tally).rows(wanted):
            pair = _pair(row, fetched.source, tally)
            if pair is not None:
                tally.used += 1
                self.metadata.add(row, (), wanted)
                yield pair
        if not tally.used:
            raise DataError(
                f"{fetched.place}: no row has all of {listed(wanted)}; there are "
                f"{listed(tally.fields)}. Correct spec.dataset.textField, pairField, scoreField or "
                "negativeField"
            )


def _fields(source: DataSource) -> dict[str, str | None]:
    """Columns of texts by the field of spec.dataset that names them."""
    return {TEXT: source.text_field, PAIR: source.pair_field, NEGATIVE: source.negative_field}


def _wanted(source: DataSource) -> list[str]:
    return [name for name in (*_fields(source).values(), source.score_field) if name]


def _pair(row: Row, source: DataSource, tally: Tally) -> Pair | None:
    texts = [text_of(row, name, setting) for setting, name in _fields(source).items() if name]
    score = None if source.score_field is None else score_of(row, source.score_field)
    if not all(texts):
        tally.empty += 1
    elif source.score_field is not None and score is None:
        tally.unlabelled += 1
    else:
        return Pair(tuple(texts), score, tally.source)
    return None
