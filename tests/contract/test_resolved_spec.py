"""What a run takes over from its project."""

from typing import Any

import pytest
from pydantic import ValidationError

from trainingrun_api.progress import RunIdentity
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import References, RunConfig
from trainingrun_api.spec import RunSettings, TrainingProjectSpec, TrainingRunSpec

OPEN: dict[str, Any] = {"dataset": {"project": "tickets"}}


def project_with(defaults: dict[str, Any], **fields: str) -> TrainingProjectSpec:
    dataset = {"uri": "s3://d/t.csv", **fields}
    return TrainingProjectSpec.model_validate(
        {"dataset": dataset, "output": {"uri": "s3://m"}, "defaults": defaults}
    )


def settings(defaults: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Settings of a run of a project, those that aren't the contract's defaults."""
    return settings_with(project_with(defaults), **spec)


def settings_with(project: TrainingProjectSpec, **spec: Any) -> dict[str, Any]:
    resolved = ResolvedSpec.of(TrainingRunSpec.model_validate(OPEN | spec), project)
    return resolved.own.settings().model_dump(mode="json", exclude_defaults=True)


def test_what_a_run_leaves_out_is_its_projects() -> None:
    assert settings({"trainPercent": 90, "skipDuplicates": False}) == {
        "trainPercent": 90,
        "skipDuplicates": False,
    }
    assert settings({"taskType": "MultiLabelClassification"}) == {"taskType": "MultiLabelClassification"}


def test_what_a_run_says_is_its_own_even_where_it_is_the_contracts_default() -> None:
    assert settings({"trainPercent": 90, "skipDuplicates": False}, trainPercent=80) == {
        "skipDuplicates": False
    }


def test_fields_of_groups_are_taken_over_one_by_one() -> None:
    shared = {"training": {"maxEpochs": 9, "seed": 7, "earlyStopping": {"metric": "F1", "patience": 5}}}
    own = {"maxEpochs": 2, "earlyStopping": {"patience": 1}}
    assert settings(shared, training=own)["training"] == {
        "maxEpochs": 2,
        "seed": 7,
        "earlyStopping": {"metric": "F1", "patience": 1},
    }


@pytest.mark.parametrize(
    ("shared", "own", "result"),
    [
        ({"warmupRatio": 0.2}, {"warmupSteps": 0}, {"warmupSteps": 0}),
        ({"lora": {"rank": 4}}, {"freezeBody": True}, {"freezeBody": True}),
        ({"lora": {"rank": 4}}, {"freezeBody": False}, {"lora": {"rank": 4}}),
        ({"lora": {"rank": 4}}, {"lora": {"alpha": 8}}, {"lora": {"rank": 4, "alpha": 8}}),
        ({"freezeBody": True}, {"lora": {}}, {"lora": {}}),
    ],
)
def test_one_of_two_alternatives_takes_the_place_of_the_other(
    shared: dict[str, Any], own: dict[str, Any], result: dict[str, Any]
) -> None:
    found = settings({"training": shared}, training=own)["training"]
    assert {name: value for name, value in found.items() if value is not None} == result


def test_an_evaluation_data_set_takes_the_place_of_a_share() -> None:
    assert settings({"trainPercent": 60}, evaluationDataset={"project": "held-out"}) == {}


def test_a_choice_of_labels_is_replaced_and_aliases_are_added() -> None:
    shared = {"labels": {"exclude": ["spam"], "aliases": {"Bill": "billing", "Login": "login"}}}
    own = {"include": ["billing"], "aliases": {"Login": "account"}}
    assert settings(shared, labels=own)["labels"] == {
        "include": ["billing"],
        "aliases": {"Bill": "billing", "Login": "account"},
    }


def test_what_does_not_go_together_is_named() -> None:
    with pytest.raises(ValidationError, match="an alias can't stand for another alias") as error:
        settings({"labels": {"aliases": {"a": "b"}}}, labels={"aliases": {"b": "c"}})
    assert error.value.errors()[0]["loc"] == ("labels",)


def test_a_setting_of_one_task_waits_for_the_project_to_say_the_task() -> None:
    own = {"training": {"earlyStopping": {"metric": "AveragePrecision"}}}
    assert settings({"taskType": "TextSimilarity"}, **own)["taskType"] == "TextSimilarity"
    with pytest.raises(ValidationError, match="AveragePrecision require taskType TextSimilarity"):
        settings({}, **own)
    with pytest.raises(ValidationError, match="freezeBody leaves nothing to train"):
        settings({"taskType": "TextSimilarity"}, training={"freezeBody": True})


OF_LABELS = {"labels": {"exclude": ["spam"]}, "nearDuplicates": {"skip": True}}
OF_CLASSIFIERS = {"contextParameters": ["channel"], "training": {"seed": 7, "classWeights": "Balanced"}}


def test_what_a_task_has_no_use_for_stays_with_the_other_runs_of_the_project() -> None:
    project = project_with(OF_LABELS | OF_CLASSIFIERS, pairField="other")
    assert settings_with(project) == OF_LABELS | OF_CLASSIFIERS
    similarity = {"taskType": "TextSimilarity", "training": {"seed": 7}}
    assert settings_with(project, taskType="TextSimilarity") == similarity
    assert settings(OF_LABELS | OF_CLASSIFIERS, taskType="TextSimilarity") == OF_LABELS | similarity
    for shared in (
        {"freezeBody": True},
        {"similarityStage": "Always"},
        {"finalFit": True},
        {"labelSmoothing": 0.1},
    ):
        assert settings({"training": shared}, taskType="TextSimilarity") == {"taskType": "TextSimilarity"}
    several = {"taskType": "MultiLabelClassification", "training": {"classWeights": "Balanced"}}
    shared = {"classWeights": "Balanced", "similarityStage": "Always"}
    assert settings({"taskType": several["taskType"], "training": shared}) == several


def test_what_a_run_says_itself_is_not_left_out_but_refused() -> None:
    with pytest.raises(ValidationError, match="contextParameters doesn't apply to TextSimilarity"):
        settings({}, taskType="TextSimilarity", contextParameters=["channel"])
    # Of a project's pairs the trainer refuses it, which reads them.
    own = {"taskType": "TextSimilarity", "labels": {"include": ["billing"]}}
    assert settings_with(project_with(OF_LABELS, pairField="other"), **own) == own


def test_a_run_without_a_project_has_the_contracts_defaults() -> None:
    spec = TrainingRunSpec.model_validate({"dataset": {"uri": "s3://d/t.csv"}, "output": {"uri": "s3://m"}})
    own = ResolvedSpec.of(spec, None).own
    assert own.settings() == RunSettings()
    assert set(RunSettings.model_fields) <= own.model_fields_set


def test_results_of_other_settings_have_another_place() -> None:
    """Also where it is the project's that changed before a deleted Job was made again."""
    places = [resolved({"trainPercent": percent}).output_prefix for percent in (90, 90, 70)]
    assert places[0] == places[1] != places[2]
    assert places[0].startswith("s3://m/team/tickets-v1/")


def resolved(defaults: dict[str, Any]) -> RunConfig:
    """What the trainer of a run of a project with these defaults is told."""
    run = RunIdentity(namespace="team", name="tickets-v1", uid="1")
    spec = ResolvedSpec.of(TrainingRunSpec.model_validate(OPEN), project_with(defaults))
    return RunConfig.of(run, "tickets-v1", spec, References())
