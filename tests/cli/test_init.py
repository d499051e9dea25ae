"""`trainingrun init`: from a file of labelled texts to a manifest."""

import csv
import io
import json
import re
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from trainingrun_cli.__main__ import main

from .conftest import EXAMPLES, Command

DATA = EXAMPLES / "data"
EXPORTS = EXAMPLES.parent / "tests/trainer/data/exports"
ROWS = [
    {
        "id": number,
        "subject": f"Ticket {number}",
        "note": f"It broke again, for the {number}th time",
        "team": team,
    }
    for number, team in enumerate(["billing", "app, web"] * 10)
]


def fields(text: str) -> tuple[str, str, str | None]:
    spec = yaml.safe_load(text)["spec"]
    return spec["dataset"]["textField"], spec["dataset"]["labelField"], spec.get("taskType")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tickets.jsonl", ("text", "label", None)),
        ("reviews.csv", ("review", "sentiment", None)),
        ("shop.jsonl", ("message", "reason", None)),
        ("app-reviews.jsonl", ("review", "topics", "MultiLabelClassification")),
    ],
)
def test_the_fields_of_an_example_are_found_and_its_labels_counted(
    command: Command, tmp_path: Path, name: str, expected: tuple[str, str, str | None]
) -> None:
    path = tmp_path / "run.yaml"
    said = command("init", str(DATA / name), "--output", str(path), "--store", "s3://team/texts/")
    assert said == (0, "", "")
    text = path.read_text()
    assert fields(text) == expected
    assert yaml.safe_load(text)["spec"]["dataset"]["uri"] == f"s3://team/texts/{name}"
    assert re.search(r"^#   [\w ]+: \d+$", text, re.MULTILINE)
    checked = command("validate", str(path), "--data", str(DATA))
    assert checked.status == 0, checked.err
    assert "rows read with" in checked.out
    assert command("init", str(DATA / name), "--output", str(path)).err.endswith("name another file\n")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (DATA / "shop-annotations.json", ("LabelStudio", "message", "reason")),
        (EXPORTS / "argilla.parquet", ("Argilla", "text", "team")),
        (EXPORTS / "argilla.jsonl", ("Argilla", "text", "team")),
    ],
)
def test_the_tool_that_exported_a_file_is_found(
    command: Command, path: Path, expected: tuple[str, str, str]
) -> None:
    said = command("init", str(path))
    assert said.status == 0, said.err
    dataset = yaml.safe_load(said.out)["spec"]["dataset"]
    assert (dataset["format"], dataset["textField"], dataset["labelField"]) == expected
    checked = command("validate", "-", given=said.out)
    assert checked.status == 0, checked.err


@pytest.mark.parametrize("name", ["data.csv", "data.jsonl", "Data & more.parquet"])
def test_a_manifest_is_valid_with_its_comments_and_without(
    command: Command, tmp_path: Path, name: str
) -> None:
    rows = [{**row, "kind: of\nbug": "a" if row["id"] % 3 else "b, c"} for row in ROWS]
    write(tmp_path / name, rows)
    said = command("init", str(tmp_path / name), "--label-field", "team")
    assert said.status == 0, said.err
    assert fields(said.out) == ("note", "team", None)
    everything = re.sub(r"^( +)# ( *\w+:)", r"\1\2", said.out, flags=re.MULTILINE)
    assert yaml.safe_load(everything)["spec"]["contextParameters"] == ["kind: of\nbug"]
    for text in (said.out, everything):
        checked = command("validate", "-", given=text)
        assert checked.status == 0, checked.err


def write(path: Path, rows: list[dict[str, object]]) -> None:
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case ".parquet":
            parquet.write_table(pa.Table.from_pylist(rows), path)
        case ".csv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)


def test_what_can_not_be_guessed_is_asked_for_or_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tickets.jsonl"
    write(path, [{**row, "owner": "ann" if row["id"] % 3 else "bob"} for row in ROWS])
    said = command("init", str(path))
    assert said.status == 2
    assert "name the field with the label in --label-field, of id, subject, note, team, owner" in said.err

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("\nteam\nfirst-try\n\n"))
    monkeypatch.setattr(sys, "argv", ["trainingrun", "init", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    asked = capsys.readouterr()
    assert ended.value.code == 0
    assert "Field with the text, of id, subject, note, team, owner [note]: " in asked.err
    assert fields(asked.out) == ("note", "team", None)
    assert "Name of the run [tickets]: " in asked.err
    manifest = yaml.safe_load(asked.out)
    assert manifest["metadata"]["name"] == "first-try"
    assert manifest["spec"]["output"]["uri"] == "s3://my-bucket/runs"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", (), "there are no rows"),
        ('{"text": "a"', (), "line 1"),
        ('{"text": "a", "label": "b"}\n', ("--name", "A_b"), "--name A_b: a lowercase RFC 1123 subdomain"),
        ('{"text": "a", "label": "b"}\n', ("--label-field", "c"), "no row has the field 'c'"),
    ],
)
def test_what_can_not_be_used_is_told(
    command: Command, tmp_path: Path, content: str, options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "data.jsonl").write_text(content)
    said = command("init", str(tmp_path / "data.jsonl"), "--label-field", "label", *options)
    assert said.status == 2
    assert message in said.err
