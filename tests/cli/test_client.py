"""Runs on a real API server, from Python."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CustomObjectsApi

from trainingrun_api.names import GROUP, RUN_PLURAL, VERSION
from trainingrun_client import Client, ClientError, TrainingProject, TrainingRun

from .conftest import EXAMPLES, Trained, apply

SPEC: dict[str, Any] = {"dataset": {"uri": "s3://data/a.csv"}, "output": {"uri": "s3://models"}}


@pytest.fixture
def client(namespace: str) -> Client:
    return Client(namespace)


def test_runs_are_objects_with_the_names_of_python_or_of_the_manifest(client: Client) -> None:
    run = TrainingRun.model_validate({"metadata": {"name": "a"}, "spec": {**SPEC, "trainPercent": 70}})
    also = TrainingRun.model_validate({"metadata": {"name": "a"}, "spec": {**SPEC, "train_percent": 70}})
    assert run == also
    stored = client.submit(run)
    assert (stored.name, stored.spec.train_percent, stored.status.phase) == ("a", 70, "Pending")
    assert stored.metadata.namespace == client.namespace
    assert client.get("a").spec == stored.spec
    assert [one.name for one in client.list()] == ["a"]


def test_a_project_and_a_run_of_it(client: Client) -> None:
    project = TrainingProject.model_validate({"metadata": {"name": "team"}, "spec": SPEC})
    assert client.submit(project).spec.output.uri == "s3://models"
    spec = {"dataset": {"project": "team"}}
    run = TrainingRun.model_validate({"metadata": {"generateName": "try-"}, "spec": spec})
    names = {client.submit(run).name for _ in range(2)}
    assert all(name.startswith("try-") for name in names)
    assert len(names) == 2


def test_letters_of_all_planes_arrive(client: Client) -> None:
    labels = {"exclude": ["👍🏽"], "aliases": {"r\u00e9clamation": "\u0928\u0940\u200d😀"}}
    run = TrainingRun.model_validate({"metadata": {"name": "a"}, "spec": {**SPEC, "labels": labels}})
    assert client.submit(run).spec.labels == run.spec.labels


def test_what_a_run_gives_can_be_changed_and_submitted_as_another(client: Client) -> None:
    first = client.submit(TrainingRun.model_validate({"metadata": {"name": "a"}, "spec": SPEC}))
    second = client.rerun(first.name, {"training.maxEpochs": 7}, new_name="b")
    assert second.spec.training.max_epochs == 7
    assert client.suspend("b").spec.suspend is True
    assert client.resume("b").spec.suspend is False
    assert client.stop("b").spec.stop is True


def test_watch_gives_each_state_until_the_end(client: Client, api: CustomObjectsApi, namespace: str) -> None:
    apply(api, "a", {"phase": "Running"}, namespace)
    phases = []
    for run in client.watch("a", timeout=60):
        phases.append(run.status.phase)
        if run.status.phase == "Running":
            body = {"status": {"phase": "Succeeded"}}
            api.patch_namespaced_custom_object_status(GROUP, VERSION, namespace, RUN_PLURAL, "a", body)
    assert phases == ["Running", "Succeeded"]


def test_a_run_that_is_deleted_while_it_is_watched_is_an_error(
    client: Client, api: CustomObjectsApi, namespace: str
) -> None:
    apply(api, "a", {"phase": "Running"}, namespace)
    watch = client.watch("a", timeout=60)
    assert next(watch).name == "a"
    api.delete_namespaced_custom_object(GROUP, VERSION, namespace, RUN_PLURAL, "a")
    with pytest.raises(ClientError, match=f"TrainingRun {namespace}/a was deleted"):
        next(watch)


def test_a_cluster_is_only_asked_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    client = Client()
    with pytest.raises(ClientError, match="no cluster: "):
        client.list()


def test_a_kind_that_the_cluster_does_not_have_is_told(client: Client) -> None:
    class Unserved(TrainingRun):
        PLURAL = "unserved"

    with pytest.raises(ClientError, match="doesn't know this kind of resource; install the operator"):
        client.connection.list(Unserved)


@pytest.mark.slow
def test_the_example_of_the_page_runs_from_submission_to_the_model(
    client: Client,
    api: CustomObjectsApi,
    trained: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (EXAMPLES.parent / "docs/command-line.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    config = {"outputPrefix": trained.output("reviews").as_uri(), "storage": {}}
    started = {"digest": "", "image": "", "config": config}

    def end() -> None:
        """The operator's part, once the run is there."""
        while "tickets" not in [run.name for run in client.list()]:
            time.sleep(0.1)
        status = {"status": {"phase": "Succeeded", "startedWith": started}}
        place = (GROUP, VERSION, client.namespace, RUN_PLURAL, "tickets")
        api.patch_namespaced_custom_object_status(*place, status)

    ending = threading.Thread(target=end)
    ending.start()
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(code.replace('namespace="team"', f'namespace="{client.namespace}"'), found)
    ending.join()
    assert found["now"].status.phase == "Succeeded"
    assert found["scores"].accuracy > 0
    assert (tmp_path / "model" / "config.json").is_file()
