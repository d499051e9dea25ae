"""The schema of manifests, as an editor reads it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from trainingrun_api.names import API_VERSION

from .test_crd import FULL, SMALLEST

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/manifest.schema.json").read_text())
MODELINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


def errors(document: Any) -> list[str]:
    """Where an editor would underline something."""
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def a_run(spec: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainingRun",
        "metadata": {"name": "a"},
        "spec": spec,
        **others,
    }


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert "status" not in SCHEMA["$defs"]["TrainingRun"]["properties"]
    assert not any(name in SCHEMA["$defs"] for name in ("TrainingRunStatus", "Progress", "StartedWith"))
    assert "x-kubernetes" not in json.dumps(SCHEMA)


@pytest.mark.parametrize("example", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda path: path.stem)
def test_each_manifest_of_an_example_names_the_schema_and_follows_it(example: Path) -> None:
    for text in re.split(r"^---$", example.read_text(), flags=re.MULTILINE):
        document = yaml.safe_load(text)
        named = MODELINE.findall(text)
        if document["apiVersion"] != API_VERSION:
            assert named == []
            continue
        assert [(example.parent / name).resolve() for name in named] == [ROOT / "docs/manifest.schema.json"]
        assert errors(document) == []


@pytest.mark.parametrize("spec", [SMALLEST, FULL], ids=["smallest", "full"])
def test_what_the_api_server_takes_is_valid(spec: dict[str, Any]) -> None:
    assert errors(a_run(spec)) == []


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (a_run({**SMALLEST, "trainPercent": 120}), "$.spec.trainPercent"),
        (a_run({**SMALLEST, "epochs": 3}), "$.spec"),
        (a_run({**SMALLEST, "training": {"schedule": "cosine"}}), "$.spec.training.schedule"),
        (a_run({"output": SMALLEST["output"]}), "$.spec"),
        (a_run(SMALLEST, metadata={"name": 3}), "$.metadata.name"),
        (a_run(SMALLEST, kind="TrainingRuns"), "$.kind"),
        (a_run({"output": SMALLEST["output"]}, kind="TrainingProject"), "$.spec"),
        ({"kind": "TrainingRun"}, "$"),
    ],
)
def test_what_is_wrong_is_underlined_where_it_stands(document: Any, place: str) -> None:
    assert any(path.startswith(place) for path in errors(document))
