"""A .json file holds its texts in one array, of whatever length."""

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from trainingrun_trainer.data import json_files
from trainingrun_trainer.errors import DataError

from .files import read, reading

TWO = [{"text": "late, again", "label": 1}, {"text": "ok", "label": ["2"]}]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_however_it_is_laid_out(indent: int | None, tmp_path: Path) -> None:
    expected = [("late, again", ("1",)), ("ok", ("2",))]
    written = json.dumps(TWO, indent=indent)
    assert read(tmp_path / "a.json", written) == expected
    assert read(tmp_path / "a.json", f"\ufeff \r\n{written}\n") == expected
    assert read(tmp_path / "A.JSON.GZ", gzip.compress(written.encode())) == expected


def test_objects_are_put_together_wherever_reading_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f'text {n} "ä\U0001f600" \\ [{{' for n in range(50)]
    written = json.dumps([{"text": text, "label": "a"} for text in texts], indent=1)
    for at_once in (1, 7, 64):
        monkeypatch.setattr(json_files, "CHARACTERS_AT_ONCE", at_once)
        assert [text for text, _ in read(tmp_path / "a.json", written)] == texts


def test_half_a_character_is_a_question_mark_in_its_text_alone(tmp_path: Path) -> None:
    array = r'[{"text": "thanks \ud83d\ude00\uD83D", "label": "a"}, {"text": "x", "label": "b"}]'
    assert read(tmp_path / "a.json", array) == [("thanks \U0001f600?", ("a",)), ("x", ("b",))]


def test_memory_holds_a_few_objects_at_a_time(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        one = json.dumps({"text": "x" * 1000, "label": "a"})
        (tmp_path / "a.json").write_text(f"[{', '.join([one] * count)}]")
        tracemalloc.start()
        try:
            assert sum(1 for _ in reading(tmp_path / "a.json")) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(30_000) < 1.2 * peak(3000)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a", "label": "b"}\n', "line 1: not a JSON array; a .json file holds one array"),
        ("", "line 1: not a JSON array"),
        ("[]", "there are no rows"),
        ('[{"text": "a", "label": "b"},\n 7]', "line 2: not a JSON object; the array has to hold one object"),
        ('[{"text": "a", "label": "b"},]', "line 1: not a JSON object"),
        (
            '[\n{"text": "a",\n "label" "b"}]',
            "s3://data/a.json, line 3: not JSON (Expecting ':' delimiter); correct it",
        ),
        ('[{"text": "a", "label": "b"}\n', "line 2: not JSON (an object must be followed by , or ])"),
        ('[{"text": "a", "label": "b"', "line 1: not JSON (Expecting ',' delimiter)"),
        ('[{"text": "a", "label": "b"}]\n[]', "line 2: there is more after the end of the array"),
        ('[{"text": 3, "label": "b"}]', "a.json, item 1 (line 1): field 'text' holds a number"),
        ('[{"text": "a", "label": "b", "text": "c"}]', "line 1: field 'text' stands there twice"),
        ('[{"label": ' + "9" * 5000 + "}]", "line 1: not JSON (Exceeds the limit"),
        ("[" + '{"a":' * 3000, "line 1: not JSON"),
        ('[{"text": "a", "label": "b"}, {"text": "ä"}]'.encode("cp1252"), "not in UTF-8 (byte 0xe4)"),
        ('[{"text": "a"}]'.encode("utf-16"), "the text is in UTF-16; save the file as UTF-8"),
    ],
)
def test_messages_say_where_and_what_to_change(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.json", content)
    assert message in str(caught.value)
