"""Nothing of the operator stands in the way of a deletion, whether it is there or not."""

import time
import uuid
from contextlib import nullcontext

import pytest
from kubernetes.client import ApiClient, CoreV1Api
from promises import Promise, forms

from .cluster import Api
from .kubelet import Kubelet
from .manifests import a_failure, a_project, a_project_run, a_result, a_run
from .process import OperatorProcess, stopped

# The namespace controller looks again after half of the longest grace of a pod, which is 90 seconds.
SECONDS = 60.0
OURS = ("TrainingRun", "TrainingProject", "Job", "Lease")


@pytest.fixture
def doomed(api_client: ApiClient, operator: OperatorProcess) -> Api:
    """A namespace with runs that wait and runs that have ended."""
    name = f"doomed-{uuid.uuid4().hex[:8]}"
    CoreV1Api(api_client).create_namespace({"metadata": {"name": name}})
    api = Api(api_client, name, operator)
    api.until(lambda: api.get("ServiceAccount", "default"), "the default service account")
    kubelet = Kubelet(api)
    api.apply(a_project("shared"))
    api.apply(a_run("succeeded", modelName="Tickets"))
    api.apply(a_run("failed"))
    api.apply(a_run("suspended", suspend=True))
    api.apply(a_run("waiting", dataset={"project": "missing"}))
    kubelet.end(kubelet.pod_of("succeeded"), 0, a_result())
    kubelet.end(kubelet.pod_of("failed"), 65, a_failure("DataError", "line 3"))
    for name, phase in (("succeeded", "Succeeded"), ("failed", "Failed")):
        api.eventually(name, phase=phase)
    return api


def works(api: Api, name: str, nodes: int = 1) -> None:
    """Have a run whose pods train."""
    api.apply(a_project_run(name, "shared", resources={"nodes": nodes}))
    kubelet = Kubelet(api)
    for pod in [kubelet.pod_of(name)] if nodes == 1 else kubelet.group_of(name, nodes):
        kubelet.start(pod)
    api.eventually(name, phase="Running")


def is_deleted(api: Api, api_client: ApiClient) -> float:
    """Delete the namespace; the seconds until it is gone."""
    since = time.monotonic()
    CoreV1Api(api_client).delete_namespace(api.namespace)
    while api.get("Namespace", api.namespace):
        assert time.monotonic() < since + SECONDS, api.operator.log_tail()
        time.sleep(0.5)
    return time.monotonic() - since


@pytest.mark.parametrize("working", forms(short=False, whole=True))
def test_namespace_with_runs_is_deleted_without_the_operator(
    doomed: Api, api_client: ApiClient, operator: OperatorProcess, promise: Promise, working: bool
) -> None:
    if working:
        works(doomed, "working")
    kept = [item for kind in OURS for item in doomed.resource(kind).get(namespace=doomed.namespace).items]
    assert {item.kind for item in kept} == set(OURS)
    assert [item.metadata.name for item in kept if item.metadata.finalizers] == []
    with stopped(operator):
        seconds = is_deleted(doomed, api_client)
    sentence = "A namespace with running runs is deleted within 60 seconds while the operator is down"
    promise("Operator", sentence, f"{seconds:.0f} s; nothing has a finalizer")


@pytest.mark.parametrize("away", forms(short=False, whole=True))
def test_namespace_with_a_run_of_several_nodes_is_deleted_by_the_operators_help(
    doomed: Api, api_client: ApiClient, operator: OperatorProcess, promise: Promise, away: bool
) -> None:
    """The Job controller keeps its pods until it has replaced them, which it can't there."""
    works(doomed, "several", nodes=2)
    with stopped(operator) if away else nullcontext():
        CoreV1Api(api_client).delete_namespace(doomed.namespace)
        doomed.until(lambda: all_end(doomed), "its pods to be deleted")
    seconds = is_deleted(doomed, api_client)
    shown = f'namespace="{doomed.namespace}"'
    doomed.until(lambda: shown not in operator.metrics(), "its series to go")
    sentence = "A namespace with a run of several nodes is deleted within 60 seconds by the operator's help"
    promise("Operator", sentence, f"{seconds:.0f} s")


def all_end(api: Api) -> bool:
    return all("deletionTimestamp" in pod["metadata"] for pod in api.pods("several"))
