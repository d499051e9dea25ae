"""Text of others, in lines for people."""

import json

import pytest

from trainingrun_api.visible import visible, visible_json


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\x1b[2J\x07bill", r"\x1b[2J\x07bill"),
        ("a\r\n2026-11-27 INFO b\tc", r"a\r\n2026-11-27 INFO b\tc"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("\u202egnillib\u2066", r"\u202egnillib\u2066"),
        ("\ud800", r"\ud800"),
        ("Réclamation 👍\u200d", "Réclamation 👍\u200d"),
    ],
)
def test_what_nobody_sees_is_escaped_and_all_else_stays(text: str, line: str) -> None:
    assert visible(text) == line


def test_json_stays_the_same_value() -> None:
    value = {"text": "\x1b[2J\x9b31m\u202e\ud800é", "labels": ["a\nb"]}
    line = visible_json(value)
    assert json.loads(line) == value
    assert visible(line) == line
    assert "é" in line
