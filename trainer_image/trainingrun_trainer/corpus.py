"""Labelled texts on disk: what is kept of each in memory is small and always the same."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from tempfile import NamedTemporaryFile
from typing import Self, TypeVar, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from xxhash import xxh3_64_digest

from .records import Example, text_key

Rows = NDArray[np.int64]
"""Positions of texts in their corpus, (texts,)."""

AT_ONCE = 4096
"""Texts that are written, and read, together."""

SCHEMA = pa.schema({"text": pa.string(), "context": pa.list_(pa.string())})

_NONE = np.zeros(0, dtype=np.int32)

_Value = TypeVar("_Value")


@dataclass(frozen=True, eq=False)
class Corpus:
    """Labelled texts, in an Arrow file without a name, which is gone with this object."""

    batches: list[pa.RecordBatch]
    """Text and context, AT_ONCE texts each but the last; their memory is mapped from the file."""
    keys: NDArray[np.uint64]
    """`text_key` of each text, (texts, 2)."""
    contexts: NDArray[np.uint64]
    """A hash of each text's context, (texts,)."""
    label_set: NDArray[np.int32]
    """Position of each text's labels in `label_sets`, (texts,)."""
    label_sets: list[tuple[str, ...]]
    """All sets of labels that a text has."""
    source: NDArray[np.int32]
    """Position of each text's source in `sources`, (texts,)."""
    sources: list[str]
    """All sources."""

    @classmethod
    def store(cls, examples: Iterable[Example]) -> Self:
        """Write texts as they come. Their position is the order they come in."""
        keys, contexts, label_set, source = [], [], [], []
        label_sets: dict[tuple[str, ...], int] = {}
        sources: dict[str, int] = {}
        with NamedTemporaryFile(prefix="texts-", suffix=".arrow") as file:
            with pa.OSFile(file.name, "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
                for batch in _batched(examples):
                    writer.write_batch(_record_batch(batch))
                    keys.append(b"".join([text_key(example.text) for example in batch]))
                    contexts.append(b"".join([_context_key(example.context) for example in batch]))
                    label_set.append(_codes(label_sets, [example.labels for example in batch]))
                    source.append(_codes(sources, [example.source for example in batch]))
            # The map outlives the name.
            batches = pa.ipc.open_file(pa.memory_map(file.name)).read_all().to_batches()
        return cls(
            batches=batches,
            keys=np.frombuffer(b"".join(keys), np.uint64).reshape(-1, 2),
            contexts=np.frombuffer(b"".join(contexts), np.uint64),
            label_set=np.concatenate([_NONE, *label_set]),
            label_sets=list(label_sets),
            source=np.concatenate([_NONE, *source]),
            sources=list(sources),
        )

    def __len__(self) -> int:
        return len(self.label_set)

    @cached_property
    def first_duplicates(self) -> Rows:
        """Of each text the first one that is a duplicate of it, itself among them, (texts,)."""
        return first_duplicates(self.keys)

    def all(self) -> "Texts":
        return Texts(self, np.arange(len(self)))

    def texts(self, rows: Rows) -> list[str]:
        """The texts alone, in the order of `rows`; fastest where that is the order they were written in."""
        return [text for run in self._runs(rows, ["text"]) for text in run["text"].to_pylist()]

    def examples(self, rows: Rows) -> list[Example]:
        """In the order of `rows`; fastest where that is the order they were written in."""
        columns = [
            (text, tuple(context))
            for run in self._runs(rows, ["text", "context"])
            for text, context in zip(run["text"].to_pylist(), run["context"].to_pylist(), strict=True)
        ]
        return [
            Example(text, self.label_sets[labels], context, self.sources[source])
            for (text, context), labels, source in zip(
                columns, self.label_set[rows].tolist(), self.source[rows].tolist(), strict=True
            )
        ]

    def _runs(self, rows: Rows, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Rows that follow each other in one batch are taken from it together."""
        batch = rows // AT_ONCE
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(batch)) + 1):
            if len(run):
                found = self.batches[batch[run[0]]].select(columns)
                yield found.take(pa.array(rows[run] % AT_ONCE))


@dataclass(frozen=True, eq=False)
class Texts(Sequence[Example]):
    """Some texts of a corpus, read when they are asked for."""

    corpus: Corpus
    rows: Rows

    @classmethod
    def of(cls, examples: Iterable[Example]) -> Self:
        """A corpus of these."""
        corpus = Corpus.store(examples)
        return cls(corpus, np.arange(len(corpus)))

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Example: ...

    @overload
    def __getitem__(self, index: slice) -> "Texts": ...

    def __getitem__(self, index: int | slice) -> "Example | Texts":
        if isinstance(index, slice):
            return Texts(self.corpus, self.rows[index])
        return self.corpus.examples(self.rows[[index]])[0]

    def __iter__(self) -> Iterator[Example]:
        for start in range(0, len(self), AT_ONCE):
            yield from self.corpus.examples(self.rows[start : start + AT_ONCE])

    @cached_property
    def labels(self) -> set[str]:
        return set(self.label_counts())

    def label_counts(self) -> Counter[str]:
        """How many texts have each label."""
        counts: Counter[str] = Counter()
        sets, texts = np.unique(self.corpus.label_set[self.rows], return_counts=True)
        for one, count in zip(sets.tolist(), texts.tolist(), strict=True):
            counts.update(dict.fromkeys(self.corpus.label_sets[one], count))
        return counts

    def source_counts(self) -> Counter[str]:
        """How many texts come from each source."""
        sources, texts = np.unique(self.corpus.source[self.rows], return_counts=True)
        return Counter(
            {self.corpus.sources[one]: count for one, count in zip(sources, texts.tolist(), strict=True)}
        )


@dataclass(frozen=True)
class Splits:
    """Texts to train on and texts to evaluate on; no text is in both."""

    training: Texts
    evaluation: Texts

    def together(self) -> Texts:
        """The texts of both parts, which are of one corpus, in the order of that."""
        return Texts(self.training.corpus, np.union1d(self.training.rows, self.evaluation.rows))

    @cached_property
    def labels(self) -> list[str]:
        """All labels, sorted: the order of the model's outputs."""
        return sorted(self.training.labels | self.evaluation.labels)

    def by_label(self) -> dict[str, tuple[int, int]]:
        """How many texts have each label, in the training and in the evaluation split; by label."""
        training, evaluation = self.training.label_counts(), self.evaluation.label_counts()
        return {label: (training[label], evaluation[label]) for label in self.labels}


def first_duplicates(keys: NDArray[np.uint64]) -> Rows:
    """Of each key, (texts, 2), the position of the first that is equal."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: of equal keys the first stays the first
    in_order = keys[order]
    begins = np.concatenate([[True], (in_order[1:] != in_order[:-1]).any(axis=1)])[: len(order)]
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    return first


def _batched(examples: Iterable[Example]) -> Iterator[list[Example]]:
    remaining = iter(examples)
    return iter(lambda: list(islice(remaining, AT_ONCE)), [])


def _record_batch(examples: list[Example]) -> pa.RecordBatch:
    columns = [[example.text for example in examples], [example.context for example in examples]]
    return pa.record_batch([pa.array(*one) for one in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA)


def _context_key(context: tuple[str, ...]) -> bytes:
    return xxh3_64_digest("\0".join(context).encode())


def _codes(known: dict[_Value, int], values: list[_Value]) -> NDArray[np.int32]:
    """Positions of values among those that are known; new ones are added."""
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int32)
