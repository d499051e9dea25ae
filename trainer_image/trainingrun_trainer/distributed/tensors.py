"""Tensors of all processes put together."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from .group import gather_objects, is_first, peers, rank, size
from .share import Share

BUCKET_NUMBERS = 8_388_608
"""Of gradients that are summed at once: few operations, and little memory beside the gradients."""


def sum_numbers(*numbers: float) -> list[float]:
    """The sum of each over all processes, in double precision."""
    if size() == 1:
        return list(numbers)
    sums = torch.tensor(numbers, dtype=torch.float64)
    with peers():
        dist.all_reduce(sums)
    return sums.tolist()


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Make each gradient the sum of those of all processes, which have them for the same parameters.

    Not by DistributedDataParallel, which sums within the backward pass: a process that runs out of memory
    there would leave the others waiting, and batches could not be divided together.
    """
    if size() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    tables = [one for one in gradients if _is_table(one)]
    for table in tables:
        _sum_rows(table)
    for bucket in _buckets([one for one in gradients if not _is_table(one)]):
        alone = len(bucket) == 1 and bucket[0].is_contiguous()
        flat = bucket[0] if alone else torch.cat([gradient.flatten() for gradient in bucket])
        with peers():
            dist.all_reduce(flat)
        if not alone:
            sums = torch.split(flat, [gradient.numel() for gradient in bucket])
            for gradient, summed in zip(bucket, sums, strict=True):
                gradient.copy_(summed.view_as(gradient))


def _is_table(gradient: Tensor) -> bool:
    """Whether it is large, and may be that of a table of tokens: zeros but for the few that have a part.

    Only on the CPU, since a GPU would have to be waited for, which sums as much in less time.
    """
    return gradient.ndim == 2 and gradient.numel() >= BUCKET_NUMBERS and gradient.device.type == "cpu"


def _sum_rows(table: Tensor) -> None:
    """Make a gradient the sum of those of all processes, by those of its rows that are not zero anywhere."""
    reached = table.any(dim=1).to(torch.uint8)
    with peers():
        dist.all_reduce(reached, dist.ReduceOp.MAX)
    rows = reached.nonzero().squeeze(1)
    values = table[rows]
    with peers():
        dist.all_reduce(values)
    table[rows] = values


def _buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    for gradient in gradients:
        if bucket and sum(one.numel() for one in bucket) + gradient.numel() > BUCKET_NUMBERS:
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket


def gather_rows(own: Tensor, total: int) -> Tensor:
    """All `total` rows of a batch of which each process has its Share, in their order.

    Gradients go back to this process's own rows alone.
    """
    if size() == 1:
        return own
    own, most = own[: Share.own().count(total)], -(-total // size())
    padded = torch.cat([own, own.new_zeros(most - len(own), *own.shape[1:])])
    shares = [torch.empty_like(padded) for _ in range(size())]
    with peers():
        dist.all_gather(shares, padded.detach().contiguous())
    shares[rank()] = padded
    return Share.whole(torch.stack(shares), total)


def gather(rows: Tensor, *values: Tensor) -> list[Tensor]:
    """Rows (rows,) of all processes and their values, on the CPU of the first one, by row and each once.

    At the others what they have themselves.
    """
    columns = [rows.cpu(), *(one.cpu() for one in values)]
    if size() > 1:
        counts = gather_objects(len(rows))
        if not is_first():
            _send(columns)
            return columns
        received = [columns, *(_receive(columns, counts[source], source) for source in range(1, size()))]
        columns = [torch.cat(parts) for parts in zip(*received, strict=True)]
    _, first = np.unique(columns[0].numpy(), return_index=True)
    return [one[first] for one in columns]


def _send(columns: list[Tensor]) -> None:
    with peers():
        for one in columns:
            dist.send(one.contiguous(), 0)


def _receive(like: list[Tensor], count: int, source: int) -> list[Tensor]:
    columns = [one.new_empty(count, *one.shape[1:]) for one in like]
    with peers():
        for one in columns:
            dist.recv(one, source)
    return columns


def take_weights(network: nn.Module) -> None:
    """Have the first process's weights."""
    if size() == 1:
        return
    with torch.no_grad(), peers():
        for value in network.state_dict().values():
            dist.broadcast(value, src=0)
