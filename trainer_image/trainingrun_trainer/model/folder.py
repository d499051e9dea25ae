"""A model's folder: which files make a model, and what can't be loaded safely or at all."""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import ModelError

MODEL_SUFFIXES = (".json", ".safetensors", ".txt", ".model", ".jinja")
"""Kinds of files that a model may consist of; whatever else lies in its folder is not read."""

PICKLED = "pytorch_model*.bin"


LIBRARY = "sentence_transformers."

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "tokenizer_config.json")
"""A tokenizer has at least one of them."""


def is_model_file(name: str, *, allow_pickled: bool) -> bool:
    """True for the name, relative to the model's folder, of a file that may be read."""
    path = PurePosixPath(name)
    if path.is_absolute() or any(part.startswith((".", "__")) for part in path.parts):
        return False
    return path.suffix in MODEL_SUFFIXES or (allow_pickled and path.match(PICKLED))


def wanted_files(names: Iterable[str], *, allow_pickled: bool) -> list[str]:
    """Those of the names that make the model, sorted; pickled weights only where no safetensors are."""
    found = [name for name in names if is_model_file(name, allow_pickled=allow_pickled)]
    safe = {PurePosixPath(name).parent for name in found if name.endswith(".safetensors")}
    return sorted(
        name for name in found if not name.endswith(".bin") or PurePosixPath(name).parent not in safe
    )


def model_files(folder: Path, *, allow_pickled: bool = False) -> list[tuple[str, Path]]:
    """Names and paths of the files that make the model, sorted by name."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [(name, folder / name) for name in wanted_files(names, allow_pickled=allow_pickled)]


def require_loadable(folder: Path, uri: str, *, allow_pickled: bool) -> None:
    """Raises ModelError that says what to change about the folder; `uri` is its name in messages."""
    modules = saved_json(folder / "modules.json", uri) if (folder / "modules.json").is_file() else []
    for module in modules:
        if not str(module.get("type")).startswith(LIBRARY):
            raise ModelError(
                f"{uri}: modules.json names {module.get('type')!r}, custom code that is never run; "
                "choose another"
            )
    # Of sentence-transformers' older models, the transformer lies in a folder of its own.
    body = folder / str(modules[0].get("path") or "") if modules else folder
    config = saved_json(body / "config.json", uri)
    if "auto_map" in config:
        raise ModelError(f"{uri}: the model needs custom code (auto_map), which is never run; choose another")
    _require_weights(body, uri, allow_pickled)
    if not any(path for pattern in TOKENIZER_FILES for path in body.glob(pattern)):
        raise ModelError(
            f"{uri}: no tokenizer files found (tokenizer.json, vocab.txt or *.model); save the "
            "tokenizer to the same folder with its save_pretrained()"
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
        f"{uri}: no .safetensors file next to config.json; load the model and save it again "
        "with save_pretrained(), which writes safetensors"
        + ("" if allow_pickled else ", or have the operator's allowPickledModels set for pytorch_model.bin")
    )
