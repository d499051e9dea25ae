"""What has a GPU wait for less."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask


def make_masks_without_looking() -> None:
    """Have transformers make the masks of its SDPA attention from now on without looking whether there is
    padding: it would wait for the GPU in each pass."""
    AttentionMaskInterface.register("sdpa", _mask)


def _mask(*args: Any, **options: Any) -> Tensor | None:
    skipping = {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
    mask: Tensor | None = sdpa_mask(*args, **{**options, **skipping})
    return mask


@contextmanager
def tf32(wanted: bool) -> Iterator[None]:
    """Within, if wanted, a GPU multiplies matrices of float32 in TF32."""
    before = torch.get_float32_matmul_precision()
    if wanted:
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
