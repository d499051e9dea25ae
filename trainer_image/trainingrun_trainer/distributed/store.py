"""The store that node 0 keeps: what its processes, and those of other nodes, know of each other."""

import os
from datetime import timedelta

from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

ANSWER_SECONDS = 300
"""That the store, which answers at once, has to do so."""

__all__ = ["PrefixStore", "Store", "connect", "connect_as_told", "serve"]


def connect(address: str, port: int) -> Store:
    """A connection to the store that `serve` gave."""
    return TCPStore(address, port, is_master=False, timeout=timedelta(seconds=ANSWER_SECONDS))


def connect_as_told() -> Store:
    """A connection to the store that torchrun's launcher names to each process."""
    return connect(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))


def serve(address: str, port: int) -> Store:
    """The store itself, which the launcher in this process uses too; it lives as long as this value."""
    return TCPStore(address, port, is_master=True, wait_for_workers=False, multi_tenant=True)
