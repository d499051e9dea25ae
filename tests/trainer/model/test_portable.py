"""Published folders say what readers of other versions look for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from transformers import AutoConfig, PreTrainedTokenizerFast

from trainingrun_trainer.model import load, load_embedding_model, make_portable
from trainingrun_trainer.model.portable import (
    older_dense,
    older_modules,
    older_network,
    older_pooling,
    older_tokenizer,
    older_transformer,
)

from ..conftest import WORDS, ticket_texts, tokenizer

pytestmark = pytest.mark.slow

TEXT = {"method": "forward", "method_output_name": "last_hidden_state"}
WRITTEN_TRANSFORMER = {
    "transformer_task": "feature-extraction",
    "modality_config": {"text": TEXT},
    "module_output_name": "token_embeddings",
}
WRITTEN_POOLING = {"embedding_dimension": 8, "pooling_mode": "mean", "include_prompt": True}
MODES = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def published(base: Path, folder: Path) -> Path:
    model = load_embedding_model(base, "uri")
    model.limit_tokens(20, ticket_texts())
    folder.mkdir()
    model.save(folder)
    make_portable(folder)
    return folder


def test_an_embedding_model_has_what_sentence_transformers_3_and_servers_ask_for(
    pooled_model: Path, tmp_path: Path
) -> None:
    folder = published(pooled_model, tmp_path / "model")
    assert [(module["path"], module["type"]) for module in read(folder / "modules.json")] == [
        ("", "sentence_transformers.models.Transformer"),
        ("1_Pooling", "sentence_transformers.models.Pooling"),
        ("2_Normalize", "sentence_transformers.models.Normalize"),
    ]
    assert read(folder / "sentence_bert_config.json") == {"max_seq_length": 20, "do_lower_case": False}
    pooling = read(folder / "1_Pooling" / "config.json")
    assert pooling == {
        "word_embedding_dimension": 32,
        **{f"pooling_mode_{mode}": mode == "mean_tokens" for mode in MODES},
        "include_prompt": True,
    }


def test_the_older_form_is_read_as_what_was_saved(pooled_model: Path, tmp_path: Path) -> None:
    folder = published(pooled_model, tmp_path / "model")
    texts = [example.text for example in ticket_texts()[:5]]
    wanted = SentenceTransformer(str(pooled_model), device="cpu").encode(texts)
    found = SentenceTransformer(str(folder), device="cpu")
    assert found.max_seq_length == 20
    np.testing.assert_allclose(found.encode(texts), wanted, atol=1e-6)
    published(folder, tmp_path / "again")
    for path in folder.rglob("*.json"):
        assert read(tmp_path / "again" / path.relative_to(folder)) == read(path), path


def test_texts_are_not_put_into_the_chat_template_that_a_tokenizer_has(
    plain_model: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for file in plain_model.iterdir():
        (base / file.name).write_bytes(file.read_bytes())
    chat: PreTrainedTokenizerFast = tokenizer()
    chat.chat_template = "please {% for message in messages %}{{ message['content'] }}{% endfor %} help"
    chat.save_pretrained(base)
    wanted = SentenceTransformer(str(published(plain_model, tmp_path / "plain")), device="cpu")
    found = SentenceTransformer(str(published(base, tmp_path / "chat")), device="cpu")
    np.testing.assert_allclose(found.encode(["a card"]), wanted.encode(["a card"]), atol=1e-6)


def test_a_head_has_no_names_that_are_the_usual_ones(pooled_model: Path, tmp_path: Path) -> None:
    classifier = load(pooled_model, "uri", list(WORDS))
    classifier.save(tmp_path)
    make_portable(tmp_path)
    head = read(tmp_path / "3_Dense" / "config.json")
    assert head.keys() == {"in_features", "out_features", "bias", "activation_function"}


def test_what_older_versions_do_otherwise_is_left_as_it_is() -> None:
    joined = {**WRITTEN_POOLING, "pooling_mode": ["mean", "cls"]}
    assert older_pooling(joined) == joined
    assert older_pooling({**WRITTEN_POOLING, "pooling_mode": ["cls", "mean"]})["pooling_mode_cls_token"]
    words = {**WRITTEN_TRANSFORMER, "modality_config": {"text": {**TEXT, "method_output_name": "logits"}}}
    assert older_transformer(words, 20) == words
    head = {"in_features": 8, "module_input_name": "token_embeddings"}
    assert older_dense(head) == head
    other = [{"path": "1_Bow", "type": "sentence_transformers.sentence_transformer.modules.bow.BoW"}]
    assert older_modules(other) == other


def test_a_tokenizer_has_its_own_special_tokens_by_the_older_name() -> None:
    written = {"tokenizer_class": "TokenizersBackend", "extra_special_tokens": ["<one>"], "is_local": True}
    assert older_tokenizer(written) == {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "additional_special_tokens": ["<one>"],
    }
    assert older_tokenizer({"tokenizer_class": "BertTokenizer"}) == {"tokenizer_class": "BertTokenizer"}


ROTARY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "llama": (
        {"rope_type": "linear", "factor": 8.0, "rope_theta": 5e5},
        {"rope_theta": 5e5, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
    ),
    "qwen2": ({"rope_type": "default", "rope_theta": 1e6}, {"rope_theta": 1e6}),
    "phi": (
        {"rope_type": "default", "rope_theta": 1e6, "partial_rotary_factor": 0.5},
        {"rope_theta": 1e6, "partial_rotary_factor": 0.5},
    ),
    "gpt_neox": (
        {"rope_type": "default", "rope_theta": 1e6, "partial_rotary_factor": 0.5},
        {"rotary_emb_base": 1e6, "rotary_pct": 0.5},
    ),
    "modernbert": (
        {
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e3},
        },
        {"global_rope_theta": 1e6, "local_rope_theta": 1e3},
    ),
}


@pytest.mark.parametrize("architecture", ROTARY)
def test_rotary_positions_are_those_of_the_model_in_transformers_4_too(
    architecture: str, tmp_path: Path
) -> None:
    rotary, older = ROTARY[architecture]
    written = {"model_type": architecture, "rope_parameters": rotary}
    assert older_network(written) == written | older
    for name, config in {"written": written, "older": written | older}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    found = AutoConfig.from_pretrained(tmp_path / "older").rope_parameters
    assert found == AutoConfig.from_pretrained(tmp_path / "written").rope_parameters
