"""What trains a run: an object whose controller makes the trainer pod, again and again if need be."""

from dataclasses import dataclass, field
from typing import Protocol

from trainingrun_api.names import API_VERSION, MANAGED_BY_LABEL, OPERATOR, RUN_KIND, RUN_LABEL
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Reason

from .kinds import Kind
from .resources import Manifest, Run


@dataclass(frozen=True)
class Workload:
    """One that has a run's name, reduced to what is kept of it."""

    kind: str
    """What users know it as, such as Job."""
    name: str
    uid: str
    owner: str | None
    """UID of what controls it."""
    complete: bool = False
    failed: Reason | None = None
    """ActiveDeadlineExceeded, BackoffLimitExceeded, or TrainerError where its last pod says why."""
    started_at: str | None = None
    ended_at: str | None = None
    suspended: bool = False
    counted: int = 0
    """Pods whose end it has counted."""
    settings: Manifest = field(default_factory=dict)
    """Those of its own that follow the run's spec, which may change."""

    @property
    def title(self) -> str:
        """Kind and name, as messages have them."""
        return f"{self.kind} {self.name}"

    @property
    def finished(self) -> bool:
        """True when it has succeeded or failed."""
        return self.complete or self.failed is not None


class Backend(Protocol):
    """A kind of workload: all that the operator knows of it.

    One that is built has the run's name, and gives its pods the labels of the template.
    """

    kind: Kind
    """Where the API server has them."""
    refusals: Kind
    """Events about one whose pod is rejected; all Events together would be too many."""

    def build(self, run: Run, spec: TrainingRunSpec, template: Manifest) -> Manifest:
        """The one that trains `run` in pods of this template: same input, same output, no I/O."""

    def read(self, manifest: Manifest) -> Workload:
        """One as the API server has it."""

    def changes(
        self, spec: TrainingRunSpec, workload: Workload, *, suspend_told: bool, final: bool
    ) -> Manifest:
        """What to change in its spec so that it follows the fields of a run that may change; {} for nothing.

        Others suspend and resume workloads, too: `suspend` is handed on only when it isn't what was told
        last. The TTL is handed on when the run's final status is written (`final`), never before: it deletes
        the pod, and with it the result that the pod left.
        """

    def same_work(self, one: Manifest, other: Manifest) -> bool:
        """Whether two, both as the API server has completed them, do the same."""


def child_metadata(run: Run) -> Manifest:
    """Metadata of the run's workload: deleted with the run, and found by its labels."""
    return {
        "name": run.key.name,
        "namespace": run.key.namespace,
        "labels": {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: run.key.name},
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": RUN_KIND,
                "name": run.key.name,
                "uid": run.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
