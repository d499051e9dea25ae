"""Divide texts into a part to train on and a part to evaluate on."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from xxhash import xxh3_64_intdigest

from .corpus import Splits, Texts
from .errors import DataError

UNDECIDED: Final = 0
TRAINING: Final = 1
EVALUATION: Final = 2

Places = NDArray[np.int64]

Sides = NDArray[np.int8]


def split(texts: Texts, groups: NDArray[np.int64], train_percent: int, seed: int) -> Splits:
    """Split, stratified by label: the same texts and seed always give the same parts, whatever their order.

    `groups` are texts that stay together, such as duplicates of each other: an equal number each, (texts,).

    The groups of a label are put in an order by a hash of seed and content and cut where the number of texts
    comes nearest to the share, with a group left on each side. So k texts more of a label move at most k of
    its other texts, and none of other labels. A label with one group is only trained on.

    Groups may have several labels. Each set of labels is divided as far as its share is whole numbers; what
    is left of all sets is divided by label, the label with the fewest groups first, so that each label comes
    near the share (after "iterative stratification", Sechidis et al., ECML PKDD 2011). In the end a label
    that is only on the evaluation side gives its first group to training; then one that is only trained gives
    its smallest group to evaluation, unless each of its groups is the last that training has of some label.

    Raises DataError when there is nothing to tell apart or nothing to evaluate on.
    """
    require_classes(texts)
    _, group = np.unique(groups, return_inverse=True)
    place = places(texts.corpus.keys[texts.rows], group, seed)
    sides = _sides(*_texts_of(texts, place), train_percent)[place]
    if not (sides == EVALUATION).any():
        raise DataError(
            "no label has two different texts, so there is nothing to evaluate on: add texts, "
            "or name the field that holds the label in spec.dataset.labelField"
        )
    return Splits(
        training=Texts(texts.corpus, texts.rows[sides == TRAINING]),
        evaluation=Texts(texts.corpus, texts.rows[sides == EVALUATION]),
    )


def require_classes(texts: Texts) -> None:
    """Raises DataError when there is nothing to tell apart."""
    sets = [texts.corpus.label_sets[one] for one in np.unique(texts.corpus.label_set[texts.rows])]
    if len(sets) < 2:
        found = f"all texts have the label {', '.join(sets[0])!r}" if sets else "there is no labelled text"
        raise DataError(
            f"{found}: a classifier needs texts of at least two labels; see spec.dataset.labelField"
        )


def _texts_of(texts: Texts, place: NDArray[np.int64]) -> tuple[csc_array, csc_array]:
    """How many texts of each set of labels, and of each label by name, the group at each place has.

    (groups, sets) and (groups, labels).
    """
    names = {label: column for column, label in enumerate(sorted(texts.labels))}
    sets = texts.corpus.label_sets
    columns = [names.get(label, 0) for labels in sets for label in labels]
    ends = np.cumsum([0, *(len(labels) for labels in sets)])
    labels_of_sets = csr_array((np.ones_like(columns), columns, ends), shape=(len(sets), len(names)))
    where = (place, texts.corpus.label_set[texts.rows])
    sets_of_groups = csr_array((np.ones_like(place), where), shape=(place.max() + 1, len(sets)))
    by_set, by_label = csc_array(sets_of_groups), csc_array(sets_of_groups @ labels_of_sets)
    by_set.sort_indices()
    by_label.sort_indices()
    return by_set, by_label


def _sides(by_set: csc_array, by_label: csc_array, train_percent: int) -> Sides:
    """The side of each group, (groups,); they stand in their order."""
    sides = np.zeros(by_label.shape[0], dtype=np.int8)
    for groups, texts in _columns(by_set):
        _decide_whole(sides, groups, texts, train_percent)
    for groups, texts in _columns(by_label):
        _decide_all(sides, groups, texts, train_percent)
    _train_all_labels(sides, by_label)
    _evaluate_all_labels(sides, by_label, sizes=by_set.sum(axis=1))
    return sides


def _columns(counts: csc_array) -> Iterator[tuple[Places, Places]]:
    """The groups of each column, with their numbers of texts; the column with the fewest groups first."""
    sizes = np.diff(counts.indptr)
    for column in np.argsort(sizes, kind="stable")[(sizes == 0).sum() :]:
        part = slice(*counts.indptr[column : column + 2])
        yield counts.indices[part], counts.data[part]


def _decide_whole(sides: Sides, groups: Places, texts: Places, train_percent: int) -> None:
    """Give the first and the last of these groups their side, as many as the share has whole ones of."""
    decided = sides[groups]
    free, sizes = groups[decided == UNDECIDED], texts[decided == UNDECIDED]
    wanted = texts.sum() * train_percent / 100
    trained, evaluated = texts[decided == TRAINING].sum(), texts[decided == EVALUATION].sum()
    sides[free[trained + sizes.cumsum() <= wanted]] = TRAINING
    sides[free[evaluated + sizes[::-1].cumsum()[::-1] <= texts.sum() - wanted]] = EVALUATION


def _decide_all(sides: Sides, groups: Places, texts: Places, train_percent: int) -> None:
    """Give those of these groups that are undecided their side, so that all come near the share."""
    decided = sides[groups]
    free = groups[decided == UNDECIDED]
    trained = texts[decided == TRAINING].sum()
    totals = trained + np.concatenate([[0], texts[decided == UNDECIDED].cumsum()])
    fewest = min(0 if trained else 1, len(free))
    most = len(free) if (decided == EVALUATION).any() else len(free) - 1
    wanted = texts.sum() * train_percent / 100
    cut = fewest + int(np.abs(totals[fewest : max(most, fewest) + 1] - wanted).argmin())
    sides[free[:cut]] = TRAINING
    sides[free[cut:]] = EVALUATION


def _train_all_labels(sides: Sides, by_label: csc_array) -> None:
    """Give training the first group of each label that it has none of."""
    for groups, _ in _columns(by_label):
        if not (sides[groups] == TRAINING).any():
            sides[groups[0]] = TRAINING


def _evaluate_all_labels(sides: Sides, by_label: csc_array, sizes: Places) -> None:
    """Give evaluation the smallest group of each label that it has none of; training keeps all its labels.

    `sizes` are the texts of each group, (groups,).
    """
    labels = csr_array((by_label > 0).astype(np.int64))
    trained = (sides == TRAINING) @ labels
    for groups, _ in _columns(by_label):
        if (sides[groups] == EVALUATION).any():
            continue
        needed = labels[groups] @ (trained == 1) > 0
        spare = groups[~needed][::-1]  # evaluation has the last groups of a label, so of equal ones the last
        if len(spare):
            given = spare[sizes[spare].argmin()]
            sides[given] = EVALUATION
            trained -= labels[[given]].sum(axis=0)


def places(keys: NDArray[np.uint64], group: NDArray[np.integer], seed: int) -> Places:
    """The place of each row's group, (rows,): groups in the order of the least hash of their rows.

    `keys` stand for the content of each row, (rows, ...); `group` numbers the groups from 0 on, (rows,).
    """
    content = keys.tobytes()
    size = len(content) // max(len(keys), 1)
    hashes = (xxh3_64_intdigest(content[row * size : (row + 1) * size], seed) for row in range(len(keys)))
    least = np.full(group.max(initial=-1) + 1, np.iinfo(np.uint64).max)
    np.minimum.at(least, group, np.fromiter(hashes, np.uint64, len(keys)))
    place = np.empty(len(least), dtype=np.int64)
    place[np.argsort(least)] = np.arange(len(least))
    found: Places = place[group]
    return found
