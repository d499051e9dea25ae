"""What is added to the pod template: merged as Kubernetes merges patches, but it can't change anything."""

from typing import Any

from trainingrun_api.names import PROCESSES_VARIABLE
from trainingrun_api.pod_template import PodTemplate

from .errors import InvalidSpecError
from .resources import Manifest

MERGE_KEYS = {
    "containers": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""What the items of a list are told apart by; items of other lists are only added."""
REPLACEABLE = {PROCESSES_VARIABLE}
"""Variables of the operator that a user may set."""


def with_additions(
    template: Manifest, own: PodTemplate | None, default: PodTemplate | None, decided: str
) -> Manifest:
    """The template with a run's `own` additions, and of the `default` ones those that it doesn't replace.

    `decided` is a field that the template decides also by leaving it out. Raises InvalidSpecError with all
    additions that would change what the template says.
    """
    added = Overlay().fields(_given(default), _given(own), "")
    merge = Merge(decided)
    merged = merge.fields(template, added, "spec.podTemplate" if own else "trainerPods.podTemplate")
    if merge.changed:
        raise InvalidSpecError(f"{', '.join(merge.changed)} can't be set: the operator decides that")
    return merged


def _given(additions: PodTemplate | None) -> Manifest:
    return additions.model_dump(mode="json", exclude_defaults=True) if additions else {}


class Merge:
    """One of two manifests, the first of which stays; `changed` are the paths where they differ."""

    def __init__(self, decided: str) -> None:
        self._decided = decided
        self.changed: list[str] = []

    def fields(self, ours: Manifest, added: Manifest, path: str) -> Manifest:
        """Those of both."""
        return ours | {
            name: self._field(name, ours.get(name), value, f"{path}.{name}") for name, value in added.items()
        }

    def _field(self, name: str, ours: Any, added: Any, path: str) -> Any:
        match ours, added:
            case dict(), dict():
                return self.fields(ours, added, path)
            case list(), list():
                return self._items(name, ours, added, path)
        return added if ours is None and name != self._decided else self._unchanged(ours, added, path)

    def _items(self, name: str, ours: list[Manifest], added: list[Manifest], path: str) -> list[Manifest]:
        key = MERGE_KEYS.get(name)
        if key is None:
            return [*ours, *added]
        known = {item[key]: item for item in ours}
        both = {
            item[key]: self._item(name, known[item[key]], item, f"{path}[{item[key]}]")
            for item in added
            if item.get(key) in known
        }
        return [*(known | both).values(), *(item for item in added if item.get(key) not in known)]

    def _item(self, name: str, ours: Manifest, added: Manifest, path: str) -> Manifest:
        if name == "containers":
            return self.fields(ours, added, path)
        return added if added.get("name") in REPLACEABLE else self._unchanged(ours, added, path)

    def _unchanged(self, ours: Any, added: Any, path: str) -> Any:
        if ours != added:
            self.changed.append(path)
        return ours


class Overlay(Merge):
    """One of two manifests, the second of which wins where they differ."""

    def __init__(self) -> None:
        super().__init__(decided="")

    def _unchanged(self, ours: Any, added: Any, path: str) -> Any:
        return added
