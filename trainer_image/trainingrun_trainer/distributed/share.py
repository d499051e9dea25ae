"""Which rows of a batch are whose."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from torch import Tensor

from .group import rank, size

Row = TypeVar("Row")


class Share(NamedTuple):
    """Every so many rows of a batch, so that processes have like ones of rows that are sorted by length."""

    rank: int = 0
    size: int = 1

    @classmethod
    def own(cls) -> "Share":
        """This process's."""
        return cls(rank(), size())

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Its rows; one that is another's where there are too few, so that all have something to do."""
        return rows[self.rank :: self.size] or rows[:1]

    def count(self, total: int) -> int:
        """How many of so many rows are its own; 0 where it has another's."""
        return len(range(self.rank, total, self.size))

    @staticmethod
    def whole(shares: Tensor, total: int) -> Tensor:
        """The rows in their order, of all shares (shares, rows each, ...), some filled up at their end."""
        return shares.transpose(0, 1).flatten(0, 1)[:total]
