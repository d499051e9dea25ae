"""Resources as text: a table for people, or what programs read."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import yaml

from trainingrun_api.metrics import EPOCH_METRICS
from trainingrun_api.names import GROUP
from trainingrun_api.resources import TrainingProject, TrainingRun
from trainingrun_api.visible import visible

from .options import Format

Resource = TrainingRun | TrainingProject

AGES = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
"""Units of time, the longest first; kubectl as well shows one alone."""

NOTHING = "-"


def as_list(resources: Sequence[Resource], form: Format) -> str:
    """Resources as programs read them, in the forms that kubectl has."""
    items = [_value(one) for one in resources]
    return _as({"apiVersion": "v1", "kind": "List", "items": items}, form, resources)


def as_one(resource: Resource, form: Format) -> str:
    """A resource, likewise."""
    return _as(_value(resource), form, [resource])


def runs_table(runs: Sequence[TrainingRun], now: datetime, *, namespaces: bool) -> str:
    """One line for each run, and how far it is."""
    head = (*(["NAMESPACE"] if namespaces else []), "NAME", "PHASE", "EPOCH", "SCORE", "AGE")
    rows = [
        (*([str(run.metadata.namespace)] if namespaces else []), run.name, *_state(run, now)) for run in runs
    ]
    return "\n".join(_aligned([head, *rows]))


def _state(run: TrainingRun, now: datetime) -> tuple[str, str, str, str]:
    return str(run.status.phase), _epoch(run), _score(run), age(run.metadata.creation_timestamp, now)


def age(since: str | None, now: datetime) -> str:
    """How long ago that was, in its largest unit."""
    if since is None:
        return NOTHING
    seconds = max(int((now - datetime.fromisoformat(since)).total_seconds()), 0)
    length, unit = next(one for one in AGES if seconds >= 2 * one[0] or one[0] == 1)
    return f"{seconds // length}{unit}"


def _epoch(run: TrainingRun) -> str:
    progress = run.status.progress
    if progress is None or progress.max_epochs is None:
        return NOTHING
    return f"{progress.epoch}/{progress.max_epochs}"


def _score(run: TrainingRun) -> str:
    """The score of the best epoch that its task is judged by, or of the latest while it trains."""
    latest = run.status.epochs[-1] if run.status.epochs else None
    scores = run.status.evaluation or latest
    found = [] if scores is None else [one for one in EPOCH_METRICS if one in scores.scores]
    if scores is None or not found:
        return NOTHING
    return f"{found[-1].name} {scores.scores[found[-1]]:.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (visible(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "   ".join(cells).rstrip()


def _value(resource: Resource) -> dict[str, Any]:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        **resource.model_dump(mode="json", exclude_unset=True),
    }


def _as(value: dict[str, Any], form: Format, resources: Sequence[Resource]) -> str:
    match form:
        case Format.JSON:
            return json.dumps(value, indent=2)
        case Format.YAML:
            return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip()
        case Format.NAME:
            return "\n".join(f"{one.kind.lower()}.{GROUP}/{one.name}" for one in resources)
