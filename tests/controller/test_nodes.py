"""Runs of several nodes: one group of pods, which runs whole or not at all."""

import re

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from trainingrun_api.names import ExitCode

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_failure, a_quota, a_report, a_result, a_run
from .process import ROOT, OperatorProcess

PAGE = ROOT / "docs/gpus-and-nodes.md"
TWO = {"nodes": 2}
PEER_LOST = a_failure("PeerLost", "another process of the run ended")


def running(api: Api, kubelet: Kubelet, name: str, **spec: object) -> list[Manifest]:
    """The pods of a run of two nodes that trains."""
    api.apply(a_run(name, resources=TWO, **spec))
    pods = kubelet.group_of(name, 2)
    for pod in pods:
        kubelet.start(pod)
    api.eventually(name, phase="Running", message="2 pods are training")
    return pods


def start_all(kubelet: Kubelet, pods: list[Manifest]) -> None:
    for pod in pods:
        kubelet.start(pod)


def name_of(pod: Manifest) -> str:
    return str(pod["metadata"]["name"])


def test_run_waits_until_all_pods_run_and_says_which_one_it_waits_for(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("pair", resources=TWO))
    message = "0 of 2 pods run. Pod pair-"
    waiting = api.eventually("pair", phase="Pending", reason="Unschedulable", message=message)["status"]
    first, second = kubelet.group_of("pair", 2)
    assert (waiting["podName"], "startTime" in waiting) == (name_of(first), False)
    kubelet.start(first)
    message = f"1 of 2 pods run. Pod {name_of(second)} can't be scheduled: no nodes available"
    api.eventually("pair", phase="Pending", reason="Unschedulable", message=message)
    kubelet.wait(second, "ImagePullBackOff", "Back-off")
    message = f"1 of 2 pods run. Pod {name_of(second)}: ImagePullBackOff"
    api.eventually("pair", phase="Pending", reason="ImagePull", message=message)
    kubelet.start(second)
    status = api.eventually("pair", phase="Running", message="2 pods are training")["status"]
    assert (status["restarts"], status["podName"]) == (0, name_of(first))
    assert "pendingSince" not in status


def test_first_pod_reports_and_leaves_the_result(
    api: Api, kubelet: Kubelet, operator: OperatorProcess
) -> None:
    first, second = running(api, kubelet, "done")
    run = api.get("TrainingRun", "done")
    assert run is not None
    assert operator.post(a_report(run, stage="Evaluating"), api.token(first)) == (204, "")
    api.eventually("done", phase="Evaluating", message="2 pods are evaluating")
    kubelet.end(second, 0)
    api.until(lambda: api.get("Job", "done")["status"].get("completedIndexes") == "1", "the Job to count it")
    api.eventually("done", phase="Evaluating")
    kubelet.end(first, 0, a_result())
    status = api.eventually("done", phase="Succeeded", message="macro F1 0.900")["status"]
    assert (status["evaluation"]["accuracy"], status["podName"]) == (0.912, name_of(first))


def test_first_pod_that_is_done_before_the_others_is_not_a_loss(api: Api, kubelet: Kubelet) -> None:
    first, second = running(api, kubelet, "early")
    kubelet.end(first, 0, a_result())
    api.eventually("early", phase="Evaluating", message=f"Pod {name_of(first)} has finished")
    kubelet.end(second, 0)
    assert api.eventually("early", phase="Succeeded")["status"]["bestEpoch"] == 3


@pytest.mark.parametrize("guilty", [0, 1])
def test_lost_pod_takes_the_group_along_and_costs_one_restart(
    api: Api, kubelet: Kubelet, guilty: int
) -> None:
    pods = running(api, kubelet, "shaky", backoffLimit=1)
    trouble = a_failure("StorageUnavailable", "the bucket can't be reached")
    kubelet.end(pods[guilty], ExitCode.TEMPORARY, trouble)
    name = name_of(pods[guilty])
    message = f"if spec.backoffLimit allows it. StorageUnavailable: Pod {name}: the bucket can't be reached"
    api.eventually("shaky", phase="Pending", reason="Restarting", message=message)
    kubelet.end(pods[1 - guilty], ExitCode.PEER_LOST, PEER_LOST)
    again = kubelet.group_of("shaky", 2, after=pods)
    start_all(kubelet, again)
    status = api.eventually("shaky", phase="Running")["status"]
    assert (status["restarts"], status["podName"]) == (1, name_of(again[0]))
    assert status["lastFailure"]["reason"] == "StorageUnavailable"
    assert api.events("shaky").count("Restarted") == 1

    kubelet.end(again[1 - guilty], ExitCode.PEER_LOST, PEER_LOST)
    kubelet.end(again[guilty], ExitCode.TEMPORARY, trouble)
    failed = api.eventually("shaky", phase="Failed", reason="BackoffLimitExceeded", message="StorageUnava")
    assert failed["status"]["restarts"] == 1


def test_disruption_of_one_pod_costs_nothing_of_the_backoff_limit(api: Api, kubelet: Kubelet) -> None:
    pods = running(api, kubelet, "evicted", backoffLimit=0)
    kubelet.end(pods[0], ExitCode.PEER_LOST, PEER_LOST)
    kubelet.preempt(pods[1])
    api.eventually("evicted", phase="Pending", reason="Restarting", message=f"{name_of(pods[1])} was evicted")
    start_all(kubelet, kubelet.group_of("evicted", 2, after=pods))
    status = api.eventually("evicted", phase="Running")["status"]
    assert (status["restarts"], status["lastFailure"]["reason"]) == (1, "Interrupted")


def test_deleted_pod_is_the_cause_also_when_it_is_gone(api: Api, kubelet: Kubelet) -> None:
    first, second = running(api, kubelet, "deleted")
    api.delete("Pod", name_of(second))
    message = f"Interrupted: Pod {name_of(second)} was deleted"
    api.eventually("deleted", phase="Pending", reason="Restarting", message=message)
    kubelet.end(first, ExitCode.PEER_LOST, PEER_LOST)
    again = kubelet.group_of("deleted", 2, after=[first, second])
    start_all(kubelet, again)
    status = api.eventually("deleted", phase="Running")["status"]
    assert message.endswith(status["lastFailure"]["message"])
    assert status["restarts"] == 1


def test_pod_that_ends_for_another_is_told_as_that_while_no_other_has(api: Api, kubelet: Kubelet) -> None:
    first, _ = running(api, kubelet, "odd", backoffLimit=0)
    kubelet.end(first, ExitCode.PEER_LOST)
    message = "Restarting from the last checkpoint. PeerLost: Pod odd-0-"
    api.eventually("odd", phase="Pending", reason="Restarting", message=message)


def test_user_error_of_any_pod_fails_the_run(api: Api, kubelet: Kubelet) -> None:
    first, second = running(api, kubelet, "bad")
    kubelet.end(first, ExitCode.PEER_LOST, PEER_LOST)
    kubelet.end(second, ExitCode.DATA, a_failure("DataError", "line 3: field 'label' is missing"))
    status = api.eventually("bad", phase="Failed", reason="DataError", message="line 3")["status"]
    assert status["restarts"] == 0
    api.until(lambda: len(api.pods("bad")) == 2, "both pods, with their logs")


def test_pending_deadline_is_that_of_the_group(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("late", resources=TWO))
    kubelet.start(kubelet.group_of("late", 2)[0])
    api.eventually("late", phase="Pending", message="1 of 2 pods run")
    api.change("late", pendingDeadlineSeconds=1)
    message = "Unschedulable: 1 of 2 pods run"
    api.eventually("late", phase="Failed", reason="PendingDeadlineExceeded", message=message)
    api.until(lambda: api.get("Job", "late") is None, "the Job to be deleted")


def test_pod_that_a_quota_keeps_out_is_told(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_quota("one", pods="1"))
    api.apply(a_run("half", resources=TWO))
    api.eventually("half", phase="Pending", reason="PodRefused", message="0 of 2 pods run. Kubernetes reje")


def test_suspended_group_stops_whole_and_goes_on_without_a_restart(api: Api, kubelet: Kubelet) -> None:
    pods = running(api, kubelet, "paused")
    api.change("paused", suspend=True)
    assert "podName" not in api.eventually("paused", phase="Suspended")["status"]
    api.until(lambda: not api.pods("paused"), "the pods to be gone")
    api.change("paused", suspend=False)
    start_all(kubelet, kubelet.group_of("paused", 2, after=pods))
    status = api.eventually("paused", phase="Running")["status"]
    assert (status["restarts"], "lastFailure" in status) == (0, False)


def test_service_leads_to_the_pods_and_goes_with_the_run(api: Api, kubelet: Kubelet) -> None:
    pods = running(api, kubelet, "served")
    service = api.get("Service", "served")
    assert service is not None
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
    for pod in pods:
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        assert pod["spec"]["hostname"] == name_of(pod).rpartition("-")[0]
        assert pod["spec"]["subdomain"] == "served"
    api.delete("TrainingRun", "served")
    api.until(lambda: api.get("Service", "served") is None, "the Service to be collected")


def test_deleted_service_is_created_again_when_pods_need_it(api: Api, kubelet: Kubelet) -> None:
    pods = running(api, kubelet, "lasting")
    uid = api.get("Service", "lasting")["metadata"]["uid"]
    api.delete("Service", "lasting")
    kubelet.preempt(pods[0])
    api.until(
        lambda: (found := api.get("Service", "lasting")) and found["metadata"]["uid"] != uid,
        "another Service",
    )


def test_service_of_another_is_left_alone_and_told(api: Api) -> None:
    api.apply(a_service("taken"))
    api.apply(a_run("taken", resources=TWO))
    told = "Service taken already exists and wasn't created for this run"
    api.eventually("taken", phase="Pending", reason="ServiceConflict", message=told)
    assert api.get("Job", "taken") is None
    assert api.get("Service", "taken")["spec"]["selector"] == {"app": "other"}
    api.delete("Service", "taken")
    api.eventually("taken", phase="Pending", reason="Unschedulable")


def test_run_that_is_applied_again_gets_a_service_of_its_own(api: Api, kubelet: Kubelet) -> None:
    running(api, kubelet, "again")
    service = api.get("Service", "again")["metadata"]["uid"]
    api.delete("TrainingRun", "again")
    api.until(lambda: api.get("TrainingRun", "again") is None, "the run to be gone")
    api.apply(a_run("again", resources=TWO))
    api.eventually("again", phase="Pending", reason="Unschedulable")
    assert api.get("Service", "again")["metadata"]["uid"] != service


def test_service_that_is_refused_is_told(api: Api) -> None:
    api.apply(a_quota("none", services="0"))
    api.apply(a_run("refused", resources=TWO))
    message = "The API server rejects the Service: "
    api.eventually("refused", phase="Pending", reason="ServiceRefused", message=message)


def test_run_of_one_node_has_no_service(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("alone"))
    kubelet.pod_of("alone")
    assert api.get("Service", "alone") is None


def test_example_of_a_policy_finds_the_pods_of_runs_and_no_others(api: Api, kubelet: Kubelet) -> None:
    example = yaml.safe_load_all((ROOT / "examples/two-nodes.yaml").read_text())
    (policy,) = [one for one in example if one["kind"] == "NetworkPolicy"]
    (block,) = re.findall(r"```yaml\n(apiVersion: networking.*?)```", PAGE.read_text(), re.DOTALL)
    assert yaml.safe_load(block) == policy
    api.apply(policy)
    api.apply(a_run("pair", resources=TWO))
    api.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other"}, "spec": A_POD})
    names = {name_of(pod) for pod in kubelet.group_of("pair", 2)}
    selected = policy["spec"]["podSelector"]
    assert policy["spec"]["ingress"] == [{"from": [{"podSelector": selected}]}]
    assert {name_of(pod) for pod in api.selected("Pod", selected)} == names


@pytest.mark.parametrize("name", ["v1.2", "2nd"])
def test_run_of_several_nodes_has_a_name_that_hosts_can_have(api: Api, name: str) -> None:
    with pytest.raises(ApiException, match="has to begin with a letter"):
        api.apply(a_run(name, resources=TWO))
    api.apply(a_run(name))


A_POD = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "main",
            "image": "example.com/other",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}


def a_service(name: str) -> Manifest:
    spec = {"selector": {"app": "other"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
