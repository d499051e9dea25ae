"""Models pushed to a hub: known before training whether they may be, and never at the cost of the run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, constants, snapshot_download

from trainingrun_api.names import HUB_PUSH_TOKEN_VARIABLE
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import HubTarget, RunConfig
from trainingrun_api.status import Reason, RunResult, Stage
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import SettingsError

from ..conftest import changed
from ..hub import TOKEN
from ..writable_hub import READER, WritableHub

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),  # of huggingface_hub's own uploads
]

REPOSITORY = "team/tickets"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritableHub]:
    """As the pod reaches it: with HF_HUB_DISABLE_XET, and the token under a name of its own."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv(HUB_PUSH_TOKEN_VARIABLE, TOKEN)
    with WritableHub(tmp_path / "hub") as hub:
        yield hub


def pushing(config: RunConfig, hub: WritableHub, *, private: bool = True, patience: int = 60) -> RunConfig:
    target = HubTarget(repo_id=REPOSITORY, private=private, endpoint=hub.endpoint)
    storage = config.storage.model_copy(update={"patience_seconds": patience})
    return changed(config, hub=target, storage=storage)


def train(config: RunConfig) -> tuple[RunResult, list[ProgressReport]]:
    reports: list[ProgressReport] = []
    return pipeline.run(config, reports.append), reports


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def published(config: RunConfig) -> dict[str, bytes]:
    """What the object store has, but for what says that it is whole."""
    found = files(Path(config.output_prefix.removeprefix("file://")) / "model")
    return {name: content for name, content in found.items() if name not in {"manifest.json", "COMMITTED"}}


def test_the_published_model_and_its_card_are_pushed_as_one_commit(
    config: RunConfig, hub: WritableHub, tmp_path: Path
) -> None:
    wanted = pushing(config, hub)
    result, _ = train(wanted)
    assert result.hugging_face is not None
    assert (result.hugging_face.repo_id, result.hugging_face.message) == (REPOSITORY, "")
    assert result.hugging_face.revision == hub.commit(REPOSITORY)
    assert len(hub.commits[REPOSITORY]) == 1
    assert f"TrainingRun {config.run.namespace}/{config.run.name}" in hub.commits[REPOSITORY][0]
    assert REPOSITORY in hub.private
    read = snapshot_download(REPOSITORY, endpoint=hub.endpoint, token=TOKEN, local_dir=tmp_path / "read")
    there = {name: content for name, content in files(Path(read)).items() if not name.startswith(".")}
    assert there == published(wanted)
    assert ModelCard(there["README.md"].decode()).data.pipeline_tag == "text-classification"

    again, reports = train(wanted)  # as a pod does that is replaced after the model was published
    assert again == result
    assert len(hub.commits[REPOSITORY]) == 1
    assert Stage.TRAINING not in {report.progress.stage for report in reports}


def test_files_of_the_model_before_go_with_its_commit(config: RunConfig, hub: WritableHub) -> None:
    folder = hub.create(REPOSITORY, private=True)
    (folder / "modules.json").write_text("[]")
    wanted = pushing(config, hub)
    train(wanted)
    kept = files(folder)
    assert kept.pop(".gitattributes")
    assert kept == published(wanted)


@pytest.mark.parametrize(
    ("token", "private", "there", "message"),
    [
        (READER, False, False, r"can't be written to with the token given: .* a token that may write there"),
        (READER, False, True, r"can't be written to with the token given"),
        ("", True, False, r"can't be written to without a token"),
        (TOKEN, True, True, r"is public, and spec.output.huggingFace.private is true: make it private"),
    ],
)
def test_what_may_not_be_pushed_is_refused_before_data_are_read(
    config: RunConfig,
    hub: WritableHub,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    private: bool,
    there: bool,
    message: str,
) -> None:
    monkeypatch.setenv(HUB_PUSH_TOKEN_VARIABLE, token)
    if there:
        hub.create(REPOSITORY, private=False)
    reports: list[ProgressReport] = []
    with pytest.raises(SettingsError, match=message):
        pipeline.run(pushing(config, hub, private=private), reports.append)
    assert {report.progress.stage for report in reports} <= {Stage.LOADING_DATA}
    assert hub.commits.get(REPOSITORY, []) == []


def test_a_mirror_that_knows_no_such_question_is_pushed_to(config: RunConfig, hub: WritableHub) -> None:
    hub.knows_the_check = False
    result, _ = train(pushing(config, hub))
    assert result.hugging_face is not None
    assert result.hugging_face.revision == hub.commit(REPOSITORY)


def test_a_hub_that_is_away_is_waited_for_once_the_model_is_published(
    config: RunConfig, hub: WritableHub
) -> None:
    hub.failing = {"create": 1, "commit": 2}
    result, reports = train(pushing(config, hub))
    assert result.hugging_face is not None
    assert result.hugging_face.revision == hub.commit(REPOSITORY)
    notices = [report.progress.notice for report in reports if report.progress.notice]
    assert notices[0].reason == Reason.STORAGE_UNAVAILABLE
    assert notices[0].message.startswith("The model can't be pushed, which is retried until ")
    assert notices[0].message.endswith("the hub answers 503, which may pass")


@pytest.mark.parametrize(
    ("refused", "patience", "message"),
    [
        ({"commit"}, 60, "can't be written to with the token given"),
        (set(), 0, "the hub answers 503, which may pass"),
    ],
)
def test_a_push_that_fails_leaves_the_run_its_result(
    config: RunConfig, hub: WritableHub, refused: set[str], patience: int, message: str
) -> None:
    hub.refused, hub.failing = refused, {} if refused else {"commit": 1}
    wanted = pushing(config, hub, patience=patience)
    result, _ = train(wanted)
    assert result.hugging_face is not None
    assert result.hugging_face.revision is None
    assert message in result.hugging_face.message
    assert json.loads(published(wanted)["config.json"])["problem_type"] == "single_label_classification"
    assert hub.commits[REPOSITORY] == []
