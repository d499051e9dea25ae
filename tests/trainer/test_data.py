"""What a user gets for files as they are."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from trainingrun_trainer import data
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import Example, LabelledTexts, SourceFile


def read(path: Path, content: str | bytes, text: str = "text", label: str = "label") -> LabelledTexts:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return data.read([SourceFile(f"s3://data/{path.name}", path)], text, label)


def test_all_kinds_of_files_give_the_same_texts(tmp_path: Path) -> None:
    jsonl = read(tmp_path / "a.jsonl", '{"text": "late, again", "label": 1}\n\n{"text": "ok", "label": 2}\n')
    table = read(tmp_path / "a.csv", '\ufefftext,label\r\n"late, again",1\r\nok,2\r\n')
    pyarrow.parquet.write_table(
        pyarrow.table({"text": ["late, again", "ok"], "label": [1, 2]}), tmp_path / "a.parquet"
    )
    parquet = data.read([SourceFile("s3://data/a.parquet", tmp_path / "a.parquet")], "text", "label")
    assert jsonl == table == parquet
    assert jsonl.examples == [Example("late, again", ("1",)), Example("ok", ("2",))]


def test_rows_without_text_or_label_are_left_out_and_counted(tmp_path: Path) -> None:
    texts = read(
        tmp_path / "a.jsonl",
        '{"text": " ", "label": "a"}\n{"text": null, "label": "a"}\n'
        '{"text": "x"}\n{"text": "y", "label": null}\n{"text": "z", "label": " "}\n'
        '{"text": "w", "label": true}\n',
    )
    assert (texts.read, texts.empty, texts.unlabelled) == (6, 2, 3)
    assert texts.examples == [Example("w", ("true",))]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.jsonl",
            '{"text": "a", "label": "b"}\n{"text": \n',
            "s3://data/a.jsonl, line 2: not a JSON object",
        ),
        ("a.jsonl", b'{"text": "\xff"}', "line 1: not a JSON object in UTF-8"),
        ("a.jsonl", "[1]\n", "line 1: not a JSON object; write one object"),
        ("a.jsonl", '{"body": "a", "topic": "b"}', "'body', 'topic'. Name the field that holds the text in "),
        ("a.jsonl", '{"text": 3, "label": "b"}', "field 'text' holds a number where a text belongs"),
        ("a.jsonl", '{"text": "a", "label": ["b"]}', "field 'label' holds a list where one label belongs"),
        ("a.jsonl", '{"text": "a", "topic": "b"}', "no row has the field 'label'; there are 'text', 'topic'"),
        ("a.jsonl", "", "there are no rows"),
        ("a.csv", "text,label\na,b,c\n", "s3://data/a.csv, line 2: more fields than the header line has"),
        ("a.csv", "text,label\na\n", "line 2: fewer fields"),
        ("a.csv", b"text,label\n\xff\xfe,b\n", "not CSV in UTF-8"),
        ("a.csv", 'text,label\n"a,b\n', "not CSV"),
        ("a.parquet", "no parquet", "s3://data/a.parquet: not a Parquet file"),
        ("a.xlsx", "", "unknown kind of file; spec.dataset.uri takes .jsonl, .csv, .parquet"),
    ],
)
def test_messages_say_where_and_what_to_change(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / name, content)
    assert message in str(caught.value)
