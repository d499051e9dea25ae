"""Base models from wherever they are kept."""

import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.names import CREDENTIALS_VARIABLE, HUB_TOKEN_KEY, HUB_TOKEN_VARIABLE
from trainingrun_api.run_config import BaseModelSource, HubModel, RunConfig, Storage
from trainingrun_trainer import pipeline
from trainingrun_trainer.base_model import BaseModelFolder, fetch_base_model
from trainingrun_trainer.errors import ModelError, StorageUnavailableError
from trainingrun_trainer.model import load

from ..conftest import changed, pickled
from ..hub import TOKEN, Hub
from ..mounted import MountedSecret
from ..report.reports import a_report, label_names, single

LOCAL = Storage()


@pytest.fixture
def hub(plain_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with Hub() as hub:
        hub.folders = {"team/open": plain_model, "team/secret": plain_model, "team/gated": plain_model}
        hub.private, hub.gated = {"team/secret"}, {"team/gated"}
        yield hub


def of_hub(hub: Hub, repository: str, work: Path, revision: str = "main") -> BaseModelFolder:
    asked = HubModel(repo_id=repository, revision=revision, endpoint=hub.endpoint)
    return fetch_base_model(BaseModelSource(hub=asked), LOCAL, work)


def test_a_model_of_the_hub_is_read_at_the_commit_that_its_revision_stands_for(
    hub: Hub, plain_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    repository = shutil.copytree(plain_model, tmp_path / "repository")
    (repository / "training_args.bin").write_bytes(b"pickled")
    hub.folders["team/open"] = repository
    base = of_hub(hub, "team/open", tmp_path)
    assert (base.resolved.source, base.resolved.revision) == ("hf://team/open", hub.commit("team/open"))
    same = fetch_base_model(BaseModelSource(uri=plain_model.as_uri()), LOCAL, tmp_path / "other")
    assert base.resolved.digest == same.resolved.digest
    assert not any("training_args.bin" in path for path in hub.asked)
    assert not any("/resolve/main/" in path for path in hub.asked)
    load(base.folder, "hf://team/open", ["a", "b"])


def test_a_private_repository_is_read_with_the_token(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match=r"without a token: correct .*repoId.*huggingFace.tokenSecretRef"):
        of_hub(hub, "team/secret", tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ModelError, match="with the token given"):
        of_hub(hub, "team/secret", tmp_path)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert (of_hub(hub, "team/secret", tmp_path).folder / "config.json").is_file()


def test_a_mounted_token_is_read_anew_each_time(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(tmp_path / "credentials"))
    secret = MountedSecret(tmp_path / "credentials", HUB_TOKEN_VARIABLE, {HUB_TOKEN_KEY: "hf_wrong"})
    with pytest.raises(ModelError, match="with the token given"):
        of_hub(hub, "team/secret", tmp_path)
    secret.change({HUB_TOKEN_KEY: TOKEN})
    assert (of_hub(hub, "team/secret", tmp_path).folder / "config.json").is_file()
    assert "HF_TOKEN" not in os.environ


def test_a_token_that_no_request_can_hold_is_refused_without_a_word_of_it(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\n")
    with pytest.raises(ModelError, match=r"huggingFace.tokenSecretRef, contains white space") as refused:
        of_hub(hub, "team/secret", tmp_path)
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    ("repository", "revision", "message"),
    [
        ("team/none", "main", "team/none at http.* correct spec.baseModel.huggingFace.repoId"),
        ("team/open", "v9", "has no revision 'v9'; correct spec.baseModel.huggingFace.revision"),
        ("team/gated", "main", "is gated: accept its terms"),
        ("a--b", "main", "not a valid name"),
    ],
)
def test_messages_say_which_field_to_change(
    hub: Hub, tmp_path: Path, repository: str, revision: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        of_hub(hub, repository, tmp_path, revision)


def test_trouble_with_the_hub_is_tried_again(hub: Hub, tmp_path: Path) -> None:
    hub.failures = 1
    with pytest.raises(StorageUnavailableError, match="answers 503"):
        of_hub(hub, "team/open", tmp_path)
    assert of_hub(hub, "team/open", tmp_path).resolved.revision


def test_a_hub_that_can_not_be_reached_is_tried_again(hub: Hub, tmp_path: Path) -> None:
    nowhere = HubModel(repo_id="team/open", revision="main", endpoint="http://127.0.0.1:9")
    with pytest.raises(StorageUnavailableError, match=r"127.0.0.1:9 can't be read .* hubEndpoint"):
        fetch_base_model(BaseModelSource(hub=nowhere), LOCAL, tmp_path)


def test_a_run_starts_from_the_hub(hub: Hub, config: RunConfig) -> None:
    asked = HubModel(repo_id="team/open", revision="main", endpoint=hub.endpoint)
    config = changed(config, base_model=BaseModelSource(hub=asked), training={"max_epochs": 1})
    base_model = pipeline.run(config, lambda report: None).base_model
    assert (base_model.source, base_model.revision) == ("hf://team/open", hub.commit("team/open"))
    assert base_model.head == "New"


def tar(model: Path, path: Path, top: str = "") -> Path:
    with tarfile.open(path, "w:gz" if path.suffix in {".gz", ".tgz"} else "w") as packed:
        packed.add(model, top or ".")
    return path


def zipped(model: Path, path: Path, top: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for file in model.rglob("*"):
            packed.write(file, f"{top}/{file.relative_to(model)}")
    return path


@pytest.mark.parametrize(
    ("pack", "name"),
    [(tar, "model.tar"), (tar, "model.tar.gz"), (tar, "model.tgz"), (zipped, "model.zip")],
)
@pytest.mark.parametrize("top", ["", "exported"])
def test_an_archive_is_a_folder_packed(
    pack: object, name: str, top: str, pooled_model: Path, tmp_path: Path
) -> None:
    archive = pack(pooled_model, tmp_path / name, top)  # type: ignore[operator]
    base = fetch_base_model(BaseModelSource(uri=archive.as_uri()), LOCAL, tmp_path / "work")
    folder = fetch_base_model(BaseModelSource(uri=pooled_model.as_uri()), LOCAL, tmp_path / "folder")
    assert base.resolved.digest == folder.resolved.digest
    load(base.folder, "archive", ["a", "b"])


@pytest.mark.parametrize("place", ["folder", "archive", "hub"])
def test_pickled_weights_are_read_where_they_are_allowed_only(
    place: str, hub: Hub, plain_model: Path, tmp_path: Path
) -> None:
    folder = hub.folders["team/open"] = pickled(plain_model, tmp_path / "model")
    source = {
        "folder": BaseModelSource(uri=folder.as_uri()),
        "archive": BaseModelSource(uri=tar(folder, tmp_path / "model.tar").as_uri()),
        "hub": BaseModelSource(hub=HubModel(repo_id="team/open", revision="main", endpoint=hub.endpoint)),
    }[place]
    for allowed in (False, True):
        (work := tmp_path / str(allowed)).mkdir()
        base = fetch_base_model(source.model_copy(update={"allow_pickled": allowed}), LOCAL, work)
        assert (base.folder / "pytorch_model.bin").exists() is allowed


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.size, found.linkname = kind, size, "/etc/passwd"
    return found


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (entry("../config.json"), "outside the archive's folder"),
        (entry("/config.json"), "outside the archive's folder"),
        (entry("config.json", tarfile.SYMTYPE), "is a link"),
        (entry("config.json", tarfile.LNKTYPE), "is a link"),
        (entry("config.json", tarfile.FIFOTYPE), "is a link or device"),
        (entry("model.safetensors", size=2**50), "more than 10000 files or 40 GiB"),
    ],
)
def test_an_archive_is_not_trusted(member: tarfile.TarInfo, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_bytes(member.tobuf() + bytes(10240))
    with pytest.raises(ModelError, match=message):
        fetch_base_model(BaseModelSource(uri=(tmp_path / "bad.tar").as_uri()), LOCAL, tmp_path / "work")


def test_a_zip_is_not_trusted_either(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("config.json")
    link.external_attr = 0o120777 << 16
    for name, info in (("link", link), ("out", zipfile.ZipInfo("../config.json"))):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as packed:
            packed.writestr(info, "/etc/passwd")
        source = BaseModelSource(uri=(tmp_path / f"{name}.zip").as_uri())
        with pytest.raises(ModelError, match=r"is a link|outside"):
            fetch_base_model(source, LOCAL, tmp_path / name)


@pytest.mark.parametrize("name", ["model.zip", "model.tar.gz", "model.tar"])
def test_a_damaged_archive_says_so(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(io.BytesIO(b"\x1f\x8b no archive").read())
    with pytest.raises(ModelError, match=f"{name}: the archive can't be unpacked"):
        fetch_base_model(BaseModelSource(uri=(tmp_path / name).as_uri()), LOCAL, tmp_path / "work")
    with pytest.raises(ModelError, match="there is no such file"):
        fetch_base_model(BaseModelSource(uri="file:///nowhere/x.zip"), LOCAL, tmp_path / "work")


def test_a_volume_is_read_where_it_is_mounted(plain_model: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    shutil.copytree(plain_model, volume / "models" / "mine")
    tar(plain_model, volume / "mine.tar")
    for path in ("models/mine", "mine.tar"):
        source = BaseModelSource(uri=f"pvc://imported/{path}", mount_path=str(volume))
        base = fetch_base_model(source, LOCAL, tmp_path / path)
        assert base.resolved.source == f"pvc://imported/{path}"
        load(base.folder, "pvc://imported", ["a", "b"])


@pytest.mark.parametrize("path", ["../x", "none"])
def test_a_path_that_is_not_on_the_volume_says_so(path: str, tmp_path: Path) -> None:
    source = BaseModelSource(uri=f"pvc://imported/{path}", mount_path=str(tmp_path))
    with pytest.raises(ModelError, match=f"pvc://imported/{path}"):
        fetch_base_model(source, LOCAL, tmp_path / "work")


def test_the_scores_of_the_run_that_made_the_model_come_with_it(
    plain_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = shutil.copytree(plain_model, tmp_path / "run" / "model")
    source = BaseModelSource(uri=model.as_uri(), from_run="earlier")

    def fetched(source: BaseModelSource, work: str) -> Evaluation | None:
        return fetch_base_model(source, LOCAL, tmp_path / work).earlier

    assert fetched(source, "absent") is None
    evaluation = tmp_path / "run" / "evaluation.json"
    evaluation.write_text("{}")
    assert fetched(source, "unreadable") is None
    assert caplog.text.count("The scores of run earlier are left out") == 2
    written = a_report(single(3, 20), label_names(3)).evaluation
    evaluation.write_text(written.model_dump_json().replace("{", '{"newer": 1, ', 1))
    assert fetched(source, "there") == written
    assert fetched(BaseModelSource(uri=model.as_uri()), "no run") is None
