"""Of several replicas one leads; when it is gone, or can't go on, another does."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client import ApiClient
from promises import Promise, forms

from localcluster import ControlPlane
from trainingrun_api.names import OPERATOR
from trainingrun_operator.election import LEASE_SECONDS

from .cluster import Api
from .conftest import a_replica
from .kubelet import Kubelet
from .manifests import Manifest, a_report, a_run
from .process import NAMESPACE, RELEASE, OperatorProcess
from .test_failing import stopped

TAKEOVER_SECONDS = 20.0


@pytest.fixture
def standby(
    control_plane: ControlPlane, api_client: ApiClient, operator: OperatorProcess, tmp_path: Path
) -> Iterator[OperatorProcess]:
    """A second replica; afterwards the first one leads again."""
    standby = a_replica(control_plane, api_client, tmp_path, "second")
    standby.ca_certificate = operator.ca_certificate
    standby.start(leads=False)
    yield standby
    assert standby.stop() == 0, standby.log_tail()
    wait_until_it_leads(operator)


def wait_until_it_leads(operator: OperatorProcess) -> None:
    deadline = time.monotonic() + 30
    while not operator.leads():
        assert time.monotonic() < deadline, operator.log_tail()
        time.sleep(0.05)


def begun(api: Api, name: str) -> float:
    """Seconds from applying a run to its Job."""
    since = time.monotonic()
    api.apply(a_run(name))
    api.until(lambda: api.get("Job", name), "a Job")
    return time.monotonic() - since


def test_standby_takes_reports_and_leaves_the_rest_to_the_leader(
    api: Api, kubelet: Kubelet, operator: OperatorProcess, standby: OperatorProcess
) -> None:
    run = api.apply(a_run("mine"))
    token = api.token(kubelet.pod_of("mine"))
    api.eventually("mine", phase="Pending", reason="Unschedulable")
    for number, replica in enumerate((standby, operator), start=1):
        assert replica.post(a_report(run, epoch=number), token) == (204, ""), replica.log_tail()
        assert api.get("TrainingRun", "mine")["status"]["progress"]["epoch"] == number
    assert standby.healthy()
    assert (operator.leads(), standby.leads()) == (True, False)
    shown = standby.metrics()
    assert "trainingrun_operator_build_info" in shown
    assert "trainingrun_phase{" not in shown, "or runs would count twice"
    assert "watch_verified_timestamp_seconds{" not in shown, "or its watches would seem stale"


def test_leader_that_is_told_to_stop_hands_over_at_once(
    api: Api, operator: OperatorProcess, standby: OperatorProcess, promise: Promise
) -> None:
    assert operator.stop() == 0
    seconds = begun(api, "next")
    assert standby.leads()
    operator.start(leads=False)
    assert seconds < TAKEOVER_SECONDS / 2, "without waiting for the Lease to end"
    promise("Operator", "A leader that is told to stop hands over at once", f"{seconds:.1f} s")


@pytest.mark.parametrize("times", forms(1, 5))
def test_standby_takes_over_from_a_leader_that_is_killed(
    api: Api, operator: OperatorProcess, standby: OperatorProcess, promise: Promise, times: int
) -> None:
    took = []
    for number in range(times):
        operator.send(signal.SIGKILL)
        operator.ended()
        took.append(begun(api, f"next-{number}"))
        operator.start(leads=False)
        assert standby.leads()
        standby.stop()
        wait_until_it_leads(operator)
        standby.start(leads=False)
    assert max(took) < TAKEOVER_SECONDS
    said = f"at most {max(took):.1f} s from SIGKILL to the next run's Job, {times} times"
    promise("Operator", "A standby takes over from a leader that is killed within 20 seconds", said)


def test_leader_that_was_paused_writes_nothing_more_and_gives_up(
    api: Api, kubelet: Kubelet, operator: OperatorProcess, standby: OperatorProcess, promise: Promise
) -> None:
    api.apply(a_run("before"))
    kubelet.start(kubelet.pod_of("before"))
    api.eventually("before", phase="Running")
    operator.send(signal.SIGSTOP)
    for number in range(5):
        api.apply(a_run(f"meanwhile-{number}"))  # which the paused one is told of when it wakes
    for number in range(5):
        api.eventually(f"meanwhile-{number}", phase="Pending", reason="Unschedulable")
    settled = versions(api)

    operator.send(signal.SIGCONT)
    woken = time.monotonic()
    assert operator.ended() == 1
    seconds = time.monotonic() - woken
    assert "another replica has the Lease now: second" in operator.log_tail()
    assert versions(api) == settled
    operator.start(leads=False)
    assert standby.leads()
    said = f"0 writes; it ended {seconds:.1f} s after it woke"
    promise("Operator", "A leader that was paused writes nothing when it wakes, and gives up", said)


def versions(api: Api) -> dict[str, str]:
    """Of all that the operator writes in the namespace, what is there in which version."""
    kinds = ("TrainingRun", "Job", "Lease", "Event")
    found = [item for kind in kinds for item in items(api, kind) if not is_anothers_event(item)]
    return {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in found}


def is_anothers_event(item: Manifest) -> bool:
    """As the Job controller's, which may come late."""
    return item.get("reportingComponent", OPERATOR) != OPERATOR


def items(api: Api, kind: str) -> list[Manifest]:
    listed: list[Manifest] = api.resource(kind).get(namespace=api.namespace).to_dict()["items"]
    return listed


def test_leader_without_api_server_writes_nothing_before_its_lease_ends_and_goes_on_after(
    api: Api, control_plane: ControlPlane, operator: OperatorProcess
) -> None:
    name = {"name": RELEASE, "namespace": NAMESPACE}
    with stopped(control_plane.processes["kube-apiserver"]):
        paused = time.monotonic()
        while operator.leads():
            assert time.monotonic() < paused + LEASE_SECONDS, "its Lease has ended"
            time.sleep(0.05)
        time.sleep(6)
    transitions = api.resource("Lease").get(**name).spec.leaseTransitions
    wait_until_it_leads(operator)
    api.apply(a_run("after"))
    api.eventually("after", phase="Pending", reason="Unschedulable")
    assert api.resource("Lease").get(**name).spec.leaseTransitions == transitions
