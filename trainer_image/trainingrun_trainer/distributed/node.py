"""What is made once a node, and shared by its processes through its disk."""

import os
import pickle
import struct
import time
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TypeVar

from .group import meet, size

FOLDER_VARIABLE = "TRAININGRUN_NODE_FOLDER"
"""Environment variable that names the folder of a node's processes, which their launcher has made."""

LOOK_SECONDS = 0.1

ALIGNED = 64
"""Bytes that each array begins at a multiple of."""

LENGTH = struct.Struct("<q")

Value = TypeVar("Value")


def leads_node() -> bool:
    """Whether this is the first process of its node."""
    return int(os.environ.get("LOCAL_RANK", "0")) == 0


def node_folder(own: Path) -> Path:
    """Where all processes of this node read what one of them writes: `own` where there is no other."""
    return own if size() == 1 else Path(os.environ[FOLDER_VARIABLE])


def once_a_node(name: str, make: Callable[[], Value]) -> Value:
    """What `make` gives, which only the first process of each node calls; the others get the same value.

    What their value holds in arrays is the page cache's, and takes no memory of its own.
    """
    if size() == 1:
        return make()
    file = Path(os.environ[FOLDER_VARIABLE], name)
    if leads_node():
        value = make()
        _write(file, value)
    else:
        # A process that fails at it ends the others of its node.
        while not file.exists():
            time.sleep(LOOK_SECONDS)
        value = _read(file)
    meet()
    if leads_node():
        file.unlink()  # it is mapped by all now
    return value


def _write(file: Path, value: object) -> None:
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    part = file.with_suffix(".part")
    with part.open("wb") as content:
        for one in (memoryview(head), *(buffer.raw() for buffer in buffers)):
            content.write(LENGTH.pack(len(one)))
            content.write(bytes(-content.tell() % ALIGNED))
            content.write(one)
    part.rename(file)


def _read(file: Path) -> Value:  # type: ignore[type-var]
    with file.open("rb") as content:
        whole = memoryview(mmap(content.fileno(), 0, access=ACCESS_READ))
    parts, position = [], 0
    while position < len(whole):
        (length,) = LENGTH.unpack_from(whole, position)
        position += LENGTH.size
        position += -position % ALIGNED
        parts.append(whole[position : position + length])
        position += length
    value: Value = pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 - written by this run's own process
    return value
