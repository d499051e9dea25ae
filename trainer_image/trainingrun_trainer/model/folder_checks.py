"""Refuse a model folder that can't be loaded safely or at all, before any library opens it."""

import json
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .files import PICKLED

LIBRARY = "sentence_transformers."

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "tokenizer_config.json")
"""A tokenizer has at least one of them."""


def require_loadable(folder: Path, uri: str, *, allow_pickled: bool) -> None:
    """Raises ModelError that says what to change about the folder; `uri` is its name in messages."""
    modules = saved_json(folder / "modules.json", uri) if (folder / "modules.json").is_file() else []
    for module in modules:
        if not str(module.get("type")).startswith(LIBRARY):
            raise ModelError(
                f"{uri}: modules.json names {module.get('type')!r}, code that is never run; choose another"
            )
    # Of sentence-transformers' older models, the transformer lies in a folder of its own.
    body = folder / str(modules[0].get("path") or "") if modules else folder
    config = saved_json(body / "config.json", uri)
    if "auto_map" in config:
        raise ModelError(
            f"{uri}: the model needs code of its own (auto_map), which is never run; choose another"
        )
    _require_weights(body, uri, allow_pickled)
    if not any(path for pattern in TOKENIZER_FILES for path in body.glob(pattern)):
        raise ModelError(
            f"{uri}: there are no tokenizer files (tokenizer.json, vocab.txt or *.model); write the "
            "tokenizer beside the model with its save_pretrained()"
        )


def is_safe(folder: Path) -> bool:
    """True when weights are there as safetensors."""
    return any(folder.rglob("*.safetensors"))


def saved_json(path: Path, uri: str) -> Any:
    """The value of a JSON file of the folder. Raises ModelError when there is none."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise ModelError(
            f"{uri}: there is no {path.name}; spec.baseModel must name a folder with config.json, "
            "model.safetensors and tokenizer files"
        ) from None
    except ValueError as error:
        raise ModelError(f"{uri}/{path.name}: not JSON ({error})") from None


def _require_weights(body: Path, uri: str, allow_pickled: bool) -> None:
    pickled = any(body.glob(PICKLED))
    if is_safe(body) or (pickled and allow_pickled):
        return
    raise ModelError(
        f"{uri}: there is no .safetensors file beside config.json; load the model once and write it again "
        "with save_pretrained(), which gives safetensors"
        + ("" if allow_pickled else ", or have the operator's allowPickledModels set for pytorch_model.bin")
    )
