"""A published folder in the form of older libraries: servers have transformers 4 and sentence-transformers 3.

The versions that wrote it read this form too, as they read the models of those years.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

OLDER_TOKENIZERS = {"TokenizersBackend": "PreTrainedTokenizerFast"}
"""Classes that transformers 5 writes by names that version 4 doesn't know, and that it reads by both."""

OF_THIS_MACHINE = {"is_local", "local_files_only"}
"""How the base model's tokenizer was read, which the library writes beside."""

OLDER_MODULES = "sentence_transformers.models."
"""Where all modules were, and are found still; version 6 has them in several packages."""

TRANSFORMER, POOLING, DENSE = (f"{OLDER_MODULES}{name}" for name in ("Transformer", "Pooling", "Dense"))

MOVED = ("Transformer", "Pooling", "Normalize", "Dense", "Dropout", "LayerNorm")
"""Modules that turn tokens into embeddings."""

READS_TEXT = {"method": "forward", "method_output_name": "last_hidden_state"}
"""All that older versions do, and version 6 where nothing is said."""

POOLING_MODES = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
"""What version 3 calls them, in the order in which it joins the embeddings of several."""

EMBEDDING = "sentence_embedding"

ROTARY = {"rope_theta": "rope_theta", "partial_rotary_factor": "partial_rotary_factor"}
NEOX = {"rope_theta": "rotary_emb_base", "partial_rotary_factor": "rotary_pct"}
OLDER_ROTARY = {"gpt_neox": NEOX, "gpt_neox_japanese": NEOX}
"""What transformers 4 calls parts of `rope_parameters`, by architecture where it isn't ROTARY."""

GLOBAL, LOCAL = "full_attention", "sliding_attention"
MODERNBERT = {GLOBAL: "global_rope_theta", LOCAL: "local_rope_theta"}
GEMMA = {GLOBAL: "rope_theta", LOCAL: "rope_local_base_freq"}
OLDER_THETAS = {
    "modernbert": MODERNBERT,
    "modernbert-decoder": MODERNBERT,
    "gemma3_text": GEMMA,
    "gemma3n_text": GEMMA,
}
"""And of those with one for each kind of layer."""

Config = dict[str, Any]


def make_portable(folder: Path) -> None:
    """Have the saved model say nothing that only these versions of the libraries, or this machine, read."""
    tokenizer = _rewrite(folder / "tokenizer_config.json", older_tokenizer)
    _rewrite(folder / "config.json", older_network)
    if not (folder / "modules.json").is_file():
        return
    forms: dict[str, tuple[str, Callable[[Config], Config]]] = {
        TRANSFORMER: (
            "sentence_bert_config.json",
            partial(older_transformer, most_tokens=tokenizer["model_max_length"]),
        ),
        POOLING: ("config.json", older_pooling),
        DENSE: ("config.json", older_dense),
    }
    for module in _rewrite(folder / "modules.json", older_modules):
        if module["type"] in forms:
            name, older = forms[module["type"]]
            _rewrite(folder / module["path"] / name, older)


def older_tokenizer(config: Config) -> Config:
    """tokenizer_config.json as transformers 4 reads it."""
    older = {name: value for name, value in config.items() if name not in OF_THIS_MACHINE}
    if older.get("tokenizer_class") in OLDER_TOKENIZERS:
        older["tokenizer_class"] = OLDER_TOKENIZERS[older["tokenizer_class"]]
    if isinstance(older.get("extra_special_tokens"), list):
        older["additional_special_tokens"] = older.pop("extra_special_tokens")
    return older


def older_network(config: Config) -> Config:
    """config.json with rotary positions as transformers 4 has them too: it would take its defaults."""
    parts = {name: older_network(part) if isinstance(part, dict) else part for name, part in config.items()}
    kind, rotary = str(config.get("model_type")), config.get("rope_parameters") or {}
    if not {GLOBAL, LOCAL} & rotary.keys():
        return parts | _older_rotary(rotary, OLDER_ROTARY.get(kind, ROTARY))
    thetas = {older: rotary[layers]["rope_theta"] for layers, older in OLDER_THETAS.get(kind, {}).items()}
    return parts | thetas


def _older_rotary(rotary: Config, names: dict[str, str]) -> Config:
    older = {names[name]: value for name, value in rotary.items() if name in names}
    scaling = {name: value for name, value in rotary.items() if name not in names}
    return older if scaling in ({}, {"rope_type": "default"}) else older | {"rope_scaling": scaling}


def older_modules(modules: list[Config]) -> list[Config]:
    """modules.json by the names that all versions know; unknown modules keep theirs."""
    names = {module["type"]: str(module["type"]).rpartition(".")[2] for module in modules}
    older = {written: f"{OLDER_MODULES}{name}" for written, name in names.items() if name in MOVED}
    return [{**module, "type": older.get(module["type"], module["type"])} for module in modules]


def older_transformer(config: Config, most_tokens: int) -> Config:
    """sentence_bert_config.json of a model that reads texts as they are.

    That is how it was trained. Version 6 would put each text into the tokenizer's chat template, if it has
    one, wherever the configuration lists messages beside text.
    """
    if config.get("modality_config", {}).get("text", READS_TEXT) != READS_TEXT:
        return config
    newer = {"transformer_task", "modality_config", "module_output_name"}
    kept = {name: value for name, value in config.items() if name not in newer}
    return kept | {"max_seq_length": most_tokens, "do_lower_case": False}


def older_pooling(config: Config) -> Config:
    """The configuration of Pooling; as it is where version 3 would join several poolings in another order."""
    mode = config["pooling_mode"]
    modes = [mode] if isinstance(mode, str) else list(mode)
    if modes != [one for one in POOLING_MODES if one in modes]:
        return config
    return {
        "word_embedding_dimension": config["embedding_dimension"],
        **{name: one in modes for one, name in POOLING_MODES.items()},
        "include_prompt": config["include_prompt"],
    }


def older_dense(config: Config) -> Config:
    """The configuration of Dense, without the names of input and output where they are the usual ones."""
    usual = {"module_input_name": EMBEDDING, "module_output_name": EMBEDDING}
    return {name: value for name, value in config.items() if usual.get(name) != value}


def _rewrite(path: Path, older: Callable[[Any], Any]) -> Any:
    """Replace the value in a file of JSON; gives the new one."""
    value = older(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    return value
