"""What is measured, one seed at a time; scores are shares of the held-out test file."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.evaluation import LabelledEmbeddings, average_precision
from trainingrun_trainer.model import default_model_folder
from trainingrun_trainer.training.probe import INVERSE_REGULARIZATION

from . import peers
from .texts import TEST, TRAIN, Text, draw, draw_labels, of_labels, read, write
from .trainer import Published, Scores, score, train

Figures = dict[str, float]

LAYER_DECAY = 0.1 ** (1 / 6)
"""Lets the token embeddings of a model of 6 layers learn at a tenth of the rate: 0.68."""

FEW, SCARCE = 10, 4
"""Texts of a label that a run with few gets, and one with still fewer: of these it trains on 8 and on 3."""


@dataclass(frozen=True)
class Setup:
    """Where data is and where runs go."""

    data: Path
    work: Path

    @property
    def train_file(self) -> Path:
        """All that may be learned from."""
        return self.data / TRAIN

    def test(self) -> list[Text]:
        """What no run sees."""
        return read(self.data / TEST)

    def few(self, seed: int, labels: int | None = None, texts: int = FEW) -> Path:
        """A file of so many texts of each label, or of so many labels."""
        path = self.work / f"few-{labels or 'all'}-{texts}-{seed}.jsonl"
        return path if path.exists() else write(draw(read(self.train_file), texts, seed, labels), path)


def all_default(setup: Setup, seed: int) -> Figures:
    """All data, defaults only."""
    return _classified(setup, setup.train_file, f"all-default-{seed}", seed)


def all_calm(setup: Setup, seed: int) -> Figures:
    """The same without noise on token embeddings."""
    return _classified(setup, setup.train_file, f"all-calm-{seed}", seed, training={"adversarialEpsilon": 0})


def all_layered(setup: Setup, seed: int) -> Figures:
    """The same with layers that learn slower the nearer they are to the input."""
    training = {"layerDecay": LAYER_DECAY}
    return _classified(setup, setup.train_file, f"all-layered-{seed}", seed, training=training)


def all_stage(setup: Setup, seed: int) -> Figures:
    """All data, the similarity stage first."""
    return _classified(
        setup, setup.train_file, f"all-stage-{seed}", seed, training={"similarityStage": "Always"}
    )


def all_stage_layered(setup: Setup, seed: int) -> Figures:
    """The same with layers that learn slower the nearer they are to the input."""
    training = {"similarityStage": "Always", "layerDecay": LAYER_DECAY}
    return _classified(setup, setup.train_file, f"all-stage-layered-{seed}", seed, training=training)


def all_context(setup: Setup, seed: int) -> Figures:
    """All data, the domain as context."""
    context = ["metadata.domain"]
    return _classified(setup, setup.train_file, f"all-context-{seed}", seed, contextParameters=context)


def all_regression(setup: Setup, seed: int) -> Figures:
    """The cheap baseline on the texts that the run with defaults trains on, and on the whole file."""
    figures = _regression(setup, setup.train_file, f"all-parts-{seed}", seed)
    whole, test = read(setup.train_file), setup.test()
    return {
        **figures,
        "whole": peers.logistic_regression(whole, test),
        "whole_start": peers.logistic_regression(whole, test, c=INVERSE_REGULARIZATION),
    }


def all_trainer(setup: Setup, seed: int) -> Figures:
    """HF Trainer on the whole file: it keeps nothing back to evaluate on."""
    accuracy = peers.hf_trainer(read(setup.train_file), setup.test(), seed, setup.work / "hf")
    return {"accuracy": accuracy}


def few_default(setup: Setup, seed: int) -> Figures:
    """8 texts of each of 150 labels to train on: the similarity stage comes first by default."""
    return _classified(setup, setup.few(seed), f"few-default-{seed}", seed)


def few_never(setup: Setup, seed: int) -> Figures:
    """The same without the similarity stage."""
    return _classified(
        setup, setup.few(seed), f"few-never-{seed}", seed, training={"similarityStage": "Never"}
    )


def few_layered(setup: Setup, seed: int) -> Figures:
    """As few by default, with layers that learn slower the nearer they are to the input."""
    training = {"layerDecay": LAYER_DECAY}
    return _classified(setup, setup.few(seed), f"few-layered-{seed}", seed, training=training)


def few_regression(setup: Setup, seed: int) -> Figures:
    """The cheap baseline on the same 8."""
    return _regression(setup, setup.few(seed), f"few-parts-{seed}", seed)


def few_setfit(setup: Setup, seed: int) -> Figures:
    """SetFit's method on the same 8."""
    return _setfit(setup, setup.few(seed), f"few-parts-{seed}", seed)


def scarce_default(setup: Setup, seed: int) -> Figures:
    """3 texts of each of 150 labels to train on: the similarity stage comes first by default."""
    return _classified(setup, setup.few(seed, texts=SCARCE), f"scarce-default-{seed}", seed)


def scarce_never(setup: Setup, seed: int) -> Figures:
    """The same without the similarity stage."""
    training = {"similarityStage": "Never"}
    return _classified(setup, setup.few(seed, texts=SCARCE), f"scarce-never-{seed}", seed, training=training)


def scarce_regression(setup: Setup, seed: int) -> Figures:
    """The cheap baseline on the same 3."""
    return _regression(setup, setup.few(seed, texts=SCARCE), f"scarce-parts-{seed}", seed)


def scarce_setfit(setup: Setup, seed: int) -> Figures:
    """SetFit's method on the same 3."""
    return _setfit(setup, setup.few(seed, texts=SCARCE), f"scarce-parts-{seed}", seed)


def thirty_default(setup: Setup, seed: int) -> Figures:
    """8 texts of each of 30 labels to train on."""
    return _classified(setup, setup.few(seed, 30), f"thirty-default-{seed}", seed)


def thirty_regression(setup: Setup, seed: int) -> Figures:
    """The cheap baseline on the same 8."""
    return _regression(setup, setup.few(seed, 30), f"thirty-parts-{seed}", seed)


def thirty_plain(setup: Setup, seed: int) -> Figures:
    """The other form, on the same texts: the base model without sentence-transformers' modules."""
    return _classified(setup, setup.few(seed, 30), f"thirty-plain-{seed}", seed, base=_plain_base(setup))


def similarity(setup: Setup, seed: int) -> Figures:
    """Embeddings trained on the texts of 75 labels."""
    texts, test = read(setup.train_file), setup.test()
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


Measurement = Callable[[Setup, int], Figures]

MEASUREMENTS: dict[str, Measurement] = {
    "all-default": all_default,
    "all-regression": all_regression,
    "few-default": few_default,
    "few-regression": few_regression,
    "few-setfit": few_setfit,
    "few-never": few_never,
    "scarce-default": scarce_default,
    "scarce-never": scarce_never,
    "scarce-regression": scarce_regression,
    "scarce-setfit": scarce_setfit,
    "thirty-default": thirty_default,
    "thirty-regression": thirty_regression,
    "thirty-plain": thirty_plain,
    "similarity": similarity,
    "all-trainer": all_trainer,
    "all-context": all_context,
    "all-stage": all_stage,
    "all-calm": all_calm,
    "all-layered": all_layered,
    "all-stage-layered": all_stage_layered,
    "few-layered": few_layered,
}
"""In the order that they are done for each seed."""


def _parts(texts: Path, folder: Path, seed: int) -> Published:
    """The shortest run there is, which trains on the same texts as others of its seed: the split's."""
    return train(texts, folder, seed, training={"freezeBody": True, "maxEpochs": 1})


def _regression(setup: Setup, texts: Path, name: str, seed: int) -> Figures:
    published = _parts(texts, setup.work / name, seed)
    learned, test = published.training_texts(), of_labels(setup.test(), published.evaluation.labels)
    return {
        "accuracy": peers.logistic_regression(learned, test),
        "start": peers.logistic_regression(learned, test, c=INVERSE_REGULARIZATION),
    }


def _setfit(setup: Setup, texts: Path, name: str, seed: int) -> Figures:
    learned = _parts(texts, setup.work / name, seed).training_texts()
    return {"accuracy": peers.setfit(learned, setup.test(), seed, setup.work / "setfit")}


def _classified(setup: Setup, texts: Path, name: str, seed: int, **spec: Any) -> Figures:
    published = train(texts, setup.work / name, seed, **spec)
    rows = _rows(published, of_labels(setup.test(), published.evaluation.labels))
    found = score(published.model, rows, setup.work / name / "test")
    return {
        "accuracy": found.accuracy,
        "f1": found.f1,
        "best_epoch": published.evaluation.best_epoch,
        "gap": _gap(setup, published, name),
    }


def _gap(setup: Setup, published: Published, name: str) -> float:
    """The largest difference between evaluation.json and what the library gives on the same texts."""
    wanted = _saved(published)
    kept = set(published.evaluation_texts())
    rows = _rows(published, [text for text in read(published.texts) if text.text in kept])
    found = score(published.model, rows, setup.work / name / "again")
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
