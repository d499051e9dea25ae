"""What is done for a GPU changes no result."""

from collections.abc import Iterator

import pytest
import torch
from transformers import AutoModelForSequenceClassification
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from trainingrun_trainer.training.gpu import make_masks_without_looking, tf32

from ..model.tiny_models import ARCHITECTURES, tiny_config


@pytest.fixture
def as_before() -> Iterator[None]:
    """Masks are made as ever afterwards."""
    yield
    AttentionMaskInterface.register("sdpa", sdpa_mask)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_masks_are_the_same_without_looking(architecture: str, as_before: None) -> None:
    torch.manual_seed(0)
    network = AutoModelForSequenceClassification.from_config(tiny_config(architecture)).eval()
    network.config.pad_token_id = 0
    tokens = torch.randint(5, 40, (3, 16))
    tokens[:, -1], tokens[1, 4], tokens[1, 5:] = 3, 3, 0  # some read the last token
    whole, padded = torch.ones_like(tokens), (tokens != 0).long()

    def logits() -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([network(tokens, attention_mask=mask).logits for mask in (whole, padded)])

    before = logits()
    make_masks_without_looking()
    torch.testing.assert_close(logits(), before, rtol=1e-5, atol=1e-6)


def test_tf32_is_for_training_alone() -> None:
    assert torch.get_float32_matmul_precision() == "highest"
    with tf32(True):
        assert torch.get_float32_matmul_precision() == "high"
    with tf32(False):
        assert torch.get_float32_matmul_precision() == "highest"
    assert torch.get_float32_matmul_precision() == "highest"
