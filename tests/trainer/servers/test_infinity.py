"""Infinity serves what is published, as docs/serving.md says."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from transformers import pipeline as library_pipeline

from localcluster.control_plane import LOOPBACK, free_port, run
from localcluster.process import READY_SECONDS, Command
from trainingrun_api.run_config import RunConfig
from trainingrun_api.tasks import TaskType

from ..conftest import changed
from .test_older_libraries import published

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]

PAGE = Path(__file__).parents[3] / "docs" / "serving.md"
COMMAND = "infinity_emb v2 --model-id ./model --engine torch --port 7997"
TEXTS = ["my card is late", "login", "please help with the invoice again"]


@contextmanager
def infinity(older: Path, model: Path, logs: Path) -> Iterator[str]:
    """Its URL, while it serves this folder; started by the command of the page."""
    assert COMMAND in PAGE.read_text()
    port = free_port()
    words = COMMAND.replace("./model", str(model)).replace("7997", str(port)).split()
    program = str(older / "bin" / words[0])
    environment = {"HOME": os.environ["HOME"], "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}
    url = f"http://{LOOPBACK}:{port}"
    with ExitStack() as stack:
        run(stack, Command("infinity", (program, *words[1:]), lambda: _answers(url), environment), logs)
        yield url


def _answers(url: str) -> bool:
    with suppress(httpx2.ConnectError):
        return httpx2.get(f"{url}/health", timeout=READY_SECONDS).is_success
    return False


def asked(url: str, path: str) -> list[Any]:
    answer = httpx2.post(f"{url}/{path}", json={"model": "model", "input": TEXTS}, timeout=READY_SECONDS)
    assert answer.is_success, answer.text
    found: list[Any] = answer.json()["data"]
    return found


def test_it_serves_classifiers_with_the_scores_of_the_library(
    older: Path, config: RunConfig, plain_model: Path, tmp_path: Path
) -> None:
    model = published(config, plain_model, "classifier")
    with infinity(older, model, tmp_path) as url:
        served = [{one["label"]: one["score"] for one in scores} for scores in asked(url, "classify")]
    classify = library_pipeline("text-classification", str(model), device="cpu", top_k=None)
    for found, wanted in zip(served, classify(TEXTS, truncation=True), strict=True):
        assert found == pytest.approx({one["label"]: one["score"] for one in wanted}, abs=1e-5)


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_it_serves_embedding_models_with_the_embeddings_of_the_library(
    older: Path, config: RunConfig, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    base: Path = request.getfixturevalue(kind)
    model = published(changed(config, task_type=TaskType.TEXT_SIMILARITY), base, "embedder")
    with infinity(older, model, tmp_path) as url:
        served = [one["embedding"] for one in asked(url, "embeddings")]
    # Infinity makes all of them of length 1.
    wanted = SentenceTransformer(str(model), device="cpu").encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(served, wanted, atol=1e-5)
