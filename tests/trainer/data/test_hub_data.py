"""Data sets of a Hugging Face Hub, read over HTTP with the library `datasets`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from huggingface_hub import constants

from trainingrun_api.dataset import DataSource, HubDataset
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.labels import Labels
from trainingrun_api.run_config import RunConfig, Storage
from trainingrun_trainer import pipeline
from trainingrun_trainer.data import LabelRules, Reading, Wanted
from trainingrun_trainer.errors import DataError, StorageUnavailableError
from trainingrun_trainer.tasks.datasets import fetch_datasets, sources_sha256

from ..conftest import changed, tickets
from ..hub import TOKEN, Hub

CLASSES = ClassLabel(names=["billing", "delivery"])
ROWS = {"text": ["charged twice", "where is it", "no bill"], "label": [0, 1, 0]}
NAMED = [("charged twice", ("billing",)), ("where is it", ("delivery",)), ("no bill", ("billing",))]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    # What HF_HOME decides before the library is imported.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with Hub() as hub:
        yield hub


@pytest.fixture
def repository(hub: Hub, tmp_path: Path) -> Path:
    """An empty one."""
    folder = tmp_path / "repository"
    folder.mkdir()
    hub.folders["datasets/acme/mails"] = folder
    return folder


def source_on(hub: Hub, repo_id: str = "acme/mails", **asked: Any) -> DataSource:
    fields = {name: asked.pop(name) for name in ("label_field", "format", "setting") if name in asked}
    return DataSource(hugging_face=HubDataset(repo_id=repo_id, endpoint=hub.endpoint, **asked), **fields)


def read(*sources: DataSource, folder: Path, several: bool = False) -> list[tuple[str, tuple[str, ...]]]:
    fetched = fetch_datasets(sources, Storage(), folder / "fetched")
    reading = Reading(fetched, Wanted(LabelRules(Labels()), None if several else "one label here"))
    return [(example.text, example.labels) for example in reading]


def parquet(repository: Path, split: str, rows: dict[str, list[Any]], **features: Any) -> None:
    types = Features({"text": Value("string"), "label": CLASSES} | features)
    path = repository / "data" / f"{split}-00000-of-00001.parquet"
    path.parent.mkdir(exist_ok=True)
    Dataset.from_dict(rows, types).to_parquet(path)


def test_class_numbers_have_their_names(hub: Hub, repository: Path, tmp_path: Path) -> None:
    parquet(repository, "train", ROWS)
    assert read(source_on(hub), folder=tmp_path) == NAMED


def test_lists_of_class_numbers_have_their_names(hub: Hub, repository: Path, tmp_path: Path) -> None:
    rows = {"text": ["both", "one"], "topics": [[0, 1], [1]], "label": [0, 0]}
    parquet(repository, "train", rows, topics=List(CLASSES))
    found = read(source_on(hub, label_field="topics"), folder=tmp_path, several=True)
    assert found == [("both", ("billing", "delivery")), ("one", ("delivery",))]


def test_data_set_of_argilla_has_the_labels_of_most_annotators(
    hub: Hub, repository: Path, tmp_path: Path
) -> None:
    exported = Path(__file__).parent / "exports" / "argilla.parquet"
    (repository / "train.parquet").write_bytes(exported.read_bytes())
    found = read(source_on(hub, label_field="team", format="Argilla"), folder=tmp_path)
    assert [labels for _, labels in found] == [("billing",), ("delivery",), ("returns",)]


def test_names_of_the_card_hold_for_files_of_text(hub: Hub, repository: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"text": t, "label": n}) for t, n in zip(*ROWS.values(), strict=True)]
    (repository / "train.jsonl").write_text("\n".join(lines))
    names = "\n".join(f"          '{number}': {name}" for number, name in enumerate(CLASSES.names))
    (repository / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - name: text\n    dtype: string\n  - name: label\n    dtype:\n"
        f"      class_label:\n        names:\n{names}\n---\n"
    )
    assert read(source_on(hub), folder=tmp_path) == NAMED


def test_only_the_files_of_the_split_are_fetched(hub: Hub, repository: Path, tmp_path: Path) -> None:
    parquet(repository, "train", ROWS)
    parquet(repository, "test", {"text": ["held out"], "label": [1]})
    assert read(source_on(hub, split="test"), folder=tmp_path) == [("held out", ("delivery",))]
    assert hub.downloaded == ["data/test-00000-of-00001.parquet"]


def test_two_splits_of_a_repository_are_two_data_sets(hub: Hub, repository: Path, tmp_path: Path) -> None:
    parquet(repository, "train", ROWS)
    parquet(repository, "test", {"text": ["held out"], "label": [1]})
    found = read(source_on(hub), source_on(hub, split="test"), folder=tmp_path)
    assert found == [*NAMED, ("held out", ("delivery",))]


@pytest.fixture
def several(repository: Path) -> Path:
    """With two configurations, none of which is the default one."""
    for name, row in {"en": "the bill", "de": "die Rechnung"}.items():
        (repository / name).mkdir()
        (repository / name / "train.jsonl").write_text(json.dumps({"text": row, "label": "billing"}))
    configs = "".join(f"- config_name: {name}\n  data_files: {name}/*.jsonl\n" for name in ("en", "de"))
    (repository / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    return repository


def test_configuration_is_chosen(hub: Hub, several: Path, tmp_path: Path) -> None:
    assert read(source_on(hub, config="de"), folder=tmp_path) == [("die Rechnung", ("billing",))]


def test_revision_is_told_as_its_commit(
    hub: Hub, repository: Path, tmp_path: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [json.dumps(row) for row in tickets()]
    (repository / "train.jsonl").write_text("\n".join(rows))
    monkeypatch.setenv("HF_TOKEN_0", TOKEN)
    hub.private.add("datasets/acme/mails")
    source = source_on(hub, token_variable="HF_TOKEN_0")
    pipeline.run(changed(config, dataset=source, training={"max_epochs": 1}), lambda report: None)
    folder = Path(config.output_prefix.removeprefix("file://"))
    (counts,) = Evaluation.model_validate_json((folder / "evaluation.json").read_text()).data.sources
    commit = hub.commit("datasets/acme/mails")
    assert (counts.source, counts.revision, counts.read) == (
        "hf://datasets/acme/mails/train",
        commit,
        len(rows),
    )
    assert commit in (folder / "report.html").read_text()


def test_same_commit_has_the_same_fingerprint(hub: Hub, repository: Path, tmp_path: Path) -> None:
    parquet(repository, "train", ROWS)
    parquet(repository, "test", ROWS)

    def fingerprint(**asked: Any) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return sources_sha256(fetch_datasets([source_on(hub, **asked)], Storage(), folder))

    by_branch = fingerprint()
    assert fingerprint(revision=hub.commit("datasets/acme/mails")) == by_branch
    assert fingerprint(split="test") != by_branch


def test_each_data_set_has_a_token_of_its_own(
    hub: Hub, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet(repository, "train", ROWS)
    hub.private.add("datasets/acme/mails")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(DataError, match=r"can't be read with the token given: .*tokenSecretRef"):
        read(source_on(hub), folder=tmp_path)
    monkeypatch.setenv("HF_TOKEN_1", TOKEN)
    assert read(source_on(hub, token_variable="HF_TOKEN_1"), folder=tmp_path) == NAMED
    monkeypatch.setenv("HF_TOKEN_1", f"{TOKEN}\n")
    with pytest.raises(DataError, match="contains white space") as caught:
        read(source_on(hub, token_variable="HF_TOKEN_1"), folder=tmp_path)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"repo_id": "acme/none"},
            r"acme/none at http://.* without a token: correct .*huggingFace.repoId",
        ),
        ({"revision": "v2"}, r"has no revision 'v2'; correct spec.dataset.huggingFace.revision"),
        (
            {"config": "fr"},
            r"no configuration 'fr'; there are 'de', 'en'. Name one in .*huggingFace.config",
        ),
        ({}, r"has several configurations: 'de', 'en'. Name one in .*huggingFace.config"),
        (
            {"config": "de", "split": "test"},
            r"no split 'test'; there are 'train'. Name one in .*huggingFace.split",
        ),
        (
            {"config": "de", "label_field": "class"},
            r"no row has the field 'class'; there are 'label', 'text'",
        ),
    ],
    ids=["repository", "revision", "configuration", "no configuration", "split", "field"],
)
def test_what_is_not_there_is_told_with_what_is(
    hub: Hub, several: Path, tmp_path: Path, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(source_on(hub, **asked), folder=tmp_path)


def test_errors_name_the_setting_of_the_data_set(hub: Hub, several: Path, tmp_path: Path) -> None:
    other = source_on(hub, config="de", split="test", setting="spec.additionalDatasets[1]")
    with pytest.raises(DataError, match=r"Name one in spec.additionalDatasets\[1\].huggingFace.split"):
        read(other, folder=tmp_path)


def test_gated_repository_says_what_to_do(hub: Hub, repository: Path, tmp_path: Path) -> None:
    parquet(repository, "train", ROWS)
    hub.gated.add("datasets/acme/mails")
    with pytest.raises(DataError, match=r"is gated: accept its terms .*huggingFace.tokenSecretRef"):
        read(source_on(hub), folder=tmp_path)


def test_script_is_never_run(hub: Hub, repository: Path, tmp_path: Path) -> None:
    (repository / "mails.py").write_text("raise SystemExit('it was run')")
    with pytest.raises(DataError, match="is read by a script, and code from the Hub is never run"):
        read(source_on(hub), folder=tmp_path)


def test_repository_without_data_is_told(hub: Hub, repository: Path, tmp_path: Path) -> None:
    (repository / "notes.md").write_text("nothing here")
    with pytest.raises(DataError, match=r"no files that .* reads .*choose another in .*huggingFace.repoId"):
        read(source_on(hub), folder=tmp_path)


def test_files_that_are_not_what_they_are_called_are_told(hub: Hub, repository: Path, tmp_path: Path) -> None:
    (repository / "train.jsonl").write_text('{"text": "whole"}\n{"text": ')
    with pytest.raises(DataError, match="hf://datasets/acme/mails/train: files can't be read"):
        read(source_on(hub), folder=tmp_path)


def test_hub_that_is_away_may_come_back(hub: Hub, repository: Path, tmp_path: Path) -> None:
    parquet(repository, "train", ROWS)
    gone = DataSource(hugging_face=HubDataset(repo_id="acme/mails", endpoint="http://127.0.0.1:9"))
    with pytest.raises(StorageUnavailableError, match="see that pods may reach it"):
        read(gone, folder=tmp_path)
