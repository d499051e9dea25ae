"""Whole runs, undisturbed and disturbed."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from transformers import BertModel
from transformers import pipeline as transformers_pipeline

from localcluster import S3Server
from trainingrun_api.advice import FindingType
from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import Baseline, BaselineMethod, Evaluation, Restart
from trainingrun_api.labels import Labels
from trainingrun_api.metrics import StoppingMetric
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import BaseModelSource, RunConfig, Storage
from trainingrun_api.training import (
    Checkpoint,
    ClassWeights,
    EarlyStopping,
    Lora,
    MixedPrecision,
    Schedule,
)
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.corpus import Texts
from trainingrun_trainer.dedup import find_duplicates
from trainingrun_trainer.errors import DataError, StorageRefusedError
from trainingrun_trainer.records import Example
from trainingrun_trainer.split import split

from ..artifacts.s3_proxy import Answer, Request, s3_error, s3_proxy
from ..conftest import KilledError, changed, ending_at, ticket_texts, tickets, untimed, write_jsonl

pytestmark = pytest.mark.slow


def ignore(report: ProgressReport) -> None:
    """Nobody listens."""


def out(config: RunConfig) -> Path:
    return Path(config.output_prefix.removeprefix("file://"))


def evaluation(config: RunConfig) -> Evaluation:
    return Evaluation.model_validate_json((out(config) / "evaluation.json").read_text())


def checkpoints(config: RunConfig) -> set[str]:
    return {path.parent.name for path in (out(config) / "checkpoints").glob("*/*/COMMITTED")}


def held_out() -> list[Example]:
    """The texts that the runs of these tests evaluate on."""
    texts = Texts.of(ticket_texts())
    return list(split(texts, find_duplicates(texts.corpus, 0.8).group, 80, 42).evaluation)


def test_a_run_learns_reports_and_publishes(config: RunConfig) -> None:
    reports: list[ProgressReport] = []
    result = pipeline.run(config, reports.append)
    stages = list(dict.fromkeys(report.progress.stage for report in reports))
    assert stages == ["LoadingData", "LoadingModel", "Training", "Evaluating", "Publishing", "Done"]
    assert [epoch.epoch for epoch in reports[-1].epochs] == [0, 1, 2, 3]
    assert (reports[-1].progress.percent, reports[-1].progress.epoch) == (100, 3)
    assert result.evaluation.accuracy > 0.8
    written = evaluation(config)
    assert (written.data.read, written.data.training, written.data.evaluation) == (60, 48, 12)
    assert result.evaluation.f1 == round(written.classification.averages.macro.f1, 4)
    best = min(written.curves.epochs, key=lambda epoch: epoch.evaluation_loss)
    assert (written.best_epoch, written.loss) == (best.epoch, best.evaluation_loss)
    assert json.loads((out(config) / "run.json").read_text())["baseModel"]["digest"]
    assert list(written.timing.stages) == stages[:-1]
    assert list(reports[-1].progress.stage_seconds) == stages
    assert 0 < written.timing.training_seconds < written.timing.stages["Training"]


def test_the_published_pooled_model_gives_the_evaluated_scores(config: RunConfig) -> None:
    result = pipeline.run(config, ignore)
    texts = held_out()
    model = SentenceTransformer(str(out(config) / "model"), device="cpu")
    names = model.config.id2label
    logits = torch.from_numpy(model.encode([text.text for text in texts]))
    targets = torch.tensor([model.config.label2id[text.label] for text in texts])
    assert float(torch.nn.functional.cross_entropy(logits, targets)) == pytest.approx(
        result.evaluation.loss, abs=1e-4
    )
    assert [names[index] for index in range(3)] == evaluation(config).labels
    assert float((logits.argmax(1) == targets).float().mean()) == pytest.approx(
        result.evaluation.accuracy, abs=1e-4
    )
    assert "SentenceTransformer" in (out(config) / "model" / "README.md").read_text()


def test_other_base_models_are_published_for_transformers(config: RunConfig, plain_model: Path) -> None:
    config = changed(config, base_model=BaseModelSource(uri=plain_model.as_uri()))
    result = pipeline.run(config, ignore)
    texts = held_out()
    classify = transformers_pipeline(
        "text-classification", str(out(config) / "model"), device="cpu", top_k=None
    )
    scores = [{one["label"]: one["score"] for one in row} for row in classify([text.text for text in texts])]
    loss = -torch.tensor([row[text.label] for row, text in zip(scores, texts, strict=True)]).log().mean()
    assert float(loss) == pytest.approx(result.evaluation.loss, abs=1e-4)


def test_a_killed_run_ends_as_an_undisturbed_one(config: RunConfig, tmp_path: Path) -> None:
    disturbed = changed(config, output_prefix=(tmp_path / "disturbed").as_uri())
    for step in (3, 9, 15):  # in the first, second and third epoch
        with pytest.raises(KilledError):
            pipeline.run(disturbed, ending_at(step, KilledError))
    pipeline.run(disturbed, ignore)
    pipeline.run(config, ignore)
    assert untimed(evaluation(disturbed)) == untimed(evaluation(config))
    # The first attempt left no checkpoint; the last one wrote of the restart before its own.
    assert evaluation(disturbed).curves.restarts == [Restart(step=6, epoch=1), Restart(step=12, epoch=2)]
    assert evaluation(config).curves.restarts == []
    took = evaluation(disturbed).timing
    assert took.texts_per_second == 3 * 48 / took.training_seconds  # of all attempts
    label_issues = evaluation(config).label_issues
    assert label_issues is not None
    assert label_issues.judged == 48  # those of the training split, which is looked at before the first epoch
    for path in (out(config) / "model").rglob("*.safetensors"):
        twin = out(disturbed) / "model" / path.relative_to(out(config) / "model")
        assert twin.read_bytes() == path.read_bytes()


def test_a_restarted_run_says_nothing_of_epochs_until_it_knows_what_was_trained(config: RunConfig) -> None:
    with pytest.raises(KilledError):
        pipeline.run(config, ending_at(15, KilledError))
    reports: list[ProgressReport] = []
    pipeline.run(config, reports.append)
    loading = [report for report in reports if report.progress.stage.startswith("Loading")]
    assert [report.epochs for report in loading] == [None] * len(loading)
    known = [epochs for report in reports[len(loading) :] if (epochs := report.epochs) is not None]
    assert len(known) == len(reports) - len(loading)
    assert [epoch.epoch for epoch in known[0]] == [0, 1, 2]


def test_a_checkpoint_that_is_not_committed_is_not_used(config: RunConfig) -> None:
    with pytest.raises(KilledError):
        pipeline.run(config, ending_at(15, KilledError))
    assert checkpoints(config) >= {"epoch-0001", "epoch-0002"}
    next((out(config) / "checkpoints").glob("*/epoch-0002/COMMITTED")).unlink()
    steps: list[int] = []
    pipeline.run(config, lambda report: steps.append(report.progress.step))
    assert min(step for step in steps if step) == 6
    assert "epoch-0003" in checkpoints(config)


def test_old_checkpoints_and_beaten_weights_are_pruned(config: RunConfig) -> None:
    config = changed(config, training={"checkpoint": Checkpoint(keep=1)})
    result = pipeline.run(config, ignore)
    weights, epoch = sorted(checkpoints(config))
    assert (weights[:9], epoch) == (f"best-{result.best_epoch:04d}", "epoch-0003")


def test_checkpoints_are_as_far_apart_as_asked(config: RunConfig) -> None:
    config = changed(config, training={"checkpoint": Checkpoint(every_epochs=2, keep=9)})
    pipeline.run(config, ignore)
    assert {name for name in checkpoints(config) if name.startswith("epoch")} == {"epoch-0002", "epoch-0003"}


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_waits_as_long_as_patience_is_and_publishes_the_best_epoch(
    config: RunConfig, patience: int
) -> None:
    settings = {"early_stopping": EarlyStopping(patience=patience, min_delta=10), "max_epochs": 50}
    result = pipeline.run(changed(config, training=settings), ignore)
    assert (result.epochs, result.stopped_early) == (patience, True)
    best = min(evaluation(config).curves.epochs, key=lambda epoch: epoch.evaluation_loss)
    assert result.best_epoch == best.epoch


@pytest.mark.parametrize(
    ("metric", "best"),
    [(StoppingMetric.EVALUATION_LOSS, 3), (StoppingMetric.ACCURACY, 1), (StoppingMetric.F1, 1)],
)
def test_the_metric_decides_how_long_it_gets_better_and_which_epoch_is_published(
    config: RunConfig, metric: StoppingMetric, best: int
) -> None:
    stopping = EarlyStopping(metric=metric, patience=1)
    result = pipeline.run(
        changed(config, training={"learning_rate": 2e-3, "early_stopping": stopping}), ignore
    )
    assert evaluation(config).baseline.scores.accuracy == 1  # nothing is better, but the loss still falls
    assert (result.best_epoch, result.epochs) == (best, best)


def test_training_that_makes_nothing_better_publishes_the_baseline(config: RunConfig) -> None:
    result = pipeline.run(changed(config, training={"learning_rate": 0.1, "warmup_steps": 0}), ignore)
    written = evaluation(config)
    before, *trained = written.curves.epochs
    assert all(epoch.evaluation_loss > before.evaluation_loss for epoch in trained)
    assert (result.best_epoch, result.epochs) == (0, 3)
    assert written.baseline == Baseline(method=BaselineMethod.LOGISTIC_REGRESSION, scores=before)
    assert (written.loss, result.evaluation.accuracy) == (
        before.evaluation_loss,
        round(before.accuracy or 0, 4),
    )
    assert before.accuracy > 0.7
    assert before.training_loss < 1.1  # chance among three labels


def test_each_setting_of_training_changes_what_is_learned(config: RunConfig) -> None:
    def losses(**training: object) -> list[float]:
        name = "_".join(training) or "defaults"
        prefix = f"{config.output_prefix}/{name}{len(list(out(config).glob(name + '*')))}"
        one = changed(config, training={"max_epochs": 2, **training}, output_prefix=prefix)
        pipeline.run(one, ignore)
        return [epoch.evaluation_loss for epoch in evaluation(one).curves.epochs]

    usual = losses()
    assert losses() == usual  # the same seed, the same model
    assert losses(seed=43) != usual
    for setting in (
        {"learning_rate": 2e-3},
        {"layer_decay": 0.5},
        {"schedule": Schedule.COSINE},
        {"warmup_ratio": 0.5},
        {"max_gradient_norm": 0.01},
        {"adversarial_epsilon": 0.5},
        {"weight_decay": 1.0},
        {"label_smoothing": 0.3},
        {"gradient_accumulation_steps": 2},
        {"mixed_precision": MixedPrecision.BF16},
        {"freeze_body": True},
        {"lora": Lora()},
        {"lora": Lora(rank=2)},
    ):
        before, *trained = losses(**setting)
        assert before == usual[0], setting
        assert trained != usual[1:], setting


def test_balanced_classes_change_the_start_and_what_is_learned(config: RunConfig) -> None:
    rare = [ticket for n, ticket in enumerate(tickets()) if ticket["label"] != "login" or n % 4 == 0]
    data = DataSource(uri=write_jsonl(out(config).parent / "rare.jsonl", rare))
    losses = []
    for weights in ClassWeights:
        training = {"class_weights": weights, "max_epochs": 1}
        prefix = f"{config.output_prefix}/{weights}"
        one = changed(config, dataset=data, training=training, output_prefix=prefix)
        pipeline.run(one, ignore)
        losses.append([epoch.evaluation_loss for epoch in evaluation(one).curves.epochs])
    assert all(usual != balanced for usual, balanced in zip(*losses, strict=True))


def test_texts_are_cut_where_they_are_asked_to_be(config: RunConfig) -> None:
    twice = [{**ticket, "text": f"{ticket['text']} {ticket['text']}"} for ticket in tickets()]
    data = DataSource(uri=write_jsonl(out(config).parent / "twice.jsonl", twice))
    found = []
    for tokens in (None, 8):
        training = {"max_sequence_length": tokens, "max_epochs": 1}
        one = changed(
            config, dataset=data, training=training, output_prefix=f"{config.output_prefix}/{tokens}"
        )
        pipeline.run(one, ignore)
        found.append(evaluation(one))
    assert [one.recipe.max_sequence_length for one in found] == [32, 8]  # 32 are what the model reads
    assert [one.data.truncated for one in found] == [0, 60]
    assert found[0].curves.epochs[0].evaluation_loss != found[1].curves.epochs[0].evaluation_loss


@pytest.fixture
def telling_model(plain_model: Path, tmp_path: Path) -> Path:
    """A body without pooling whose output tells texts apart, as a random one's hardly does."""
    folder = tmp_path / "telling"
    shutil.copytree(plain_model, folder)
    model = BertModel.from_pretrained(folder, hidden_dropout_prob=0.0)
    with torch.no_grad():
        model.pooler.dense.weight.mul_(5)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("base", ["pooled_model", "telling_model"])
def test_a_killed_run_with_adapters_ends_as_an_undisturbed_one_in_an_ordinary_model(
    config: RunConfig, tmp_path: Path, base: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(base)
    patient = EarlyStopping(patience=9)
    settings = {"lora": Lora(), "learning_rate": 1e-2, "max_epochs": 6, "early_stopping": patient}
    config = changed(config, base_model=BaseModelSource(uri=folder.as_uri()), training=settings)
    disturbed = changed(config, output_prefix=(tmp_path / "disturbed").as_uri())
    with pytest.raises(KilledError):
        pipeline.run(disturbed, ending_at(9, KilledError))
    pipeline.run(disturbed, ignore)
    result = pipeline.run(config, ignore)
    assert untimed(evaluation(disturbed)) == untimed(evaluation(config))
    assert result.best_epoch > 0
    published = load_file(next((out(config) / "model").glob("model.safetensors")))
    before = load_file(folder / "model.safetensors")
    body = {name: value for name, value in published.items() if name.removeprefix("bert.") in before}
    assert len(body) == len(before)  # by the same names, so that nothing of peft is needed to load it
    matrix = "encoder.layer.0.attention.self.query.weight"
    assert not any(value.equal(before[matrix]) for name, value in body.items() if name.endswith(matrix))


def test_the_recipe_and_the_gradients_are_in_the_evaluation(config: RunConfig) -> None:
    settings = {"learning_rate": None, "gradient_accumulation_steps": 2, "max_epochs": 2}
    stopping = EarlyStopping(metric=StoppingMetric.ACCURACY)
    pipeline.run(changed(config, training={**settings, "early_stopping": stopping}), ignore)
    written = evaluation(config)
    used = written.recipe
    assert (used.learning_rate, used.total_steps, used.warmup_steps) == (2e-4, 6, 1)  # 48 texts, 16 a step
    assert [point.step for point in written.curves.training_loss] == [1, 2, 3, 4, 5, 6]
    assert all(point.gradient_norm > 0 for point in written.curves.training_loss)
    best = next(epoch for epoch in written.curves.epochs if epoch.epoch == written.best_epoch)
    assert best.accuracy == max(epoch.accuracy or 0 for epoch in written.curves.epochs)


def test_a_finished_run_is_only_reported(config: RunConfig) -> None:
    first = pipeline.run(config, ignore)
    stages: list[str] = []
    assert pipeline.run(config, lambda report: stages.append(report.progress.stage)) == first
    assert stages == ["Done"]
    newer = (out(config) / "evaluation.json").read_text().replace("{", '{"newer": 1, ', 1)
    (out(config) / "evaluation.json").write_text(newer)
    assert pipeline.run(config, ignore) == first
    assert (out(config) / "evaluation.json").read_text() == newer


def test_an_evaluation_during_training_is_not_taken_for_the_last_one(config: RunConfig) -> None:
    pipeline.run(config, ignore)
    last = evaluation(config)
    so_far = last.model_copy(update={"finished": False, "loss": 9.0})
    (out(config) / "evaluation.json").write_text(so_far.model_dump_json())
    stages: list[str] = []
    pipeline.run(config, lambda report: stages.append(report.progress.stage))
    assert "Publishing" in stages
    assert untimed(evaluation(config)) == untimed(last)


def test_the_evaluation_of_the_latest_epoch_is_there_while_training_goes_on(config: RunConfig) -> None:
    with pytest.raises(KilledError):
        pipeline.run(config, ending_at(9, KilledError))  # in the second epoch
    so_far = evaluation(config)
    assert (so_far.finished, so_far.stopped_early) == (False, False)
    assert [epoch.epoch for epoch in so_far.curves.epochs] == [0, 1]
    assert so_far.classification is not None
    assert so_far.classification.accuracy == so_far.curves.epochs[-1].accuracy
    pipeline.run(config, ignore)
    assert evaluation(config).finished


def test_a_run_goes_on_from_the_model_of_an_earlier_one(config: RunConfig, tmp_path: Path) -> None:
    first = pipeline.run(config, ignore)
    source = BaseModelSource(uri=first.artifacts.model, from_run="tickets")
    second = changed(config, base_model=source, output_prefix=(tmp_path / "second").as_uri())
    result = pipeline.run(second, ignore)
    assert result.base_model.from_run == "tickets"
    base_run = evaluation(second).base_run
    assert base_run is not None
    assert (base_run.own_scores, base_run.scores) == (first.evaluation, evaluation(second).baseline.scores)
    assert base_run.scores is not None
    assert base_run.scores.accuracy == pytest.approx(first.evaluation.accuracy, abs=1e-4)  # the same texts
    assert evaluation(second).curves.training_loss[0].loss < evaluation(config).curves.training_loss[0].loss
    other_parts = changed(second, training={"seed": 2}, output_prefix=(tmp_path / "third").as_uri())
    seen = [{found.type for found in one.advice} for one in (result, pipeline.run(other_parts, ignore))]
    assert [FindingType.SEEN_TEXTS in types for types in seen] == [False, True]


def test_kept_duplicates_do_not_leak_into_the_evaluation(config: RunConfig) -> None:
    uri = write_jsonl(out(config).parent / "twice.jsonl", [*tickets(), *tickets()])
    config = changed(config, dataset=DataSource(uri=uri), skip_duplicates=False)
    pipeline.run(config, ignore)
    counts = evaluation(config).data
    assert (counts.duplicates, counts.training, counts.evaluation) == (60, 96, 24)


def test_all_from_and_to_s3(config: RunConfig, pooled_model: Path, s3_credentials: S3Server) -> None:
    storage = Storage(endpoint=s3_credentials.endpoint)
    store = open_store("s3://bucket", storage)
    store.upload(Path(config.dataset.uri.removeprefix("file://")), "s3://bucket/whole/data/tickets.jsonl")
    for path in pooled_model.rglob("*"):
        if path.is_file():
            store.upload(path, f"s3://bucket/whole/base/{path.relative_to(pooled_model)}")
    local = pipeline.run(config, ignore)
    remote = changed(
        config,
        storage=storage,
        dataset=DataSource(uri="s3://bucket/whole/data/"),
        base_model=BaseModelSource(uri="s3://bucket/whole/base/"),
        output_prefix="s3://bucket/out/team/tickets/1",
    )
    with pytest.raises(KilledError):
        pipeline.run(remote, ending_at(9, KilledError))
    assert pipeline.run(remote, ignore).evaluation == local.evaluation
    assert store.exists("s3://bucket/out/team/tickets/1/model/COMMITTED")


def without_deleting(request: Request) -> Answer | None:
    """As for a user who may not delete."""
    deletes = request.method == "DELETE" or request.path.endswith("?delete")
    return s3_error(403, "AccessDenied", "not allowed") if deletes else None


def test_a_run_that_may_not_delete_old_checkpoints_is_finished_all_the_same(
    config: RunConfig, s3_credentials: S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    with s3_proxy(s3_credentials, without_deleting) as endpoint:
        storage, prefix = Storage(endpoint=endpoint), "s3://bucket/undeleted"
        kept = {"max_epochs": 2, "checkpoint": Checkpoint(keep=1)}
        pipeline.run(changed(config, training=kept, storage=storage, output_prefix=prefix), ignore)
        assert open_store(prefix, storage).exists(f"{prefix}/model/COMMITTED")
    assert f"Old checkpoints remain under {prefix}/checkpoints; deleting them failed: " in caplog.text


def test_an_output_that_cannot_be_written_is_refused_before_data_are_read(
    config: RunConfig, s3_credentials: S3Server
) -> None:
    storage = Storage(endpoint=s3_credentials.endpoint)
    refused = changed(config, storage=storage, output_prefix="s3://nowhere/out")
    stages: list[str] = []
    with pytest.raises(StorageRefusedError, match="the bucket does not exist"):
        pipeline.run(refused, lambda report: stages.append(report.progress.stage))
    assert stages == []


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("missing.jsonl", "there is no such file"),
        ("missing/", "there are no .jsonl, .json, .csv, .tsv, .parquet files"),
    ],
)
def test_missing_data_are_an_error_of_the_data(config: RunConfig, uri: str, message: str) -> None:
    config = changed(config, dataset=DataSource(uri=f"{out(config).parent.as_uri()}/{uri}"))
    with pytest.raises(DataError, match=message):
        pipeline.run(config, ignore)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Labels(exclude=["login", "delivery"]), "all texts have the label 'billing'"),
        (Labels(aliases={"login": "billing", "delivery": "billing"}), "all texts have the label 'billing'"),
        (
            Labels(include=["logins"]),
            r"labels.include: no text has the label 'logins' \(did you mean 'login'\?\)",
        ),
    ],
)
def test_the_choice_of_labels_holds_for_the_run(config: RunConfig, labels: Labels, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pipeline.run(changed(config, labels=labels), ignore)


def test_nothing_is_left_in_the_temporary_folder(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    with pytest.raises(KilledError):
        pipeline.run(config, ending_at(3, KilledError))
    assert list((tmp_path / "tmp").iterdir()) == []
