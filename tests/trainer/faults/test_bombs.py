"""Small files that would fill memory or stack: refused with their name before they do."""

import bz2
import gzip
import lzma
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from promises import Promise

from trainingrun_api.dataset import DataSource
from trainingrun_api.names import MEMORY_LIMIT_VARIABLE, ExitCode
from trainingrun_api.run_config import RunConfig

from ..conftest import changed
from .attempts import Attempt

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

LARGE = 300 * 2**20
LIMIT = 2 * 2**30

Compress = Callable[[bytes], bytes]


def zstd(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


def fast_gzip(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1)


def fast_xz(content: bytes) -> bytes:
    return lzma.compress(content, preset=0)


def long_line() -> bytes:
    return b'{"label": "a", "text": "' + b"a" * LARGE + b'"}\n'


def long_row() -> bytes:
    return b"label,text\na," + b"a" * LARGE + b"\n"


def deep_lists() -> bytes:
    return b'{"label": "a", "text": ' + b"[" * 5_000_000 + b"\n"


def deep_objects() -> bytes:
    return b"[" + b'{"a":' * 1_000_000


def unclosed_quote() -> bytes:
    return b'label,text\na,"' + b"a line of it\n" * (LARGE // 13)


def same_long_texts(path: Path) -> None:
    """A megabyte, twenty thousand times, in a file of some hundred kilobytes."""
    text = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 20_000, "int32"), ["a" * 2**20])
    table = pyarrow.table({"text": text, "label": pyarrow.array(["a", "b"] * 10_000)})
    pyarrow.parquet.write_table(table, path, compression="zstd")


BOMBS: dict[str, tuple[Callable[[], bytes], Compress]] = {
    "line.jsonl.gz": (long_line, fast_gzip),
    "line.jsonl.bz2": (long_line, bz2.compress),
    "line.jsonl.xz": (long_line, fast_xz),
    "line.jsonl.zst": (long_line, zstd),
    "line.json.gz": (lambda: b"[" + long_line() + b"]", fast_gzip),
    "row.csv.gz": (long_row, fast_gzip),
    "quote.csv.gz": (unclosed_quote, fast_gzip),
    "lists.jsonl": (deep_lists, bytes),
    "objects.json": (deep_objects, bytes),
}
SHORT = ("line.jsonl.gz", "lists.jsonl")


def refused(config: RunConfig, path: Path, folder: Path) -> Attempt:
    """The attempt that reads the file, in the memory of a pod, and ends for good."""
    source = DataSource(uri=path.as_uri())
    begun = time.monotonic()
    attempt = Attempt(changed(config, dataset=source), folder / "pod", {MEMORY_LIMIT_VARIABLE: str(LIMIT)})
    code = attempt.end()
    assert code in ExitCode.USER_ERRORS, attempt.log
    assert "Traceback" not in attempt.log
    assert time.monotonic() - begun < 200
    return attempt


@pytest.mark.parametrize(
    "name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.faults) for name in BOMBS]
)
def test_a_small_file_that_would_fill_the_memory_is_refused_by_its_line(
    config: RunConfig, name: str, tmp_path: Path, promise: Promise
) -> None:
    content, compress = BOMBS[name]
    path = tmp_path / name
    path.write_bytes(compress(content()))
    attempt = refused(config, path, tmp_path)
    assert attempt.failure.reason == "DataError"
    assert f"{path.as_uri()}, " in attempt.failure.message
    assert "line" in attempt.failure.message
    promise(
        "Trainer",
        "Files that are made to fill memory or stack are refused, with the line, and not tried again",
        name,
    )


@pytest.mark.faults
def test_a_table_of_more_text_than_memory_holds_says_so_and_is_not_tried_again(
    config: RunConfig, tmp_path: Path, promise: Promise
) -> None:
    same_long_texts(tmp_path / "same.parquet")
    assert (tmp_path / "same.parquet").stat().st_size < 2**20
    attempt = refused(config, tmp_path / "same.parquet", tmp_path)
    assert attempt.failure.reason in {"OutOfMemory", "DataError"}
    promise(
        "Trainer",
        "A small table of more text than memory holds ends the run with its reason",
        str(attempt.failure.reason),
    )
