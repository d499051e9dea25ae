"""What the operator reads from the API server, as values."""

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from pydantic import ValidationError

from trainingrun_api.names import API_VERSION, RUN_KIND, RUN_LABEL
from trainingrun_api.problems import problems
from trainingrun_api.progress import RunIdentity
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import References
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import TrainingRunStatus

Manifest = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name of an object."""


def key_of(manifest: Manifest) -> Key:
    """The object's namespace and name."""
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]


def owner_of(manifest: Manifest) -> str | None:
    """UID of the object that controls this one."""
    owners = manifest["metadata"].get("ownerReferences", ())
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


class RunKey(NamedTuple):
    """Which TrainingRun."""

    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The key of a TrainingRun."""
        return cls(*key_of(manifest))

    @classmethod
    def of_child(cls, manifest: Manifest) -> Self:
        """The key of the TrainingRun that a labelled object belongs to."""
        metadata = manifest["metadata"]
        return cls(metadata["namespace"], metadata["labels"][RUN_LABEL])


@dataclass(frozen=True)
class Run:
    """A TrainingRun. `spec` is None when this operator can't read it; `problem` then says why."""

    key: RunKey
    uid: str
    version: int
    created: datetime
    generation: int
    deleting: bool
    spec: TrainingRunSpec | None
    status: TrainingRunStatus
    problem: str = ""

    @classmethod
    def parse(cls, manifest: Manifest, known: Self | None = None) -> Self:
        """Read a manifest of the API server; a status of a newer operator keeps the fields known here.

        Of the same run as it is `known`, the spec isn't read again while it is the same.
        """
        metadata = manifest["metadata"]
        if known is not None and (known.uid, known.generation) == (metadata["uid"], metadata["generation"]):
            spec, problem = known.spec, known.problem
        else:
            spec, problem = _parse_spec(manifest.get("spec", {}))
        return cls(
            key=RunKey.of(manifest),
            uid=metadata["uid"],
            version=int(metadata["resourceVersion"]),
            created=parse_time(metadata["creationTimestamp"]),
            generation=metadata["generation"],
            deleting="deletionTimestamp" in metadata,
            spec=spec,
            status=TrainingRunStatus.model_validate(manifest.get("status", {}), extra="ignore"),
            problem=problem,
        )

    @property
    def identity(self) -> RunIdentity:
        """Namespace, name and UID, as the trainer knows them."""
        return RunIdentity(namespace=self.key.namespace, name=self.key.name, uid=self.uid)

    @property
    def age(self) -> tuple[datetime, str]:
        """What puts runs in an order that never changes, the oldest first."""
        return self.created, self.uid

    def with_status(self, **changes: object) -> Self:
        """The same run with these fields of its status changed."""
        return replace(self, status=self.status.model_copy(update=changes))

    @property
    def reference(self) -> Manifest:
        """An object reference to it, for Events."""
        return {"apiVersion": API_VERSION, "kind": RUN_KIND, "uid": self.uid, **self.key._asdict()}


def _parse_spec(manifest: Manifest) -> tuple[TrainingRunSpec | None, str]:
    try:
        return TrainingRunSpec.model_validate(manifest), ""
    except ValidationError as error:
        return None, "; ".join(problems(error, "spec"))


class Referent(NamedTuple):
    """An object that runs wait for."""

    kind: str
    namespace: str
    name: str


class Resolution(NamedTuple):
    """What a run asks for and refers to, as found now."""

    spec: ResolvedSpec
    references: References


def kubernetes_json(text: str | bytes) -> object:
    """The value of a JSON text that the API server would store.

    Raises ValueError for what it rejects and Python reads: NaN and infinities, also as 1e999, integers of
    more than 64 bits, and nesting deeper than any report has.
    """
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_integer)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} isn't valid JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number


def _integer(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{text} is out of range for an integer")
    return number


def parse_time(text: str) -> datetime:
    """A Kubernetes timestamp. Raises ValueError when it is none."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return time


def format_time(time: datetime) -> str:
    """A Kubernetes timestamp, in whole seconds of UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
