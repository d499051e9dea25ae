"""What the watches and the responses to our own writes have shown; the newer one counts.

What is in here may be old, and what is missing here may exist. So a write says which version it is based on,
and the API server is asked before anything is done because something is missing.
"""

import pickle
import zlib
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, NamedTuple, Self, TypeVar

from trainingrun_api.names import MANAGED_BY_LABEL, OPERATOR, RUN_LABEL
from trainingrun_api.progress import RunIdentity

from .backend import BACKEND
from .failed_mounts import FailedMounts
from .kinds import Kind
from .kueue import QueuedJob
from .observed import Pod
from .refusals import Refusals
from .resources import Key, Manifest, Run, key_of
from .workload import Workload

Value = TypeVar("Value")


class Identity(NamedTuple):
    """Which object, and as of when."""

    uid: str
    version: int


class Table(Generic[Value]):
    """Objects of one kind, and which of them belong together."""

    def __init__(
        self,
        parse: Callable[[Manifest, Value | None], Value],
        *,
        groups: Callable[[Value], Iterable[Hashable]] = lambda _: (),
        watched: Callable[[Manifest], bool] = lambda _: True,
        at_rest: Callable[[Value], bool] = lambda _: False,
    ) -> None:
        self._parse = parse
        self._groups = groups
        self._watched = watched
        self._at_rest = at_rest
        self._values: dict[Key, Value | _Packed] = {}
        self._members: dict[Hashable, tuple[Key, ...]] = {}
        self.identities: dict[Key, Identity] = {}
        """Of all that was seen and isn't known to be gone, also of what can't be read."""

    def saw(self, manifest: Manifest) -> bool:
        """Keep it, if it is watched and newer than what was kept; whether it says anything new.

        Raises ValueError when it can't be read, as when a newer operator wrote it.
        """
        key, identity = key_of(manifest), identity_of(manifest)
        before = self.identities.get(key)
        if not self._watched(manifest) or (before is not None and before.version >= identity.version):
            return False
        known = self._drop(key)
        self.identities[key] = identity
        value = self._parse(manifest, known)
        self._values[key] = _Packed.of(value) if self._at_rest(value) else value
        for group in self._groups(value):
            self._members[group] = (*self._members.get(group, ()), key)
        return before is None or (before.uid, known) != (identity.uid, value)

    def lost(self, key: Key, uid: str) -> None:
        """The object with this UID is gone, or isn't as it was taken for."""
        if key in self.identities and self.identities[key].uid == uid:
            self._drop(key)

    def absent(self, key: Key, uid: str, version: int) -> None:
        """The same as of this version: what a late watch shows of it from before says nothing any more."""
        if key in self.identities and self.identities[key].uid == uid:
            self._drop(key)
            self.identities[key] = Identity(uid, version)

    def get(self, key: Key) -> Value | None:
        """The object, as far as it is known."""
        return _unpacked(self._values.get(key))

    def group(self, group: Hashable) -> list[Value]:
        """The objects that belong to it."""
        found = (self.get(key) for key in self._members.get(group, ()))
        return [value for value in found if value is not None]

    def _drop(self, key: Key) -> Value | None:
        """What was kept until now."""
        self.identities.pop(key, None)
        value = _unpacked(self._values.pop(key, None))
        for group in self._groups(value) if value is not None else ():
            left = tuple(member for member in self._members.pop(group) if member != key)
            if left:
                self._members[group] = left
        return value


class _Packed(bytes):
    """A value that is seldom looked at: an eighth of the memory, and 0.1 ms to read it."""

    __slots__ = ()

    @classmethod
    def of(cls, value: object) -> Self:
        return cls(zlib.compress(pickle.dumps(value)))


def _unpacked(value: Value | _Packed | None) -> Value | None:
    if isinstance(value, _Packed):
        found: Value = pickle.loads(zlib.decompress(value))  # noqa: S301 - our own
        return found
    return value


class Cache:
    """The objects that decide what becomes of runs."""

    def __init__(self, queued_kind: Kind | None = None) -> None:
        self.queued_kind = queued_kind
        """Where the API server has what Kueue says of queued Jobs; None without Kueue."""
        self.runs = Table(_without_history, groups=names_of, at_rest=lambda run: run.status.phase.finished)
        self.projects: Table[Manifest] = Table(_anew(dict))
        self.workloads = Table(_anew(BACKEND.read), watched=_labelled)
        self.queued_jobs = Table(_anew(QueuedJob.parse), groups=lambda queued: [queued.job])
        self.refusals = Refusals()
        self.failed_mounts = FailedMounts()
        self.pods = Table(_anew(Pod.parse), groups=lambda pod: [pod.run], watched=_labelled)

    def queued_job(self, workload: Workload) -> QueuedJob | None:
        """What Kueue says of it; None when it isn't queued, or not yet."""
        return max(self.queued_jobs.group(workload.uid), key=lambda queued: queued.created, default=None)

    def run_of(self, namespace: str, pod: str, uid: str) -> RunIdentity | None:
        """The run whose workload owns this Pod, while it works and all three are known to belong together."""
        identity, found = self.pods.identities.get((namespace, pod)), self.pods.get((namespace, pod))
        if found is None or identity is None or identity.uid != uid or found.attempt.finished:
            return None
        workload, run = self.workloads.get(found.run), self.runs.get(found.run)
        if workload is None or run is None or run.status.job_uid != workload.uid:
            return None
        return run.identity if (found.owner, workload.owner) == (workload.uid, run.uid) else None


Known = Callable[[], Cache | None]
"""What gives the cache; None where no watches fill one."""


def _labelled(manifest: Manifest) -> bool:
    """Whether it has the labels by which the watches choose."""
    labels = manifest["metadata"].get("labels") or {}
    return labels.get(MANAGED_BY_LABEL) == OPERATOR and RUN_LABEL in labels


def _anew(parse: Callable[[Manifest], Value]) -> Callable[[Manifest, Value | None], Value]:
    """Without regard to what is known of the object."""
    return lambda manifest, _: parse(manifest)


def _without_history(manifest: Manifest, known: Run | None) -> Run:
    """A run with the latest of its epochs alone: of thousands of runs, all would fill the memory."""
    run = Run.parse(manifest, known)
    return run.with_status(epochs=run.status.epochs[-1:])


def names_of(run: Run) -> set[tuple[str, str]]:
    """The model names that a run has or asks for, each with its namespace."""
    names = {run.status.model_name, run.spec.model_name if run.spec else None}
    return {(run.key.namespace, name) for name in names if name is not None}


def identity_of(manifest: Manifest) -> Identity:
    """UID and resourceVersion."""
    metadata = manifest["metadata"]
    return Identity(metadata["uid"], int(metadata["resourceVersion"]))
