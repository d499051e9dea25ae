"""Labels that are likely wrong: planted ones are found, right ones are left alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sentence_transformers import SentenceTransformer
from sklearn.model_selection import train_test_split

from trainingrun_api.evaluation import Part
from trainingrun_trainer.corpus import Splits, Texts
from trainingrun_trainer.evaluation import (
    Floats,
    FoundIssues,
    Indices,
    LabelIssue,
    Predictions,
    find_label_issues,
)
from trainingrun_trainer.evaluation.label_issues import LEAST_TEXTS
from trainingrun_trainer.model import default_model_folder
from trainingrun_trainer.records import Example, normalised
from trainingrun_trainer.tasks.classification import collect_label_issues
from trainingrun_trainer.training.probe import Probed, Scale, softmax_regression, training_label_issues

TICKETS = Path(__file__).parents[3] / "examples" / "data" / "tickets.jsonl"


def sure(labels: Indices, share: float = 0.9) -> Floats:
    """Probabilities with this share for each text's label, and the rest divided among the others."""
    others = (1 - share) / labels.max()
    return (
        np.full((len(labels), labels.max() + 1), others) + (share - others) * np.eye(labels.max() + 1)[labels]
    )


TRUE = np.arange(60) % 3


def test_a_text_that_a_model_is_sure_of_under_another_label_is_flagged() -> None:
    given = TRUE.copy()
    given[[4, 31]] = [2, 0]
    found = find_label_issues(given, sure(TRUE))
    assert (found.judged, found.flagged) == (60, 2)
    assert {(one.row, one.suggested) for one in found.worst} == {(4, 1), (31, 1)}
    assert found.worst[0].trust < 0.05


@pytest.mark.parametrize("share", [0.6, 0.999])
def test_how_sure_the_model_is_in_all_matters_little(share: float) -> None:
    given = TRUE.copy()
    given[[4, 31]] = [2, 0]
    found = find_label_issues(given, sure(TRUE, share))
    assert {one.row for one in found.worst} == {4, 31}
    # Calibrated: 58 of 60 are right.
    assert found.worst[0].probability == pytest.approx(58 / 60, abs=0.005)


def test_of_two_labels_a_sixth_may_be_wrong() -> None:
    true = np.arange(100) % 2
    given = np.where(np.arange(100) < 16, 1 - true, true)
    assert {one.row for one in find_label_issues(given, sure(true)).worst} == set(range(16))


def test_right_labels_and_guesses_are_not() -> None:
    assert find_label_issues(TRUE, sure(TRUE)).flagged == 0
    given = TRUE.copy()
    given[4] = 2
    unsure = sure(TRUE)
    unsure[4] = (0.1, 0.5, 0.4)
    assert find_label_issues(given, unsure).flagged == 0


def test_the_most_certain_come_first_and_are_not_more_than_a_person_reads() -> None:
    true = np.arange(3000) % 3
    given = np.where(np.arange(3000) < 600, (true + 1) % 3, true)
    probabilities = sure(true)
    probabilities[50] = sure(true, 0.99)[50]
    found = find_label_issues(given, probabilities)
    assert (found.flagged, len(found.worst)) == (600, 200)
    assert found.worst[0].row == 50


def test_a_label_with_few_texts_is_neither_flagged_nor_suggested() -> None:
    true = np.append(TRUE, [3] * (LEAST_TEXTS - 1))
    given = true.copy()
    given[[4, 60]] = [3, 1]
    assert find_label_issues(given, sure(true)).flagged == 0
    assert find_label_issues(np.append(given, 3), sure(np.append(true, 3))).flagged == 2


def probed(given: Indices, seed: int = 0) -> Probed:
    """Texts of three labels whose embeddings lie around three points, in another order than in their part."""
    random = np.random.default_rng(seed)
    embeddings = np.eye(8)[TRUE] + random.normal(0, 0.2, (60, 8))
    rows = random.permutation(60)
    return Probed(rows, embeddings[rows].astype(np.float32), given[rows], Scale.of(embeddings))


def test_labels_of_the_training_part_are_judged_by_regressions_on_the_other_texts() -> None:
    given = TRUE.copy()
    given[[4, 31, 50]] = [2, 0, 1]
    found = training_label_issues(probed(given))
    assert found is not None
    assert (found.judged, {(one.row, one.suggested) for one in found.worst}) == (
        60,
        {(4, 1), (31, 1), (50, 2)},
    )
    clean = training_label_issues(probed(TRUE))
    assert clean is not None
    assert clean.flagged == 0


def test_what_cannot_be_judged_is_left_out() -> None:
    few = TRUE.copy()
    few[TRUE == 2] = 0
    few[:2] = 5  # a label that is far from the others by number, and has two texts
    found = training_label_issues(probed(few))
    assert found is not None
    assert found.judged == 58
    assert training_label_issues(probed(np.zeros(60, dtype=np.int64))) is None


def predictions(given: Indices) -> Predictions:
    return Predictions(given, np.log(sure(TRUE)).astype(np.float32), loss=1.0)


def splits(text: str) -> Splits:
    labels = "abc"
    texts = Texts.of(
        Example(f"{n} {text}", (labels[index],), ("mail",), "s3://data") for n, index in enumerate(TRUE)
    )
    return Splits(training=texts, evaluation=texts)


def test_issues_of_both_splits_are_listed_with_their_texts_the_most_certain_first() -> None:
    given = TRUE.copy()
    given[4] = 2
    of_training = training_label_issues(probed(given))
    found = collect_label_issues(of_training, predictions(given).label_issues(), splits("text"))
    assert found is not None
    assert (found.judged, found.flagged) == (120, 2)
    assert [(one.text, one.suggested) for one in found.texts] == [("4 text", "b"), ("4 text", "b")]
    assert {one.part for one in found.texts} == {Part.TRAINING, Part.EVALUATION}
    one = found.texts[0]
    assert (one.label, one.context, one.source, one.cut) == ("b", ["mail"], "s3://data", False)
    alone = collect_label_issues(None, predictions(given).label_issues(), splits("text"))
    assert alone is not None
    assert [one.part for one in alone.texts] == [Part.EVALUATION]


def test_texts_are_cut_as_far_as_there_is_no_room_for_all() -> None:
    many = FoundIssues(
        judged=60,
        flagged=60,
        worst=[LabelIssue(row=n, suggested=0, probability=1, trust=0) for n in range(60)],
    )
    whole = collect_label_issues(many, predictions(TRUE).label_issues(), splits("long " * 400))
    assert whole is not None
    assert not any(one.cut for one in whole.texts)
    cut = collect_label_issues(many, predictions(TRUE).label_issues(), splits("long " * 900))
    assert cut is not None
    assert {(len(one.text), one.cut) for one in cut.texts} == {(2000, True)}


@pytest.mark.slow
def test_a_tenth_of_wrong_labels_among_the_example_tickets_is_found() -> None:
    unique = {normalised(row["text"]): row for row in map(json.loads, TICKETS.read_text().splitlines())}
    names = sorted({row["label"] for row in unique.values()})
    true = np.array([names.index(row["label"]) for row in unique.values()])
    random = np.random.default_rng(7)
    planted = random.choice(len(true), len(true) // 10, replace=False)
    given = true.copy()
    given[planted] = (true[planted] + random.integers(1, len(names), len(planted))) % len(names)

    embeddings = embedded([row["text"] for row in unique.values()])
    training, evaluation = train_test_split(
        np.arange(len(true)), test_size=0.2, stratify=given, random_state=7
    )
    learned = Probed(training, embeddings[training], given[training], Scale.of(embeddings))
    head = softmax_regression(learned.embeddings, learned.targets, len(names), False)
    assert head is not None
    logits = embeddings[evaluation] @ head.weight.T + head.bias
    published = softmax(logits, axis=1)  # the least that is published

    of_training, of_evaluation = (
        training_label_issues(learned),
        find_label_issues(given[evaluation], published, evaluation),
    )
    assert of_training is not None
    found = {one.row for part in (of_training, of_evaluation) for one in part.worst}
    right = found & set(planted.tolist())
    assert len(right) / len(found) >= 0.7
    assert len(right) / len(planted) >= 0.7


def embedded(texts: list[str]) -> NDArray[np.float32]:
    """By the trainer's default model, which takes nearly all of the test's time."""
    model = SentenceTransformer(str(default_model_folder()), device="cpu")
    found: NDArray[np.float32] = model.encode(texts, batch_size=16, show_progress_bar=False)
    return found
