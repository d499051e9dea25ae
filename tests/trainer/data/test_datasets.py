"""Which files a data set is made of."""

import logging
from pathlib import Path

import pytest

from localcluster import S3Server
from trainingrun_api.dataset import DataSource
from trainingrun_api.run_config import Storage
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.tasks.datasets import fetch_dataset, sources_sha256


def fetched(uri: str, folder: Path, storage: Storage | None = None) -> dict[str, str]:
    """Names of the files under the first part of the URI, with their content, in order."""
    files = fetch_dataset(DataSource(uri=uri), storage or Storage(), folder / "fetched").files
    return {file.uri.split("/data/")[1]: file.path.read_text() for file in files}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("b.jsonl", "a.jsonl", "a.jsonl.gz", "c.csv", "notes.md", "old/a.jsonl", "new/a.jsonl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("", ["a.jsonl", "a.jsonl.gz", "b.jsonl", "c.csv", "new/a.jsonl", "old/a.jsonl"]),
        ("old/", ["old/a.jsonl"]),
        ("*.jsonl", ["a.jsonl", "b.jsonl"]),
        ("*", ["a.jsonl", "a.jsonl.gz", "b.jsonl", "c.csv"]),
        ("[bc].*", ["b.jsonl", "c.csv"]),
        ("*/a.jsonl", ["new/a.jsonl", "old/a.jsonl"]),
        ("?.csv", ["c.csv"]),
        ("c.csv", ["c.csv"]),
    ],
)
def test_a_place_means_these_files_in_this_order(
    data: Path, tmp_path: Path, place: str, names: list[str]
) -> None:
    assert fetched(f"{data.as_uri()}/{place}", tmp_path) == {name: name for name in names}


@pytest.mark.parametrize("place", ["M*.csv", "März [12].csv", "M%C3%A4rz%20?.csv", "M?rz *.csv"])
def test_spaces_and_letters_of_all_languages_may_be_written_as_they_are_or_encoded(
    tmp_path: Path, place: str
) -> None:
    folder = tmp_path / "Gespräche (neu)" / "data"
    folder.mkdir(parents=True)
    for name in ("März 1.csv", "März 2.csv"):
        (folder / name).write_text(name)
    for uri in (f"{folder.as_uri()}/{place}", f"file://{folder}/{place}"):
        assert list(fetched(uri, tmp_path).values()) == ["März 1.csv", "März 2.csv"]


def test_what_is_encoded_is_no_wildcard(data: Path, tmp_path: Path) -> None:
    (data / "*1.jsonl").write_text("itself")
    (data / "a1.jsonl").write_text("another")
    assert list(fetched(f"{data.as_uri()}/%2A?.jsonl", tmp_path).values()) == ["itself"]


def test_a_name_with_a_wildcard_in_it_is_that_file_if_it_is_there(data: Path, tmp_path: Path) -> None:
    (data / "[b].jsonl").write_text("itself")
    assert fetched(f"{data.as_uri()}/[b].jsonl", tmp_path) == {"[b].jsonl": "itself"}


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("*.txt", r"/\*.txt: there are no .jsonl, .json, .csv, .tsv, .parquet files; correct"),
        ("*.md", "only others such as file:///.*/notes.md"),
        ("none/", "there are no"),
        ("none.csv", "none.csv: there is no such file"),
    ],
)
def test_a_place_without_files_is_refused(data: Path, tmp_path: Path, place: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fetched(f"{data.as_uri()}/{place}", tmp_path)


def test_hundreds_of_objects_come_in_order_and_are_counted(
    s3_credentials: S3Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = Storage(endpoint=s3_credentials.endpoint, region=s3_credentials.region)
    store = open_store("s3://bucket", storage)
    names = [f"part-{n:03d}.jsonl" for n in range(200)]
    for name in reversed(names):
        store.write(f"s3://bucket/data/{name}", name.encode())
    store.write("s3://bucket/data/part.md", b"")
    with caplog.at_level(logging.INFO):
        found = fetched("s3://bucket/data/part-*.jsonl", tmp_path, storage)
    assert list(found.items()) == [(name, name) for name in names]
    assert "200 files, from s3://bucket/data/part-000.jsonl to s3://bucket/data/part-199" in caplog.text


def test_the_fingerprint_follows_names_and_contents(data: Path, tmp_path: Path) -> None:
    def fingerprint(place: str) -> str:
        return sources_sha256(
            [fetch_dataset(DataSource(uri=f"{data.as_uri()}/{place}"), Storage(), tmp_path)]
        )

    first = fingerprint("*.jsonl")
    assert fingerprint("?.jsonl") == first
    assert fingerprint("a.jsonl") != first
    (data / "a.jsonl").write_text("other")
    assert fingerprint("*.jsonl") != first
