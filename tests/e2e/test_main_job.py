"""The main job on a real node: what a user sees of a run, and of one that is disturbed."""

import json
from pathlib import Path
from typing import Any

import pytest
from e2e.world import World
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer, BertConfig, BertModel

from demo import operator_release
from demo.objectstore import NAMESPACE
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.names import RUN_LABEL
from trainingrun_api.status import Phase, TrainingRunStatus
from trainingrun_trainer.model import default_model_folder

pytestmark = pytest.mark.slow

OUTPUT = {
    "uri": "s3://trainingrun-demo/runs",
    "endpoint": "http://s3.trainingrun-demo:7070",
    "credentialsSecretRef": {"name": "s3-credentials"},
}
SPEC: dict[str, Any] = {
    "dataset": {"uri": "s3://trainingrun-demo/data/tickets.jsonl"},
    "training": {"maxEpochs": 2},
    "resources": {"cpu": "1", "memory": "3Gi"},
    "output": OUTPUT,
}


REVIEWS = {"uri": "s3://trainingrun-demo/data/reviews.csv", "textField": "review", "labelField": "sentiment"}
"""Few texts, where it doesn't matter how many."""


@pytest.fixture(scope="module")
def undisturbed(world: World) -> tuple[str, TrainingRunStatus]:
    """A run that nothing happens to."""
    name = world.apply(SPEC, "undisturbed")
    status = world.finished(name)
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    return name, status


def test_scores_and_epochs_come_back_onto_the_resource(undisturbed: tuple[str, TrainingRunStatus]) -> None:
    _, status = undisturbed
    assert [epoch.epoch for epoch in status.epochs] == [0, 1, 2]
    assert status.progress is not None
    assert (status.progress.epoch, status.progress.percent) == (2, 100)
    assert status.evaluation is not None
    assert 0.7 < status.evaluation.f1 < 1
    best = min(status.epochs, key=lambda epoch: epoch.evaluation_loss)
    assert status.best_epoch == best.epoch
    assert status.evaluation.f1 == pytest.approx(best.f1, abs=1e-3)
    assert {c.type: c.status for c in status.conditions} == {
        "Succeeded": "True",
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
    }


def test_kubectl_shows_the_columns_and_tells_the_story(
    world: World, undisturbed: tuple[str, TrainingRunStatus]
) -> None:
    name, status = undisturbed
    header, row = world.kubernetes.kubectl("-n", NAMESPACE, "get", "trun", name).splitlines()
    assert header.split() == ["NAME", "PHASE", "EPOCH", "PROGRESS", "F1", "AGE"]
    assert row.split()[:4] == [name, "Succeeded", "2", "100"]
    assert status.evaluation is not None
    assert float(row.split()[4]) == status.evaluation.f1
    story = world.kubernetes.kubectl("-n", NAMESPACE, "describe", "trun", name)
    events = story.partition("Events:")[2]
    assert "Training" in events
    assert "Completed" in events


def test_results_in_the_bucket_can_be_used_without_this_project(
    world: World, undisturbed: tuple[str, TrainingRunStatus], tmp_path: Path
) -> None:
    _, status = undisturbed
    assert status.artifacts is not None
    model = SentenceTransformer(str(world.download(status.artifacts.model, tmp_path / "model")), device="cpu")
    text = "I was charged twice this month, please check my invoice"
    scores = model.encode([text])[0]
    folder = status.artifacts.evaluation.rpartition("/")[0]
    evaluation = Evaluation.model_validate_json(
        (world.download(folder, tmp_path / "run") / "evaluation.json").read_text()
    )
    assert evaluation.labels[int(scores.argmax())] == "billing"
    assert evaluation.classification is not None
    assert sum(map(sum, evaluation.classification.confusion_matrix.counts)) == evaluation.data.evaluation
    assert json.loads((tmp_path / "run/run.json").read_text())
    # Drawn in the image, so its templates, style and script are in there.
    assert "How good is it?" in (tmp_path / "run/report.html").read_text()


def test_metrics_follow_the_run_and_go_with_it(
    world: World, undisturbed: tuple[str, TrainingRunStatus]
) -> None:
    name, status = undisturbed
    assert status.evaluation is not None
    lines = [line for line in read_metrics(world) if f'name="{name}"' in line]
    f1 = next(line for line in lines if line.startswith("trainingrun_f1{"))
    assert float(f1.split()[-1]) == pytest.approx(status.evaluation.f1)
    assert any(line.startswith("trainingrun_epoch{") and line.endswith(" 2.0") for line in lines)


def test_killed_operator_and_killed_trainer_change_nothing_in_the_end(
    world: World, undisturbed: tuple[str, TrainingRunStatus], tmp_path: Path
) -> None:
    _, expected = undisturbed
    name = world.apply(SPEC, "disturbed")
    logs = world.follow(name, tmp_path / "log")
    world.until(name, lambda status: len(status.epochs) > 1)
    world.delete_pod(operator_release.NAMESPACE, f"app.kubernetes.io/name={operator_release.RELEASE}")
    world.delete_pod(NAMESPACE, f"{RUN_LABEL}={name}")
    status = world.finished(name)
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    assert status.restarts == 1
    assert status.epochs == expected.epochs
    assert status.evaluation == expected.evaluation
    assert (status.best_epoch, status.stopped_early) == (expected.best_epoch, expected.stopped_early)
    assert verdict(status) == verdict(expected)
    killed, last = logs.pods()
    before, _, after = logs.whole().partition(f"--- Pod {last}, node 0\n")
    assert f"--- Pod {killed}, node 0\n" in before
    assert "Split: " in before
    assert "Resuming from the checkpoint" in after
    assert after == world.log(last)
    world.delete(name)


def test_run_goes_on_from_an_earlier_one(world: World, undisturbed: tuple[str, TrainingRunStatus]) -> None:
    parent, expected = undisturbed
    change = {"dataset": REVIEWS, "training": {"maxEpochs": 1}, "baseModel": {"fromRun": {"name": parent}}}
    name = world.apply({**SPEC, **change}, "child")
    status = world.finished(name)
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    assert status.base_model is not None
    assert status.base_model.from_run == parent
    assert expected.artifacts is not None
    assert status.base_model.source == expected.artifacts.model


def test_batches_are_divided_before_the_pod_is_killed_for_its_memory(world: World, tmp_path: Path) -> None:
    settings = {"maxEpochs": 1, "mixedPrecision": "FP32"}
    cramped = {
        "dataset": REVIEWS,
        "baseModel": {"uri": wide_model(world, tmp_path / "wide")},
        "training": settings,
        "resources": {"cpu": "1", "memory": "2Gi"},
    }
    status = world.finished(name := world.apply({**SPEC, **cramped}, "cramped"))
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    assert status.restarts == 0
    assert status.artifacts is not None
    folder = world.download(status.artifacts.evaluation.rpartition("/")[0], tmp_path / "run")
    recipe = Evaluation.model_validate_json((folder / "evaluation.json").read_text()).recipe
    assert recipe.batch_size < 32
    assert recipe.batch_size * recipe.gradient_accumulation_steps == 32


def test_run_that_asks_for_more_gpus_than_there_are_waits_with_the_reason(world: World) -> None:
    name = world.apply(
        {
            **SPEC,
            "resources": {"gpusPerNode": 1, "gpuResourceName": "example.com/none", "memory": "1Gi"},
            "pendingDeadlineSeconds": 15,
        },
        "greedy",
    )
    waiting = world.until(
        name, lambda status: any("example.com/none" in c.message for c in status.conditions)
    )
    assert waiting.phase is Phase.PENDING
    status = world.finished(name)
    assert status.phase is Phase.FAILED
    assert succeeded(status) == ("False", "PendingDeadlineExceeded")
    world.delete(name)


def test_run_that_asks_for_a_gpu_gets_it_and_says_when_it_is_none(world: World) -> None:
    spec = {**SPEC, "resources": {"gpusPerNode": 1, "memory": "3Gi"}, "backoffLimit": 0}
    name = world.apply(spec, "gpu")
    failed = world.finished(name).conditions[0].message
    assert "GPUNotFound: spec.resources.gpusPerNode is 1, but torch sees no GPU" in failed
    pods = json.loads(
        world.kubernetes.kubectl(
            "-n", NAMESPACE, "get", "pods", f"--selector={RUN_LABEL}={name}", "--output=json"
        )
    )
    (pod,) = pods["items"]
    assert pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    world.delete(name)


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        ({"dataset": {"uri": "s3://trainingrun-demo/data/none.jsonl"}}, "DataError", "none.jsonl"),
        ({"dataset": {"uri": "s3://no-such-bucket/x.jsonl"}}, "StorageRefused", "no-such-bucket"),
        ({"dataset": {**SPEC["dataset"], "textField": "body"}}, "DataError", "body"),
        ({"baseModel": {"uri": "s3://trainingrun-demo/data/"}}, "ModelError", "config.json"),
    ],
    ids=["no such file", "no such bucket", "no such field", "no model there"],
)
def test_run_that_can_not_work_fails_at_once_and_says_what_to_change(
    world: World, change: dict[str, Any], reason: str, message: str
) -> None:
    name = world.apply({**SPEC, **change}, "bad")
    status = world.finished(name)
    assert status.phase is Phase.FAILED
    assert succeeded(status) == ("False", reason)
    assert any(message in condition.message for condition in status.conditions)
    assert status.restarts == 0
    world.delete(name)


def wide_model(world: World, folder: Path) -> str:
    """In the bucket; what it makes of 32 texts is large beside its weights."""
    AutoTokenizer.from_pretrained(default_model_folder()).save_pretrained(folder)
    config = BertConfig(
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=131_072,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return world.upload(folder, "models/wide")


def succeeded(status: TrainingRunStatus) -> tuple[str, str]:
    return next((c.status, c.reason) for c in status.conditions if c.type == "Succeeded")


def verdict(status: TrainingRunStatus) -> set[tuple[str, str, str]]:
    return {(c.type, c.status, c.reason) for c in status.conditions}


def read_metrics(world: World) -> list[str]:
    return world.metrics(operator_release.RELEASE, operator_release.NAMESPACE).splitlines()
