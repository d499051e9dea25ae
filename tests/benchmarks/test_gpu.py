"""The benchmark of a GPU runs where there is none, in its smallest form; where one is, waits are counted."""

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
import torch
from benchmarks.gpu import ours
from benchmarks.gpu.work import repeated, synchronizations
from benchmarks.models import DEFAULT

from trainingrun_trainer.training.readings import STEPS_ON_GPU

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_benchmark_of_a_gpu_runs_on_a_cpu() -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "--tiny"]
    folders = ("contract", "trainer_image", ".")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders), "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "| tiny, random weights | TrainingRun |" in run.stdout
    assert "| tiny, random weights | transformers' Trainer |" in run.stdout
    assert "Interrupted after step 11 and resumed there: True." in run.stdout


@pytest.mark.skipif(not torch.cuda.is_available(), reason="has no GPU")
@pytest.mark.parametrize("noise", [False, True], ids=["plain", "noise"])
def test_steps_wait_for_the_gpu_only_to_be_read(noise: bool) -> None:
    steps = ours.steps(ours.prepared(DEFAULT, repeated(4_000), noise=noise))
    list(islice(steps, STEPS_ON_GPU))
    assert synchronizations(steps, 2 * STEPS_ON_GPU) <= 1 / STEPS_ON_GPU
