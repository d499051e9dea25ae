"""In place of data sets in S3, local runs read copies on this machine."""

from pathlib import Path

import pytest

from trainingrun_api.dataset import DataSource
from trainingrun_api.run_config import Storage
from trainingrun_cli.copies import local_copy, where_looked
from trainingrun_trainer.tasks.datasets import fetch_dataset


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder whose own name has to be written otherwise in a URI."""
    folder = tmp_path / "my [data] 50%"
    for name in ("a.csv", "team/a.csv", "texts/a.csv", "März 1.csv", "März 2.csv", "a%20b.csv", "x[1].csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("s3://bucket/team/a.csv", ["team/a.csv"]),
        ("s3://bucket/other/a.csv", ["a.csv"]),
        ("s3://bucket/team/texts/", ["texts/a.csv"]),
        ("s3://bucket/M*.csv", ["März 1.csv", "März 2.csv"]),
        ("s3://bucket/März ?.csv", ["März 1.csv", "März 2.csv"]),
        ("s3://bucket/M[ä]rz [2-9].csv", ["März 2.csv"]),
        ("s3://bucket/März 1.csv", ["März 1.csv"]),
        ("s3://bucket/a%20b.csv", ["a%20b.csv"]),
        ("s3://bucket/x[1].csv", ["x[1].csv"]),
        ("s3://bucket/te*/a.csv", ["team/a.csv", "texts/a.csv"]),
    ],
)
def test_copies_are_those_of_the_longest_end_of_the_path(
    data: Path, tmp_path: Path, uri: str, names: list[str]
) -> None:
    copy = local_copy(DataSource(uri=uri), data)
    files = fetch_dataset(copy, Storage(), tmp_path / "fetched").files
    assert [file.path.read_text() for file in files] == names


@pytest.mark.parametrize(
    "uri", ["s3://bucket/b.csv", "s3://bucket/none/", "s3://bucket/**/b.csv", "file:///a.csv"]
)
def test_without_a_copy_the_data_set_is_read_from_where_it_is(data: Path, uri: str) -> None:
    assert local_copy(DataSource(uri=uri), data).uri == uri


def test_where_was_looked_is_said_of_data_in_s3(data: Path) -> None:
    assert where_looked("s3://bucket/team/b.csv", data) == (
        f"s3://bucket/team/b.csv has no copy under {data} (looked for bucket/team/b.csv, team/b.csv, b.csv); "
        "--data names another folder"
    )
    assert where_looked("file:///a.csv", data) == ""
