"""Several labels a text: the head's start, the loss, and what is saved."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import pipeline

from trainingrun_api.training import Training
from trainingrun_trainer.evaluation import MultiLabelPredictions
from trainingrun_trainer.model import Classifier, PooledClassifier, SequenceClassifier, load
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import MultiLabelClassification, prepare

from ..conftest import FILLERS, WORDS

LABELS = list(WORDS)


def examples() -> list[Example]:
    """60 texts, half of them about one thing and half about two."""
    found = []
    for n in range(60):
        labels = (LABELS[n % 3],) if n % 2 else (LABELS[n % 3], LABELS[(n + 1) % 3])
        words = [WORDS[label][n % 5] for label in labels]
        found.append(Example(f"{FILLERS[n % 10]} {' '.join(words)} {FILLERS[n // 6]} {n}", labels))
    return found


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def classifier_of(folder: Path, *, multi_label: bool = True) -> Classifier:
    return load(folder, "uri", LABELS, multi_label=multi_label)


def objective_of(classifier: Classifier) -> MultiLabelClassification:
    texts = classifier.encode(examples())
    return MultiLabelClassification(classifier, texts, texts, Training())


def test_a_new_head_on_pooled_texts_starts_from_one_regression_a_label(pooled_model: Path) -> None:
    objective = objective_of(classifier_of(pooled_model))
    state = prepare(objective, Training(batch_size=8))
    before = state.evaluate()
    head = objective.start_head(state.training)
    assert head.probed is not None
    assert objective.label_issues(head.probed) is None  # which are for texts with one label
    after = state.evaluate()
    assert before.scores.f1 is not None
    assert after.scores.f1 is not None
    assert after.scores.f1 > max(before.scores.f1, 0.75)
    assert after.loss < before.loss


def test_the_loss_sums_over_labels_in_training_and_evaluation(pooled_model: Path) -> None:
    objective = objective_of(classifier_of(pooled_model))
    state = prepare(objective, Training(batch_size=64))
    outcome = state.evaluate()
    assert isinstance(outcome.output, MultiLabelPredictions)
    assert outcome.loss == pytest.approx(outcome.output.losses.mean(), rel=1e-5)
    (batch,) = state.training
    assert float(objective.loss(batch).detach()) == pytest.approx(outcome.loss, rel=1e-5)


def test_predictions_stand_in_the_order_of_the_texts(pooled_model: Path) -> None:
    outcome = prepare(objective_of(classifier_of(pooled_model)), Training(batch_size=8)).evaluate()
    sets = [
        tuple(label for label, has in zip(LABELS, row, strict=True) if has) for row in outcome.output.targets
    ]
    assert sets == [tuple(sorted(example.labels, key=LABELS.index)) for example in examples()]


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_a_head_is_made_anew_when_the_number_of_labels_a_text_changes(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    several = classifier_of(request.getfixturevalue(kind))
    several.set_threshold(0.25)
    several.save(tmp_path / "several")
    again = classifier_of(tmp_path / "several")
    one = classifier_of(tmp_path / "several", multi_label=False)
    one.save(tmp_path / "one")
    back = classifier_of(tmp_path / "one")
    heads = [next(model.head_parameters()).detach() for model in (several, again, one, back)]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert not torch.equal(heads[2], heads[3])
    bodies = [next(model.network.parameters()).detach() for model in (several, back)]
    assert torch.equal(*bodies)


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_the_configuration_says_several_labels_and_from_which_threshold(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    classifier = classifier_of(request.getfixturevalue(kind))
    classifier.set_threshold(0.25)
    classifier.save(tmp_path / "several")
    saved = json.loads((tmp_path / "several" / "config.json").read_text())
    assert (saved["problem_type"], saved["threshold"]) == ("multi_label_classification", 0.25)
    classifier_of(tmp_path / "several", multi_label=False).save(tmp_path / "one")
    saved = json.loads((tmp_path / "one" / "config.json").read_text())
    assert saved["problem_type"] == "single_label_classification"
    assert "threshold" not in saved


def test_libraries_give_the_probabilities_of_the_evaluation(
    plain_model: Path, pooled_model: Path, tmp_path: Path
) -> None:
    texts = [example.text for example in examples()]
    for number, folder in enumerate((plain_model, pooled_model)):
        classifier = classifier_of(folder)
        outcome = prepare(objective_of(classifier), Training(batch_size=8)).evaluate()
        assert isinstance(outcome.output, MultiLabelPredictions)
        saved = tmp_path / str(number)
        classifier.save(saved)
        found = (
            _by_pipeline(saved, texts)
            if isinstance(classifier, SequenceClassifier)
            else _by_encode(saved, texts)
        )
        assert isinstance(classifier, SequenceClassifier | PooledClassifier)
        assert found == pytest.approx(outcome.output.probabilities, abs=1e-5)


def _by_pipeline(folder: Path, texts: list[str]) -> np.ndarray:
    classify = pipeline("text-classification", str(folder), top_k=None, device="cpu")
    scores = [{one["label"]: one["score"] for one in of_text} for of_text in classify(texts, truncation=True)]
    return np.array([[of_text[label] for label in LABELS] for of_text in scores])


def _by_encode(folder: Path, texts: list[str]) -> np.ndarray:
    model = SentenceTransformer(str(folder), device="cpu")
    return model.encode(texts, convert_to_tensor=True).sigmoid().numpy()
