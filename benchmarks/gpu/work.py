"""What is trained on, and what is found out about it."""

import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from trainingrun_trainer.records import Example

TICKETS = Path(__file__).parents[2] / "examples" / "data" / "tickets.jsonl"

BATCH = 32
LEARNING_RATE = 5e-5


@dataclass(frozen=True)
class Length:
    """Of a measurement."""

    warm_steps: int
    """Not measured."""
    seconds: float
    """That texts are counted for."""
    profiled_steps: int


@dataclass(frozen=True)
class Found:
    """About training; None is for GPUs alone."""

    texts_per_second: float
    in_kernels: float | None
    """Share of the time in which the GPU computes."""
    memory: float | None
    """Most bytes of the GPU that tensors had."""
    synchronizations: float | None
    """Times in a step that the process waits for the GPU, as torch counts them."""
    loss: float
    """Mean of the last steps, in nats."""


Step = tuple[int, float | None]
"""Texts of one optimizer step, and its loss where it is known."""


def repeated(count: int) -> list[Example]:
    """So many of the example tickets, one after the other and again."""
    rows = [json.loads(line) for line in TICKETS.read_text(encoding="utf-8").splitlines()]
    examples = [Example(row["text"], (row["label"],)) for row in rows]
    return list(islice(cycle(examples), count))


def measure(steps: Iterator[Step], length: Length) -> Found:
    """Take steps as long as `length` says; they have to be enough."""
    gpu = torch.cuda.is_available()
    list(islice(steps, length.warm_steps))
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    texts, seconds, losses = _timed(steps, length.seconds)
    return Found(
        texts_per_second=texts / seconds,
        in_kernels=_in_kernels(steps, length.profiled_steps) if gpu else None,
        memory=torch.cuda.max_memory_allocated() if gpu else None,
        synchronizations=synchronizations(steps, length.profiled_steps) if gpu else None,
        loss=sum(losses[-50:]) / len(losses[-50:]),
    )


def _timed(steps: Iterator[Step], seconds: float) -> tuple[int, float, list[float]]:
    _wait()
    began, texts, losses = time.monotonic(), 0, list[float]()
    for count, loss in steps:
        texts += count
        if loss is not None:
            losses.append(loss)
        if losses and time.monotonic() - began >= seconds:
            break
    _wait()
    return texts, time.monotonic() - began, losses


def _in_kernels(steps: Iterator[Step], count: int) -> float:
    _wait()
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        began = time.monotonic()
        list(islice(steps, count))
        _wait()
        seconds = time.monotonic() - began
    return sum(event.self_device_time_total for event in profiled.key_averages()) / 1e6 / seconds


def synchronizations(steps: Iterator[Step], count: int) -> float:
    """Times a step that torch warns of an operation that waits for the GPU."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            list(islice(steps, count))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing" in str(one.message) for one in told) / count


def _wait() -> None:
    wait: Callable[[], None] | None = torch.cuda.synchronize if torch.cuda.is_available() else None
    if wait:
        wait()
