"""Jobs and Pods of runs, reduced to what is kept of them."""

from dataclasses import dataclass
from typing import Self

from trainingrun_api.names import MANAGED_BY_LABEL, OPERATOR, RUN_LABEL

from .observed import Attempt, JobState
from .resources import Manifest, RunKey


@dataclass(frozen=True)
class Job:
    """A Job that has a run's name."""

    uid: str
    owner: str | None
    """UID of what controls it."""
    state: JobState
    counted: int
    """Pods whose end the Job has counted."""
    settings: Manifest
    """Those of its spec that follow the run's."""

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """Read a Job."""
        status, spec = manifest.get("status", {}), manifest["spec"]
        return cls(
            uid=manifest["metadata"]["uid"],
            owner=owner_of(manifest),
            state=JobState.parse(manifest),
            counted=status.get("succeeded", 0) + status.get("failed", 0),
            settings={name: spec[name] for name in FOLLOWING if name in spec},
        )


@dataclass(frozen=True)
class Pod:
    """A Pod with a run's label."""

    run: RunKey
    owner: str | None
    """UID of what controls it."""
    attempt: Attempt

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """Read a Pod."""
        return cls(RunKey.of_child(manifest), owner_of(manifest), Attempt.parse(manifest))


FOLLOWING = ("suspend", "activeDeadlineSeconds", "ttlSecondsAfterFinished")
"""Fields of a Job's spec that follow those of the run, which may change."""


def owner_of(manifest: Manifest) -> str | None:
    """UID of the object that controls this one."""
    owners = manifest["metadata"].get("ownerReferences", ())
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def labelled(manifest: Manifest) -> bool:
    """Whether it has the labels by which the watches choose."""
    labels = manifest["metadata"].get("labels") or {}
    return labels.get(MANAGED_BY_LABEL) == OPERATOR and RUN_LABEL in labels
