"""Jobs in queues: of each Kueue has a Workload, which is not what is called a workload elsewhere in here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from .kinds import Kind
from .observed import condition_message
from .resources import Manifest, RunKey, owner_of, parse_time

GROUP = "kueue.x-k8s.io"


def queued_jobs_in(version: str) -> Kind:
    """Where the API server has Workloads, in this version of Kueue's API."""
    return Kind("Workload", f"apis/{GROUP}/{version}", "workloads")


@dataclass(frozen=True)
class QueuedJob:
    """A Workload, reduced to what is kept of it."""

    run: RunKey
    """The run that it is of, if it is of a run's Job: that has the run's name."""
    name: str
    uid: str
    created: datetime
    job: str | None
    """UID of the Job."""
    active: bool
    """False while the Job is kept from running, by a person or after too many tries."""
    message: str | None
    """Why the Job doesn't run yet; None when Kueue hasn't said."""

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """Read a Workload."""
        metadata, status = manifest["metadata"], manifest.get("status", {})
        owners = metadata.get("ownerReferences", ())
        return cls(
            run=RunKey(metadata["namespace"], next((owner["name"] for owner in owners), "")),
            name=metadata["name"],
            uid=metadata["uid"],
            created=parse_time(metadata["creationTimestamp"]),
            job=owner_of(manifest),
            active=manifest.get("spec", {}).get("active", True),
            message=_message(status),
        )


def _message(status: Manifest) -> str | None:
    if condition_message(status, "Admitted", "True") is not None:
        return "admitted"
    if condition_message(status, "QuotaReserved", "True") is not None:
        return _checks(status)
    return condition_message(status, "QuotaReserved", "False")


def _checks(status: Manifest) -> str:
    """What it waits for once there is room for it, such as a node that is being made."""
    waiting = [check for check in status.get("admissionChecks", ()) if check["state"] != "Ready"]
    told = [f"{check['name']}: {check.get('message') or check['state']}" for check in waiting]
    return f"waiting for admission checks: {'; '.join(told)}" if told else "about to be admitted"
