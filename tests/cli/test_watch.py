"""`trainingrun watch` of a run on a real API server, also of one that a newer operator looks after."""

from kubernetes.client import CustomObjectsApi

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
