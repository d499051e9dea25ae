"""Which number format the hardware computes fast."""

from pathlib import Path
from typing import Literal

import torch

from trainingrun_api.training import MixedPrecision

CPU_FLAG = "amx_bf16"
"""Name in /proc/cpuinfo of x86's matrix unit for bfloat16. With avx512_bf16 alone, autocast took half as much
again time a text as float32 (all-MiniLM-L6-v2 on support tickets, one thread)."""


def choose_precision(wanted: MixedPrecision) -> Literal["bf16", "no"]:
    """The format for Accelerate: Auto takes bf16 only where the hardware has it."""
    if wanted is MixedPrecision.AUTO:
        return "bf16" if _native_bf16() else "no"
    return "bf16" if wanted is MixedPrecision.BF16 else "no"


def _native_bf16() -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        words = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return CPU_FLAG in words
