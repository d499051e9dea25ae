"""Examples of texts that occur again, for people to look at."""

from trainingrun_api.evaluation import TextPair

from ..corpus import Corpus
from ..records import Example, normalised
from .shingles import jaccard, shingle_set
from .unique import CopyPairs

SHOWN = 20
"""Pairs of a kind."""

CHARACTERS = 200
"""Of each text."""


def examples(corpus: Corpus, pairs: CopyPairs) -> list[TextPair]:
    """The first pairs."""
    earlier, later = corpus.examples(pairs.earlier[:SHOWN]), corpus.examples(pairs.later[:SHOWN])
    return [_pair(one, other) for one, other in zip(earlier, later, strict=True)]


def _pair(one: Example, other: Example) -> TextPair:
    similarity = jaccard(shingle_set(normalised(one.text)), shingle_set(normalised(other.text)))
    return TextPair(
        text=_shown(one.text),
        labels=list(one.labels),
        other=_shown(other.text),
        other_labels=list(other.labels),
        similarity=round(similarity, 3),
    )


def _shown(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…"
