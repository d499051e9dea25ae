"""Names of labels: what looks the same is the same."""

import re
import unicodedata

INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
"""Soft hyphen, zero-width space, direction marks, word joiner and byte order mark, which nobody sees.
Those that join letters, as in Persian, Hindi and emoji, are kept."""


def label_name(written: str) -> str:
    """The name of a label that is written so: in Unicode NFC, white space as single spaces, none around it.

    "" where there is nothing to see.
    """
    if not written.isascii():
        written = unicodedata.normalize("NFC", INVISIBLE.sub("", written))
    return " ".join(written.split())
