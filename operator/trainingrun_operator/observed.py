"""What Kubernetes says of a run's Pods, reduced to what a status is made of."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Self, TypeVar

from trainingrun_api.names import INDEX_ANNOTATION, TRAINER_CONTAINER, ExitCode
from trainingrun_api.status import RunFailure, RunResult

from .missing_secret import TakenSecret, missing_secret, taken_secrets
from .resources import Manifest, RunKey, kubernetes_json, owner_of, parse_time

Left = TypeVar("Left", RunResult, RunFailure)


class Waiting(NamedTuple):
    """Why a container doesn't run yet."""

    reason: str
    message: str


class Termination(NamedTuple):
    """How the trainer ended; `text` is what it left for us."""

    exit_code: int
    reason: str
    text: str

    def result(self) -> RunResult | None:
        """The result that a trainer leaves when it has succeeded."""
        return _parsed(RunResult, self.text)

    def failure(self) -> RunFailure | None:
        """The failure that a trainer leaves when it can still say so."""
        return _parsed(RunFailure, self.text)


@dataclass(frozen=True)
class Attempt:
    """One try to train the run on one node: a Pod."""

    name: str
    created: datetime
    phase: str
    deleting: bool
    unschedulable: str | None
    disruption: str | None
    waiting: Waiting | None
    started: str | None
    termination: Termination | None
    missing_secret: str | None = None
    unmounted: tuple[TakenSecret, ...] = ()
    """What it can't start without, until all its volumes are mounted."""
    turned_away: str | None = None
    """Why the kubelet, or whatever ended the pod as a whole, did so."""
    index: int = 0
    """Which of the run's nodes it is."""
    ended_at: datetime | None = None
    """When the trainer ended."""

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """Read a Pod."""
        metadata, status = manifest["metadata"], manifest.get("status", {})
        state = _trainer_state(status)
        waiting, taken = _waiting(state), taken_secrets(manifest) if _awaits_its_node(status, state) else ()
        return cls(
            name=metadata["name"],
            created=parse_time(metadata["creationTimestamp"]),
            phase=status.get("phase", "Pending"),
            deleting="deletionTimestamp" in metadata,
            unschedulable=condition_message(status, "PodScheduled", "False"),
            disruption=condition_message(status, "DisruptionTarget", "True"),
            waiting=waiting,
            started=(state.get("running") or state.get("terminated") or {}).get("startedAt"),
            termination=_termination(state),
            missing_secret=missing_secret(waiting.message, taken, metadata["namespace"]) if waiting else None,
            unmounted=() if condition_message(status, "PodReadyToStartContainers", "True") else taken,
            turned_away=": ".join(filter(None, map(status.get, ("reason", "message")))) or None,
            index=_index(metadata),
            ended_at=_ended_at(state),
        )

    @property
    def ended(self) -> bool:
        """True when it will not train any more."""
        return self.deleting or self.finished

    @property
    def finished(self) -> bool:
        """True when its containers have ended."""
        return self.phase in {"Failed", "Succeeded"}

    @property
    def failed(self) -> bool:
        """True when it ended without finishing the run."""
        return self.ended and self.phase != "Succeeded"

    @property
    def exit_code(self) -> int | None:
        """That of the trainer; None while it runs, or where it isn't known."""
        return self.termination.exit_code if self.termination else None

    @property
    def peer_lost(self) -> bool:
        """True when it only ended because another one did."""
        return self.exit_code == ExitCode.PEER_LOST

    @property
    def final(self) -> bool:
        """True for what the user has to correct, unless the pod was disrupted: no other follows."""
        return self.disruption is None and self.exit_code in ExitCode.USER_ERRORS

    @property
    def counted(self) -> bool:
        """True when its workload counts its end, by POD_FAILURE_POLICY."""
        return self.finished and self.disruption is None and not self.peer_lost


@dataclass(frozen=True)
class Pod:
    """A Pod with a run's label."""

    run: RunKey
    uid: str
    owner: str | None
    """UID of what controls it."""
    attempt: Attempt

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """Read a Pod."""
        uid, attempt = manifest["metadata"]["uid"], Attempt.parse(manifest)
        return cls(RunKey.of_child(manifest), uid, owner_of(manifest), attempt)

    def attempt_with(self, failed_mounts: Iterable[str]) -> Attempt:
        """With the Secrets that these volumes are not mounted for, as the kubelet says."""
        attempt, namespace = self.attempt, self.run.namespace
        if not attempt.unmounted:
            return attempt
        told = [missing_secret(message, attempt.unmounted, namespace) for message in failed_mounts]
        missing = ". ".join(dict.fromkeys(filter(None, told)))
        return replace(attempt, missing_secret=missing) if missing else attempt


def latest(attempts: list[Attempt]) -> Attempt | None:
    """The attempt that counts now: one that still works, else the newest; of one second, that which stays."""
    return max(attempts, key=lambda a: (not a.ended, a.created, not a.deleting, a.name), default=None)


def condition_message(status: Manifest, kind: str, value: str) -> str | None:
    """The message of a condition that has this value, None when it has another or is absent."""
    for condition in status.get("conditions", ()):
        if condition["type"] == kind and condition["status"] == value:
            return str(condition.get("message") or condition.get("reason") or kind)
    return None


def _trainer_state(status: Manifest) -> Manifest:
    for container in status.get("containerStatuses", ()):
        if container["name"] == TRAINER_CONTAINER:
            state: Manifest = container.get("state", {})
            return state
    return {}


def _awaits_its_node(status: Manifest, state: Manifest) -> bool:
    """Whether its container has not begun, and may still."""
    return status.get("phase", "Pending") == "Pending" and not state.keys() & {"running", "terminated"}


def _index(metadata: Manifest) -> int:
    """That of a pod of an Indexed Job; 0 for one without."""
    index = metadata.get("annotations", {}).get(INDEX_ANNOTATION, "")
    return int(index) if index.isdecimal() else 0


def _ended_at(state: Manifest) -> datetime | None:
    time = state.get("terminated", {}).get("finishedAt")
    return parse_time(time) if time else None


def _waiting(state: Manifest) -> Waiting | None:
    waiting = state.get("waiting")
    return Waiting(waiting.get("reason", ""), waiting.get("message", "")) if waiting else None


def _termination(state: Manifest) -> Termination | None:
    ended = state.get("terminated")
    return (
        Termination(ended["exitCode"], ended.get("reason", ""), ended.get("message", "")) if ended else None
    )


def _parsed(model: type[Left], text: str) -> Left | None:
    # A trainer image newer than the operator may say more than is known here.
    try:
        return model.model_validate(kubernetes_json(text), extra="ignore")
    except ValueError:
        return None
