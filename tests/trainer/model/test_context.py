"""Metadata beside the text: the same in training and wherever the published model is used."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnxruntime import InferenceSession
from pyarrow import parquet
from scipy.special import softmax
from tokenizers import processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.references import ModelFormat
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_cli.predicting import in_one_context
from trainingrun_cli.prediction import PublishedModel, TextInContext
from trainingrun_client.errors import ClientError
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import DataError, SettingsError
from trainingrun_trainer.model import Classifier, load
from trainingrun_trainer.records import Example

from ..conftest import FILLERS, WORDS, changed, tokenizer, write_jsonl
from .by_library import written

pytestmark = pytest.mark.slow

PARAMETERS = ["metadata.channel", "product"]
CHANNELS = {label: words[0] for label, words in WORDS.items()}
BY_LIBRARY = Path(__file__).with_name("by_library.py")


def rows() -> list[dict[str, Any]]:
    """Texts that say nothing of their label; their channel does, where it is known. Each fifth is long."""
    return [
        {
            "text": f"{FILLERS[n % 10]} {FILLERS[n // 10]} {20 * number + n}" + " again" * (n % 5 == 0) * 12,
            "label": label,
            "metadata": {"channel": CHANNELS[label] if n else None},
            "product": "box",
        }
        for number, label in enumerate(WORDS)
        for n in range(20)
    ]


def with_pairs(*, segments: bool) -> PreTrainedTokenizerFast:
    """The tokenizer, with pairs as BERT has them, or as RoBERTa, which isn't told its segments."""
    made = tokenizer()
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    made.model_input_names = ["input_ids", *(["token_type_ids"] if segments else []), "attention_mask"]
    return made


@pytest.fixture(scope="session")
def base(
    plain_model: Path, pooled_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Base models by name: pooled or plain, and how the tokenizer takes two texts."""
    made: dict[str, Path] = {}

    def named(name: str) -> Path:
        if name not in made:
            kind, form = name.split()
            folder = tmp_path_factory.mktemp("base") / "model"
            shutil.copytree(plain_model if kind == "plain" else pooled_model, folder)
            if form != "single":
                with_pairs(segments=form == "segments").save_pretrained(folder)
            made[name] = folder
        return made[name]

    return named


@pytest.fixture
def with_context(config: RunConfig, tmp_path: Path) -> RunConfig:
    return changed(
        config,
        dataset=DataSource(uri=write_jsonl(tmp_path / "rows.jsonl", rows())),
        context_parameters=PARAMETERS,
        training={"max_epochs": 1},
    )


def from_base(config: RunConfig, folder: Path, name: str, **fields: Any) -> RunConfig:
    source = BaseModelSource(uri=folder.as_uri())
    return changed(config, base_model=source, output_prefix=f"{config.output_prefix}-{name}", **fields)


def train(config: RunConfig) -> tuple[Path, Evaluation]:
    """The folder of results, and evaluation.json."""
    pipeline.run(config, lambda report: None)
    folder = Path(config.output_prefix.removeprefix("file://"))
    return folder, Evaluation.model_validate_json((folder / "evaluation.json").read_text())


def accuracy(evaluation: Evaluation) -> float:
    assert evaluation.classification is not None
    return evaluation.classification.accuracy


def test_context_tells_apart_what_texts_do_not(with_context: RunConfig, base: Callable[[str], Path]) -> None:
    settings = {"max_epochs": 8, "learning_rate": 5e-3}
    config = from_base(with_context, base("pooled segments"), "known", training=settings)
    _, known = train(config)
    _, unknown = train(from_base(config, base("pooled segments"), "unknown", context_parameters=[]))
    assert accuracy(unknown) < 0.6
    assert accuracy(known) > 0.8
    assert known.data.without_context == {"metadata.channel": 3, "product": 0}
    assert unknown.data.without_context == {}


def test_libraries_give_the_scores_of_the_evaluation_in_a_process_of_their_own(
    with_context: RunConfig, base: Callable[[str], Path], tmp_path: Path
) -> None:
    names = ["pooled segments", "plain segments", "plain pairs", "pooled single"]
    short = changed(with_context, training={"max_sequence_length": 18})
    runs = [from_base(short, base(name), name.replace(" ", "-")) for name in names]
    runs += [
        from_base(short, base(name), name.replace(" ", "-") + "-without", context_parameters=[])
        for name in names[:2]
    ]
    tables, asked, losses = [], [], []
    for run in runs:
        folder, evaluation = train(run)
        table = parquet.read_table(folder / "predictions.parquet").to_pydict()
        contexts = table["context"] if run.context_parameters else []
        asked.append({"folder": str(folder / "model"), "texts": table["text"], "contexts": contexts})
        tables.append((table, evaluation.labels))
        losses.append(evaluation.loss)
        assert (evaluation.data.truncated > 0) == bool(run.context_parameters)
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    program = [sys.executable, "-I", str(BY_LIBRARY), str(tmp_path / "asked.json")]
    subprocess.run(program, check=True, capture_output=True, timeout=300)
    for found, (table, labels), loss in zip(
        json.loads((tmp_path / "asked.json").read_text()), tables, losses, strict=True
    ):
        assert np.array(found) == pytest.approx(np.array(table["probabilities"]), abs=1e-5)
        of_label = [row[labels.index(true)] for row, [true] in zip(found, table["labels"], strict=True)]
        assert -np.log(of_label).mean() == pytest.approx(loss, abs=1e-4)


def test_a_run_goes_on_from_one_with_context(with_context: RunConfig, base: Callable[[str], Path]) -> None:
    folder, first = train(from_base(with_context, base("pooled segments"), "first"))
    again = from_base(with_context, folder / "model", "again")
    _, second = train(again)
    assert second.base_model.head == "Reused"
    assert second.base_model.notes == []
    assert second.baseline.scores.evaluation_loss == pytest.approx(first.loss, abs=1e-4)
    without, third = train(from_base(again, folder / "model", "without", context_parameters=[]))
    assert third.base_model.notes == [
        "the base model was trained with other context (metadata.channel, product)"
    ]
    assert "context" not in json.loads((without / "model" / "config.json").read_text())


def test_a_field_that_no_text_has_is_refused(with_context: RunConfig) -> None:
    with pytest.raises(DataError, match=r"contextParameters: no text has 'chanel'; there are .*'product'"):
        train(changed(with_context, context_parameters=["chanel"]))


def with_parameters(folder: Path, parameters: list[str] | None = None, tokens: int = 12) -> Classifier:
    classifier = load(folder, "uri", ["billing", "login"])
    classifier.use_context(parameters or PARAMETERS)
    classifier.limit_tokens(tokens, [])
    return classifier


def test_what_is_too_long_is_cut_from_the_text_and_not_from_the_context(
    base: Callable[[str], Path],
) -> None:
    text = "invoice card price refund charge " * 5
    for name in ("pooled segments", "plain pairs", "pooled single"):
        classifier = with_parameters(base(name), tokens=20)
        encoded = classifier.encode([Example(text, ("billing",), ("email", "box"))])
        tokens = classifier.tokenizer.convert_ids_to_tokens(encoded.input_ids[0])
        assert len(tokens) == 20
        assert {"email", "box", "invoice"} <= set(tokens)
        assert encoded.truncated == 1


def test_values_have_names_where_nothing_else_marks_them_and_what_is_missing_is_left_out(
    base: Callable[[str], Path],
) -> None:
    assert with_parameters(base("pooled segments")).context.written(["email", "box"]) == "email | box"
    context = with_parameters(base("pooled single")).context
    assert context.written(["email", "box"]) == "channel: email | product: box"
    assert context.written(["", "box"]) == "product: box"
    assert context.written(["", ""]) == ""
    alike = with_parameters(base("pooled single"), ["a.name", "b.name"]).context
    assert alike.written(["x", "y"]) == "a.name: x | b.name: y"


def test_a_context_that_leaves_no_room_for_the_text_is_refused(base: Callable[[str], Path]) -> None:
    classifier = with_parameters(base("pooled single"))
    long = Example("my card " * 9, ("login",), ("box " * 9, ""))
    with pytest.raises(SettingsError, match=r"contextParameters: 'channel: box .* more than half of the 12"):
        classifier.encode([long])


@pytest.mark.parametrize("name", ["plain pairs", "pooled single"])
def test_the_command_and_the_card_give_a_text_its_context(
    with_context: RunConfig, base: Callable[[str], Path], name: str
) -> None:
    folder, evaluation = train(from_base(with_context, base(name), "card"))
    table = parquet.read_table(folder / "predictions.parquet").to_pydict()
    model = PublishedModel(folder / "model")
    context = dict(zip(("channel", "product"), table["context"][0], strict=True))
    (scores,) = model.scores([TextInContext(table["text"][0], context)])
    assert [scores[label] for label in evaluation.labels] == pytest.approx(
        table["probabilities"][0], abs=1e-5
    )
    assert model.given(scores) == table["predicted"][0]
    with pytest.raises(ClientError, match="not a classifier, so it predicts no labels"):
        PublishedModel(base(name))
    with pytest.raises(ClientError, match="--context chanel: this model reads channel, product"):
        in_one_context(["text"], model, {"chanel": "email"})
    card = (folder / "model" / "README.md").read_text()
    for snippet in re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL):
        exec(snippet.replace("path/to/this/folder", str(folder / "model")), {})


def test_graph_reads_context_as_the_second_text_of_a_pair(
    with_context: RunConfig, base: Callable[[str], Path]
) -> None:
    config = from_base(with_context, base("pooled segments"), "graph", formats=[ModelFormat.ONNX])
    folder, _ = train(config)
    table = parquet.read_table(folder / "predictions.parquet").to_pydict()
    form = json.loads((folder / "model" / "config.json").read_text())["context"]
    beside = [written(form, values) for values in table["context"]]
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    tokens = tokenizer(table["text"], beside, padding=True, truncation=True, return_tensors="np")
    (logits,) = InferenceSession(folder / "model" / "onnx" / "model.onnx").run(["logits"], dict(tokens))
    assert softmax(logits, axis=1) == pytest.approx(np.array(table["probabilities"]), abs=1e-4)
