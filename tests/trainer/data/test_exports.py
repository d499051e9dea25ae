"""Files as labelling tools export them.

Those of Label Studio are tasks as its documentation has them, and what its converter (label-studio-sdk 2.1.2)
makes of these; those of Argilla are written by argilla 2.8.0 and datasets; those of doccano have the columns
that doccano 1.8.4 writes.
"""

import csv
import json
import logging
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from trainingrun_api.dataset import ExportFormat
from trainingrun_api.labels import Labels
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer.data import Reading
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.tasks.loading import load_task

from .files import read, reading

EXPORTS = Path(__file__).parent / "exports"
LABEL_STUDIO = ("label-studio.json", "label-studio-min.json", "label-studio.csv")
ARGILLA = ("argilla.jsonl", "argilla.parquet", "argilla.csv")

TEAMS = [
    ("I was charged twice", ("billing",)),
    ("The parcel is late, and it was dear", ("delivery",)),
    ("It's the wrong colour, take it back", ("returns",)),
]
"""What most annotators gave; about a fourth text two of them disagree."""

TOPICS = [
    ("I was charged twice", ("price",)),
    ("The parcel is late, and it was dear", ("delay",)),
    ("It's the wrong colour, take it back", ("price", "quality")),
]


def exported(name: str, **options: Any) -> Reading:
    tool = ExportFormat.ARGILLA if name in ARGILLA else ExportFormat.LABEL_STUDIO
    return reading(EXPORTS / name, format=tool, **options)


@pytest.mark.parametrize("name", [*LABEL_STUDIO, *ARGILLA])
def test_a_text_has_the_labels_that_more_than_half_of_its_annotators_gave(name: str) -> None:
    teams = exported(name, label_field="team", context=("channel",))
    assert [(example.text, example.labels) for example in teams] == TEAMS
    topics = exported(name, label_field="topics", several_labels=True)
    assert [(example.text, example.labels) for example in topics] == TOPICS


@pytest.mark.parametrize(("name", "read"), [(name, 7) for name in ARGILLA] + [("label-studio.json", 7)])
def test_cancelled_annotations_and_disagreement_are_counted(name: str, read: int) -> None:
    texts = exported(name, label_field="team", context=("channel",))
    assert [example.context for example in texts] == [("chat",), ("phone",), ("phone",)]
    (tally,) = texts.tallies
    assert (tally.read, tally.unlabelled, tally.disputed, tally.disagreed) == (read, 3, 1, 1)


@pytest.mark.parametrize("name", [*LABEL_STUDIO, *ARGILLA])
def test_what_annotators_and_models_did_is_no_field_of_a_text(name: str) -> None:
    texts = exported(name, label_field="team")
    assert len(list(texts)) == len(TEAMS)
    others = {"id", "status"} if name in ARGILLA else {"topics"}
    assert {field.name for field in texts.metadata.fields()} - others == {"channel"}


@pytest.mark.parametrize("name", LABEL_STUDIO[1:])
def test_rows_of_one_task_are_one_text(name: str) -> None:
    texts = exported(name, label_field="team", filter={"field": "channel", "include": ["phone"]})
    assert [example.text for example in texts] == [text for text, _ in TEAMS[1:]]
    (tally,) = texts.tallies
    assert (tally.read, tally.rows_filtered, tally.disagreed) == (6, 4, 1)  # skipped tasks are not exported


@pytest.mark.parametrize("name", [*LABEL_STUDIO, *ARGILLA])
def test_two_names_of_one_label_are_no_disagreement(name: str) -> None:
    aliases = {"returns": "money", "billing": "money"}
    texts = exported(name, label_field="team", labels=Labels(aliases=aliases))
    given = {example.text: example.labels for example in texts}
    assert given["Where is my refund?"] == ("money",)
    (tally,) = texts.tallies
    assert (tally.disputed, tally.disagreed) == (0, 1)


@pytest.mark.parametrize(("name", "separator"), [("doccano.jsonl", None), ("doccano.csv", "#")])
def test_doccano_exports_rows_as_they_are(name: str, separator: str | None) -> None:
    texts = reading(EXPORTS / name, several_labels=True, label_separator=separator)
    assert [(example.text, example.labels) for example in texts] == [
        ("I was charged twice", ("billing",)),
        ("The parcel is late, and it was dear", ("delivery", "price")),
    ]
    assert (texts.tallies[0].read, texts.tallies[0].unlabelled) == (3, 1)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_files_of_doccano_are_of_one_annotator_each(kind: str, tmp_path: Path) -> None:
    examples = {1: "I was charged twice", 2: "late, and dear", 3: "It's blue", 4: "Nobody read this"}
    annotators: dict[str, dict[int, list[str]]] = {
        "admin": {1: ["billing"], 2: ["delivery", "price"], 3: ["colour"], 4: []},
        "anna": {1: ["billing"], 2: ["delivery"], 3: ["quality"]},
        "ben": {2: ["delivery", "price"], 1: ["price"]},
    }
    files = [tmp_path / f"{name}.{kind}" for name in annotators]
    for file, labels in zip(files, annotators.values(), strict=True):
        rows = [{"id": n, "text": examples[n], "label": given, "Comments": []} for n, given in labels.items()]
        with file.open("w", newline="") as content:
            if kind == "jsonl":
                content.writelines(json.dumps(row) + "\n" for row in rows)
            else:
                table = csv.DictWriter(content, ["id", "text", "label"], extrasaction="ignore")
                table.writeheader()
                table.writerows({**row, "label": "#".join(labels[int(row["id"])])} for row in rows)
    separator = "#" if kind == "csv" else None
    texts = reading(*files, format=ExportFormat.DOCCANO, several_labels=True, label_separator=separator)
    assert [(example.text, example.labels) for example in texts] == [
        ("I was charged twice", ("billing",)),
        ("late, and dear", ("delivery", "price")),
    ]
    (tally,) = texts.tallies
    assert (tally.read, tally.unlabelled, tally.disputed, tally.disagreed) == (4, 1, 1, 2)


def test_examples_of_other_projects_are_others(tmp_path: Path) -> None:
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file, text in zip(files, ("late", "dear"), strict=True):
        file.write_text(json.dumps({"id": 1, "text": text, "label": [f"{text} label"]}))
    texts = reading(*files, format=ExportFormat.DOCCANO)
    assert [(example.text, example.labels) for example in texts] == [
        ("late", ("late label",)),
        ("dear", ("dear label",)),
    ]


def test_a_field_of_the_data_is_no_label_of_its_task(tmp_path: Path) -> None:
    choice = {"from_name": "team", "value": {"choices": ["returns"]}}
    tasks = [
        {"data": {"text": "late", "team": "billing"}, "annotations": [{"result": [choice]}]},
        {"data": {"text": "dear", "team": "billing"}, "annotations": []},
    ]
    options = {"label_field": "team", "format": ExportFormat.LABEL_STUDIO}
    assert read(tmp_path / "a.json", json.dumps(tasks), **options) == [("late", ("returns",))]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(tasks), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", **options) == [("late", ("returns",))]


def test_an_annotator_may_leave_a_control_out(tmp_path: Path) -> None:
    rows = [
        {"text": "late", "id": 1, "annotation_id": 3},
        {"text": "late", "id": 1, "annotation_id": 2, "team": "returns"},
        {"text": "dear", "id": 2, "annotation_id": 4, "team": "billing"},
    ]
    options = {"label_field": "team", "format": ExportFormat.LABEL_STUDIO}
    expected = [("late", ("returns",)), ("dear", ("billing",))]
    assert read(tmp_path / "a.json", json.dumps(rows), **options) == expected


def test_a_task_is_read_by_the_paths_of_its_data(tmp_path: Path) -> None:
    choice = {"from_name": "team", "value": {"choices": ["returns"]}}
    tasks = [{"data": {"mails": [{"body": "late"}]}, "annotations": [{"result": [choice]}]}]
    options = {"text_field": "mails[0].body", "label_field": "team", "format": ExportFormat.LABEL_STUDIO}
    assert read(tmp_path / "a.json", json.dumps(tasks), **options) == [("late", ("returns",))]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "label-studio.json",
            {"label_field": "topic"},
            "no row has the field 'topic'; there are 'channel', 'team'",
        ),
        ("label-studio.json", {"text_field": "body"}, "field 'body' is missing; there are 'channel', 'team'"),
        ("label-studio.json", {"label_field": "topics"}, "'topics' holds 2 labels ('delay', 'price')"),
        ("argilla.parquet", {"label_field": "topic"}, "field 'topic.responses' is missing; there are"),
        ("argilla.jsonl", {"label_field": "topic"}, "Name the question in spec.dataset.labelField"),
        (
            "label-studio.json",
            {"label_field": "team", "filter": {"field": "team", "exclude": ["x"]}},
            "holds the answers of annotators where one value belongs",
        ),
    ],
)
def test_fields_that_an_export_lacks_are_told_with_what_it_has(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        list(exported(name, **options))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "tool", "message"),
    [
        ('[{"text": "a", "label": "b"}]', "LabelStudio", "item 1 (line 1): not an export of Label Studio"),
        ('[{"text": "a", "label": "b"}]', "Doccano", "item 1 (line 1): not an export of doccano, which has"),
        (
            '[{"data": 1, "annotations": []}]',
            "LabelStudio",
            "not a task of Label Studio, which has an object",
        ),
        (
            '[{"text": "a", "label.responses": ["b"], "label.responses.status": []}]',
            "Argilla",
            "'label.responses' and 'label.responses.status' differ in length",
        ),
        (
            '[{"data": {"text": "a"}, "annotations": [{"result": [{"from_name": "label", "value": '
            '{"start": 0, "end": 1, "choices": ["b"]}}]}]}]',
            "LabelStudio",
            "field 'label' holds an object where a label belongs",
        ),
    ],
)
def test_what_is_no_such_export_is_refused(content: str, tool: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.json", content, format=ExportFormat(tool))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "cell", ["['billing' ... 'returns']", "['billing' 'returns", "['billing'] 'returns'"]
)
def test_lists_of_argilla_that_its_csv_garbles_are_told(cell: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f"text,team.responses,team.responses.status\nlate,\"{cell}\",\"['submitted' 'submitted']\"\n"
    )
    with pytest.raises(DataError, match="where a list belongs; export the data set as JSON Lines or Parquet"):
        list(reading(tmp_path / "a.csv", label_field="team", format=ExportFormat.ARGILLA))


@pytest.mark.parametrize(
    ("name", "options", "tool"),
    [
        ("label-studio.json", {}, "LabelStudio"),
        ("label-studio-min.json", {"label_field": "topics"}, "LabelStudio"),
        ("argilla.parquet", {"label_field": "team"}, "Argilla"),
        ("argilla.jsonl", {"label_field": "team.responses"}, "Argilla"),
    ],
)
def test_an_export_that_is_read_as_plain_rows_tells_the_setting(
    name: str, options: dict[str, str], tool: str
) -> None:
    with pytest.raises(DataError) as caught:
        list(reading(EXPORTS / name, **options))
    advice = f"This looks like an export of a labelling tool: set spec.dataset.format to {tool}"
    assert str(caught.value).endswith(advice)


def test_one_that_can_be_read_as_plain_rows_tells_it_too(caplog: pytest.LogCaptureFixture) -> None:
    assert len(list(reading(EXPORTS / "label-studio-min.json", label_field="team"))) == 7
    assert "set spec.dataset.format to LabelStudio" in caplog.text


def test_a_run_counts_disagreement_and_says_so(
    config: RunConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = [
        {
            "text": f"text {n} of {'abc'[n % 3]}",
            "label.responses": [f"{n % 2}", f"{n % 2}", "0"] if n < 40 else ["0", "1"],
            "label.responses.status": ["submitted"] * (3 if n < 40 else 2),
        }
        for n in range(45)
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows))
    dataset = config.dataset.model_copy(update={"uri": path.as_uri(), "format": ExportFormat.ARGILLA})
    counts = load_task(config.model_copy(update={"dataset": dataset}), tmp_path / "work").data.counts
    assert (counts.read, counts.disputed, counts.disagreed) == (45, 5, 20)
    assert (counts.sources[0].disputed, counts.sources[0].disagreed) == (5, 20)
    assert "Annotators disagree about 25 texts: 20 are used" in caplog.text
