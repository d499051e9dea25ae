"""Patterns of URIs, which match as a shell matches file names."""

import glob
import re
from fnmatch import fnmatchcase
from urllib.parse import unquote

from .store import Store

WILDCARDS = "*?["
ENCODED = re.compile(r"(%[0-9A-Fa-f]{2})+")


def is_pattern(uri: str) -> bool:
    """True when there are wildcards in it; an object may be called so all the same."""
    return any(wildcard in uri for wildcard in WILDCARDS)


def matching(store: Store, pattern: str) -> list[str]:
    """URIs that match, sorted: no wildcard stands for a slash."""
    before = pattern[: min(pattern.find(wildcard) for wildcard in WILDCARDS if wildcard in pattern)]
    under = store.files(before[: before.rindex("/") + 1])
    wanted = _shell_pattern(pattern).split("/")
    return [file for file in under if _matches(_name(file).split("/"), wanted)]


def _matches(parts: list[str], patterns: list[str]) -> bool:
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _name(uri: str) -> str:
    """What the file is called: only file:// URIs are percent-encoded."""
    return unquote(uri) if uri.startswith("file://") else uri


def _shell_pattern(uri: str) -> str:
    """The pattern of names; what is percent-encoded stands for itself, even where it is a wildcard."""
    if not uri.startswith("file://"):
        return uri
    return ENCODED.sub(lambda found: glob.escape(unquote(found[0])), uri)
