"""Which number format the hardware computes fast."""

import timeit
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch.nn.functional import linear

from trainingrun_api.training import MixedPrecision

from ..errors import SettingsError

CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
"""Names in /proc/cpuinfo of x86's instructions for bfloat16. Without them it is computed in software."""

LEAST_GAIN = 2.0
"""How many times as fast as in float32 a layer has to be in bfloat16, since training with autocast also
converts and normalises, and gains less. Of two processors with avx512_bf16 alone, one took half as much again
time a text in bfloat16; the other, an AMD EPYC of family 26, had a layer 4 to 8 times as fast and trained 2.6
times as fast (all-MiniLM-L6-v2 on support tickets, one thread)."""


FULL_PRECISION_ONLY = frozenset({"deberta", "xmod"})
"""Architectures that transformers computes in one format only: DeBERTa masks attention in bfloat16 by the
least number of float32, X-MOD puts what adapters give in bfloat16 into a tensor in float32."""


def choose_precision(wanted: MixedPrecision, architecture: str) -> Literal["bf16", "no"]:
    """The format for Accelerate: Auto takes bf16 only where the hardware is faster with it.

    Raises SettingsError for bf16 and an architecture that can't be computed in it.
    """
    if architecture in FULL_PRECISION_ONLY:
        if wanted is MixedPrecision.BF16:
            raise SettingsError(
                f"spec.training.mixedPrecision is BF16, in which {architecture} can't be computed: set FP32"
            )
        return "no"
    if wanted is MixedPrecision.AUTO:
        return "bf16" if _fast_bf16() else "no"
    return "bf16" if wanted is MixedPrecision.BF16 else "no"


@cache
def _fast_bf16() -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return not CPU_FLAGS.isdisjoint(_cpu_words()) and _gain() >= LEAST_GAIN


def _cpu_words() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return []


def _gain() -> float:
    """How many times as fast a layer of a small transformer is in bfloat16, measured in less than a second.

    The shortest of several times each, taken in turn, so that other work on the machine doesn't decide.
    Draws no random numbers, which the seed is for.
    """
    layers = [
        (torch.ones(512, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype))
        for dtype in (torch.float32, torch.bfloat16)
    ]
    with torch.no_grad():
        rounds = [[timeit.timeit(partial(linear, *layer), number=2) for layer in layers] for _ in range(10)]
    full, half = np.min(rounds, axis=0)
    return float(full / half)
