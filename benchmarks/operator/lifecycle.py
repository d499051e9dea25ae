"""What so many runs cost, from the moment that they are applied at once until they have succeeded."""

import asyncio
import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kubernetes import config
from kubernetes.client import CustomObjectsApi

from trainingrun_api.names import GROUP, RUN_PLURAL, VERSION
from trainingrun_operator.backend import BACKEND
from trainingrun_operator.kinds import EVENTS, LEASES, PODS, RUNS

from . import request_cost
from .load import Applied, apply
from .stand import NAMESPACE, Stand, a_stand
from .subjects import Subject, floor, operator
from .trainers import Answers, train_all

OF_A_RUN = (RUNS, BACKEND.kind, PODS, LEASES, EVENTS)
PAGE = 500
IDLE_SECONDS = 60.0
"""An audit lies in it."""


@dataclass(frozen=True)
class Cost:
    """What a run has cost until a moment."""

    milliseconds: float
    """Processor time."""
    requests: dict[str, float]
    """Requests to the API server, by method and kind of object."""


@dataclass(frozen=True)
class Waits:
    """How long runs that were applied at once waited for their Jobs, in seconds."""

    median: float
    slowest: float
    """99th percentile."""
    last: float
    """From the first request until the last Job."""

    @classmethod
    def of(cls, applied: Applied) -> "Waits":
        """Of these runs."""
        slowest = statistics.quantiles(applied.waits, n=100)[98]
        return cls(statistics.median(applied.waits), slowest, applied.last)


@dataclass(frozen=True)
class Lifecycle:
    """The figures of one measurement."""

    runs: int
    epoch_seconds: float
    waits: Waits
    floor_waits: Waits
    floor_milliseconds: float
    request_milliseconds: float
    """Processor time of one request by itself."""
    to_job: Cost
    to_success: Cost
    report_median: float
    report_slowest: float
    """99th percentile of the seconds until a report was answered."""
    reports_refused: int
    started_mebibytes: float
    mebibytes: float
    """Memory before the first and after the last run."""
    idle_share: float
    """Of a core, once all runs have finished."""
    seconds: float
    """From the first pod's start until nothing was left to do."""
    kibibytes: dict[str, float]
    """JSON of each of a run's objects at the end, by plural."""


def measure(runs: int, epoch_seconds: float) -> Lifecycle:
    """Carry so many runs through, of epochs of so many seconds."""
    bare, bare_milliseconds = _floor(runs)
    with a_stand() as stand, operator(stand.kubeconfig) as subject:
        subject.wait_until_quiet()
        empty, meter = subject.mebibytes(), Meter(subject, runs)
        applied = asyncio.run(apply(stand.kubeconfig, NAMESPACE, [f"run-{n}" for n in range(runs)]))
        subject.wait_until_quiet()
        to_job, start = meter.cost(), time.monotonic()
        answers = carry_through(stand, subject, applied.uids, epoch_seconds)
        took, to_success = time.monotonic() - start, meter.cost()
        memory, idle = subject.mebibytes(), subject.idle_share(IDLE_SECONDS)
        check_success(stand.kubeconfig, runs)
        kibibytes = sizes(stand.kubeconfig)
        own = asyncio.run(request_cost.milliseconds(stand.kubeconfig, NAMESPACE))
    return Lifecycle(
        runs=runs,
        epoch_seconds=epoch_seconds,
        waits=Waits.of(applied),
        floor_waits=Waits.of(bare),
        floor_milliseconds=bare_milliseconds,
        request_milliseconds=own,
        to_job=to_job,
        to_success=to_success,
        report_median=statistics.median(answers.seconds),
        report_slowest=statistics.quantiles(answers.seconds, n=100)[98],
        reports_refused=answers.refused,
        started_mebibytes=empty,
        mebibytes=memory,
        idle_share=idle,
        seconds=took,
        kibibytes=kibibytes,
    )


class Meter:
    """What a program has done since this was made, for each of so many runs."""

    def __init__(self, subject: Subject, runs: int) -> None:
        self._subject = subject
        self._runs = runs
        self._seconds = subject.seconds()
        self._requests = subject.requests()

    def cost(self) -> Cost:
        """Until now."""
        seconds = self._subject.seconds() - self._seconds
        requests = self._subject.requests() - self._requests
        each = {kind: number / self._runs for kind, number in sorted(requests.items())}
        return Cost(1000 * seconds / self._runs, each)


def carry_through(stand: Stand, subject: Subject, uids: dict[str, str], epoch_seconds: float) -> Answers:
    """Let the pods of the runs train and end, until the operator has nothing left to do."""
    stand.let_pods_run()
    answers = asyncio.run(train_all(stand.kubeconfig, subject, uids, epoch_seconds))
    subject.wait_until_quiet()
    return answers


def check_success(kubeconfig: Path, runs: int) -> None:
    """Raises AssertionError unless so many runs are there, and all have succeeded."""
    phases: Counter[str] = Counter()
    with config.new_client_from_config(str(kubeconfig)) as client:
        query, further = CustomObjectsApi(client).list_namespaced_custom_object, ""
        while True:
            page = query(GROUP, VERSION, NAMESPACE, RUN_PLURAL, limit=PAGE, _continue=further)
            phases.update(run.get("status", {}).get("phase", "none") for run in page["items"])
            if not (further := page["metadata"].get("continue", "")):
                break
    assert phases == {"Succeeded": runs}, phases


def sizes(kubeconfig: Path) -> dict[str, float]:
    """Mean KiB of JSON that each kind of a run's objects has once runs have succeeded, by plural."""
    found = {}
    with config.new_client_from_config(str(kubeconfig)) as client:
        for kind in OF_A_RUN:
            url = f"{client.configuration.host}{kind.path(NAMESPACE)}?limit={PAGE}"
            text = client.call_api("GET", url).read()
            found[kind.plural] = len(text) / len(json.loads(text)["items"]) / 1024
    return found


def _floor(runs: int) -> tuple[Applied, float]:
    """How long the same runs wait where a handler only creates Jobs, and its milliseconds a run."""
    with a_stand() as stand, floor(stand.kubeconfig) as subject:
        subject.wait_until_quiet()
        meter = Meter(subject, runs)
        applied = asyncio.run(apply(stand.kubeconfig, NAMESPACE, [f"run-{n}" for n in range(runs)]))
        subject.wait_until_quiet()
        return applied, meter.cost().milliseconds
