"""An order of groups that seed and content fix, wherever they stood."""

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

Places = NDArray[np.int64]


def places(keys: NDArray[np.uint64], group: NDArray[np.integer], seed: int) -> Places:
    """The place of each row's group, (rows,): groups in the order of the least hash of their rows.

    `keys` stand for the content of each row, (rows, ...); `group` numbers the groups from 0 on, (rows,).
    """
    content = keys.tobytes()
    size = len(content) // max(len(keys), 1)
    hashes = (xxh3_64_intdigest(content[row * size : (row + 1) * size], seed) for row in range(len(keys)))
    least = np.full(group.max(initial=-1) + 1, np.iinfo(np.uint64).max)
    np.minimum.at(least, group, np.fromiter(hashes, np.uint64, len(keys)))
    place = np.empty(len(least), dtype=np.int64)
    place[np.argsort(least)] = np.arange(len(least))
    found: Places = place[group]
    return found
