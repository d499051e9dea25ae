"""Watches that show nothing, and an operator that has nothing to do."""

import time
from contextlib import suppress

import pytest
from kubernetes.dynamic.exceptions import NotFoundError
from promises import Promise, forms

from .bench import Bench
from .fault_proxy import Call, Fault, PassOn, Reply
from .faults import Dead, Silent, Undeleted
from .lifecycles import is_suspended, trains
from .manifests import a_foreign_job, a_result, a_run
from .portrait import portrait
from .sweep import Undisturbed

SILENT_SECONDS = 75
DEAD_SECONDS = 120
RESYNC_SECONDS = 75
SETTLED_SECONDS = 6.0
"""After this, what is held back is written."""


@pytest.mark.faults
def test_silent_watches_are_noticed(bench: Bench, promise: Promise) -> None:
    bench.api.apply(a_run("before"))
    bench.api.eventually("before", phase="Pending", reason="Unschedulable")
    with bench.proxy.planted(Silent()):
        began = time.monotonic()
        bench.api.apply(a_run("silent"))
        pod = bench.kubelet.pod_of("silent")
        bench.kubelet.start(pod)
        bench.api.eventually("silent", phase="Running")
        took = time.monotonic() - began
        bench.kubelet.end(pod, 0, a_result())
        bench.api.eventually("silent", phase="Succeeded")
        whole = time.monotonic() - began
    assert took < SILENT_SECONDS
    promise(
        "Operator",
        f"When all watches fall silent without an error, a new run trains within {SILENT_SECONDS} s",
        f"{took:.0f} s, and {whole:.0f} s to its end",
    )


def test_pods_that_are_gone_unnoticed_hide_no_result(bench: Bench) -> None:
    way = Undisturbed.of(bench, is_suspended)
    with bench.proxy.planted(Undeleted("pods")):
        is_suspended(bench.api, bench.kubelet, "ghost")
        bench.api.until(lambda: portrait(bench.api, "ghost") == way.end, "the same end")


def test_run_that_is_gone_unnoticed_is_not_told_to_have_lost_its_job(bench: Bench) -> None:
    api = bench.api
    api.apply(a_run("leaver"))
    bench.kubelet.start(bench.kubelet.pod_of("leaver"))
    api.eventually("leaver", phase="Running")
    with bench.proxy.planted(Undeleted("trainingruns"), Dead("pods")):
        api.delete("TrainingRun", "leaver")
        with suppress(NotFoundError):  # the garbage collector, which may come before this or after an audit
            api.delete("Job", "leaver")
        api.until(lambda: 'name="leaver"' not in bench.operator.metrics(), "its series to go")
    assert "JobDeleted" not in api.events("leaver")


def test_run_goes_on_though_no_watch_shows_that_its_base_model_is_there(bench: Bench) -> None:
    api = bench.api
    api.apply(a_run("parent"))
    pod = bench.kubelet.pod_of("parent")
    api.apply(a_run("child", baseModel={"fromRun": {"name": "parent"}}))
    api.eventually("child", phase="Pending", reason="BaseModelNotReady")
    with bench.proxy.planted(Dead("trainingruns")):
        bench.kubelet.end(pod, 0, a_result())
        api.eventually("child", phase="Pending", reason="Unschedulable")


@pytest.mark.faults
def test_dead_watch_fails_liveness(bench: Bench, promise: Promise) -> None:
    with bench.proxy.planted(Dead("trainingruns")):
        began = time.monotonic()
        bench.api.apply(a_run("dead"))
        bench.api.until(lambda: not bench.operator.healthy(), "the operator to call itself unhealthy")
        took = time.monotonic() - began
    assert took < DEAD_SECONDS
    bench.kill()  # as the kubelet does then
    bench.api.until(bench.operator.healthy, "the operator to be back")
    promise(
        "Operator",
        f"A watch that stays dead fails the liveness probe within {DEAD_SECONDS} s",
        f"{took:.0f} s",
    )


@pytest.mark.faults
def test_run_converges_without_any_event_of_its_job(bench: Bench, promise: Promise) -> None:
    with bench.proxy.planted(Dead("jobs")):
        began = time.monotonic()
        trains(bench.api, bench.kubelet, "jobless")
        took = time.monotonic() - began
    assert took < RESYNC_SECONDS
    promise(
        "Operator",
        f"With all events of Jobs dropped, a run is brought to success within one resync, {RESYNC_SECONDS} s",
        f"{took:.0f} s",
    )


class Writes(Fault):
    """Notes what is written in a namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = f"/namespaces/{namespace}/"
        self.seen: list[str] = []

    async def call(self, call: Call, pass_on: PassOn) -> Reply:
        reply = await pass_on(call)
        if call.writes and self._namespace in call.path and reply.status < 300:
            self.seen.append(f"{call.method} {call.path}")
        return reply


@pytest.mark.parametrize("seconds", forms(short=10, whole=600))
def test_idle_operator_writes_nothing(bench: Bench, seconds: int, promise: Promise) -> None:
    api = bench.api
    trains(api, bench.kubelet, "done")
    api.apply(a_run("pending"))
    api.apply(a_run("pair", resources={"nodes": 2}))
    api.apply(a_run("idle", suspend=True))
    api.apply(a_run("waiting", dataset={"project": "none"}))
    api.apply(a_run("queued", scheduling={"queueName": "training"}))
    api.apply(a_run("refused", scheduling={"priorityClassName": "missing"}))
    api.apply(a_foreign_job("taken"))
    api.apply(a_run("taken"))
    api.apply(a_run("busy"))
    bench.kubelet.start(bench.kubelet.pod_of("busy"))
    for name, phase in (
        ("pending", "Pending"),
        ("pair", "Pending"),
        ("idle", "Suspended"),
        ("waiting", "Pending"),
        ("queued", "Queued"),
        ("refused", "Pending"),
        ("taken", "Pending"),
        ("busy", "Running"),
    ):
        api.eventually(name, phase=phase)
    time.sleep(SETTLED_SECONDS)
    with bench.proxy.planted(writes := Writes(api.namespace)):
        time.sleep(seconds)
    assert writes.seen == []
    promise(
        "Operator",
        "With nothing to do, the operator writes nothing, whatever the runs wait for or do",
        f"0 writes in {seconds // 60} minutes",
    )
