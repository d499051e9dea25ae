"""Any transformer with a sequence classification head is trained, published and loaded again."""

import re
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    GPT2Config,
    LlamaConfig,
    ModernBertConfig,
    MPNetConfig,
    PreTrainedConfig,
    RobertaConfig,
    XLMRobertaConfig,
)
from transformers import pipeline as transformers_pipeline

from trainingrun_api.evaluation import BaselineMethod
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.training import Lora, MixedPrecision, Training
from trainingrun_trainer import pipeline
from trainingrun_trainer.model import SequenceClassifier, load
from trainingrun_trainer.training import EpochDone, SingleLabelClassification, fit, prepare
from trainingrun_trainer.training.body import depths

from ..conftest import WORDS, changed, ticket_texts, tokenizer
from ..pipeline.test_pipeline import held_out, out

SMALL = {
    "vocab_size": 40,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
DISTILBERT = DistilBertConfig(
    vocab_size=40, dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=64
)
CONFIGS: dict[str, PreTrainedConfig] = {
    "BERT": BertConfig(**SMALL),
    "DistilBERT": DISTILBERT,
    "RoBERTa": RobertaConfig(**SMALL),
    "ModernBERT": ModernBertConfig(**SMALL, global_attn_every_n_layers=2, cls_token_id=2, sep_token_id=3),
    "DeBERTa-v2": DebertaV2Config(**SMALL, relative_attention=True, pos_att_type=["p2c", "c2p"]),
    "MPNet": MPNetConfig(**SMALL),
    "XLM-R": XLMRobertaConfig(**SMALL),
    "GPT-2": GPT2Config(vocab_size=40, n_embd=32, n_layer=2, n_head=2, n_positions=64),
    "Llama": LlamaConfig(**SMALL),
}
HEADS = {
    "BERT": {"classifier"},
    "DistilBERT": {"pre_classifier", "classifier"},
    "RoBERTa": {"classifier"},
    "ModernBERT": {"head", "classifier"},
    "DeBERTa-v2": {"pooler", "classifier"},
    "MPNet": {"classifier"},
    "XLM-R": {"classifier"},
    "GPT-2": {"score"},
    "Llama": {"score"},
}

DECODERS = {"GPT-2", "Llama"}


@pytest.fixture(params=CONFIGS, scope="module")
def architecture(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def body(architecture: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random body without a head."""
    folder = tmp_path_factory.mktemp("body")
    torch.manual_seed(0)
    AutoModel.from_config(CONFIGS[architecture]).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def test_depth_is_how_many_layers_are_left(body: Path) -> None:
    classifier = loaded(body, list(WORDS))
    found = depths(classifier.network)
    head = {id(parameter) for parameter in classifier.head_parameters()}
    names = dict(classifier.network.named_parameters())
    assert set(found) == set(names)
    for name, depth in found.items():
        layer = re.search(r"\.(?:layer|layers|h)\.(\d)\.", name)
        if layer:
            assert depth == 1 - int(layer[1])
        elif ("embed" in name and "rel_" not in name) or re.search(r"\.w[tp]e\.", name):
            assert depth == 2
        else:
            assert depth == 0
        assert id(names[name]) not in head or depth == 0


def parameters(classifier: SequenceClassifier) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in classifier.network.named_parameters()}


def logits(classifier: SequenceClassifier) -> torch.Tensor:
    classifier.network.eval()
    with torch.no_grad():
        return classifier.logits(classifier.pad(classifier.tokenizer(["my card"])["input_ids"]))[0]


def loaded(folder: Path, labels: list[str]) -> SequenceClassifier:
    classifier = load(folder, "uri", labels)
    assert isinstance(classifier, SequenceClassifier)
    return classifier


def test_head_is_all_that_is_not_the_body(architecture: str, body: Path) -> None:
    classifier = loaded(body, ["a", "b", "c"])
    head = {id(parameter) for parameter in classifier.head_parameters()}
    named = classifier.network.named_parameters()
    assert {name.split(".")[0] for name, value in named if id(value) in head} == HEADS[architecture]
    assert classifier.head_origin == "New"


def test_head_of_other_labels_is_made_anew_and_the_body_kept(
    architecture: str, body: Path, tmp_path: Path
) -> None:
    first = loaded(body, ["a", "b", "c"])
    with torch.no_grad():  # as training leaves it
        for parameter in first.network.parameters():
            parameter.add_(torch.randn_like(parameter))
    first.save(tmp_path)
    before = parameters(first)
    labels = (["a", "b", "c"], ["b", "c", "a"], ["x", "y", "z"], ["a", "b"])
    same, ordered, renamed, fewer = (loaded(tmp_path, wanted) for wanted in labels)
    assert (same.head_origin, same.notes) == ("Reused", [])
    assert all(torch.equal(value, before[name]) for name, value in parameters(same).items())
    assert (ordered.head_origin, ordered.notes) == ("Reused", [])
    assert torch.allclose(logits(ordered), logits(first)[[1, 2, 0]], atol=1e-6)
    for other in (renamed, fewer):
        assert other.head_origin == "New"
        assert other.notes == ["the head is new: the base model's was made for other labels (a, b, c)"]
        kept = {name for name, value in parameters(other).items() if torch.equal(value, before[name])}
        assert kept == other.body_names()


def test_published_model_gives_the_evaluated_scores(architecture: str, body: Path, config: RunConfig) -> None:
    source = BaseModelSource(uri=body.as_uri())
    config = changed(config, base_model=source, training={"max_epochs": 1})
    result = pipeline.run(config, lambda report: None)
    texts = held_out()
    folder = str(out(config) / "model")
    classify = transformers_pipeline("text-classification", folder, device="cpu", top_k=None)
    assert type(classify.model) is type(AutoModelForSequenceClassification.from_config(CONFIGS[architecture]))
    rows = classify([text.text for text in texts])
    scores = [{one["label"]: one["score"] for one in row} for row in rows]
    loss = -torch.tensor([row[text.label] for row, text in zip(scores, texts, strict=True)]).log().mean()
    assert float(loss) == pytest.approx(result.evaluation.loss, abs=1e-4)


def test_padding_changes_no_text(body: Path) -> None:
    classifier = loaded(body, ["a", "b", "c"])
    short, long = classifier.tokenizer(["my card", "help with the parcel today please"])["input_ids"]
    classifier.network.eval()
    with torch.no_grad():
        alone, padded = (classifier.logits(classifier.pad(batch))[0] for batch in ([short], [short, long]))
    assert torch.allclose(alone, padded, atol=1e-5)


def test_a_new_head_starts_from_regression_on_what_its_output_layer_reads(
    architecture: str, body: Path
) -> None:
    classifier = loaded(body, list(WORDS))
    texts = classifier.encode(ticket_texts())
    state = prepare(SingleLabelClassification(classifier, texts, texts, Training()), Training())
    before = state.evaluate()
    method = state.objective.start_head(state.training).method
    after = state.evaluate()
    if architecture in DECODERS:  # no bias to set
        assert (method, after.loss) == (BaselineMethod.BASE_MODEL, before.loss)
    else:
        assert method is BaselineMethod.LOGISTIC_REGRESSION
        assert after.loss < before.loss


@pytest.mark.filterwarnings("ignore:fan_in_fan_out:UserWarning")  # of GPT-2: peft sets right what it names
def test_adapters_leave_an_ordinary_model(body: Path) -> None:
    classifier = loaded(body, list(WORDS))
    texts = classifier.encode(ticket_texts())
    names = classifier.network.state_dict().keys()
    settings = Training(
        max_epochs=1, lora=Lora(rank=2), learning_rate=1e-2, mixed_precision=MixedPrecision.FP32
    )
    state = prepare(SingleLabelClassification(classifier, texts, texts, settings), settings)
    before, *_ = (
        event.summary.evaluation_loss for event in fit(state, settings) if isinstance(event, EpochDone)
    )
    trained = state.evaluate().loss
    state.merge_adapters()
    assert state.evaluate().loss == pytest.approx(trained, abs=1e-4)
    assert trained != before
    assert classifier.network.state_dict().keys() == names
