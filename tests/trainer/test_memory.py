"""Batches that memory is too small for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import BertConfig, BertModel

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import BaseModelSource, RunConfig

from .conftest import changed, tokenizer

ROOT = Path(__file__).parents[2]

PROGRAM = """
import resource, sys
from pathlib import Path
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import OutOfMemoryError

def limit(report):
    if report.progress.stage == "Training" and report.progress.step == 0 and not report.epochs:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + 450 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))

fixed, automatic = (RunConfig.model_validate_json(config) for config in sys.argv[1:])
try:
    pipeline.run(fixed, limit)
except OutOfMemoryError as error:
    print(error)
pipeline.run(automatic, lambda report: None)
"""


@pytest.fixture
def wide_model(tmp_path: Path) -> Path:
    """Its activations are large beside its weights."""
    folder = tmp_path / "wide"
    config = BertConfig(
        vocab_size=40,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=131_072,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def test_batches_shrink_until_they_fit_into_memory_unless_their_size_was_asked_for(
    config: RunConfig, wide_model: Path
) -> None:
    def sized(batch_size: int | None) -> RunConfig:
        return changed(
            config,
            base_model=BaseModelSource(uri=wide_model.as_uri()),
            training={"batch_size": batch_size, "max_epochs": 1},
            output_prefix=f"{config.output_prefix}/{batch_size}",
        )

    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'trainer_image'}"}
    configs = [sized(size).model_dump_json() for size in (32, None)]
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *configs],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "lower spec.training.batchSize" in result.stdout
    folder = Path(config.output_prefix.removeprefix("file://")) / "None"
    used = Evaluation.model_validate_json((folder / "evaluation.json").read_text()).recipe
    assert used.batch_size < 32
    assert used.batch_size * used.gradient_accumulation_steps == 32
    assert used.total_steps == 2  # of 48 texts
