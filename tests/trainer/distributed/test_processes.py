"""Resources don't change results: one process, two, and four give the same run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from localcluster.control_plane import free_port
from trainingrun_api.artifacts import ArtifactName
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import RunConfig
from trainingrun_api.tasks import TaskType
from trainingrun_api.training import Lora, Sharding, SimilarityStage
from trainingrun_trainer import pipeline

from ..conftest import changed, tickets, write_jsonl

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
# Sums in another order round otherwise, by how much depends on the processor, and steps add it up: most runs
# differ by 1e-6, those with a stage before the training by 4e-5.
ROUNDING = 1e-4


@pytest.fixture
def still_model(pooled_model: Path, tmp_path: Path) -> Path:
    """The tiny model without dropout, whose noise each process draws by itself."""
    folder = tmp_path / "still"
    folder.mkdir()
    for file in pooled_model.rglob("*"):
        target = folder / file.relative_to(pooled_model)
        if file.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(file.read_bytes())
    configuration = json.loads((folder / "config.json").read_text())
    configuration |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(configuration))
    return folder


@pytest.fixture
def still(config: RunConfig, still_model: Path) -> RunConfig:
    """The run on that model."""
    base_model = config.base_model.model_copy(update={"uri": still_model.as_uri()})
    return changed(config, base_model=base_model, training={"checkpoint": config.training.checkpoint})


CASES: dict[str, dict[str, Any]] = {
    "one label": {},
    "accumulation": {"training": {"gradient_accumulation_steps": 3, "batch_size": 3}},
    "fewer texts than processes": {"training": {"batch_size": 47, "adversarial_epsilon": 0.1}},
    "adapters": {"training": {"lora": Lora(dropout=0.0)}},
    "several labels": {"task_type": TaskType.MULTI_LABEL_CLASSIFICATION},
    "stage": {"training": {"similarity_stage": SimilarityStage.ALWAYS}},
    "similarity": {"task_type": TaskType.TEXT_SIMILARITY},
    "sharded": {"training": {"sharding": Sharding.FULL, "gradient_accumulation_steps": 2}},
    "sharded adapters": {
        "training": {"sharding": Sharding.FULL, "lora": Lora(dropout=0.0), "activation_checkpointing": True}
    },
    "sharded similarity": {"task_type": TaskType.TEXT_SIMILARITY, "training": {"sharding": Sharding.FULL}},
    "final fit": {"training": {"final_fit": True}},
}


def train(configs: list[RunConfig], processes: int, folder: Path) -> None:
    """Train each of them in so many processes, started once."""
    ended = start(configs, processes, folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def start(
    configs: list[RunConfig], processes: int, folder: Path, *last_step: str
) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    (folder / "configs").write_text("".join(config.model_dump_json() + "\n" for config in configs))
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'contract'}:{ROOT / 'trainer_image'}",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    launcher = ["torch.distributed.run", f"--nproc-per-node={processes}", f"--master-port={free_port()}"]
    program = [str(Path(__file__).parent / "worker.py"), str(folder / "configs"), str(folder)]
    return subprocess.run(
        [sys.executable, "-m", *launcher, *program, *last_step],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.groups)])
def test_results_are_those_of_one_process(processes: int, still: RunConfig, tmp_path: Path) -> None:
    cases = {name: changed(still, **case) for name, case in CASES.items()} | pairs(still, tmp_path)
    configs = list(cases.values())
    outputs = {count: [tmp_path / f"{count}-{name}" for name in cases] for count in (1, processes)}
    train(at(configs, outputs[processes]), processes, tmp_path / "node")
    for config in at(configs, outputs[1]):
        pipeline.run(config, lambda _: None)
    for name, alone, together in zip(cases, *outputs.values(), strict=True):
        one, other = (evaluation_in(folder) for folder in (alone, together))
        assert_same(one, other)
        if "sharded" not in name:  # before training nothing is shared, so that all bits are the same
            first, second = (evaluation.baseline.scores for evaluation in (one, other))
            assert second.model_copy(update={"training_loss": first.training_loss}) == first
        assert_same_predictions(alone, together)


def pairs(config: RunConfig, folder: Path) -> dict[str, RunConfig]:
    """Runs on scored pairs, and on triplets."""
    texts = [ticket["text"] for ticket in tickets()]
    rows = [
        {"text": one, "near": texts[n - 1], "far": texts[n - 30], "score": n % 5}
        for n, one in enumerate(texts)
    ]
    uri = write_jsonl(folder / "pairs.jsonl", rows)
    fields = {"scored pairs": {"score_field": "score"}, "triplets": {"negative_field": "far"}}
    return {
        name: changed(
            config,
            task_type=TaskType.TEXT_SIMILARITY,
            dataset=config.dataset.model_copy(update={"uri": uri, "pair_field": "near", **more}),
            training={"batch_size": 7},
        )
        for name, more in fields.items()
    }


def at(configs: list[RunConfig], outputs: list[Path]) -> list[RunConfig]:
    return [
        config.model_copy(update={"output_prefix": output.as_uri()})
        for config, output in zip(configs, outputs, strict=True)
    ]


def evaluation_in(folder: Path) -> Evaluation:
    return Evaluation.model_validate_json((folder / "evaluation.json").read_bytes())


def assert_same(one: Evaluation, other: Evaluation) -> None:
    losses, others = (np.array([point.loss for point in e.curves.training_loss]) for e in (one, other))
    assert len(losses) == len(others) > 0
    np.testing.assert_allclose(others, losses, rtol=ROUNDING)
    assert other.recipe == one.recipe.model_copy(update={"processes": other.recipe.processes})
    epochs = [epoch.model_dump() for epoch in one.curves.epochs]
    assert [epoch.model_dump() for epoch in other.curves.epochs] == [
        {name: pytest.approx(value, rel=ROUNDING) for name, value in epoch.items()} for epoch in epochs
    ]


def assert_same_predictions(one: Path, other: Path) -> None:
    tables = [pq.read_table(folder / ArtifactName.PREDICTIONS) for folder in (one, other)]
    assert tables[0].num_rows == tables[1].num_rows > 0
    for name in tables[0].column_names:
        first, second = (table[name].to_pylist() for table in tables)
        if isinstance(first[0], float):
            np.testing.assert_allclose(second, first, atol=ROUNDING)
        elif name in {"text", "labels", "context", "source"}:
            assert second == first


@pytest.mark.parametrize(("before", "after"), [(2, 1), pytest.param(1, 2, marks=pytest.mark.groups)])
def test_a_sharded_run_resumes_on_another_number_of_processes(
    before: int, after: int, still: RunConfig, tmp_path: Path
) -> None:
    sharded = {"sharding": Sharding.FULL, "lora": Lora(dropout=0.0), "max_epochs": 6}
    outputs = [tmp_path / name for name in ("whole", "resumed")]
    whole, resumed = at([changed(still, training=sharded)] * 2, outputs)
    pipeline.run(whole, lambda _: None)
    in_the_fifth_epoch = "27"
    assert start([resumed], before, tmp_path / "first", in_the_fifth_epoch).returncode
    train([resumed], after, tmp_path / "second")
    evaluation = evaluation_in(outputs[1])
    assert [restart.epoch in {3, 4} for restart in evaluation.curves.restarts] == [True]
    assert evaluation.recipe.processes == after
    assert_same(evaluation_in(outputs[0]), evaluation)
