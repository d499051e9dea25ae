"""A run's spec with what it leaves open decided: by its project, else by the contract's defaults."""

from dataclasses import dataclass
from typing import Any, Self

from .base import Model
from .base_model import BaseModel
from .dataset import DataSource
from .references import Output
from .spec import RunSettings, TrainingProjectSpec, TrainingRunSpec
from .tasks import unused_settings
from .tracking import Tracking


class NoOutputError(Exception):
    """Neither a run nor a project nor a default says where results are written."""


@dataclass(frozen=True)
class Defaults:
    """What a run takes that neither it nor its project decides."""

    base_model: BaseModel | None = None
    """Where training starts; None for the default model of the trainer image."""
    output: Output | None = None
    """Where results are written; None where each run or its project has to say so."""


NO_DEFAULTS = Defaults()


@dataclass(frozen=True)
class ResolvedSpec:
    """What a run asks for, with nothing left open that its project can decide."""

    own: TrainingRunSpec
    """The run's own spec, with all settings set."""
    dataset: DataSource
    """Texts to learn from."""
    base_model: BaseModel | None
    """Where training starts; None for the default model of the trainer image."""
    output: Output
    """Where results are written."""
    tracking: Tracking
    """Where curves and scores are logged; an empty one for nowhere."""

    @classmethod
    def of(
        cls,
        spec: TrainingRunSpec,
        project: TrainingProjectSpec | None,
        defaults: Defaults = NO_DEFAULTS,
    ) -> Self:
        """The run's own choices, else those of `project`, which is None when the spec names none.

        What the run's task has no use for isn't taken over from the project, which may serve several tasks.
        Raises ValidationError when what run and project say doesn't go together, and NoOutputError.
        """
        dataset = spec.dataset.source(project.dataset if project else None)
        output = spec.output or (project.output if project else None) or defaults.output
        if output is None:
            raise NoOutputError("spec.output.uri, such as s3://bucket/prefix, is required")
        return cls(
            own=_with_all_settings(spec, project),
            dataset=dataset,
            base_model=spec.base_model or (project.base_model if project else None) or defaults.base_model,
            output=output,
            tracking=spec.tracking or (project.tracking if project else None) or Tracking(),
        )


def _with_all_settings(spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> TrainingRunSpec:
    merged = spec
    if project is not None:
        merged = TrainingRunSpec.model_validate(_laid_over(_usable(project, spec), spec))
    return TrainingRunSpec.model_validate({**_values(merged), **_values(merged.settings())})


def _usable(project: TrainingProjectSpec, spec: TrainingRunSpec) -> RunSettings:
    shared = project.defaults
    task = spec.task_type if "task_type" in spec.model_fields_set else shared.task_type
    unused = unused_settings(task, pairs=project.dataset.pair_field is not None)
    return RunSettings.model_validate(shared.model_dump(exclude_unset=True, exclude=unused))


def _laid_over(below: Model, above: Model) -> dict[str, Any]:
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
            return _laid_over(below, above)
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
