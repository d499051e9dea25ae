"""Custom resource definitions made from the models, so that manifest and code can't drift apart."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from pydantic.alias_generators import to_camel

from .base import Model
from .metadata import NAMES_A_SERVICE, ROOM_FOR_PODS
from .metrics import EPOCH_METRICS, MACRO_F1, Metric
from .names import GROUP, PROJECT_KIND, PROJECT_PLURAL, RUN_KIND, RUN_PLURAL, VERSION
from .spec import RunSettings, TrainingProjectSpec, TrainingRunSpec
from .status import TrainingRunStatus

JsonSchema = dict[str, Any]
Column = tuple[str, str, str, int, str]

DROPPED = {"title", "$defs", "additionalProperties"}

FRACTIONS = {"minimum": ("self >= {}", "at least {}"), "maximum": ("self <= {}", "at most {}")}
"""Bounds between whole numbers as CEL rules: the API server would say "less than or equal to 0" of 0.1."""


def _score_column(metric: Metric) -> Column:
    """A score of the best epoch; all but macro F1 in `kubectl get -o wide` alone."""
    path, wide = f".status.evaluation.{to_camel(metric.key)}", int(metric is not MACRO_F1)
    return (str(metric.stopping), "number", path, wide, f"{metric.title} of the best epoch")


RUN_COLUMNS = (
    ("Phase", "string", ".status.phase", 0, "Phase of the run"),
    ("Epoch", "integer", ".status.progress.epoch", 0, "Epochs finished"),
    ("Progress", "integer", ".status.progress.percent", 0, "Percent of maxEpochs that is done"),
    *(_score_column(metric) for metric in EPOCH_METRICS),
    ("Training loss", "number", ".status.progress.trainingLoss", 1, "Mean loss of the latest steps"),
    (
        "Evaluation loss",
        "number",
        ".status.progress.evaluationLoss",
        1,
        "Evaluation loss of the latest epoch",
    ),
    ("Model", "string", ".status.modelName", 1, "Name of the model"),
    ("Job", "string", ".status.jobName", 1, "The Job that trains"),
    ("Reason", "string", '.status.conditions[?(@.type=="Succeeded")].reason', 1, "Reason of the phase"),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since creation"),
)

PROJECT_COLUMNS = (
    ("Dataset", "string", ".spec.dataset.uri", 0, "Labelled texts"),
    ("Repository", "string", ".spec.dataset.huggingFace.repoId", 1, "Labelled texts on the Hugging Face Hub"),
    ("Output", "string", ".spec.output.uri", 0, "Where results are written"),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since creation"),
)


def custom_resource_definitions() -> dict[str, JsonSchema]:
    """The CustomResourceDefinitions by plural name, as values ready for YAML."""
    run_spec = structural_schema(TrainingRunSpec)
    run_spec["x-kubernetes-validations"] = [*immutability_rules(), *run_spec["x-kubernetes-validations"]]
    settings = {to_camel(name) for name in RunSettings.model_fields}
    _leave_open(run_spec, settings, "Default: the project's, else {}.")
    run = _resource_schema(
        "One training of one text model.",
        run_spec,
        structural_schema(TrainingRunStatus),
        [ROOM_FOR_PODS, NAMES_A_SERVICE],
    )
    project_spec = structural_schema(TrainingProjectSpec)
    _leave_open(project_spec["properties"]["defaults"], settings, "Default: {}.")
    project = _resource_schema("What the training runs of one team share.", project_spec)
    return {
        RUN_PLURAL: _definition(RUN_KIND, RUN_PLURAL, "trun", run, RUN_COLUMNS),
        PROJECT_PLURAL: _definition(PROJECT_KIND, PROJECT_PLURAL, "tproj", project, PROJECT_COLUMNS),
    }


def immutability_rules() -> list[dict[str, str]]:
    """CEL rules that fix each field of a run's spec but the mutable ones, one a field so that it is named."""
    rules = []
    for name, field in TrainingRunSpec.model_fields.items():
        if name in TrainingRunSpec.MUTABLE:
            continue
        path = to_camel(name)
        same = f"self.{path} == oldSelf.{path}"
        if field.default is None or name in RunSettings.model_fields:
            same = f"has(self.{path}) == has(oldSelf.{path}) && (!has(self.{path}) || {same})"
        message = f"{path} is immutable: apply a changed experiment as a new TrainingRun"
        rules.append({"rule": same, "message": message})
    return rules


def _leave_open(schema: JsonSchema, names: Collection[str], text: str) -> None:
    """Tell the defaults of these fields instead of filling them in: what isn't set, a project can set."""
    for name in names:
        field = schema["properties"][name]
        default = field.pop("default", {})
        if default not in ({}, []):
            shown = json.dumps(default) if not isinstance(default, str) else default
            field["description"] = f"{field['description']} {text.format(shown)}"
        _leave_open(field, field.get("properties", {}), text)


def structural_schema(model: type[Model]) -> JsonSchema:
    """The model's schema in the form that Kubernetes demands of a custom resource.

    References are inlined, titles and nulls dropped. Raises ValueError for what has no structural form.
    """
    schema = model.model_json_schema(mode="validation")
    return _structural(schema, schema.get("$defs", {}))


def _structural(schema: JsonSchema, definitions: dict[str, JsonSchema]) -> JsonSchema:
    if "$ref" in schema:
        target = definitions[schema["$ref"].removeprefix("#/$defs/")]
        return _structural({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, definitions)
    if "anyOf" in schema:
        return _structural(_without_null(schema), definitions)
    result = _with_fractions({key: value for key, value in schema.items() if key not in DROPPED})
    if result.get("default", ...) is None:
        del result["default"]
    elif isinstance(result.get("default"), dict):
        result["default"] = {}  # the fields' own defaults fill it in
    if "properties" in schema:
        result["properties"] = {k: _structural(v, definitions) for k, v in schema["properties"].items()}
    if "items" in schema:
        result["items"] = _structural(schema["items"], definitions)
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _structural(schema["additionalProperties"], definitions)
    return result


def _with_fractions(schema: JsonSchema) -> JsonSchema:
    """The schema with rules in place of its FRACTIONS."""
    bounds = {key: schema[key] for key in FRACTIONS if schema.get(key, 0) % 1}
    if not bounds:
        return schema
    texts = [[text.format(value) for text in FRACTIONS[key]] for key, value in bounds.items()]
    rules = [{"rule": rule, "message": message} for rule, message in texts]
    return {key: value for key, value in schema.items() if key not in bounds} | {
        "x-kubernetes-validations": rules
    }


def _without_null(schema: JsonSchema) -> JsonSchema:
    choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
    if len(choices) != 1:
        raise ValueError(f"a union has no structural schema: {schema}")
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **rest}


def _resource_schema(
    description: str,
    spec: JsonSchema,
    status: JsonSchema | None = None,
    validations: Sequence[JsonSchema] = (),
) -> JsonSchema:
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": spec,
    }
    schema: JsonSchema = {
        "type": "object",
        "description": description,
        "required": ["spec"],
        "properties": properties,
    }
    if status is not None:
        properties["status"] = status
    if validations:
        schema["x-kubernetes-validations"] = list(validations)
    return schema


def _definition(
    kind: str,
    plural: str,
    short_name: str,
    schema: JsonSchema,
    columns: tuple[Column, ...],
) -> JsonSchema:
    version: JsonSchema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": [
            {"name": name, "type": type_, "jsonPath": path, "priority": priority, "description": text}
            for name, type_, path, priority, text in columns
        ],
    }
    if "status" in schema["properties"]:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short_name],
                "categories": ["all", "training"] if kind == RUN_KIND else ["training"],
            },
            "versions": [version],
        },
    }
