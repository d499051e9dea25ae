"""The model that comes with the trainer is the one that its makers published."""

import hashlib
import re
from pathlib import Path

from trainingrun_trainer.model import default_model_folder

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
ROW = re.compile(r"^\| `(?P<file>\S+)` \| `(?P<digest>[0-9a-f]{64})` \|$", re.MULTILINE)


def test_default_model_has_the_published_files() -> None:
    published = {row["file"]: row["digest"] for row in ROW.finditer(OPERATIONS.read_text())}
    folder = default_model_folder()
    assert "model.safetensors" in published
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in published} == published
