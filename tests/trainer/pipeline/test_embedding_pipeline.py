"""Runs that make embedding models, from file to what is published."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from sentence_transformers import SentenceTransformer

from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import BaselineMethod, Evaluation
from trainingrun_api.labels import Labels
from trainingrun_api.metrics import StoppingMetric
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.status import RunResult
from trainingrun_api.tasks import TaskType
from trainingrun_api.training import EarlyStopping, Lora
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import DataError, Interrupted, SettingsError
from trainingrun_trainer.evaluation import spearman
from trainingrun_trainer.evaluation.similarity import cosine

from ..conftest import FILLERS, WORDS, changed, untimed, write_jsonl

pytestmark = pytest.mark.slow

LABELS = list(WORDS)


def path_of(uri: str | None) -> Path:
    assert uri is not None
    return Path(uri.removeprefix("file://"))


def train(config: RunConfig) -> tuple[RunResult, Evaluation]:
    result = pipeline.run(config, lambda report: None)
    return result, Evaluation.model_validate_json(path_of(result.artifacts.evaluation).read_text())


def elsewhere(config: RunConfig, name: str, **fields: Any) -> RunConfig:
    return changed(config, output_prefix=f"{config.output_prefix}-{name}", **fields)


def text(label: str, n: int) -> str:
    return f"{FILLERS[n % 10]} {WORDS[label][n % 5]} {FILLERS[n // 5 % 10]} {n}"


def rows() -> list[dict[str, Any]]:
    """Pairs of one topic with a high score, and of two with a low one; a near and a far text besides."""
    found = []
    for n in range(60):
        label, other = LABELS[n % 3], LABELS[(n + 1) % 3]
        alike = n % 2
        found.append(
            {
                "question": text(label, n),
                "answer": text(label if alike else other, n + 100),
                "near": text(label, n + 200),
                "far": text(other, n + 300),
                "score": 3 + n % 3 if alike else n % 3,
            }
        )
    return found


@pytest.fixture
def similarity(config: RunConfig) -> RunConfig:
    """Labelled texts."""
    return changed(config, task_type=TaskType.TEXT_SIMILARITY)


def of_pairs(config: RunConfig, tmp_path: Path, **fields: str) -> RunConfig:
    source = DataSource(uri=write_jsonl(tmp_path / "pairs.jsonl", rows()), text_field="question", **fields)
    return changed(config, task_type=TaskType.TEXT_SIMILARITY, dataset=source)


def test_labelled_texts_come_near_each_other(similarity: RunConfig) -> None:
    result, evaluation = train(similarity)
    assert evaluation.classification is None
    assert evaluation.similarity is not None
    scores = evaluation.similarity.labels
    assert scores is not None
    before, *_ = epochs = evaluation.curves.epochs
    best = next(epoch for epoch in epochs if epoch.epoch == result.best_epoch)
    assert scores.average_precision == best.average_precision
    assert best.average_precision is not None
    assert before.average_precision is not None
    assert best.average_precision > before.average_precision + 0.1
    assert evaluation.baseline.method is BaselineMethod.BASE_MODEL
    assert evaluation.labels == sorted(WORDS)
    assert result.evaluation.average_precision == round(scores.average_precision, 4)
    assert result.evaluation.accuracy == round(scores.nearest_label.accuracy, 4)
    table = parquet.read_table(path_of(result.artifacts.predictions)).to_pydict()
    right = [true == nearest for true, nearest in zip(table["labels"], table["predicted"], strict=True)]
    assert np.mean(right) == pytest.approx(scores.nearest_label.accuracy)


def test_the_published_model_gives_the_evaluated_scores_of_pairs(
    config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping = EarlyStopping(metric=StoppingMetric.SPEARMAN)
    scored = of_pairs(config, tmp_path, pair_field="answer", score_field="score")
    many = changed(scored, train_percent=50, training={"early_stopping": stopping, "max_epochs": 5})
    result, evaluation = train(many)
    assert evaluation.similarity is not None
    scores = evaluation.similarity.pairs
    assert scores is not None
    assert scores.spearman == max(epoch.spearman or -1 for epoch in evaluation.curves.epochs)
    assert scores.spearman > (evaluation.baseline.scores.spearman or 1)
    assert (result.evaluation.spearman, result.evaluation.f1) == (round(scores.spearman, 4), None)
    assert "Spearman" in path_of(result.artifacts.report).read_text()
    folder = path_of(result.artifacts.model)
    table = parquet.read_table(path_of(result.artifacts.predictions)).to_pydict()
    model = SentenceTransformer(str(folder), device="cpu")
    left, right = model.encode(table["text"]), model.encode(table["pair"])
    assert cosine(left, right) == pytest.approx(np.array(table["cosine"]), abs=1e-5)
    assert spearman(left, right, np.array(table["score"])) == pytest.approx(scores.spearman, abs=1e-4)
    (snippet,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), flags=re.DOTALL)
    exec(snippet.replace("path/to/this/folder", str(folder)), {})
    assert "tensor" in capsys.readouterr().out


@pytest.mark.parametrize("negative", [{}, {"negative_field": "far"}], ids=["pairs", "triplets"])
def test_pairs_without_scores_are_ranked(config: RunConfig, tmp_path: Path, negative: dict[str, str]) -> None:
    stopping = EarlyStopping(metric=StoppingMetric.ACCURACY)
    ranked = of_pairs(config, tmp_path, pair_field="near", **negative)
    result, evaluation = train(changed(ranked, training={"early_stopping": stopping}))
    assert evaluation.similarity is not None
    scores = evaluation.similarity.ranking
    assert scores is not None
    assert (evaluation.data.training, evaluation.data.evaluation, scores.rows) == (48, 12, 12)
    assert result.evaluation.accuracy == round(scores.accuracy, 4)
    assert result.evaluation.mean_reciprocal_rank == round(scores.mean_reciprocal_rank, 4)
    table = parquet.read_table(path_of(result.artifacts.predictions))
    assert ("negative_cosine" in table.column_names) is bool(negative)
    assert (1 / np.array(table["rank"])).mean() == pytest.approx(scores.mean_reciprocal_rank)


@pytest.mark.parametrize("kind", ["labels", "pairs"])
def test_a_killed_run_ends_as_an_undisturbed_one(similarity: RunConfig, tmp_path: Path, kind: str) -> None:
    pairs = of_pairs(similarity, tmp_path, pair_field="answer", score_field="score")
    config = changed(similarity if kind == "labels" else pairs, training={"lora": Lora(), "max_epochs": 2})
    disturbed = elsewhere(config, "disturbed")

    def kill(report: ProgressReport) -> None:
        if report.progress.epoch == 1 and report.progress.step >= report.progress.total_steps - 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        pipeline.run(disturbed, kill)
    so_far = Evaluation.model_validate_json(path_of(f"{disturbed.output_prefix}/evaluation.json").read_text())
    assert (so_far.finished, so_far.curves.epochs[-1].epoch, so_far.stopped_early) == (False, 1, False)
    undisturbed = train(config)[1]
    assert so_far.curves.epochs == undisturbed.curves.epochs[:2]
    assert untimed(train(disturbed)[1]) == untimed(undisturbed)


def test_a_base_model_without_pooling_gets_the_mean_of_its_tokens(
    similarity: RunConfig, plain_model: Path
) -> None:
    result, _ = train(changed(similarity, base_model=BaseModelSource(uri=plain_model.as_uri())))
    assert result.base_model.notes == ["the base model has no pooling: its tokens' mean is taken"]
    assert result.base_model.head is None
    model = SentenceTransformer(str(path_of(result.artifacts.model)), device="cpu")
    assert model.encode(["a text"]).shape == (1, 32)


@pytest.mark.parametrize("base", ["pooled_model", "plain_model"])
def test_tasks_go_on_from_each_other(
    config: RunConfig, similarity: RunConfig, base: str, request: pytest.FixtureRequest
) -> None:
    first = changed(config, base_model=BaseModelSource(uri=request.getfixturevalue(base).as_uri()))
    classifier, _ = train(first)
    source = BaseModelSource(uri=classifier.artifacts.model, from_run="tickets")
    embedder, found = train(elsewhere(similarity, "second", base_model=source))
    assert embedder.base_model.from_run == "tickets"
    assert found.base_run is not None
    assert (found.base_run.own_scores, found.base_run.scores) == (classifier.evaluation, None)
    assert any("head is left out" in note for note in embedder.base_model.notes)
    saved = json.loads((path_of(embedder.artifacts.model) / "config.json").read_text())
    assert "billing" not in saved.get("id2label", {}).values()
    back = BaseModelSource(uri=embedder.artifacts.model, from_run="second")
    third, evaluation = train(elsewhere(config, "third", base_model=back))
    assert evaluation.baseline.method is BaselineMethod.LOGISTIC_REGRESSION
    assert third.evaluation.accuracy is not None
    assert third.evaluation.accuracy > 0.8


def test_pairs_of_several_data_sets_hold_no_text_that_is_evaluated_on(
    config: RunConfig, tmp_path: Path
) -> None:
    given = [{"question": text("login", n), "near": text("login", n + 500)} for n in range(8)]
    more = [{"question": text("billing", n), "near": text("billing", n + 500)} for n in range(400, 410)]
    pairs = of_pairs(config, tmp_path, pair_field="near")
    uri = write_jsonl(tmp_path / "given.jsonl", given)
    source = pairs.dataset.model_copy(update={"uri": uri, "setting": "spec.evaluationDataset"})
    other = pairs.dataset.model_copy(update={"uri": write_jsonl(tmp_path / "more.jsonl", [*more, given[0]])})
    _, evaluation = train(
        changed(pairs, additional_datasets=[other], evaluation_dataset=source, training={"max_epochs": 1})
    )
    learned = [*(row["question"] for row in rows()), *(row["question"] for row in more), given[0]["question"]]
    shared = [one for one in learned if one in {row["question"] for row in given}]
    assert len(shared) == evaluation.data.leaked > 1
    assert (evaluation.data.training, evaluation.data.evaluation) == (71 - len(shared), 8)
    assert [(one.source, one.used) for one in evaluation.data.sources] == [
        (pairs.dataset.uri, 60),
        (other.uri, 11),
        (uri, 8),
    ]
    mixed = changed(pairs, additional_datasets=[DataSource(uri=uri, text_field="question")])
    with pytest.raises(SettingsError, match=r"different kinds of data \(labelled texts, pairs\)"):
        train(elsewhere(mixed, "mixed"))


def test_what_does_not_fit_the_data_is_refused(similarity: RunConfig, tmp_path: Path) -> None:
    spearman_of_labels = {"early_stopping": EarlyStopping(metric=StoppingMetric.SPEARMAN)}
    with pytest.raises(
        SettingsError, match="no Spearman on these data; choose one of AveragePrecision, Eval"
    ):
        train(changed(similarity, training=spearman_of_labels))
    with pytest.raises(SettingsError, match="freezeBody leaves nothing to train"):
        train(changed(similarity, training={"freeze_body": True}))
    chosen = of_pairs(similarity, tmp_path, pair_field="answer")
    with pytest.raises(SettingsError, match=r"spec\.labels doesn.t apply to pairs"):
        train(changed(chosen, labels=Labels(include=["billing"])))
    with pytest.raises(DataError, match=r"field 'answers' is missing.*spec\.dataset\.pairField"):
        train(of_pairs(similarity, tmp_path, pair_field="answers"))
