"""Near-duplicates among texts that are made from templates, beside a pair of all with all."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from trainingrun_trainer.corpus import Texts
from trainingrun_trainer.dedup import find_duplicates
from trainingrun_trainer.dedup.shingles import jaccard, shingle_set, similarities
from trainingrun_trainer.records import Example, normalised

COLOURS = ("black", "blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow")
THINGS = ("belt", "boots", "coat", "dress", "gloves", "hat", "jacket", "sandals", "scarf", "shirt", "shoes")
FRAMES = (
    "please cancel my order number {number} for the {colour} {thing}",
    "I want to return the {colour} {thing} of invoice {number}, it is too small",
    "where is parcel {number}?",
    "{number}: the {thing} came in {colour} and not in {other}",
)


def from_templates(count: int, frames: int) -> list[str]:
    source = random.Random(1)
    return [
        source.choice(FRAMES[:frames]).format(
            number=source.randrange(10_000, 100_000),
            colour=source.choice(COLOURS),
            thing=source.choice(THINGS),
            other=source.choice(COLOURS),
        )
        for _ in range(count)
    ]


def all_pairs(texts: list[str], threshold: float) -> NDArray[np.int64]:
    """Positions of all texts that are as similar, (2, pairs)."""
    sets = [shingle_set(normalised(text)) for text in texts]
    columns = {shingle: n for n, shingle in enumerate(sorted(set.union(*sets)))}
    ends = np.cumsum([0, *map(len, sets)])
    places = [columns[shingle] for one in sets for shingle in one]
    has = csr_array((np.ones(len(places), np.int32), places, ends), shape=(len(texts), len(columns)))
    common, sizes = (has @ has.T).toarray(), np.diff(ends)
    similarity = common / (sizes[:, None] + sizes - common)
    return np.stack(np.nonzero(np.triu(similarity >= threshold, 1)))


def components(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    graph = csr_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(count, count))
    return np.asarray(connected_components(graph)[1], dtype=np.int64)


@pytest.mark.parametrize("threshold", [0.5, 0.8])
@pytest.mark.parametrize("frames", [1, 4])
def test_of_texts_from_templates_at_most_one_pair_in_a_hundred_is_missed(
    threshold: float, frames: int
) -> None:
    texts = sorted(set(from_templates(3000, frames)), key=lambda text: text[::-1])
    first, second = wanted = all_pairs(texts, threshold)
    group = find_duplicates(Texts.of(Example(text, ("a",)) for text in texts).corpus, threshold).group
    assert len(first) > 400
    assert (group[first] == group[second]).mean() >= 0.99
    both = np.stack([components(wanted, len(texts)), group], axis=1)
    assert len(np.unique(both, axis=0)) == len(np.unique(group))  # none is joined that isn't near


def test_similarities_are_those_of_the_sets() -> None:
    texts = ["late parcel", "", "a", "\U0001f600 ok", "aaaaaaaa", "late parcels", "where is it? " * 5000]
    pairs = np.stack(np.meshgrid(np.arange(len(texts)), np.arange(len(texts)))).reshape(2, -1)
    sets = [shingle_set(text) for text in texts]
    expected = [jaccard(sets[one], sets[other]) for one, other in pairs.T]
    assert similarities(texts, pairs).tolist() == pytest.approx(expected)
    assert similarities([], pairs[:, :0]).tolist() == []
