"""Token ids of many texts, on disk."""

from collections.abc import Sequence
from itertools import chain
from tempfile import TemporaryFile
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray


class TokenIds(Sequence[list[int]]):
    """Token ids of each text, read when they are asked for.

    They lie in a file without a name, which is gone with this object: they take disk and not memory, but for
    8 bytes a text.
    """

    def __init__(self, tokens: NDArray[np.int32], ends: NDArray[np.int64]) -> None:
        """`tokens` of all texts one after the other; `ends` says where each text ends in them."""
        self._tokens = np.asarray(tokens)  # no memmap: pickle would copy that
        self._ends = ends

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, (texts,)."""
        return np.diff(self._ends, prepend=0)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> list[int]: ...

    @overload
    def __getitem__(self, index: slice) -> list[list[int]]: ...

    def __getitem__(self, index: int | slice) -> list[int] | list[list[int]]:
        if isinstance(index, slice):
            return [self[one] for one in range(len(self))[index]]
        end = int(self._ends[index])
        position = index % len(self)
        start = int(self._ends[position - 1]) if position else 0
        tokens: list[int] = self._tokens[start:end].tolist()
        return tokens


class TokenWriter:
    """Writes token ids as they come; use it as a context manager around `add` and `tokens`."""

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="tokens-")  # noqa: SIM115 - closed on exit
        self._lengths = [np.zeros(0, dtype=np.int64)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, texts: Sequence[Sequence[int]]) -> None:
        """The token ids of some more texts."""
        self._lengths.append(np.fromiter(map(len, texts), np.int64, len(texts)))
        np.fromiter(chain.from_iterable(texts), np.int32).tofile(self._file)

    def tokens(self) -> TokenIds:
        """Of all texts that were added; they outlive the writer."""
        ends = np.concatenate(self._lengths).cumsum()
        return TokenIds(self._mapped(int(ends[-1]) if len(ends) else 0), ends)

    def _mapped(self, tokens: int) -> NDArray[np.int32]:
        if not tokens:  # an empty file can't be mapped
            return np.zeros(0, dtype=np.int32)
        self._file.flush()
        return np.memmap(self._file, dtype=np.int32, mode="r", shape=(tokens,))
