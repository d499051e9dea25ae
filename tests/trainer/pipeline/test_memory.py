"""Batches that memory is too small for."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from trainingrun_api.evaluation import Evaluation, Recipe
from trainingrun_api.names import MEMORY_LIMIT_VARIABLE
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.training import MixedPrecision, Training
from trainingrun_trainer.model import load, load_embedding_model
from trainingrun_trainer.training import (
    EncodedColumns,
    LabelContrast,
    MultiLabelClassification,
    Objective,
    RankedTexts,
    SingleLabelClassification,
    prepare,
)
from trainingrun_trainer.training.body import transformer_of

from ..conftest import WORDS, changed, ticket_texts, tokenizer, write_jsonl

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'contract'}:{ROOT / 'trainer_image'}"}

LIMIT = """
import resource, sys
from pathlib import Path
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import OutOfMemoryError

def limit(mebibytes):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + mebibytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))

def is_untrained(report):
    return report.progress.stage == "Training" and not report.epochs

configs = [RunConfig.model_validate_json(config) for config in sys.argv[1:]]
"""

TRAINING = """
fixed, automatic = configs
try:
    pipeline.run(fixed, lambda report: limit(550) if is_untrained(report) else None)
except OutOfMemoryError as error:
    print(error)
pipeline.run(automatic, lambda report: None)
"""

LOOKING = """
def before_training(report):
    if is_untrained(report):
        limit(170)
    else:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

pipeline.run(configs[0], before_training)
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


def run(program: str, *configs: RunConfig) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, since a limit can't be put on a part of one."""
    result = subprocess.run(
        [sys.executable, "-c", LIMIT + program, *(config.model_dump_json() for config in configs)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


def test_memory_ends_where_that_of_the_container_does() -> None:
    program = """
import torch
from trainingrun_trainer.memory import within_limit

with within_limit():
    some = torch.ones(64, 2**20)
    try:
        torch.ones(512, 2**20)
    except RuntimeError as error:
        print(error)
torch.ones(512, 2**20)
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**ENVIRONMENT, MEMORY_LIMIT_VARIABLE: str(2**31)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "can't allocate memory" in result.stdout


def test_a_lack_of_memory_is_told_as_one_whatever_library_finds_it(config: RunConfig) -> None:
    program = """
import torch
from trainingrun_trainer.memory import memory_errors

texts, layer = torch.ones(32, 1024, dtype=torch.bfloat16), torch.ones(4096, 1024, dtype=torch.bfloat16)
pages = int(Path("/proc/self/statm").read_text().split()[5])
resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
multiply = lambda: torch.nn.functional.linear(texts, layer)
for fail in (multiply, lambda: bytes(2**30), lambda: torch.ones(2**30)):
    try:
        with memory_errors("buy more"):
            fail()
    except OutOfMemoryError as error:
        print(error)
"""
    said = run(program, config).stdout
    assert said == "out of memory; raise spec.resources.memory, or buy more\n" * 3


def test_data_that_memory_is_too_small_for_are_told_before_the_kernel_ends_the_process(
    config: RunConfig, tmp_path: Path
) -> None:
    program = """
import os
from trainingrun_api.names import MEMORY_LIMIT_VARIABLE

_, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
private = (resident - shared) * resource.getpagesize()
os.environ[MEMORY_LIMIT_VARIABLE] = str(private + 200 * 2**20)
for config in configs:
    try:
        pipeline.run(config, lambda report: None)
    except OutOfMemoryError as error:
        print(error)
"""
    rows = [{"text": "x" * 50 * 2**20, "label": "long"}] * 5
    parquet = tmp_path / "long.parquet"
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    data = (write_jsonl(tmp_path / "long.jsonl", rows), parquet.as_uri())
    sources = [config.dataset.model_copy(update={"uri": uri}) for uri in data]
    said = run(program, *(changed(config, dataset=source) for source in sources)).stdout
    advice = "out of memory; raise spec.resources.memory, or choose a smaller base model"
    assert said.count(advice) == 2


def recipe(config: RunConfig) -> Recipe:
    folder = Path(config.output_prefix.removeprefix("file://"))
    return Evaluation.model_validate_json((folder / "evaluation.json").read_text()).recipe


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

    fixed, automatic = sized(32), sized(None)
    advice = "raise spec.resources.memory, or lower spec.training.batchSize or maxSequenceLength"
    assert advice in run(TRAINING, fixed, automatic).stdout
    used = recipe(automatic)
    assert used.batch_size < 32
    assert used.batch_size * used.gradient_accumulation_steps == 32
    assert used.total_steps == 2  # of 48 texts


def test_what_is_only_looked_at_is_divided_whatever_batches_were_asked_for(
    config: RunConfig, wide_model: Path
) -> None:
    settings = {"batch_size": 32, "max_epochs": 1, "freeze_body": True}
    half = changed(
        config,
        base_model=BaseModelSource(uri=wide_model.as_uri()),
        training=settings,
        train_percent=50,  # 30 texts in each part
    )
    said = run(LOOKING, half).stderr
    assert said.count("Out of memory in inference on 30 texts at once") == 3  # head, losses of both parts
    assert "Out of memory with" not in said
    assert recipe(half).batch_size == 32


@contextmanager
def little_memory(network: nn.Module, most: int) -> Iterator[None]:
    """No more than so many texts go through the network at once."""

    def require(_module: nn.Module, inputs: tuple[Tensor]) -> None:
        if len(inputs[0]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    with transformer_of(network).get_input_embeddings().register_forward_pre_hook(require):
        yield


def single(folder: Path) -> Objective:
    classifier = load(folder, "uri", list(WORDS))
    texts = classifier.encode(ticket_texts())
    return SingleLabelClassification(classifier, texts, texts, Training())


def several(folder: Path) -> Objective:
    classifier = load(folder, "uri", list(WORDS), multi_label=True)
    texts = classifier.encode(ticket_texts())
    return MultiLabelClassification(classifier, texts, texts, Training())


def contrast(folder: Path) -> Objective:
    model = load_embedding_model(folder, "uri")
    texts = model.encode(ticket_texts(), list(WORDS))
    return LabelContrast(model, texts, texts)


def ranked(folder: Path) -> Objective:
    model = load_embedding_model(folder, "uri")
    ids, cut = model.encode_texts(ticket_texts())
    texts = EncodedColumns([ids, ids], np.zeros(len(ids)), cut)
    return RankedTexts(model, texts, texts)


@pytest.mark.parametrize("made", [single, several, contrast, ranked])
def test_a_look_at_parts_sees_what_one_at_the_whole_does(
    pooled_model: Path, made: Callable[[Path], Objective]
) -> None:
    torch.manual_seed(0)
    objective = made(pooled_model)
    state = prepare(objective, Training(batch_size=16, mixed_precision=MixedPrecision.FP32))
    losses = []
    for most in (16, 3):
        with little_memory(objective.network, most):
            objective.start_head(state.training)
            losses.append(state.evaluate().loss)
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    with little_memory(objective.network, 0), pytest.raises(torch.OutOfMemoryError):
        state.evaluate()
