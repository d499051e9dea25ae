"""Which architectures can be published as ONNX: known before training, for each that can be trained."""

from pathlib import Path

import pytest
from promises import Promise, forms

from trainingrun_trainer.errors import ModelError
from trainingrun_trainer.model import load, require_exportable

from ..conftest import WORDS
from .tiny_models import ARCHITECTURES, save_tiny_base

pytestmark = pytest.mark.slow

REFUSED = {
    "axk1",
    "axk2",
    "canine",
    "deepseek_v2",
    "funnel",
    "gpt_oss",
    "helium",
    "hunyuan_v1_moe",
    "jamba",
    "longformer",
    "mbart",
    "minimax",
    "mistral4",
    "mixtral",
    "phimoe",
    "plbart",
    "qwen2_moe",
    "qwen3_moe",
    "qwen3_next",
    "reformer",
    "xlnet",
    "zamba",
}
"""Those that torch's exporter can't write, or whose graphs give something else."""

START = "spec.output.formats: the base model's architecture ("


def refusal(architecture: str, folder: Path) -> str:
    """Why it can't be written; "" where it can."""
    model = load(save_tiny_base(architecture, folder), "uri", list(WORDS))
    try:
        require_exportable(model, folder / "trial")
    except ModelError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("architectures", forms(ARCHITECTURES[::120], ARCHITECTURES))
def test_an_architecture_is_written_as_onnx_or_refused_before_training(
    architectures: list[str], tmp_path: Path, promise: Promise
) -> None:
    refusals = {name: why for name in architectures if (why := refusal(name, tmp_path / name))}
    assert refusals.keys() == REFUSED.intersection(architectures)
    assert all(why.startswith(START) and "leave ONNX out" in why for why in refusals.values())
    measured = f"{len(architectures) - len(refusals)} of {len(architectures)} architectures are written"
    promise("Trainer", "A base model that can't be written as ONNX is refused before training", measured)
