"""Training on one GPU, beside transformers' Trainer; prints what it finds.

Prepared for whoever has a GPU: made to take less than 6 minutes there, no network, and nothing that the
trainer image doesn't have. With --tiny it runs on a CPU, to show that it would.
"""

import argparse
import logging
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from benchmarks.gpu.ours import measure_ours
from benchmarks.gpu.peer import measure_peer
from benchmarks.gpu.resume import Resumed, resume_once
from benchmarks.gpu.work import TICKETS, Found, Length, repeated
from benchmarks.models import DEFAULT, bert_base, tiny_bert

TEXTS = 40_000

FULL = Length(warm_steps=32, seconds=20.0, profiled_steps=32)
TINY = Length(warm_steps=2, seconds=1.0, profiled_steps=2)


def main() -> None:
    """Measure, and print a page in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a tiny model and few texts")
    tiny: bool = parser.parse_args().tiny
    if not tiny and not torch.cuda.is_available():
        parser.error("torch sees no GPU; --tiny runs on a CPU")
    logging.getLogger("trainingrun_trainer").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if tiny:
            models, texts, length = {"tiny, random weights": tiny_bert(work / "bert")}, 400, TINY
        else:
            models = {"default model": DEFAULT, "BERT-base, random weights": bert_base(work / "bert")}
            texts, length = TEXTS, FULL
        rows = repeated(texts)
        found = {
            name: {
                "TrainingRun": measure_ours(base, rows, length),
                "TrainingRun, adversarial noise": measure_ours(base, rows, length, noise=True),
                "transformers' Trainer": measure_peer(base, rows, length, work / "peer"),
            }
            for name, base in models.items()
        }
        resumed = resume_once(next(iter(models.values())), TICKETS, work)
    print("\n".join(_lines(found, resumed)))


def _lines(found: dict[str, dict[str, Found]], resumed: Resumed) -> Iterator[str]:
    gpu = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if gpu else "no GPU"
    yield "# Training on one GPU"
    yield ""
    yield f"Printed by `make bench-gpu`: {device}, torch {torch.__version__}, {platform.machine()};"
    yield "the example tickets repeated, batches of 32 texts of like length, BF16 if the GPU has it."
    yield ""
    yield (
        "| Model | Trained by | Texts a second | Time in kernels, % | Memory, MB | Synchronizations a step "
        "| Loss |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for model, by in found.items():
        for name, one in by.items():
            yield (
                f"| {model} | {name} | {one.texts_per_second:,.0f} | {_figure(one.in_kernels, 100)} "
                f"| {_figure(one.memory, 1e-6)} | {_figure(one.synchronizations)} | {one.loss:.3f} |"
            )
    yield ""
    yield f"Interrupted after step {resumed.stopped} and resumed there: {resumed.went_on}. The run ended with"
    yield f"a loss of {resumed.loss:.4f}; not interrupted, {resumed.undisturbed:.4f}."


def _figure(value: float | None, factor: float = 1.0) -> str:
    return "-" if value is None else f"{value * factor:,.1f}"


if __name__ == "__main__":
    main()
