"""Labelled texts and pairs of data sets, as streams."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainingrun_api.dataset import DataSource

from ..errors import DataError
from ..records import Example, Pair
from .exports import unread_export
from .labels import LabelRules, Spellings, agreed
from .metadata import FieldCounts
from .rows import Row, answers_of, has_field, listed, score_of, text_of, value_as_text
from .sources import FetchedSource, Selection
from .tally import Tally

log = logging.getLogger(__name__)

TEXT, PAIR, NEGATIVE, SCORE = "textField", "pairField", "negativeField", "scoreField"


@dataclass(frozen=True)
class Wanted:
    """What is read of each row."""

    labels: LabelRules
    one_label: str | None
    """Why each text has one label alone, and what to change about one with several; None where it may have
    several."""
    context: Sequence[str] = ()
    """Fields whose values are read beside the text."""


class Reading:
    """Examples of one data set after the other, in order of files and rows; to be iterated over once.

    Rows that a filter leaves out, or without text or label, are counted. Iteration raises DataError that
    names file, line, field and what to change.
    """

    def __init__(self, sources: Sequence[FetchedSource], wanted: Wanted) -> None:
        self._sources = sources
        self._wanted = wanted
        self.tallies = [Tally(fetched.source.name, fetched.commit) for fetched in sources]
        self.metadata = FieldCounts()
        self.spellings = Spellings()

    def __iter__(self) -> Iterator[Example]:
        for fetched, tally in zip(self._sources, self.tallies, strict=True):
            try:
                yield from self._examples(fetched, tally)
                _require_examples(fetched, tally)
            except DataError as error:
                advice = unread_export(fetched.source, tally.fields)
                raise DataError(f"{error}. {advice}" if advice else str(error)) from None
            if advice := unread_export(fetched.source, tally.fields):
                log.warning("%s: %s", fetched.place, advice)

    def _examples(self, fetched: FetchedSource, tally: Tally) -> Iterator[Example]:
        source = fetched.source
        wanted = (source.text_field, source.label_field, *self._wanted.context)
        for row in Selection(fetched, tally).rows(wanted):
            text = text_of(row, source.text_field, f"{source.setting}.{TEXT}")
            answers = self._answers(row, source, tally)
            labels = agreed(answers)
            if not text:
                tally.empty += 1
            elif not answers:
                tally.unlabelled += 1
            elif not labels:
                tally.disputed += 1
            elif not (kept := self._wanted.labels.kept(labels)):
                tally.filtered += 1
                tally.left_out.update(labels)
            else:
                tally.used += 1
                tally.disagreed += any(answer != labels for answer in answers)
                tally.labels.update(kept)
                self.metadata.add(row, kept, (source.text_field, source.label_field))
                yield Example(text, kept, self._context(row, tally), tally.source)

    def _answers(self, row: Row, source: DataSource, tally: Tally) -> list[tuple[str, ...]]:
        """The labels by each annotator who gave any, under the names that are voted on."""
        tally.has_labels = tally.has_labels or has_field(row, source.label_field)
        setting = f"{source.setting}.labelField"
        written = answers_of(row, source.label_field, source.label_separator, setting)
        named = (self.spellings.names(labels) for labels in written)
        answers = [self._wanted.labels.renamed(names) for names in named if names]
        most = max(answers, key=len, default=())
        if len(most) > 1 and self._wanted.one_label is not None:
            raise DataError(
                f"{row.place}: field {source.label_field!r} holds {len(most)} labels ({listed(most)}), "
                f"and {self._wanted.one_label}"
            )
        return answers

    def _context(self, row: Row, tally: Tally) -> tuple[str, ...]:
        values = tuple(value_as_text(row, name, "spec.contextParameters") for name in self._wanted.context)
        tally.without_context.update(
            name for name, value in zip(self._wanted.context, values, strict=True) if not value
        )
        return values


def require_common_labels(tallies: Sequence[Tally]) -> None:
    """Raises DataError for a data set that shares no label with the first, the main one, or keeps none."""
    for tally in tallies:
        if not tally.labels:
            raise DataError(
                f"spec.labels leaves out all labels of {tally.source}: {listed(tally.left_out)}. Name one of "
                "them in include, or fewer of them in exclude; or leave out the data set"
            )
    main, *others = tallies
    for other in others:
        if main.labels.keys().isdisjoint(other.labels):
            raise DataError(
                f"{other.source} has no label in common with {main.source}: {listed(other.labels)} here, "
                f"{listed(main.labels)} there. "
                "Map them in spec.labels.aliases, or set spec.labels.allowDisjoint"
            )


def require_context(tallies: Sequence[Tally], context: Sequence[str]) -> None:
    """Raises DataError for a field of the context that no text has."""
    used = sum(tally.used for tally in tallies)
    for name in context:
        if sum(tally.without_context[name] for tally in tallies) >= used:
            fields = {found for tally in tallies for found in tally.fields}
            raise DataError(f"spec.contextParameters: no text has {name!r}; there are {listed(fields)}")


def _require_examples(fetched: FetchedSource, tally: Tally) -> None:
    if tally.used or tally.filtered:
        return
    where, label_field, setting = fetched.place, fetched.source.label_field, fetched.source.setting
    if not tally.read:
        raise DataError(f"{where}: there are no rows; {setting} must name labelled texts")
    if not tally.has_labels:
        raise DataError(
            f"{where}: no row has the field {label_field!r}; there are {listed(tally.fields)}. "
            f"Name the field that holds the label in {setting}.labelField"
        )
    raise DataError(f"{where}: no row has both a text and a label; see {setting}.{TEXT} and labelField")


class PairReading:
    """Pairs and triplets of one data set after the other; to be iterated over once.

    Rows that a filter leaves out, or where a text or the score is missing, are counted. Iteration raises
    DataError that names file, line, field and what to change.
    """

    def __init__(self, sources: Sequence[FetchedSource]) -> None:
        self._sources = sources
        self.tallies = [Tally(fetched.source.name, fetched.commit) for fetched in sources]
        self.metadata = FieldCounts()

    def __iter__(self) -> Iterator[Pair]:
        for fetched, tally in zip(self._sources, self.tallies, strict=True):
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
                f"{fetched.place}: no row has all of {listed(wanted)}; there are {listed(tally.fields)}. "
                f"Correct {fetched.source.setting}.{TEXT}, {PAIR}, {SCORE} or {NEGATIVE}"
            )


def _fields(source: DataSource) -> dict[str, str | None]:
    """Columns of texts by the field of the data set that names them."""
    return {TEXT: source.text_field, PAIR: source.pair_field, NEGATIVE: source.negative_field}


def _wanted(source: DataSource) -> list[str]:
    return [name for name in (*_fields(source).values(), source.score_field) if name]


def _pair(row: Row, source: DataSource, tally: Tally) -> Pair | None:
    place, score = source.setting, None
    texts = [text_of(row, name, f"{place}.{field}") for field, name in _fields(source).items() if name]
    if source.score_field is not None:
        score = score_of(row, source.score_field, f"{place}.{SCORE}")
    if not all(texts):
        tally.empty += 1
    elif source.score_field is not None and score is None:
        tally.unlabelled += 1
    else:
        return Pair(tuple(texts), score, tally.source)
    return None
