"""Runs are trained by batch/v1 Jobs: all that the operator knows of these."""

from trainingrun_api.names import QUEUE_LABEL, TRAINER_CONTAINER, ExitCode
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Reason

from .kinds import OURS, Kind
from .resources import Manifest, Run, owner_of
from .workload import Workload, child_metadata

POD_FAILURE_POLICY: Manifest = {
    "rules": [
        # The pod at fault counts, not those that ended because it did.
        {
            "action": "Ignore",
            "onExitCodes": {
                "containerName": TRAINER_CONTAINER,
                "operator": "In",
                "values": [ExitCode.PEER_LOST],
            },
        },
        # Preemption, eviction and node loss are not the run's fault.
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {
            "action": "FailJob",
            "onExitCodes": {
                "containerName": TRAINER_CONTAINER,
                "operator": "In",
                "values": sorted(ExitCode.USER_ERRORS),
            },
        },
    ]
}
FAILURES = {
    "DeadlineExceeded": Reason.ACTIVE_DEADLINE_EXCEEDED,
    "BackoffLimitExceeded": Reason.BACKOFF_LIMIT_EXCEEDED,
}
FOLLOWING = {"suspend", "activeDeadlineSeconds", "ttlSecondsAfterFinished"}
"""Fields of a Job's spec that follow those of the run, which may change."""
OF_THE_JOB = FOLLOWING | {"selector", "template"}
OF_THE_POD = {"nodeSelector", "tolerations", "schedulingGates"}
"""What says where and when, not what is done: it follows the run, or is a queue's once the Job is there."""


class JobBackend:
    """Jobs, as a Backend."""

    kind = Kind("Job", "apis/batch/v1", "jobs", OURS)
    refusals = Kind("Event", "api/v1", "events", fields="reason=FailedCreate,involvedObject.kind=Job")

    def build(self, run: Run, spec: TrainingRunSpec, template: Manifest) -> Manifest:
        """One that restarts its pods after failures that may pass."""
        deadline = {"activeDeadlineSeconds": spec.active_deadline_seconds}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": _metadata(run, spec),
            "spec": {
                "backoffLimit": spec.backoff_limit,
                # Kueue resumes it; not all installations suspend what begins to run in a queue.
                "suspend": spec.suspend or spec.scheduling.queue_name is not None,
                "podReplacementPolicy": "Failed",
                "podFailurePolicy": POD_FAILURE_POLICY,
                "template": template,
                **_indexed(spec),
                **(deadline if spec.active_deadline_seconds is not None else {}),
            },
        }

    def read(self, manifest: Manifest) -> Workload:
        """A Job with its conditions."""
        metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", ()) if c["status"] == "True"}
        complete, failed = conditions.get("Complete"), conditions.get("Failed")
        return Workload(
            kind=self.kind.name,
            name=metadata["name"],
            uid=metadata["uid"],
            owner=owner_of(manifest),
            complete=complete is not None,
            failed=FAILURES.get(failed.get("reason", ""), Reason.TRAINER_ERROR) if failed else None,
            started_at=status.get("startTime"),
            ended_at=(complete or failed or {}).get("lastTransitionTime"),
            suspended=spec.get("suspend", False),
            counted=status.get("succeeded", 0) + status.get("failed", 0),
            settings={name: spec[name] for name in FOLLOWING if name in spec},
        )

    def changes(
        self, spec: TrainingRunSpec, workload: Workload, *, suspend_told: bool, final: bool
    ) -> Manifest:
        """A merge patch of the Job's spec."""
        wanted: Manifest = {"ttlSecondsAfterFinished": spec.ttl_seconds_after_finished}
        if not final:
            wanted = {"activeDeadlineSeconds": spec.active_deadline_seconds}
            wanted |= {} if spec.suspend == suspend_told else {"suspend": spec.suspend}
        return {name: value for name, value in wanted.items() if workload.settings.get(name) != value}

    def same_work(self, one: Manifest, other: Manifest) -> bool:
        """But for labels and annotations of the pod too: those name the Job, or are a queue's."""
        return _work(one) == _work(other)


def _metadata(run: Run, spec: TrainingRunSpec) -> Manifest:
    metadata, queue = child_metadata(run), spec.scheduling.queue_name
    labels = metadata["labels"] | ({QUEUE_LABEL: queue} if queue else {})
    return metadata | {"labels": labels}


def _indexed(spec: TrainingRunSpec) -> Manifest:
    """Of several nodes: one pod for each, whose index is its rank."""
    nodes = spec.resources.nodes
    if nodes == 1:
        return {}
    return {
        "completionMode": "Indexed",
        "completions": nodes,
        "parallelism": nodes,
        # Without it, pods that end together are waited for twice as long for each of them, up to ten minutes.
        "backoffLimitPerIndex": spec.backoff_limit,
    }


def _work(job: Manifest) -> Manifest:
    spec = {name: value for name, value in job["spec"].items() if name not in OF_THE_JOB}
    pod = job["spec"]["template"]["spec"]
    return spec | {"template": {name: value for name, value in pod.items() if name not in OF_THE_POD}}
