"""What is wrong is said with its place, and with what was given."""

from typing import Any

import pytest
from pydantic import ValidationError

from trainingrun_api.problems import problems
from trainingrun_api.spec import TrainingRunSpec

OUTPUT = {"uri": "s3://models/a"}


def said_of(spec: dict[str, Any], place: str = "spec") -> list[str]:
    with pytest.raises(ValidationError) as caught:
        TrainingRunSpec.model_validate(spec)
    return problems(caught.value, place)


def test_a_field_is_named_by_its_path_with_what_stands_there() -> None:
    spec = {
        "dataset": {"uri": "s3://data/a.csv"},
        "additionalDatasets": [{"uri": "tickets.csv"}],
        "output": OUTPUT,
        "trainPercent": 120,
    }
    wrong_percent, wrong_uri = sorted(said_of(spec), key=lambda problem: "Datasets" in problem)
    assert wrong_uri.startswith("spec.additionalDatasets[0].uri: ")
    assert wrong_uri.endswith(", not 'tickets.csv'")
    assert wrong_percent.startswith("spec.trainPercent: ")
    assert wrong_percent.endswith(", not 120")


def test_an_unknown_field_and_a_missing_one_are_said_without_a_value() -> None:
    assert sorted(said_of({"epochs": 3})) == [
        "spec.dataset: Field required",
        "spec.epochs: unknown field",
    ]


def test_what_must_be_an_object_is_said_in_words_of_a_manifest() -> None:
    spec = {"dataset": {"uri": "s3://data/a.csv"}, "output": OUTPUT, "labels": ["billing", "delivery"]}
    assert said_of(spec) == ["spec.labels: Input should be an object"]


def test_a_rule_across_fields_is_said_in_its_own_words() -> None:
    both = {"dataset": {"uri": "s3://data/a.csv", "project": "a"}, "output": OUTPUT}
    (said,) = said_of(both, place="")
    assert said.startswith("dataset: ")
    assert "Value error" not in said


def test_what_is_long_is_not_repeated() -> None:
    spec = {"dataset": {"uri": "s3://data/a.csv"}, "output": OUTPUT, "modelName": "x" * 1000}
    (said,) = said_of(spec)
    assert "xxx" not in said
