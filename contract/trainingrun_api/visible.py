"""Text of others, in lines for people."""

import json
import re

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, ends of lines, what turns the direction of text, and halves of characters: they steer a
terminal, forge a line of a log, or show something else than what is there."""


def visible(text: str) -> str:
    r"""The text on one line, with an escape such as \x1b or \n for each character that nobody sees."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_json(value: object) -> str:
    """The value as JSON on one line, with an escape for each character that nobody sees."""
    written = json.dumps(value, ensure_ascii=False)
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
