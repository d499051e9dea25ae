"""Every architecture that transformers classifies texts with is trained, saved and loaded again."""

from pathlib import Path

import pytest
import torch

from trainingrun_api.training import MixedPrecision, Training
from trainingrun_trainer.model import Classifier, load
from trainingrun_trainer.model.loading import PADDING_MATTERS
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import EpochDone, SingleLabelClassification, fit, prepare
from trainingrun_trainer.training.recipe import FULL_PRECISION_ONLY

from ..conftest import SPECIAL, WORDS, ticket_texts
from .tiny_models import ARCHITECTURES, POSITIONS, save_tiny_base

pytestmark = pytest.mark.slow

WITHOUT_LIMIT = {"bloom", "funnel", "mt5", "t5", "umt5", "xlnet"}
"""Their positions are relative to each other: they read texts of any length."""

READ_PADDING = {"fnet", "t5gemma", "t5gemma2"}
"""FNet has no attention; T5Gemma takes the last token but one of the longest text of a batch."""

TEXTS = [
    *ticket_texts()[::6],
    Example(f"my card {' '.join(SPECIAL)} is late", ("login",)),
    Example("my card is late " * POSITIONS, ("billing",)),
]


@pytest.fixture(params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def folder(architecture: str, tmp_path: Path) -> Path:
    return save_tiny_base(architecture, tmp_path / "base")


def logits(classifier: Classifier) -> torch.Tensor:
    classifier.network.eval()
    with torch.no_grad():
        return classifier.logits(classifier.pad(classifier.tokenizer(["my card is late"])["input_ids"]))


def test_it_is_trained_and_its_folder_gives_the_same_model(
    architecture: str, folder: Path, tmp_path: Path
) -> None:
    classifier = load(folder, "uri", list(WORDS))
    assert (PADDING_MATTERS in classifier.notes) is (architecture in READ_PADDING)
    classifier.limit_tokens(None, TEXTS)
    assert (classifier.max_tokens > POSITIONS) is (architecture in WITHOUT_LIMIT)
    texts = classifier.encode(TEXTS)
    precision = MixedPrecision.FP32 if architecture in FULL_PRECISION_ONLY else MixedPrecision.BF16
    settings = Training(max_epochs=1, mixed_precision=precision)
    state = prepare(SingleLabelClassification(classifier, texts, texts, settings), settings)
    untrained = logits(classifier)
    epochs = [event.summary.epoch for event in fit(state, settings) if isinstance(event, EpochDone)]
    assert epochs == [0, 1]
    trained = logits(classifier)
    assert not torch.equal(trained, untrained)
    classifier.save(tmp_path / "model")
    again = load(tmp_path / "model", "uri", list(WORDS))
    assert (again.head_origin, again.token_limit()) == ("Reused", classifier.token_limit())
    assert torch.allclose(logits(again), trained, atol=1e-6)
