"""`trainingrun watch` of a run on a real API server, also of one that a newer operator looks after."""

from collections.abc import Iterator
from typing import Any

import pytest
from contract.server import wait_until_served
from kubernetes import config
from kubernetes.client import ApiClient, CustomObjectsApi
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane
from trainingrun_api.crd import custom_resource_definitions
from trainingrun_api.names import API_VERSION, GROUP, RUN_KIND, RUN_PLURAL, VERSION

from .conftest import Command

PLACE = (GROUP, VERSION, "default", RUN_PLURAL)


@pytest.fixture(scope="module")
def api_client() -> Iterator[ApiClient]:
    """A client of an API server whose CRD takes any status, as one of a newer version may."""
    definition = custom_resource_definitions()[RUN_PLURAL]
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    schema["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    with ControlPlane() as control_plane, pytest.MonkeyPatch.context() as environment:
        environment.setenv("KUBECONFIG", str(control_plane.kubeconfig))
        api_client = config.new_client_from_config(str(control_plane.kubeconfig))
        create_from_dict(api_client, definition)
        wait_until_served(api_client, definition["metadata"]["name"])
        yield api_client
        api_client.close()


@pytest.fixture
def api(api_client: ApiClient) -> CustomObjectsApi:
    return CustomObjectsApi(api_client)


def apply(api: CustomObjectsApi, name: str, status: dict[str, Any]) -> None:
    """A run with that status."""
    spec = {"dataset": {"uri": "s3://d/x.csv"}, "output": {"uri": "s3://b/o"}}
    run = {"apiVersion": API_VERSION, "kind": RUN_KIND, "metadata": {"name": name}, "spec": spec}
    api.create_namespaced_custom_object(*PLACE, run)
    api.patch_namespaced_custom_object_status(*PLACE, name, {"status": status})


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
            "status of TrainingRun default/much-newer was written by another version of TrainingRun (phase: "
            in said.err
        )
        assert "'Dreaming'" in said.err


def test_a_run_that_is_not_there_is_told(api: CustomObjectsApi, command: Command) -> None:
    said = command("watch", "nobody", "--namespace", "default")
    assert (said.status, said.err) == (2, "trainingrun: TrainingRun default/nobody: Not Found\n")
