"""Words of others in Markdown."""

import html
import re

from trainingrun_api.visible import visible

MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")
"""What makes markup, a formula or the end of a table's cell; not the underscores inside of names."""


def markdown_text(value: str) -> str:
    """On one line, for a sentence or a table's cell: neither markup nor HTML."""
    return MARKUP.sub(r"\\\g<0>", html.escape(visible(value), quote=False))


def markdown_code(value: str) -> str:
    """On one line, as code in a sentence."""
    line = visible(value)
    ticks = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    space = " " if "`" in line else ""
    return f"{ticks}{space}{line}{space}{ticks}"
