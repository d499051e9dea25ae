"""The GPUs of the machine."""

import torch

from .errors import GPUNotFoundError


def lacking_gpus(wanted: int) -> str | None:
    """How torch sees fewer GPUs than `wanted`, and why; None when it sees as many."""
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if seen >= wanted:
        return None
    return f"spec.resources.gpusPerNode is {wanted}, but torch sees {seen or 'no'} GPU ({_trouble()})"


def require_gpus(wanted: int) -> None:
    """Raises GPUNotFoundError when torch sees fewer: without a word, training would take days on the CPU."""
    if lack := lacking_gpus(wanted):
        raise GPUNotFoundError(
            f"{lack}: check the node's driver, its device plugin and container runtime, and whether the "
            "trainer image's torch is built for this GPU; set gpusPerNode to 0 to train on the CPU"
        )


def _trouble() -> str:
    try:
        torch.cuda.current_device()
    except (RuntimeError, AssertionError) as error:  # the latter of a torch that is built without CUDA
        return str(error).split(". ")[0].splitlines()[0]
    return "the driver is there"
