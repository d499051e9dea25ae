"""Gradients of two real processes, summed."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from trainingrun_trainer.distributed import sum_gradients
from trainingrun_trainer.distributed.tensors import BUCKET_NUMBERS

ROWS, WIDTH = 3000, 3000
"""Of a table large enough to be summed by its rows."""


def gradients(rank: int) -> list[Tensor]:
    """Of a table of which few rows are reached, of a large layer, of a bias; another of each process."""
    generator = torch.Generator().manual_seed(rank)
    table = torch.zeros(ROWS, WIDTH)
    table[[rank, 7, 100 + rank]] = torch.randn(3, WIDTH, generator=generator)
    table[8, 5] = float("nan") if rank else 0.0
    return [
        table,
        torch.randn(ROWS, WIDTH, generator=generator),
        torch.randn(WIDTH, generator=generator),
        torch.randn(4, 3, 2, generator=generator),
    ]


def worker(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=2)
    parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients(rank)]
    for parameter, gradient in zip(parameters, gradients(rank), strict=True):
        parameter.grad = gradient
    parameters.append(nn.Parameter(torch.zeros(2)))  # without a gradient
    sum_gradients(parameters)
    torch.save([parameter.grad for parameter in parameters], folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_all_processes_have_the_sum_of_their_gradients(tmp_path: Path) -> None:
    assert ROWS * WIDTH >= BUCKET_NUMBERS
    torch.multiprocessing.spawn(worker, (tmp_path,), nprocs=2)
    sums = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for one, other, *own in zip(*sums, [*gradients(0), None], [*gradients(1), None], strict=True):
        if own == [None, None]:
            assert one is None
            assert other is None
        else:
            assert torch.equal(one.nan_to_num(9), other.nan_to_num(9))
            torch.testing.assert_close(one, own[0] + own[1], equal_nan=True)
