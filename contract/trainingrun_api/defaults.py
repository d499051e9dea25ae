"""What a run takes over from its project's defaults."""

from typing import Any

from .base import Model
from .spec import RunSettings, TrainingProjectSpec, TrainingRunSpec
from .tasks import unused_settings


def effective_spec(spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> TrainingRunSpec:
    """The run's spec with all settings set: its own, else the project's, else the contract's defaults.

    What the run's task has no use for isn't taken over from the project, which may serve several tasks.
    Raises ValidationError when what run and project say doesn't go together.
    """
    shared = RunSettings() if project is None else _usable(project, spec)
    merged = TrainingRunSpec.model_validate(laid_over(shared, spec))
    return TrainingRunSpec.model_validate({**_values(merged), **_values(merged.settings())})


def _usable(project: TrainingProjectSpec, spec: TrainingRunSpec) -> RunSettings:
    shared = project.defaults
    task = spec.task_type if "task_type" in spec.model_fields_set else shared.task_type
    unused = unused_settings(task, pairs=project.dataset.pair_field is not None)
    return RunSettings.model_validate(shared.model_dump(exclude_unset=True, exclude=unused))


def laid_over(below: Model, above: Model) -> dict[str, Any]:
    """The fields that are set in either, of `above` where both set one; those of nested models likewise.

    One that `above` sets to more than false takes the place of its alternatives in `below`.
    """
    values = {name: getattr(below, name) for name in below.model_fields_set - _displaced_by(above)}
    for name in above.model_fields_set:
        values[name] = _together(values.get(name), getattr(above, name))
    return values


def _together(below: object, above: object) -> object:
    match below, above:
        case Model(), Model():
            return laid_over(below, above)
        case dict(), dict():
            return {**below, **above}
    return above


def _displaced_by(above: Model) -> set[str]:
    chosen = {name for name in above.model_fields_set if _is_chosen(getattr(above, name))}
    return {name for group in above.ALTERNATIVES if group & chosen for name in group - chosen}


def _is_chosen(value: object) -> bool:
    return value is not None and value is not False


def _values(model: Model) -> dict[str, Any]:
    """The fields that are set."""
    return {name: getattr(model, name) for name in model.model_fields_set}
