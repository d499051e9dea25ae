"""Published folders give the same in the libraries that servers have, which are older than the trainer's."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.tasks import TaskType
from trainingrun_trainer import pipeline
from trainingrun_trainer.model import default_model_folder, load, make_portable

from ..conftest import WORDS, changed, ticket_texts
from ..model.tiny_models import ARCHITECTURES, save_tiny_base

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]

PROGRAM = Path(__file__).with_name("outputs.py")
TEXTS = ["my card is late", "login", "please help with the invoice again " * 30, "[SEP] the code </s> ü"]

UNKNOWN = {
    "axk1",
    "axk2",
    "cohere_compass_text",
    "esmc",
    "eurobert",
    "gte",
    "jina_embeddings_v3",
    "minicpm3",
    "ministral3",
    "mistral4",
    "modernvbert",
    "nomic_bert",
    "olmo",
    "olmo2",
    "olmo3",
    "qwen3_5",
    "qwen3_5_text",
    "t5gemma2",
    "ultrabert",
    "ultravbert",
}
"""Architectures that transformers 4 has no classifiers of."""

UNREADABLE = UNKNOWN | {"fnet", "jamba", "qwen3_moe", "t5gemma", "zamba", "zamba2"}
"""And those that it reads otherwise, and refuses so small."""


def outputs(python: str | Path, folders: list[Path], tmp_path: Path) -> dict[str, Any]:
    """What the program says of them, by this interpreter."""
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps([{"folder": str(folder), "texts": TEXTS} for folder in folders]))
    subprocess.run([str(python), str(PROGRAM), str(file)], check=True, timeout=900)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def both(older: Path, folders: list[Path], tmp_path: Path) -> list[tuple[Any, Any]]:
    """Outputs of the libraries that wrote them, and of those of servers."""
    ours = outputs(sys.executable, folders, tmp_path)
    theirs = outputs(older / "bin" / "python", folders, tmp_path)
    assert theirs["versions"]["sentence_transformers"].startswith("3.")
    assert theirs["versions"]["transformers"].startswith("4.")
    return list(zip(ours["outputs"], theirs["outputs"], strict=True))


def published(config: RunConfig, base: Path, name: str) -> Path:
    """The model's folder after a run from this base model."""
    prefix = f"{config.output_prefix}-{name}"
    source = BaseModelSource(uri=base.as_uri())
    pipeline.run(changed(config, base_model=source, output_prefix=prefix), lambda report: None)
    return Path(prefix.removeprefix("file://")) / "model"


@pytest.mark.parametrize("task", [TaskType.TEXT_SIMILARITY, TaskType.CLASSIFICATION])
def test_published_models_give_the_same(
    older: Path, config: RunConfig, plain_model: Path, pooled_model: Path, tmp_path: Path, task: TaskType
) -> None:
    bases = {"plain": plain_model, "pooled": pooled_model, "default": default_model_folder()}
    folders = [published(changed(config, task_type=task), base, name) for name, base in bases.items()]
    for ours, theirs in both(older, folders, tmp_path):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)


def with_other_positions(config: Any) -> Any:
    """Rotary positions that are not those which the library takes where it reads none."""
    if not isinstance(config, dict):
        return config
    other = {name: with_other_positions(value) for name, value in config.items()}
    return other | ({"rope_theta": 7 * config["rope_theta"]} if "rope_theta" in config else {})


def saved(architecture: str, tmp_path: Path) -> Path:
    base = save_tiny_base(architecture, tmp_path / "base" / architecture)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(with_other_positions(config)))
    classifier = load(base, "uri", list(WORDS))
    classifier.limit_tokens(None, ticket_texts())
    folder = tmp_path / "model" / architecture
    folder.mkdir(parents=True)
    classifier.save(folder)
    make_portable(folder)
    return folder


def test_classifiers_of_each_architecture_give_the_same_or_are_refused(older: Path, tmp_path: Path) -> None:
    folders = [saved(architecture, tmp_path) for architecture in ARCHITECTURES]
    found = dict(zip(ARCHITECTURES, both(older, folders, tmp_path), strict=True))
    assert {name for name, (_, theirs) in found.items() if isinstance(theirs, str)} == UNREADABLE
    for name in found.keys() - UNREADABLE:
        ours, theirs = found[name]
        np.testing.assert_allclose(theirs, ours, atol=1e-5, err_msg=name)
