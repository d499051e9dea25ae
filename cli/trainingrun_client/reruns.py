"""A run of before, once more and otherwise."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from trainingrun_api.metadata import SUFFIX_LENGTH
from trainingrun_api.names import MAX_RUN_NAME_LENGTH
from trainingrun_api.resources import TrainingRun
from trainingrun_api.status import Phase

from .documents import validation_problems
from .errors import ClientError

ITS_OWN = ("modelName", "suspend", "stop", "resumeFrom")
"""Fields of a spec that a new run doesn't take over."""


def rerun_of(
    run: TrainingRun, settings: Mapping[str, Any], new_name: str | None, *, resume: bool
) -> TrainingRun:
    """A new run with the spec of `run`, but for `settings`: values by their paths, None for none.

    Raises ClientError for settings that don't go with the rest, and for a run that can't be resumed.
    """
    spec = {name: value for name, value in run.manifest["spec"].items() if name not in ITS_OWN}
    if resume:
        spec["resumeFrom"] = {"name": _failed(run)}
    for path, value in settings.items():
        _set(spec, path.split("."), value)
    name = {"generateName": _start(run.name)} if new_name is None else {"name": new_name}
    metadata = {**name, "namespace": run.metadata.namespace}
    try:
        return TrainingRun.model_validate({"metadata": metadata, "spec": spec})
    except ValidationError as error:
        raise ClientError(validation_problems(f"rerun of {run.name}", error)) from error


def _failed(run: TrainingRun) -> str:
    if run.status.phase is not Phase.FAILED:
        raise ClientError(f"{run.name} is {run.status.phase}: only a failed run can be resumed by a new one")
    return run.name


def _start(name: str) -> str:
    """What the API server completes; short enough for that."""
    return f"{name[: MAX_RUN_NAME_LENGTH - SUFFIX_LENGTH - 1].rstrip('-.')}-"


def _set(values: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a value inside of objects, which are made where there are none."""
    *above, last = path
    for name in above:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ClientError(f"{'.'.join(path)}: {name} is no object")
        values = inner
    if value is None:
        values.pop(last, None)
    else:
        values[last] = value
