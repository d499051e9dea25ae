"""Keys and tokens, of which no word may be in a message or log."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import TrainerError
from .settings import secret_folder

NEWEST = "..data"
"""Link that the kubelet turns to a new folder with all files of a Secret that has changed."""

SENDABLE = re.compile(r"[!-~]+")
"""What a header can hold and keys are made of."""


@dataclass(frozen=True)
class StorageKeys:
    """Keys of an object store; never shown."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    """Of temporary ones."""


def read_keys(folder: Path, names: Sequence[str]) -> list[str]:
    """What a Secret has by these names now, all of one version of it; "" for what it hasn't."""
    link = folder / NEWEST
    while True:
        version = link.resolve() if link.exists() else folder
        keys = [_content(version / name) for name in names]
        if version == folder or link.resolve() == version:
            return keys


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def find_key(folder_name: str, key: str, variable: str) -> str | None:
    """That of a mounted Secret, as it is now; without one, what the environment has."""
    folder = secret_folder(folder_name)
    return read_keys(folder, [key])[0] if folder is not None else os.environ.get(variable)


def require_sendable(value: str | None, name: str, error: type[TrainerError]) -> None:
    """Raises `error`, which says nothing but the `name`, for a key that no request can hold.

    The libraries that send it would put all of it into theirs.
    """
    if value and not SENDABLE.fullmatch(value):
        raise error(
            f"{name} contains white space or a character that no key has, often a trailing line break; "
            "remove it"
        )
