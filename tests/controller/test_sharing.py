"""Data sets of other projects, and of other teams' projects where these allow it."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client import ApiClient

from .cluster import Api
from .manifests import a_project, a_project_run, a_run
from .process import OperatorProcess
from .test_waiting import config_of


@pytest.fixture
def other(api_client: ApiClient, operator: OperatorProcess) -> Iterator[Api]:
    """Another team's namespace."""
    core, name = client.CoreV1Api(api_client), f"other-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    yield Api(api_client, name, operator)
    core.delete_namespace(name)


def sources_of(api: Api, job: str) -> list[dict[str, Any]]:
    config = config_of(api, job)
    return [config["dataset"], *config["additionalDatasets"]]


def test_a_run_waits_for_each_project_and_reads_their_data_alone(api: Api) -> None:
    api.apply(a_project("tickets"))
    more = [{"project": "returns"}, {"project": "chats"}, {"uri": "s3://data/more.csv", "textField": "body"}]
    api.apply(a_project_run("wide", "tickets", additionalDatasets=more))
    run = api.eventually("wide", phase="Pending", reason="ProjectNotFound", message="TrainingProject returns")
    assert "TrainingProject chats does not exist" in run["status"]["conditions"][0]["message"]

    dataset = {"uri": "s3://data/returns.csv", "labelField": "topic"}
    preset = {"baseModel": {"uri": "s3://models/preset"}, "defaults": {"trainPercent": 60}}
    api.apply(a_project("returns", dataset=dataset, **preset))
    api.eventually("wide", phase="Pending", reason="ProjectNotFound", message="TrainingProject chats")
    api.apply(a_project("chats"))

    api.eventually("wide", phase="Pending", reason="Unschedulable")
    tickets, returns, chats, files = sources_of(api, "wide")
    assert (tickets["project"], returns["project"], chats["project"]) == ("tickets", "returns", "chats")
    assert (returns["uri"], returns["labelField"]) == ("s3://data/returns.csv", "topic")
    assert (files["uri"], files["textField"]) == ("s3://data/more.csv", "body")
    assert files["setting"] == "spec.additionalDatasets[2]"
    config = config_of(api, "wide")
    assert (config["trainPercent"], config["baseModel"].get("uri")) == (80, None)


def test_a_project_of_another_namespace_is_read_once_its_owner_allows_it(api: Api, other: Api) -> None:
    shared = {"project": "returns", "namespace": other.namespace}
    api.apply(a_run("guest", additionalDatasets=[shared]))
    message = (
        f"TrainingProject {other.namespace}/returns does not exist or isn't shared with {api.namespace}; "
        f"ask its owner to add {api.namespace} to its spec.allowedNamespaces"
    )
    api.eventually("guest", phase="Pending", reason="ProjectNotShared", message=message)

    other.apply(a_project("returns", allowedNamespaces=["some-team"]))
    other.apply(a_project_run("own", "returns"))
    other.eventually("own", phase="Pending", reason="Unschedulable")
    assert message in api.get("TrainingRun", "guest")["status"]["conditions"][0]["message"]
    assert api.get("Job", "guest") is None

    other.change_project("returns", allowedNamespaces=["some-team", api.namespace])

    api.eventually("guest", phase="Pending", reason="Unschedulable")
    assert sources_of(api, "guest")[1]["project"] == f"{other.namespace}/returns"


def test_a_project_for_all_and_one_of_the_own_namespace_by_its_full_name(api: Api, other: Api) -> None:
    other.apply(a_project("returns", allowedNamespaces=["*"]))
    api.apply(a_project("mine"))
    more = [
        {"project": "returns", "namespace": other.namespace},
        {"project": "mine", "namespace": api.namespace},
    ]
    api.apply(a_run("guest", additionalDatasets=more))
    api.eventually("guest", phase="Pending", reason="Unschedulable")
    assert len(sources_of(api, "guest")) == 3


def test_a_run_waits_for_the_project_it_is_evaluated_on(api: Api, other: Api) -> None:
    held_out = {"project": "held-out", "namespace": other.namespace}
    api.apply(a_run("measured", evaluationDataset=held_out))
    api.eventually("measured", phase="Pending", reason="ProjectNotShared", message="held-out does not exist")

    other.apply(a_project("held-out", allowedNamespaces=[api.namespace]))

    api.eventually("measured", phase="Pending", reason="Unschedulable")
    config: dict[str, Any] = config_of(api, "measured")
    evaluation = config["evaluationDataset"]
    assert (evaluation["uri"], evaluation["project"]) == (
        "s3://data/project.csv",
        f"{other.namespace}/held-out",
    )
    assert config["dataset"]["uri"] == "s3://data/tickets.jsonl"


def test_files_of_this_machine_are_refused_in_additional_data_too(api: Api) -> None:
    more = {"additionalDatasets": [{"uri": "file:///x.csv"}], "evaluationDataset": {"uri": "file:///y.csv"}}
    api.apply(a_run("local", **more))
    message = (
        "spec.additionalDatasets[0] (file:///x.csv) and spec.evaluationDataset (file:///y.csv): "
        "pods can't access local files"
    )
    api.eventually("local", phase="Failed", reason="InvalidSpec", message=message)
