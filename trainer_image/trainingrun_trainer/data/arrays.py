"""Lists as numpy prints them, which is how a table of lists becomes CSV."""

import re
from itertools import pairwise

TOKEN = re.compile(
    r"""(?P<value>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|None|nan|[-+]?\d[\w.+-]*)"""
    r"""|(?P<opening>(?:array\()?\[)|(?P<closing>\](?:,\s*dtype=object\))?)|(?P<comma>,)|\s+""",
    re.DOTALL,
)
"""Also those of arrays in arrays: [array(['a', 'b'], dtype=object) None]."""


def as_python(written: str) -> str:
    """The list as Python writes it, with commas between its items; other texts as they are.

    Two strings side by side would be one in Python.
    """
    tokens, end = list[re.Match[str]](), 0
    while token := TOKEN.match(written, end):
        end = token.end()
        if token.lastgroup:
            tokens.append(token)
    if end < len(written) or not tokens or tokens[0].lastgroup != "opening":
        return written
    return "".join(_parts(tokens))


def _parts(tokens: list[re.Match[str]]) -> list[str]:
    parts = [_part(tokens[0])]
    for before, token in pairwise(tokens):
        side_by_side = before.lastgroup in {"value", "closing"} and token.lastgroup in {"value", "opening"}
        parts += [", "] * side_by_side + [_part(token)]
    return parts


def _part(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "opening":
            return "["
        case "closing":
            return "]"
    return "None" if token[0] == "nan" else token[0]
