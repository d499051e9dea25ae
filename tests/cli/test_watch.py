"""`trainingrun watch` of a run on a real API server, also of one that a newer operator looks after."""

import threading

import pytest
from kubernetes.client import CustomObjectsApi

from trainingrun_api.names import GROUP, RUN_PLURAL, VERSION

from .conftest import Command, apply


def test_fields_that_only_a_newer_operator_knows_are_left_out(
    api: CustomObjectsApi, command: Command
) -> None:
    condition = {"type": "Succeeded", "status": "True", "reason": "Completed", "message": "Trained 3 epochs"}
    transition = {"lastTransitionTime": "2026-01-01T00:00:00Z", "cause": "new"}
    scores = {"accuracy": 0.912, "loss": 0.3, "support": 9, "surprise": 1}
    artifacts = {name: f"s3://b/{name}" for name in ("model", "evaluation", "checkpoints", "run", "onnx")}
    status = {
        "phase": "Succeeded",
        "conditions": [condition | transition],
        "progress": {"stage": "Done", "lastUpdateTime": "2026-01-01T00:00:00Z", "watts": 5},
        "evaluation": scores,
        "artifacts": artifacts,
        "energy": {"joules": 5},
    }
    apply(api, "newer", status)
    said = command("watch", "newer", "--namespace", "default")
    assert (said.status, said.err) == (0, "")
    assert "Succeeded: Completed Trained 3 epochs" in said.out
    assert "0.912" in said.out
    assert "s3://b/model" in said.out
    for command_line in (("report", "newer"), ("compare", "newer", "newer")):
        said = command(*command_line, "--namespace", "default")
        assert (said.status, said.err) == (
            2,
            "trainingrun: the run is Succeeded and has no results yet; try again once it is training\n",
        )


def test_a_value_that_only_a_newer_operator_knows_is_told(api: CustomObjectsApi, command: Command) -> None:
    apply(api, "much-newer", {"phase": "Dreaming"})
    for name in ("watch", "report"):
        said = command(name, "much-newer", "--namespace", "default")
        assert said.status == 2
        assert (
            "TrainingRun default/much-newer was written by another version of TrainingRun (status.phase: "
            in said.err
        )
        assert "'Dreaming'" in said.err


def test_a_run_that_is_not_there_is_told(api: CustomObjectsApi, command: Command) -> None:
    said = command("watch", "nobody", "--namespace", "default")
    assert (said.status, said.err) == (2, "trainingrun: TrainingRun default/nobody: Not Found\n")


def test_several_runs_are_shown_until_all_have_ended(
    api: CustomObjectsApi, namespace: str, command: Command
) -> None:
    scores = {"accuracy": 0.9, "f1": 0.8125, "loss": 0.3, "support": 9}
    artifacts = {name: f"s3://b/{name}" for name in ("model", "evaluation", "checkpoints", "run")}
    progress = {"stage": "Training", "epoch": 1, "maxEpochs": 3, "lastUpdateTime": "2026-01-01T00:00:00Z"}
    apply(api, "good", {"phase": "Running", "progress": progress}, namespace)
    apply(api, "bad", {"phase": "Running"}, namespace)

    def change(name: str, **status: object) -> None:
        api.patch_namespaced_custom_object_status(
            GROUP, VERSION, namespace, RUN_PLURAL, name, {"status": status}
        )

    def end() -> None:
        change("bad", phase="Failed")
        change("good", phase="Succeeded", evaluation=scores, artifacts=artifacts)

    ending = threading.Timer(1.0, end)
    ending.start()
    said = command("watch", "-n", namespace, "--timeout", "60")
    ending.join()
    assert (said.status, said.err) == (1, "")
    shown = [line.rstrip() for line in said.out.splitlines()]
    for line in ("good: Running", "bad: Running", "bad: Failed", "good: Succeeded", "good: Training"):
        assert line in shown
    assert shown.index("good") > shown.index("good: Succeeded")
    again = command("watch", "good", "good", "-n", namespace)
    assert again.status == 0
    assert "good: Succeeded" not in again.out
    assert "Succeeded" in again.out
    nothing = command("watch", "-n", namespace)
    assert nothing == (2, "", f"trainingrun: no run of namespace {namespace} is under way\n")


def test_a_watch_that_lasts_too_long_says_how_far_the_runs_are(
    api: CustomObjectsApi, namespace: str, command: Command
) -> None:
    apply(api, "slow", {"phase": "Running"}, namespace)
    said = command("watch", "slow", "-n", namespace, "--timeout", "1")
    assert (said.status, said.err) == (2, "trainingrun: still not finished after 1 s:\n  slow: Running\n")


def test_a_run_that_can_not_be_read_does_not_hide_the_others(
    api: CustomObjectsApi, namespace: str, command: Command, caplog: pytest.LogCaptureFixture
) -> None:
    apply(api, "newer", {"phase": "Dreaming"}, namespace)
    apply(api, "known", {"phase": "Failed"}, namespace)
    said = command("list", "-n", namespace, "-o", "name")
    assert said.out.endswith("/known\n")
    assert len(said.out.splitlines()) == 1
    (warning,) = caplog.messages
    assert warning.startswith(f"left out: TrainingRun {namespace}/newer was written by another version")
    assert command("watch", "known", "-n", namespace).status == 1
