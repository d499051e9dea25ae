"""What the watches have shown and our own writes were answered with; the newer one counts.

What is in here may be old, and what is missing here may exist. So a write says which version it is based on,
and the API server is asked before anything is done because something is missing.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from .children import Job, Pod, labelled
from .refusals import Refusals
from .resources import Key, Manifest, Run, key_of

Value = TypeVar("Value")


class Seen(NamedTuple, Generic[Value]):
    """An object as it was at a resourceVersion; those of one kind of object are in order."""

    uid: str
    version: int
    value: Value


class Table(Generic[Value]):
    """Objects of one kind, and which of them belong together."""

    def __init__(
        self,
        parse: Callable[[Manifest], Value],
        *,
        groups: Callable[[Value], Iterable[Hashable]] = lambda _: (),
        watched: Callable[[Manifest], bool] = lambda _: True,
    ) -> None:
        self._parse = parse
        self._groups = groups
        self._watched = watched
        self._seen: dict[Key, Seen[Value]] = {}
        self._members: defaultdict[Hashable, set[Key]] = defaultdict(set)

    def saw(self, manifest: Manifest) -> bool:
        """Keep it, if it is watched and newer than what was kept; whether it says anything new."""
        key, (uid, version) = key_of(manifest), identity_of(manifest)
        known = self._seen.get(key)
        if not self._watched(manifest) or (known is not None and known.version >= version):
            return False
        return self.keep(key, Seen(uid, version, self._parse(manifest)))

    def keep(self, key: Key, seen: Seen[Value]) -> bool:
        """Keep it, if it is newer than what was kept; whether it says anything new."""
        known = self._seen.get(key)
        if known is not None and known.version >= seen.version:
            return False
        self._drop(key)
        self._seen[key] = seen
        for group in self._groups(seen.value):
            self._members[group].add(key)
        return known is None or (known.uid, known.value) != (seen.uid, seen.value)

    def lost(self, key: Key, uid: str) -> None:
        """The object with this UID is gone, or isn't as it was taken for."""
        known = self._seen.get(key)
        if known is not None and known.uid == uid:
            self._drop(key)

    def get(self, key: Key) -> Value | None:
        """The object, as far as it is known."""
        seen = self._seen.get(key)
        return None if seen is None else seen.value

    def group(self, group: Hashable) -> list[Value]:
        """The objects that belong to it."""
        return [self._seen[key].value for key in self._members.get(group, ())]

    def all(self) -> Iterator[tuple[Key, Seen[Value]]]:
        """All that is known now."""
        return iter(list(self._seen.items()))

    def _drop(self, key: Key) -> None:
        seen = self._seen.pop(key, None)
        for group in self._groups(seen.value) if seen else ():
            self._members[group].discard(key)
            if not self._members[group]:
                del self._members[group]


class Cache:
    """The objects that decide what becomes of runs."""

    def __init__(self) -> None:
        self.runs = Table(_without_history, groups=names_of)
        self.projects: Table[Manifest] = Table(dict)
        self.jobs = Table(Job.parse, watched=labelled)
        self.refusals = Refusals()
        self.pods = Table(Pod.parse, groups=lambda pod: [pod.run], watched=labelled)


def _without_history(manifest: Manifest) -> Run:
    """A run with the latest of its epochs alone: of thousands of runs, all would fill the memory."""
    run = Run.parse(manifest)
    return run.with_status(epochs=run.status.epochs[-1:])


def names_of(run: Run) -> set[tuple[str, str]]:
    """The model names that a run has or asks for, each with its namespace."""
    names = {run.status.model_name, run.spec.model_name if run.spec else None}
    return {(run.key.namespace, name) for name in names if name is not None}


def identity_of(manifest: Manifest) -> tuple[str, int]:
    """UID and resourceVersion."""
    metadata = manifest["metadata"]
    return metadata["uid"], int(metadata["resourceVersion"])
