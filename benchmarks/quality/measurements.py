"""What is measured, one seed at a time; scores are shares of the held-out test file."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.evaluation import LabelledEmbeddings, average_precision
from trainingrun_trainer.model import default_model_folder
from trainingrun_trainer.training.probe import HEAD_REGULARIZATION

from . import peers
from .sources import Chatbot, Draw, Given, Setup, Source, Tickets
from .texts import Text, draw_labels, of_labels, read, write
from .trainer import Published, Scores, score, train

Figures = dict[str, float]

LAYER_DECAY = 0.1 ** (1 / 6)
"""Lets the token embeddings of a model of 6 layers learn at a tenth of the rate: 0.68."""


ALL = Draw()
FEW, SCARCE = Draw(per_label=10), Draw(per_label=4)
"""Of each label's texts a run trains on 8, or on 3."""
THIRTY = Draw(per_label=10, labels=30)

SMALL: dict[str, Source] = {
    "tickets": Tickets(),
    **{name: Chatbot(name) for name in ("sofmattress", "curekart", "powerplay11")},
}
"""What most users have: hundreds of texts, some of them labelled wrongly."""


LAYERED = {"layerDecay": LAYER_DECAY}
STAGE, NO_STAGE = {"similarityStage": "Always"}, {"similarityStage": "Never"}

CLASSIFIERS: dict[str, tuple[Source, dict[str, Any]]] = {
    "all-default": (ALL, {}),
    "few-default": (FEW, {}),
    "few-never": (FEW, {"training": NO_STAGE}),
    "scarce-default": (SCARCE, {}),
    "scarce-never": (SCARCE, {"training": NO_STAGE}),
    "thirty-default": (THIRTY, {}),
    "all-context": (ALL, {"contextParameters": ["metadata.domain"]}),
    "all-stage": (ALL, {"training": STAGE}),
    "all-calm": (ALL, {"training": {"adversarialEpsilon": 0}}),
    "all-layered": (ALL, {"training": LAYERED}),
    "all-stage-flat": (ALL, {"training": STAGE | {"layerDecay": 1}}),
    "few-layered": (FEW, {"training": LAYERED}),
    **{f"{name}-default": (source, {}) for name, source in SMALL.items()},
    **{f"{name}-final": (source, {"training": {"finalFit": True}}) for name, source in SMALL.items()},
}
"""What they get, and the settings that aren't the defaults."""


def thirty_plain(setup: Setup, seed: int) -> Figures:
    """The other form, on the same texts as thirty-default: the base model without sentence-transformers'
    modules."""
    return _classified("thirty-plain", THIRTY, {"base": _plain_base(setup)}, setup, seed)


def all_regression(setup: Setup, seed: int) -> Figures:
    """The cheap baseline on the texts that the run with defaults trains on, and on the whole file."""
    whole, test = setup.training(), setup.test()
    return {
        **_regression("all", ALL, setup, seed),
        "whole": peers.logistic_regression(whole, test),
        "whole_start": peers.logistic_regression(whole, test, c=HEAD_REGULARIZATION),
    }


def all_trainer(setup: Setup, seed: int) -> Figures:
    """HF Trainer on the whole file: it keeps nothing back to evaluate on."""
    return {"accuracy": peers.hf_trainer(setup.training(), setup.test(), seed, setup.work / "hf")}


def similarity(setup: Setup, seed: int) -> Figures:
    """Embeddings trained on the texts of 75 labels."""
    texts, test = setup.training(), setup.test()
    known = draw_labels(texts, 75, seed)
    other = {text.label for text in texts} - set(known)
    path = write(of_labels(texts, known), setup.work / f"similarity-{seed}.jsonl")
    published = train(path, setup.work / f"similarity-{seed}", seed, taskType="TextSimilarity")
    figures: Figures = {}
    for name, labels in (("same", known), ("other", other)):
        some = of_labels(test, labels)
        figures[name] = _precision(peers.embeddings(peers.load(published.model), some), some)
        figures[f"{name}_base"] = _precision(peers.embeddings(peers.base(), some), some)
    return figures


def _classified(name: str, source: Source, spec: dict[str, Any], setup: Setup, seed: int) -> Figures:
    run, given = f"{name}-{seed}", source.given(setup, seed)
    published = train(given.training, setup.work / run, seed, **spec)
    rows = _rows(published, of_labels(given.test, published.evaluation.labels))
    found = score(published.model, rows, setup.work / run / "test")
    return {
        "accuracy": found.accuracy,
        "f1": found.f1,
        "best_epoch": published.evaluation.best_epoch,
        "gap": _gap(setup, published, run),
    }


def _regression(name: str, source: Source, setup: Setup, seed: int) -> Figures:
    """The cheap baseline on the texts that runs on `source` train on."""
    published, given = _parts(name, source, setup, seed)
    learned, test = published.training_texts(), of_labels(given.test, published.evaluation.labels)
    return {
        "accuracy": peers.logistic_regression(learned, test),
        "start": peers.logistic_regression(learned, test, c=HEAD_REGULARIZATION),
    }


def _small_regression(name: str, source: Source, setup: Setup, seed: int) -> Figures:
    """The same, and at its best: on all texts that the run is given, with the C that suits them."""
    given = source.given(setup, seed)
    best = peers.tuned_regression(read(given.training), given.test)
    return {**_regression(name, source, setup, seed), "tuned": best}


def _setfit(name: str, source: Source, setup: Setup, seed: int) -> Figures:
    """SetFit's method on the texts that runs on `source` train on."""
    published, given = _parts(name, source, setup, seed)
    return {"accuracy": peers.setfit(published.training_texts(), given.test, seed, setup.work / "setfit")}


def _parts(name: str, source: Source, setup: Setup, seed: int) -> tuple[Published, Given]:
    """The shortest run there is, which trains on the same texts as others of its seed: the split's."""
    shortest, given = {"freezeBody": True, "maxEpochs": 1}, source.given(setup, seed)
    return train(given.training, setup.work / f"{name}-parts-{seed}", seed, training=shortest), given


Measurement = Callable[[Setup, int], Figures]

MEASUREMENTS: dict[str, Measurement] = {
    **{name: partial(_classified, name, source, spec) for name, (source, spec) in CLASSIFIERS.items()},
    "thirty-plain": thirty_plain,
    "similarity": similarity,
    "all-regression": all_regression,
    "few-regression": partial(_regression, "few", FEW),
    "scarce-regression": partial(_regression, "scarce", SCARCE),
    "thirty-regression": partial(_regression, "thirty", THIRTY),
    "few-setfit": partial(_setfit, "few", FEW),
    "scarce-setfit": partial(_setfit, "scarce", SCARCE),
    "all-trainer": all_trainer,
    **{f"{name}-regression": partial(_small_regression, name, source) for name, source in SMALL.items()},
}
"""In the order that they are done for each seed."""


def _gap(setup: Setup, published: Published, name: str) -> float:
    """The largest difference between evaluation.json and what the library gives on the same texts.

    After a final fit, which has learned these texts, of the loss alone: scores are of the model before.
    """
    wanted = _saved(published)
    first = {text.text: text for text in reversed(read(published.texts))}  # a copy is not evaluated
    rows = _rows(published, [first[text] for text in published.evaluation_texts()])
    found = score(published.model, rows, setup.work / name / "again")
    final = published.evaluation.fitted_anew
    if final is not None:
        return abs((final.loss or 0) - found.loss)
    pairs = ((wanted.accuracy, found.accuracy), (wanted.f1, found.f1), (wanted.loss, found.loss))
    return max(abs(one - other) for one, other in pairs)


def _rows(published: Published, texts: list[Text]) -> list[dict[str, str]]:
    """Texts as the published model reads them."""
    plain = [{"text": text.text, "label": text.label} for text in texts]
    if not published.context:
        return plain
    return [{**row, "context": text.domain} for row, text in zip(plain, texts, strict=True)]


def _saved(published: Published) -> Scores:
    evaluation = published.evaluation
    assert evaluation.classification is not None
    return Scores(
        evaluation.classification.accuracy, evaluation.classification.averages.macro.f1, evaluation.loss
    )


def _plain_base(setup: Setup) -> Path:
    folder = setup.work / "plain-base"
    folder.mkdir(parents=True, exist_ok=True)
    for path in default_model_folder().glob("*"):
        if path.is_file() and not path.name.startswith(("modules", "sentence_", "config_sentence")):
            shutil.copy(path, folder / path.name)
    return folder


def _precision(found: NDArray[np.float32], texts: list[Text]) -> float:
    _, targets = np.unique([text.label for text in texts], return_inverse=True)
    return average_precision(LabelledEmbeddings(found, targets))
