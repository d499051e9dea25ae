"""What a user gets for files as they are."""

import bz2
import csv
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from trainingrun_trainer.data import Tally
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import Example

from .files import ONE_LABEL, examples, read, read_table, reading


def zstd(content: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def test_all_kinds_of_files_give_the_same_texts(tmp_path: Path) -> None:
    expected = [("late, again", ("1",)), ("ok", ("2",))]
    lines = '{"text": "late, again", "label": 1}\n\n{"text": "ok", "label": 2}\n'
    assert read(tmp_path / "a.jsonl", lines) == expected
    array = f"[{','.join(filter(None, lines.splitlines()))}]"
    assert read(tmp_path / "a.json", array) == expected
    assert read(tmp_path / "a.csv", '\ufefftext,label\r\n"late, again",1\r\nok,2\r\n') == expected
    columns = {"text": ["late, again", "ok"], "label": [1, 2]}
    assert read_table(tmp_path / "a.parquet", columns) == expected


def test_half_a_character_of_a_text_that_was_cut_off_is_a_question_mark(tmp_path: Path) -> None:
    lines = r'{"text": "thanks \ud83d\ude00\uD83D", "label": "a\ude00", "n": [1.5]}'
    assert read(tmp_path / "a.jsonl", lines) == [("thanks \U0001f600?", ("a?",))]


def test_a_text_knows_its_data_set(tmp_path: Path) -> None:
    (one,) = examples(tmp_path / "a.jsonl", '{"text": "ok", "label": 2}\n')
    assert one == Example("ok", ("2",), source="s3://data/a.jsonl")
    (one,) = examples(tmp_path / "a.jsonl", '{"text": "ok", "label": 2}\n', project="tickets")
    assert one.source == "tickets"


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".zst", zstd)],
)
def test_compressed_files_are_read_as_they_are(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    lines = "".join(f'{{"text": "text {n}", "label": "a"}}\n' for n in range(2000)).encode()
    texts = read(tmp_path / f"a.jsonl{suffix}", compress(lines))
    assert [text for text, _ in texts] == [f"text {n}" for n in range(2000)]
    assert read(tmp_path / f"A.CSV{suffix.upper()}", compress(b"text,label\nb,c\n")) == [("b", ("c",))]
    for broken in (compress(lines)[:-20], b"no such thing"):
        with pytest.raises(DataError, match=f"a.jsonl{suffix}: not a whole {suffix} file"):
            read(tmp_path / f"a.jsonl{suffix}", broken)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text;label;price\nlate, again;x;1,50\n"),
        ("a.csv", "text\tlabel\nlate, again\tx\n"),
        ("a.csv", "id|text|label\n1|late, again|x\n"),
        ("a.csv", "text;label;a,b,c,d\nlate, again;x;1,2,3\n"),
        ("a.tsv", "text\tlabel\tx,y,z\nlate, again\tx\t1\n"),
        ("a.csv", '"text","label","a\nb"\n"late, again",x,1\n'),
    ],
)
def test_columns_are_divided_by_what_the_header_shows(tmp_path: Path, name: str, content: str) -> None:
    assert read(tmp_path / name, content) == [("late, again", ("x",))]


@pytest.mark.parametrize("escaping", [{}, {"doublequote": False, "escapechar": "\\"}])
def test_quotes_inside_fields_are_doubled_or_follow_a_backslash(
    tmp_path: Path, escaping: dict[str, Any]
) -> None:
    texts = ['he said "late", twice', '"', 'so "late"', 'two\nlines, "both" late', "C:\\new\\", "größer", "x"]
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, **escaping).writerows([("text", "label"), *((text, "a") for text in texts)])
    assert [example.text for example in reading(tmp_path / "a.csv")] == texts


def test_backslashes_are_characters_like_any_where_spark_writes_them(tmp_path: Path) -> None:
    rows = r"""text,label
"he said \"late\", twice",a
"\"C:\new\"",b
C:\new,c
"both \\",d
"""
    assert read(tmp_path / "a.csv", rows) == [
        ('he said "late", twice', ("a",)),
        (r'"C:\new"', ("b",)),
        (r"C:\new", ("c",)),
        ("both \\", ("d",)),
    ]
    doubled = 'text,label\n"in C:\\",a\n"say ""\\"", please",b\n'
    assert [text for text, _ in read(tmp_path / "a.csv", doubled)] == ["in C:\\", 'say "\\", please']


def test_fields_inside_objects_are_found_by_their_path(tmp_path: Path) -> None:
    line = (
        '{"body": {"text": "late"}, "meta": {"team.label": "no", "team": {"label": "x"}}, '
        '"meta.team.label": "%s"}\n'
    )
    fields = {"text_field": "body.text", "label_field": "meta.team.label"}
    assert read(tmp_path / "a.jsonl", line % "y", **fields) == [("late", ("y",))]
    nested = line.replace(', "meta.team.label": "%s"', "")
    assert read(tmp_path / "a.jsonl", nested, **fields) == [("late", ("x",))]
    columns = {"body": [{"text": "late"}], "meta": [{"team": {"label": "x"}}]}
    assert read_table(tmp_path / "a.parquet", columns, **fields) == [("late", ("x",))]
    message = "field 'body.words' is missing; there are 'body.text', 'meta.team.label'"
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.jsonl", nested.replace('"team.label": "no", ', ""), text_field="body.words")


def test_items_of_lists_are_found_by_their_index(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"text": "late"}, {"text": "where?"}], "answers": [["no", "a"]]},
        {"messages": [{"text": "ok"}], "answers": [["no"]]},
        {"messages": [{"text": "no"}], "answers": []},
        {"messages": [], "answers": [["no", "a"]]},
        {"messages": [{"text": "dear"}], "answers": [["no", "b"]]},
    ]
    fields = {"text_field": "messages[0].text", "label_field": "answers[0][1]"}
    expected, counts = [("late", ("a",)), ("dear", ("b",))], (5, 1, 2, 2)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps(rows))
    for name in ("a.json", "a.parquet"):
        texts = reading(tmp_path / name, **fields)
        assert [(example.text, example.labels) for example in texts] == expected
        assert counted(texts.tallies[0]) == counts
    named = json.dumps([{**row, "answers[0][1]": "c"} for row in rows])
    assert read(tmp_path / "a.json", named, **fields)[0] == ("late", ("c",))


@pytest.mark.parametrize(
    "field", ["messages[0].body", "messages.text", "text[0]", "messages[0]text", "[0]", "a[-1]"]
)
def test_a_path_that_leads_nowhere_is_told(field: str, tmp_path: Path) -> None:
    row = {"messages": [{"text": "late"}], "text": "x", "label": "a"}
    message = f"field {field!r} is missing; there are 'label', 'messages', 'text'"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps([row]))
    for name in ("a.json", "a.parquet"):
        with pytest.raises(DataError) as caught:
            read(tmp_path / name, text_field=field)
        assert message in str(caught.value)


def test_several_labels_stand_in_a_list_or_are_divided(tmp_path: Path) -> None:
    expected = [("late", ("a", "b")), ("ok", ("a",)), ("no", ("c",))]
    lines = (
        '{"text": "late", "label": ["b", " a", "b", ""]}\n'
        '{"text": "ok", "label": ["a"]}\n{"text": "no", "label": "c"}\n'
    )
    assert read(tmp_path / "a.jsonl", lines, several_labels=True) == expected
    table = {"text": ["late", "ok", "no"], "label": [["a", "b"], ["a"], ["c"]]}
    assert read_table(tmp_path / "a.parquet", table, several_labels=True) == expected
    lines = "text,label\nlate,b| a\nok,a|\nno,c\n"
    assert read(tmp_path / "a.csv", lines, several_labels=True, label_separator="|") == expected
    assert read(tmp_path / "a.csv", lines)[0] == ("late", ("b| a",))


def test_one_label_may_stand_in_a_list_and_two_are_refused_where_one_belongs(tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl", '{"text": "x", "label": ["a"]}') == [("x", ("a",))]
    both = '{"text": "x", "label": ["a", "b"]}'
    with pytest.raises(DataError, match=rf"line 1: .* 2 labels \('a', 'b'\), and {ONE_LABEL}"):
        read(tmp_path / "a.jsonl", both)


def test_rows_without_text_or_label_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": " ", "label": "a"}\n{"text": null, "label": "a"}\n'
        '{"text": "x"}\n{"text": "y", "label": null}\n{"text": "z", "label": " "}\n'
        '{"text": "v", "label": []}\n'
        '{"text": "w", "label": true}\n'
    )
    texts = reading(tmp_path / "a.jsonl")
    assert [(example.text, example.labels) for example in texts] == [("w", ("true",))]
    assert counted(texts.tallies[0]) == (7, 2, 4, 1)


def counted(tally: Tally) -> tuple[int, int, int, int]:
    return tally.read, tally.empty, tally.unlabelled, tally.used


def test_files_are_read_as_a_stream(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x", "label": "a"}\n' * 2 + "broken\n")
    texts = iter(reading(tmp_path / "a.jsonl"))
    assert [next(texts).text, next(texts).text] == ["x", "x"]
    with pytest.raises(DataError, match="line 3"):
        next(texts)


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
        (
            "a.jsonl",
            '{"text": "a", "label": {"b": 1}}',
            "field 'label' holds an object where a label belongs",
        ),
        ("a.jsonl", '{"text": "a", "topic": "b"}', "no row has the field 'label'; there are 'text', 'topic'"),
        ("a.jsonl", "", "there are no rows"),
        (
            "a.jsonl",
            '{"text": "a", "label": "b", "text": "c"}',
            "s3://data/a.jsonl, line 1: field 'text' stands there twice; give each field a name of its own",
        ),
        ("a.jsonl", '{"a":' * 3000, "line 1: too many lists or objects inside each other"),
        (
            "a.jsonl",
            '{"a":' * 900 + "0" + "}" * 900,
            "line 1: field 'text' is missing; there are 'a.a.a.a.a.",
        ),
        ("a.jsonl", '{"label": ' + "9" * 5000 + "}", "line 1: not a JSON object in UTF-8 (Exceeds the limit"),
        ("a.jsonl", '{"text": "a"}'.encode("utf-16"), "the text is in UTF-16; save the file as UTF-8"),
        ("a.csv", "text,label\na,b,c\n", "s3://data/a.csv, line 2: more fields than the header line has"),
        ("a.csv", "text,label\na\n", "line 2: fewer fields"),
        ("a.csv", "text,label,text\na,b,c\n", "line 1: column 'text' stands there twice"),
        (
            "a.csv",
            ("text;label\n" + "on time;a\n" * 2000 + "verspätet;b\n").encode("cp1252"),
            "s3://data/a.csv, line 2002: not in UTF-8 (byte 0xe4); save the file as UTF-8, or convert it",
        ),
        ("a.csv", 'text,label\n"late",a\n"a,b\n', "a.csv, after line 2: not CSV (unexpected end of data)"),
        ("a.csv", 'text,label\n"a "late" one",b\n', "quotes around fields that hold some, and write each of"),
        ("a.csv", 'text,label\n"a \\"late\\" one, b\n', "a.csv, after line 1: not CSV"),
        ("a.csv", "text,label\na,b\n".encode("utf-16"), "the text is in UTF-16"),
        ("a.csv", "text,label\na,b\n".encode("utf-16-le"), "convert it with iconv -f UTF-16 -t UTF-8"),
        ("a.csv", "text,label\na,b\n".encode("utf-16-be"), "the text is in UTF-16"),
        ("a.csv", "body;topic\na;b\n", "field 'text' is missing; there are 'body', 'topic'"),
        ("a.parquet", "no parquet", "s3://data/a.parquet: not a Parquet file"),
        ("a.xlsx", "", "unknown kind of file; spec.dataset.uri takes .jsonl, .json, .csv, .tsv, .parquet"),
        ("a.parquet.gz", "", "unknown kind of file"),
    ],
)
def test_messages_say_where_and_what_to_change(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / name, content)
    assert message in str(caught.value)
