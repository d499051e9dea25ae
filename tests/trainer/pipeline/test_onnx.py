"""Models published as ONNX give what the published model gives."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnxruntime import InferenceSession
from pyarrow import parquet
from scipy.special import expit, softmax
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.references import ModelFormat
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.tasks import TaskType
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import ModelError

from ..conftest import changed, tokenizer, untimed
from ..model.tiny_models import tiny_body
from .test_multilabel_pipeline import several

pytestmark = pytest.mark.slow

__all__ = ["several"]

PAGE = Path(__file__).parents[3] / "docs" / "serving.md"


def train(config: RunConfig) -> tuple[Path, Evaluation]:
    """The folder of the model, and its evaluation."""
    pipeline.run(config, lambda report: None)
    folder = Path(config.output_prefix.removeprefix("file://"))
    return folder / "model", Evaluation.model_validate_json((folder / "evaluation.json").read_text())


def with_onnx(config: RunConfig, base: Path) -> RunConfig:
    return changed(config, base_model=BaseModelSource(uri=base.as_uri()), formats=[ModelFormat.ONNX])


def run_graph(model: Path, output: str, *texts: list[str]) -> Any:
    """What onnxruntime gives, of what the published tokenizer gives."""
    tokens = AutoTokenizer.from_pretrained(model)(*texts, padding=True, truncation=True, return_tensors="np")
    return InferenceSession(model / "onnx" / "model.onnx").run([output], dict(tokens))[0]


def predictions(model: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = parquet.read_table(model.parent / "predictions.parquet").to_pydict()
    return found


def printed_by_page(model: Path, texts: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the snippet of docs/serving.md prints of these texts."""
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    snippet = snippet.replace('Path("model")', f"Path({str(model)!r})")
    snippet = snippet.replace('["a text", "another text"]', json.dumps(texts))
    capsys.readouterr()
    exec(snippet, {})
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_graph_gives_the_probabilities_that_were_evaluated(
    config: RunConfig, kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    model, evaluation = train(with_onnx(config, request.getfixturevalue(kind)))
    table = predictions(model)
    given = softmax(run_graph(model, "logits", table["text"]), axis=1)
    np.testing.assert_allclose(given, np.array(table["probabilities"]), atol=1e-4)
    printed = [[line.split()[0]] for line in printed_by_page(model, table["text"], capsys)]
    assert printed == table["predicted"]
    assert "onnx/model.onnx" in (model / "README.md").read_text()
    assert "onnx/model.onnx" in (model / "manifest.json").read_text()

    plain = changed(with_onnx(config, request.getfixturevalue(kind)), formats=[])
    other, without = train(plain.model_copy(update={"output_prefix": f"{plain.output_prefix}-plain"}))
    assert untimed(evaluation) == untimed(without)
    assert not (other / "onnx").exists()
    assert "ONNX" not in (other / "README.md").read_text()


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_the_published_tokenizer_is_one_that_servers_with_transformers_4_read(
    config: RunConfig, kind: str, request: pytest.FixtureRequest
) -> None:
    base: Path = request.getfixturevalue(kind)
    model, _ = train(changed(config, base_model=BaseModelSource(uri=base.as_uri())))
    published = json.loads((model / "tokenizer_config.json").read_text())
    assert published["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert not {"is_local", "local_files_only"} & published.keys()


def test_graph_of_several_labels_gives_their_probabilities(several: RunConfig, plain_model: Path) -> None:
    model, _ = train(with_onnx(several, plain_model))
    table = predictions(model)
    given = expit(run_graph(model, "logits", table["text"]))
    np.testing.assert_allclose(given, np.array(table["probabilities"]), atol=1e-4)


def test_graph_of_an_embedding_model_gives_tokens_and_texts(config: RunConfig, pooled_model: Path) -> None:
    similarity = changed(config, task_type=TaskType.TEXT_SIMILARITY)
    model, _ = train(with_onnx(similarity, pooled_model))
    texts = ["my card is late", "login", "my card is late again and again"]
    wanted = SentenceTransformer(str(model), device="cpu").encode(texts)
    np.testing.assert_allclose(run_graph(model, "sentence_embedding", texts), wanted, atol=1e-4)
    assert run_graph(model, "last_hidden_state", texts).shape[0] == 3


def test_base_model_that_has_no_graph_is_refused_before_training(config: RunConfig, tmp_path: Path) -> None:
    tiny_body("axk1").save_pretrained(tmp_path / "base")
    tokenizer().save_pretrained(tmp_path / "base")
    with pytest.raises(ModelError, match=r"spec\.output\.formats: .* can't be written as ONNX"):
        train(with_onnx(config, tmp_path / "base"))
