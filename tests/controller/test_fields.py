"""Every field of a run's spec is refused or honoured, never ignored."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from trainingrun_api.spec import TrainingRunSpec
from trainingrun_operator.backend import BACKEND
from trainingrun_operator.blocked import Blocked
from trainingrun_operator.cache import Cache
from trainingrun_operator.errors import InvalidSpecError
from trainingrun_operator.pod_template import pod_template
from trainingrun_operator.references import Resolver
from trainingrun_operator.start import starting_with

from .crd_fields import Field, example, fields, spec_schema, with_value
from .manifests import Manifest, a_project, a_run
from .test_job import SETTINGS, as_read

SCHEMA = spec_schema("trainingruns")
OUTPUT = {"uri": "s3://models/team"}
FILES = {"uri": "s3://data/tickets.jsonl"}
OTHER = {"uri": "s3://data/other.jsonl"}
FILTER = {"filter": {"field": "language", "include": ["en"]}}
HUB = {"huggingFace": {"repoId": "team/texts"}}
BASES: list[Manifest] = [
    {"dataset": FILES, "output": OUTPUT},
    {"dataset": HUB, "output": OUTPUT},
    {"dataset": {"project": "shared"}},
    {"dataset": FILES, "output": OUTPUT, "additionalDatasets": [OTHER], "evaluationDataset": HUB},
    {"dataset": FILES, "output": OUTPUT, "additionalDatasets": [{"project": "shared"}]},
    {"dataset": FILES, "output": OUTPUT, "evaluationDataset": {"project": "shared"}},
    {"dataset": FILES, "output": OUTPUT, "taskType": "MultiLabelClassification"},
    {"dataset": FILES | {"pairField": "b"}, "output": OUTPUT, "taskType": "TextSimilarity"},
    {
        "dataset": FILES | {"pairField": "b"},
        "output": OUTPUT,
        "taskType": "TextSimilarity",
        "additionalDatasets": [OTHER | {"pairField": "b"}],
        "evaluationDataset": HUB | {"pairField": "b"},
    },
    {"dataset": FILES, "output": OUTPUT, "trainer": {"image": "example.com/mine:1"}},
    {
        "dataset": FILES | FILTER,
        "additionalDatasets": [OTHER | FILTER],
        "evaluationDataset": HUB | FILTER,
        "output": OUTPUT,
        "resources": {"gpusPerNode": 1},
        "scheduling": {"tolerations": [{"key": "a", "value": "b", "effect": "NoExecute"}]},
        "podTemplate": {"spec": {"volumes": [{"name": "scratch", "emptyDir": {}}]}},
    },
]
"""Specs that a field is put into: most go with some others only."""

ELSEWHERE = {
    "stop",  # the Job is deleted
    "pendingDeadlineSeconds",  # the operator gives up
    "ttlSecondsAfterFinished",  # put onto the Job once the run's end is written
}
"""Fields that show later, in tests of their own."""


def test_every_field_reaches_the_pod_or_says_why_not() -> None:
    settable = [field for field in fields(SCHEMA) if not _has_parts(field) and field.path[0] not in ELSEWHERE]
    assert [field.name for field in settable if not honoured(field)] == []


def _has_parts(field: Field) -> bool:
    return "properties" in field.schema or "properties" in field.schema.get("items", {})


def honoured(field: Field) -> bool:
    """Whether, set to another value in some spec that it goes with, it changes the Job or blocks the run."""
    return any(
        changed.spec != plain.spec and outcome(changed) != outcome(plain)
        for base in BASES
        for plain in runs(base)
        for value in some_values(field)
        for changed in runs(with_value(base, SCHEMA, field.path, value))
    )


def some_values(field: Field) -> list[Any]:
    """Values of which at least one is valid and not the default."""
    one, schema = example(field.schema, str(field.path[-1])), field.schema
    bounds = [schema[bound] for bound in ("minimum", "maximum") if bound in schema]
    between = [sum(bounds) / 2] if schema.get("type") == "number" else []
    inner = [{"more": "x"}, {"x": {"y": ["z"]}}] if schema.get("type") == "object" else []
    return [*schema.get("enum", ()), False, one, *bounds, *between, 3, 0.5, 0.001, *inner]


def runs(spec: Manifest) -> Iterator[Any]:
    """The run of this spec, unless it is refused."""
    try:
        TrainingRunSpec.model_validate(spec)
    except ValidationError:
        return
    run = as_read(a_run("mine") | {"spec": spec})
    yield run


def outcome(run: Any) -> str:
    """The Job that the run gets, or why it gets none."""
    cache = Cache()
    metadata = {"namespace": "team", "name": "shared", "uid": "p-1", "resourceVersion": "1"}
    cache.projects.saw(a_project("shared") | {"metadata": metadata})
    found = Resolver(cache, SETTINGS).resolve(run, run.spec)
    if isinstance(found, Blocked):
        return found.message
    try:
        started = starting_with(run, run.spec.model_name or "brisk-heron", found, SETTINGS)
        template = pod_template(run, run.spec, started, "PEM", SETTINGS)
    except InvalidSpecError as error:
        return str(error)
    return json.dumps(BACKEND.build(run, run.spec, template), sort_keys=True)
