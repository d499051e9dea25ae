"""Runs with the status that the operator writes, one for each way in which a run can stand."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.names import API_VERSION, RUN_KIND, ExitCode
from trainingrun_api.started_with import SecretNames, StartedWith
from trainingrun_api.status import Progress, Reason
from trainingrun_operator.blocked import Blocked
from trainingrun_operator.observed import Attempt, Termination
from trainingrun_operator.refusals import Refusal
from trainingrun_operator.resources import Manifest, Run, format_time
from trainingrun_operator.status import Observation, observe
from trainingrun_operator.workload import Workload

NAME = "tickets"
POD = f"{NAME}-x2z4b"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PREFIX = f"s3://models/tickets/support/{NAME}/4f1c"

JOB = Workload("Job", NAME, uid="7d9f5c1e-2f7c-4a86-9a60-0d1f6a0f7c11", owner=None)
STARTED = StartedWith.of("example.com/trainer:1", {"outputPrefix": PREFIX}, SecretNames())
RESULT = {
    "bestEpoch": 3,
    "epochs": 4,
    "stoppedEarly": True,
    "evaluation": {"accuracy": 0.912, "f1": 0.9, "loss": 0.31, "support": 120},
    "artifacts": ArtifactPaths(PREFIX).artifacts().model_dump(mode="json"),
    "baseModel": {"source": "Default", "digest": "abc"},
}
QUOTA = "exceeded quota: team, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1"
FAILURE = {
    "reason": Reason.DATA_ERROR,
    "message": "s3://data/tickets.jsonl, line 3: field 'label' is missing; "
    "name the field that holds the label in spec.dataset.labelField",
}


def runs() -> Iterator[tuple[str, Manifest]]:
    """Each run as the API server has it, with a name for how it stands."""
    no_project = Blocked(Reason.PROJECT_NOT_FOUND, "TrainingProject tickets does not exist; create it")
    paused = replace(JOB, suspended=True)
    yield "new", a_run()
    yield "pending_no_project", observed(Observation(blocked=no_project))
    yield "pending_unschedulable", observed(seen(a_pod(phase="Pending", unschedulable="0/3 nodes are free")))
    yield "pending_restarting", observed(seen(ended(ExitCode.TEMPORARY, "")))
    yield "pending_stalled", observed(refused(QUOTA))
    yield "queued", observed(seen(job=paused))
    yield "running", running()
    yield "running_changed", with_generation(running(), 2)
    yield "evaluating", observed(seen(a_pod()), a_run(progress=report("Evaluating")))
    yield "suspended", observed(seen(job=paused), a_run({"suspend": True}))
    yield "stopped", observed(seen(a_pod()), a_run({"stop": True}))
    yield "succeeded", succeeded()
    yield "succeeded_changed", with_generation(succeeded(), 2)
    yield "succeeded_observed", observed(Observation(), with_generation(succeeded(), 2))
    yield "failed", observed(seen(ended(ExitCode.DATA, json.dumps(FAILURE))))


def a_run(settings: Manifest | None = None, **status: object) -> Manifest:
    """One that was just applied with these settings, or has this status already."""
    spec: Manifest = {
        "dataset": {"uri": "s3://data/tickets.jsonl"},
        "output": {"uri": "s3://models/tickets"},
        **(settings or {}),
    }
    metadata = {
        "name": NAME,
        "namespace": "support",
        "uid": "0b7c3a52-64a4-4f0e-8c55-3f6a4f3a9a21",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": format_time(NOW - timedelta(minutes=5)),
    }
    manifest: Manifest = {"apiVersion": API_VERSION, "kind": RUN_KIND, "metadata": metadata, "spec": spec}
    return manifest | ({"status": status} if status else {})


def observed(seen: Observation, before: Manifest | None = None) -> Manifest:
    """A run with the status that follows from what is seen of it."""
    manifest = before or a_run()
    run = Run.parse(manifest)
    status = observe(run, run.spec, seen, NOW)
    written = status.model_dump(mode="json", exclude_none=True)
    return manifest | {"status": written}


def with_generation(run: Manifest, generation: int) -> Manifest:
    """A run whose spec was changed after its status was written."""
    return run | {"metadata": run["metadata"] | {"generation": generation}}


def running() -> Manifest:
    """One that trains."""
    return observed(seen(a_pod()))


def succeeded() -> Manifest:
    """One that has published its model."""
    complete = replace(JOB, complete=True, ended_at=format_time(NOW))
    return observed(seen(ended(ExitCode.OK, json.dumps(RESULT)), job=complete), running())


def seen(*pods: Attempt, job: Workload = JOB) -> Observation:
    """A run's Job and pods."""
    return Observation(job, list(pods), model_name="calm-otter", started_with=STARTED)


def refused(why: str) -> Observation:
    """A run whose pod the API server rejects for this reason."""
    message = f'Error creating: pods "{POD}" is forbidden: {why}'
    event = {"message": message, "lastTimestamp": format_time(NOW), "involvedObject": {"name": NAME}}
    return replace(seen(), refusal=Refusal.parse(event))


def ended(code: int, text: str) -> Attempt:
    """A pod whose trainer exited with this code, and left this text."""
    phase = "Succeeded" if code == 0 else "Failed"
    return a_pod(phase=phase, termination=Termination(code, "", text))


def a_pod(phase: str = "Running", **changes: Any) -> Attempt:
    """One that trains, but for `changes`."""
    created = NOW - timedelta(minutes=4)
    pod = Attempt(
        name=POD,
        created=created,
        phase=phase,
        deleting=False,
        unschedulable=None,
        disruption=None,
        waiting=None,
        started=None if phase == "Pending" else format_time(created),
        termination=None,
    )
    return replace(pod, **changes)


def report(stage: str) -> Manifest:
    """The trainer's latest report."""
    progress = Progress(stage=stage, epoch=4, max_epochs=4, percent=100, last_update_time=format_time(NOW))
    return progress.model_dump(mode="json", exclude_none=True)
