"""What is applied is read as YAML."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from trainingrun_api.server_side_apply import apply_patch


@given(st.text())
def test_any_text_arrives(text: str) -> None:
    assert yaml.safe_load(apply_patch({"text": text, "of": [text]})) == {"text": text, "of": [text]}


def test_half_a_character_is_replaced() -> None:
    assert yaml.safe_load(apply_patch({"text": "a\ud83d"})) == {"text": "a\ufffd"}
