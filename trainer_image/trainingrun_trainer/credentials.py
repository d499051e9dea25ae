"""Keys and tokens, of which no word may be in a message or log."""

import re
from dataclasses import dataclass, field

from .errors import TrainerError

SENDABLE = re.compile(r"[!-~]+")
"""What a header can hold and keys are made of."""


@dataclass(frozen=True)
class StorageKeys:
    """Keys of an object store; never shown."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    """Of temporary ones."""


def require_sendable(value: str | None, name: str, error: type[TrainerError]) -> None:
    """Raises `error`, which says nothing but the `name`, for a key that no request can hold.

    The libraries that send it would put all of it into theirs.
    """
    if value and not SENDABLE.fullmatch(value):
        raise error(
            f"{name} contains white space or a character that no key has, often a trailing line break; "
            "remove it"
        )
