"""Runs in queues of the real Kueue."""

import time

from kubernetes.aio.config import new_client_from_config

from localcluster import ControlPlane
from trainingrun_operator.cache import Cache
from trainingrun_operator.cluster import Cluster
from trainingrun_operator.feed import Feed
from trainingrun_operator.health import Watchdog
from trainingrun_operator.references import Resolver

from ..controller.cluster import Api
from ..controller.kubectl import Kubectl
from ..controller.kubelet import Kubelet
from ..controller.manifests import Manifest, a_result, a_run
from ..controller.process import ROOT
from ..controller.test_health import SETTINGS, Enqueued
from .team import NODES, QUEUE, Team

EXAMPLE = ROOT / "examples" / "queue.yaml"


def test_a_run_waits_until_there_is_room_and_says_why(api: Api, kubelet: Kubelet, team: Team) -> None:
    pod = running(api, kubelet, team, "first")
    team.apply("second", pendingDeadlineSeconds=1)
    why = "Kueue: couldn't assign flavors to pod set main: insufficient unused quota for cpu"
    api.eventually("second", phase="Queued", reason="Queued", message=why)
    time.sleep(1.5)  # longer than it may be Pending
    assert api.pods("second") == []
    api.change("second", pendingDeadlineSeconds=600)  # for its pod
    api.eventually("second", phase="Queued")
    kubelet.end(pod, 0, a_result())
    api.eventually("first", phase="Succeeded")
    kubelet.start(kubelet.pod_of("second"))
    run = api.eventually("second", phase="Running")
    assert run["status"]["restarts"] == 0


def test_what_kueue_sets_stays(api: Api, kubelet: Kubelet, team: Team) -> None:
    pod = running(api, kubelet, team, "mine")
    api.change("mine", activeDeadlineSeconds=3600)
    api.until(lambda: team.job("mine")["spec"].get("activeDeadlineSeconds") == 3600, "the deadline")
    job = team.job("mine")
    template = job["spec"]["template"]["spec"]
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == QUEUE
    assert job["spec"]["suspend"] is False
    assert template["nodeSelector"] == NODES
    assert [one["key"] for one in template["tolerations"]] == ["pool"]
    assert pod["spec"]["nodeSelector"] == NODES


def test_a_preempted_run_goes_on_later_which_is_no_restart(api: Api, kubelet: Kubelet, team: Team) -> None:
    team.apply("low", team.priority("low", 1))
    first = kubelet.pod_of("low")
    kubelet.start(first)
    api.eventually("low", phase="Running")
    team.apply("high", team.priority("high", 100))
    urgent = kubelet.pod_of("high")
    api.eventually("low", phase="Queued", message="Kueue: ")
    kubelet.start(urgent)
    api.eventually("high", phase="Running")
    kubelet.end(urgent, 0, a_result())
    kubelet.start(kubelet.pod_of("low", after=first))
    run = api.eventually("low", phase="Running")
    assert run["status"]["restarts"] == 0
    assert "lastFailure" not in run["status"]


def test_several_nodes_wait_for_room_for_all_and_are_preempted_together(
    api: Api, kubelet: Kubelet, team: Team
) -> None:
    half, low = {"cpu": "500m"}, team.priority("low", 1)
    team.apply("small", low, resources=half)
    small = kubelet.pod_of("small")
    kubelet.start(small)
    team.apply("group", low, resources={"nodes": 2, **half})
    api.eventually("group", phase="Queued", message="insufficient unused quota for cpu")
    assert api.pods("group") == []
    kubelet.end(small, 0, a_result())
    start_both(api, kubelet, "group")
    team.apply("urgent", team.priority("high", 100), resources=half)
    urgent = kubelet.pod_of("urgent")
    api.eventually("group", phase="Queued")
    api.until(lambda: api.pods("group") == [], "both pods to be gone")
    kubelet.end(urgent, 0, a_result())
    start_both(api, kubelet, "group")
    assert api.eventually("group", phase="Running")["status"]["restarts"] == 0


def running(api: Api, kubelet: Kubelet, team: Team, name: str) -> Manifest:
    """Apply a run that there is room for; gives its pod, once it runs."""
    team.apply(name)
    pod = kubelet.pod_of(name)
    kubelet.start(pod)
    api.eventually(name, phase="Running")
    return pod


def start_both(api: Api, kubelet: Kubelet, name: str) -> None:
    for pod in api.until(lambda: pods if len(pods := api.pods(name)) == 2 else None, "both pods"):
        kubelet.start(pod)
    api.eventually(name, phase="Running")


def test_a_run_that_is_suspended_in_the_queue_is_not_started(api: Api, kubelet: Kubelet, team: Team) -> None:
    team.apply("first")
    pod = kubelet.pod_of("first")
    team.apply("second")
    api.eventually("second", phase="Queued")
    api.change("second", suspend=True)
    api.eventually("second", phase="Suspended", message="spec.suspend is true")
    kubelet.end(pod, 0, a_result())
    team.apply("third")
    kubelet.end(kubelet.pod_of("third"), 0, a_result())
    api.eventually("third", phase="Succeeded")
    assert api.pods("second") == []
    api.change("second", suspend=False)
    kubelet.start(kubelet.pod_of("second"))
    api.eventually("second", phase="Running")


def test_a_run_that_is_suspended_makes_room_and_waits_for_its_turn_again(
    api: Api, kubelet: Kubelet, team: Team
) -> None:
    before = running(api, kubelet, team, "first")
    team.apply("second")
    api.eventually("second", phase="Queued")
    api.change("first", suspend=True)
    api.eventually("first", phase="Suspended")
    second = kubelet.pod_of("second")
    api.change("first", suspend=False)
    api.eventually("first", phase="Queued", message="insufficient unused quota")
    kubelet.end(second, 0, a_result())
    kubelet.start(kubelet.pod_of("first", after=before))
    run = api.eventually("first", phase="Running")
    assert run["status"]["restarts"] == 0


def test_a_queue_that_is_not_there_is_told(api: Api) -> None:
    api.apply(a_run("mine", scheduling={"queueName": "nowhere"}))
    api.eventually("mine", phase="Queued", message="Kueue: LocalQueue nowhere doesn't exist")
    assert api.pods("mine") == []


def test_what_somebody_has_taken_out_of_the_queue_is_put_back_by_suspend(
    api: Api, kubelet: Kubelet, team: Team
) -> None:
    before = running(api, kubelet, team, "mine")
    team.stop("mine")
    api.eventually("mine", phase="Queued", message="Kueue: The workload is deactivated")
    api.change("mine", suspend=True)
    api.eventually("mine", phase="Suspended")
    api.change("mine", suspend=False)
    kubelet.start(kubelet.pod_of("mine", after=before))
    api.eventually("mine", phase="Running")


async def test_an_operator_that_was_there_before_kueue_asks_to_be_restarted(
    api: Api, control_plane: ControlPlane
) -> None:
    async with await new_client_from_config(str(control_plane.kubeconfig)) as client:
        cluster, cache, queue = Cluster(client), Cache(), Enqueued()
        feed = Feed(cluster, cache, Resolver(cache, SETTINGS), queue, (api.namespace,))
        watchdog = Watchdog(cluster, feed, queue, (api.namespace,))
        await feed.fill()
        await watchdog.audit()
        assert watchdog.trouble() == "the watch of workloads is stale"


def test_many_that_wait_are_read_from_the_watch(api: Api, kubelet: Kubelet, team: Team) -> None:
    team.apply("first")
    kubelet.pod_of("first")
    lists = {"method": "GET", "resource": "workloads", "code": "200"}
    before = api.operator.count("api_requests_total", **lists)
    names = [f"waiting-{number}" for number in range(20)]
    for name in names:
        team.apply(name)
    for name in names:
        api.eventually(name, phase="Queued", message="Kueue: ")
    asked = api.operator.count("api_requests_total", **lists) - before
    assert asked <= 4, "the audits, each of which lists them once or twice"


def test_the_example_is_applied_whole_and_its_run_waits_for_its_share(
    api: Api, kubelet: Kubelet, kubectl: Kubectl
) -> None:
    kubectl("apply", "--filename", str(EXAMPLE))
    pod = kubelet.pod_of("tickets-queued")
    assert pod["spec"]["nodeSelector"] == {"gpu": "h100"}
    tolerated = {one["key"] for one in pod["spec"]["tolerations"]}
    assert "nvidia.com/gpu" in tolerated
    kubelet.end(pod, 0, a_result())
    api.eventually("tickets-queued", phase="Succeeded")
