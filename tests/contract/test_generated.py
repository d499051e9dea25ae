"""Files made from the contract are what the contract says now."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = dict(runpy.run_path(str(ROOT / "tools/generate.py"))["generated_files"]())


@pytest.mark.parametrize("name", FILES)
def test_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == FILES[name], "run `make generate` and commit the result"
