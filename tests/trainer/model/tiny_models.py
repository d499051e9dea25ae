"""A tiny random model of each architecture that transformers classifies texts with."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    CONFIG_MAPPING,
    AutoModel,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from ..conftest import tokenizer

POSITIONS = 64

SMALL: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "embedding_size", "emb_dim"), 32),
    **dict.fromkeys(("num_hidden_layers", "num_layers", "n_layer", "n_layers"), 2),
    **dict.fromkeys(("encoder_layers", "decoder_layers", "num_decoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "num_key_value_heads", "num_heads", "n_head", "n_heads"), 2),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
    **dict.fromkeys(("intermediate_size", "d_ff", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim"), 64),
    **dict.fromkeys(("d_inner", "n_inner", "dff", "hidden_dim"), 64),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), POSITIONS),
    **dict.fromkeys(("head_dim", "d_kv", "d_head", "v_head_dim"), 16),
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim"), 8),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts"), 2),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 16),
    "num_experts_per_tok": 1,
    "vocab_size": 40,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "decoder_start_token_id": 3,
    "image_size": 16,
    "patch_size": 8,
    "depth": 2,
    "out_hidden_size": 32,
    "num_position_embeddings": 4,
}
"""Fields of configurations by the names that architectures have for them."""

HYBRID = {"layer_types": ["linear_attention", "full_attention"]}

TWICE_HYBRID = {"num_hidden_layers": 4, "layer_types": ["mamba", "hybrid"] * 2}
OWN: dict[str, dict[str, Any]] = {
    "axk1": {"head_dim": 8, "qk_head_dim": 16, "n_group": 1, "topk_group": 1},
    "cohere_compass_text": {
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1e4}}
    },
    "deepseek_v3": {"head_dim": 8},
    "falcon": {"head_dim": None},
    "funnel": {"num_hidden_layers": None, "block_sizes": [1, 1]},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "gptj": {"rotary_dim": 8},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "layoutlmv3": {"coordinate_size": 4, "shape_size": 8},
    "lilt": {"hidden_size": 48},
    "luke": {"entity_vocab_size": 4, "entity_emb_size": 8},
    "longformer": {"attention_window": 16},
    "mpt": {
        "d_model": 32,
        "n_heads": 2,
        "n_layers": 2,
        "vocab_size": 40,
        "max_seq_len": POSITIONS,
        "expansion_ratio": 2,
    },
    "perceiver": {"d_latents": 32, "num_latents": 4},
    "qwen3_5": {"text_config": HYBRID},
    "qwen3_5_text": HYBRID,
    "qwen3_next": HYBRID,
    "reformer": {"axial_pos_embds_dim": [16, 16], "axial_pos_shape": [8, 8], "attention_head_size": 16},
    "roc_bert": {
        "pronunciation_vocab_size": 4,
        "shape_vocab_size": 4,
        "pronunciation_embed_dim": 8,
        "shape_embed_dim": 8,
    },
    "t5": {"decoder_start_token_id": 0},
    "xlnet": {"max_position_embeddings": None},
    "xmod": {"default_language": "en_XX"},
    "zamba": TWICE_HYBRID,
    "zamba2": {"num_hidden_layers": 4, "layers_block_type": ["mamba", "hybrid"] * 2},
}
"""What some need besides, or don't have (None)."""

LEFT_OUT = {
    "layoutlmv2": "needs detectron2 and pictures",
}
"""Architectures that can't be built small, or don't classify texts alone."""

ARCHITECTURES = sorted(set(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES) - set(LEFT_OUT))


def save_tiny_base(architecture: str, folder: Path) -> Path:
    """A random body beside a tokenizer that knows no limit, in that folder."""
    torch.manual_seed(0)
    tiny_body(architecture).save_pretrained(folder)
    side = "left" if architecture == "xlnet" else "right"  # as its own tokenizer pads
    tokenizer(model_max_length=10**30, padding_side=side).save_pretrained(folder)
    return folder


def tiny_body(architecture: str) -> PreTrainedModel:
    """A body without a head, of random weights."""
    config = tiny_config(architecture)
    if architecture == "perceiver":  # whose head is in the body
        return AutoModel.from_config(config)
    network = AutoModelForSequenceClassification.from_config(config)
    body: PreTrainedModel = getattr(network, network.base_model_prefix)
    return body


def tiny_config(architecture: str) -> PreTrainedConfig:
    """The default configuration with small sizes, POSITIONS where it has such."""
    kind = CONFIG_MAPPING[architecture]
    return kind(**_tiny(kind(), OWN.get(architecture, {})))


def _tiny(default: PreTrainedConfig, own: dict[str, Any]) -> dict[str, Any]:
    parts = {name: part for name in default.sub_configs if (part := getattr(default, name)) is not None}
    if parts:
        fields = {
            name: _tiny(part, own.get(name, {})) | {"model_type": part.model_type}
            for name, part in parts.items()
        }
        own = {name: value for name, value in own.items() if name not in parts}
    else:
        fields = {name: value for name, value in SMALL.items() if hasattr(default, name)}
    return {name: value for name, value in {**fields, **own}.items() if value is not None}
