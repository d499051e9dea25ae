"""report.html as a person uses it: in Chromium, by pointer and by keys, light and dark, wide and narrow."""

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from chromium import chromium
from trainingrun_api.dataset import ExportFormat
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import Example
from trainingrun_trainer.report import Report, render
from trainingrun_trainer.report.side_by_side import SideBySide, render_side_by_side

from ..data.files import read
from .reports import a_report, label_names, of_embeddings, several, single
from .test_report import HOSTILE
from .test_side_by_side import two

pytestmark = pytest.mark.slow

SCREENSHOTS_VARIABLE = "TRAININGRUN_SCREENSHOTS"
"""Environment variable that names a folder for pictures of the page."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


DRAWN: dict[int, tuple[Report, str]] = {}
"""Pages by the identity of their report, which is kept so that no other takes it."""


class Reader:
    """One tab, and everything in it that should not be: messages of errors, requests."""

    def __init__(self, context: BrowserContext) -> None:
        self.problems: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", lambda request: self.problems.append(f"request: {request.url}"))
        self.page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))

    @staticmethod
    def drawn(report: Report) -> str:
        """The page, drawn once for all tests that share the report."""
        if id(report) not in DRAWN:
            DRAWN[id(report)] = (report, render(report))
        return DRAWN[id(report)][1]

    def open(self, report: Report, folder: Path) -> Page:
        return self.show(self.drawn(report), folder)

    def show(self, html: str, folder: Path) -> Page:
        path = folder / "report.html"
        path.write_text(html, encoding="utf-8")
        self.page.goto(path.as_uri())
        self.problems.remove(f"request: {path.as_uri()}")
        return self.page


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    """Fails the test when the page complained or asked for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(30_000)
    reader = Reader(context)
    yield reader
    context.close()
    assert [p for p in reader.problems if not p.startswith(("request: blob:", "request: data:,"))] == []


@pytest.fixture(scope="module")
def five() -> Report:
    return a_report(single(5, 300), label_names(5))


@pytest.fixture(scope="module")
def many() -> Report:
    return a_report(single(150, 5000), label_names(150))


def cell(page: Page, true: int, predicted: int) -> str:
    return f"table.matrix tbody tr:nth-child({true + 1}) td:nth-of-type({predicted + 1}) button"


def listed(page: Page) -> list[str]:
    return page.locator("#texts-list .text").all_text_contents()


def confused(report: Report, true: int, predicted: int) -> list[str]:
    labels = report.evaluation.labels
    return [
        row["text"]
        for row in report.predictions.to_pylist()
        if (row["labels"], row["predicted"]) == ([labels[true]], [labels[predicted]])
    ]


def test_a_click_on_a_cell_lists_its_texts_with_probabilities(
    reader: Reader, five: Report, tmp_path: Path
) -> None:
    page = reader.open(five, tmp_path)
    page.locator(cell(page, 1, 0)).click()
    expected = confused(five, 1, 0)
    assert sorted(listed(page)) == sorted(expected)
    assert page.locator("#texts-count").text_content() == f"{len(expected)} texts"
    labels = five.evaluation.labels
    assert page.locator("#texts-title").text_content() == f"Texts of {labels[1]}, given {labels[0]}"
    first = page.locator("#texts-list li").first
    assert first.locator("dt.wrong").text_content() == labels[0]
    assert first.locator("dt.true").text_content() == labels[1]
    assert "%" in (first.locator("dd").first.text_content() or "")
    assert page.evaluate("document.activeElement.id") == "texts-title"


def test_texts_are_searched_ordered_and_exported(reader: Reader, five: Report, tmp_path: Path) -> None:
    page = reader.open(five, tmp_path)
    page.locator("#texts-clear").click()
    assert page.locator("#texts-count").text_content() == "300 texts"
    page.locator("#texts-kind").select_option("wrong")
    page.locator("#texts-order").select_option("row")
    page.locator("#texts-find").fill("PHONE")
    wrong = [
        row
        for row in five.predictions.to_pylist()
        if row["labels"] != row["predicted"] and row["context"] == ["phone"]
    ]
    assert listed(page) == [row["text"] for row in wrong[:50]]
    with page.expect_download() as download:
        page.locator("#texts-export [data-format=csv]").click()
    assert download.value.suggested_filename == "tickets-v3-texts.csv"
    content = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [(row["message"], row["topic"], row["channel"], row["predicted"]) for row in rows] == [
        (row["text"], row["labels"][0], "phone", row["predicted"][0]) for row in wrong
    ]


def test_texts_that_are_likely_mislabelled_are_found_sorted_and_exported(
    reader: Reader, five: Report, tmp_path: Path
) -> None:
    page = reader.open(five, tmp_path)
    page.locator("#label-issues-table button", has_text="Probability").click()
    texts = page.locator("#label-issues-table tbody tr td:first-child")
    assert [text[:6] for text in texts.all_text_contents()] == ["A long", "The co", "Where "]
    page.locator("#label-issues-find").fill("PARCEL")
    assert page.locator("#label-issues-table tbody tr:visible").count() == 2
    with page.expect_download() as download:
        page.locator("#label-issues-export [data-format=csv]").click()
    assert download.value.suggested_filename == "tickets-v3-mislabelled.csv"
    content = download.value.path().read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert row == {
        "message": 'Where is "my" parcel, please?',
        "topic": "invoice is late",
        "channel": "phone",
        "suggested": "parcel is late",
        "probability": "0.970",
        "part": "Training",
        "source": "s3://data/tickets.jsonl",
    }
    assert (
        page.locator("#label-issues-count").text_content()
        == "1 text exported; 1 text cut on this page left out"
    )


def exported(page: Page, place: str, tool: str) -> Path:
    """What a button of a labelling tool saves, under the name that it is given."""
    with page.expect_download() as download:
        page.locator(f"#{place} button", has_text=tool).click()
    path = Path(download.value.path()).with_name(download.value.suggested_filename)
    download.value.save_as(path)
    return path


def submitted(path: Path) -> list[dict[str, Any]]:
    """Tasks as Label Studio exports them, when an annotator has submitted each prediction as it is."""
    tasks: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for task in tasks:
        results = [
            {"id": "r1", "origin": "prediction", **result}
            for one in task["predictions"]
            for result in one["result"]
        ]
        task["annotations"] = [{"id": 1, "completed_by": 1, "was_cancelled": False, "result": results}]
    return tasks


def test_confusions_are_tasks_of_label_studio_that_training_reads_again(
    reader: Reader, five: Report, tmp_path: Path
) -> None:
    page = reader.open(five, tmp_path)
    page.locator(cell(page, 1, 0)).click()
    path = exported(page, "texts-export", "Label Studio")
    assert path.name == "tickets-v3-texts.label-studio.json"
    expected, labels = confused(five, 1, 0), five.evaluation.labels
    tasks = submitted(path)
    assert sorted(task["data"]["message"] for task in tasks) == sorted(expected)
    first = tasks[0]
    assert first["data"]["topic"] == labels[1]
    (prediction,) = first["predictions"]
    assert (prediction["model_version"], 0 < prediction["score"] <= 1) == ("tickets-v3", True)
    assert prediction["result"] == [
        {"from_name": "topic", "to_name": "message", "type": "choices", "value": {"choices": [labels[0]]}}
    ]
    options = {"format": ExportFormat.LABEL_STUDIO, "text_field": "message", "label_field": "topic"}
    with pytest.raises(DataError, match="not an export of Label Studio"):  # nobody has annotated them yet
        read(path, **options)
    read_again = read(path, json.dumps(tasks), **options)
    assert sorted(read_again) == sorted((text, (labels[0],)) for text in expected)


def test_labels_that_are_likely_wrong_are_lines_of_doccano_and_tasks_too(
    reader: Reader, five: Report, tmp_path: Path
) -> None:
    page = reader.open(five, tmp_path)
    path = exported(page, "label-issues-export", "doccano")
    assert path.name == "tickets-v3-mislabelled.doccano.jsonl"
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0]) == {
        "text": 'Where is "my" parcel, please?',
        "label": ["invoice is late"],
        "channel": "phone",
        "suggested": "parcel is late",
        "probability": "0.970",
        "part": "Training",
        "source": "s3://data/tickets.jsonl",
    }
    texts = ['Where is "my" parcel, please?', "The courier, again, did not come"]
    assert read(path) == [(text, ("invoice is late",)) for text in texts]
    path = exported(page, "label-issues-export", "Label Studio")
    options = {"format": ExportFormat.LABEL_STUDIO, "text_field": "message", "label_field": "topic"}
    assert read(path, json.dumps(submitted(path)), **options) == [
        (text, ("parcel is late",)) for text in texts
    ]


def test_several_labels_stay_several_in_labelling_tools(reader: Reader, tmp_path: Path) -> None:
    report = a_report(several(6, 400), label_names(6))
    page = reader.open(report, tmp_path)
    page.locator("#texts-clear").click()
    page.locator("#texts-kind").select_option("all")
    page.locator("#texts-order").select_option("row")
    rows = report.predictions.to_pylist()
    options: dict[str, Any] = {"several_labels": True}
    path = exported(page, "texts-export", "doccano")
    assert read(path, **options) == [
        (row["text"], tuple(sorted(row["labels"]))) for row in rows if row["labels"]
    ]
    path = exported(page, "texts-export", "Label Studio")
    options |= {"format": ExportFormat.LABEL_STUDIO, "text_field": "message", "label_field": "topic"}
    predicted = [(row["text"], tuple(sorted(row["predicted"]))) for row in rows if row["predicted"]]
    assert read(path, json.dumps(submitted(path)), **options) == predicted


def test_no_exported_cell_is_a_formula(reader: Reader, tmp_path: Path) -> None:
    labels = ["=HYPERLINK(A1)", "-1", "fine", "@SUM(A1)"]
    texts = [
        "=cmd|' /C calc'!A0",
        " +1+1",
        "-2.5e3",
        "\t=1",
        "\uff1d1",
        "a; =1",
        "it's",
        "- a list",
    ]
    predictions = single(4, len(texts))
    read = [Example(text, (labels[t],)) for text, t in zip(texts, predictions.targets, strict=True)]
    page = reader.open(a_report(predictions, labels, read), tmp_path)
    page.locator("#texts-clear").click()
    page.locator("#texts-kind").select_option("all")
    page.locator("#texts-order").select_option("row")
    with page.expect_download() as download:
        page.locator("#texts-export [data-format=csv]").click()
    content = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["message"].removeprefix("'") for row in rows] == texts
    assert [row["message"] for row in rows if row["message"].startswith("'")] == [
        f"'{text}" for text in (*texts[:2], *texts[3:5], texts[7])
    ]
    guarded = {"=HYPERLINK(A1)": "'=HYPERLINK(A1)", "@SUM(A1)": "'@SUM(A1)"}
    assert [row["topic"] for row in rows] == [guarded.get(one.label, one.label) for one in read]
    assert "cells begun with an apostrophe" in (page.locator("#texts-count").text_content() or "")


def test_classes_are_sorted_and_searched(reader: Reader, five: Report, tmp_path: Path) -> None:
    page = reader.open(five, tmp_path)
    scores = five.evaluation.classification
    assert scores is not None
    names = page.locator("#classes-table tbody tr:not([hidden]) th")
    by_f1 = [one.label for one in sorted(scores.classes, key=lambda one: one.f1)]
    assert names.all_text_contents() == by_f1
    recall = page.get_by_role("button", name="Recall")
    recall.click()
    by_recall = [one.label for one in sorted(scores.classes, key=lambda one: one.recall)]
    assert names.all_text_contents() == by_recall
    recall.press("Enter")
    assert names.all_text_contents() == by_recall[::-1]
    assert page.locator("th[aria-sort=descending]").text_content() == "Recall"
    page.locator("#classes-find").fill(by_f1[0].upper())
    assert names.all_text_contents() == by_f1[:1]


def test_the_matrix_is_ordered_filtered_and_zoomed(reader: Reader, many: Report, tmp_path: Path) -> None:
    page = reader.open(many, tmp_path)
    rows = page.locator("table.matrix tbody tr")
    assert rows.count() == 150
    box = page.locator("table.matrix").bounding_box()
    assert box is not None
    assert box["width"] <= 1280
    page.locator("#matrix-order").select_option("worst")
    scores = many.evaluation.classification
    assert scores is not None
    worst = min((one for one in scores.classes if one.support), key=lambda one: one.recall)
    assert rows.first.locator("th").get_attribute("title") == worst.label
    page.locator("#matrix-show").select_option("10")
    assert rows.count() == 10
    assert "numbered" in (page.locator("table.matrix").get_attribute("class") or "")
    page.locator("#matrix-show").select_option("confused")
    assert 2 <= rows.count() < 150
    page.locator("#zoom-in").click()
    page.locator("#matrix-show").select_option("all")
    page.locator("#matrix-find").fill(many.evaluation.labels[1])
    assert 2 <= rows.count() < 150


def test_the_matrix_is_used_with_keys_alone(reader: Reader, five: Report, tmp_path: Path) -> None:
    page = reader.open(five, tmp_path)
    page.locator("#zoom-fit").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab") if page.evaluate("document.activeElement.id") == "zoom-in" else None
    labels = five.evaluation.labels
    assert labels[0] in (page.evaluate("document.activeElement.ariaLabel") or "")
    for key in ("ArrowDown", "End", "Home", "Enter"):
        page.keyboard.press(key)
    assert page.locator("#texts-title").text_content() == f"Texts of {labels[1]}, given {labels[0]}"
    assert sorted(listed(page)) == sorted(confused(five, 1, 0))


def test_roles_and_names_tell_a_screen_reader_what_is_there(
    reader: Reader, five: Report, tmp_path: Path
) -> None:
    page = reader.open(five, tmp_path)
    assert page.get_by_role("grid", name="Confusion matrix of 5 labels").count() == 1
    assert page.get_by_role("gridcell").count() == 25
    assert page.get_by_role("rowheader", name=five.evaluation.labels[0]).count() >= 1
    assert page.get_by_role("img", name="Training and evaluation loss").count() == 1
    nameless = page.evaluate(
        "[...document.querySelectorAll('input, select')].filter((field) => !field.labels.length).length"
        " + [...document.querySelectorAll('button')]"
        ".filter((button) => !(button.ariaLabel || button.textContent.trim())).length"
    )
    assert nameless == 0
    ids = page.evaluate("[...document.querySelectorAll('body [id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))


def test_a_data_set_of_script_tags_runs_nothing(reader: Reader, tmp_path: Path) -> None:
    labels = sorted(HOSTILE)
    predictions = single(5, 60)
    page = reader.open(a_report(predictions, labels, model_name=HOSTILE[0]), tmp_path)
    page.locator("#texts-clear").click()
    assert page.locator("#texts-list li").count() == 50
    assert len(listed(page)) == 50
    assert page.evaluate("document.scripts.length") == 2
    assert page.locator("h1").text_content() == HOSTILE[0]


def test_cells_of_several_labels_a_text_list_what_they_count(reader: Reader, tmp_path: Path) -> None:
    report = a_report(several(6, 400), label_names(6))
    page = reader.open(report, tmp_path)
    assert report.evaluation.classification is not None
    counts = report.evaluation.classification.confusion_matrix.counts
    for true, predicted in ((0, 0), (1, 2), (3, 1)):
        if counts[true][predicted]:
            page.locator(cell(page, true, predicted)).click()
            assert page.locator("#texts-count").text_content() == f"{counts[true][predicted]} text" + (
                "s" if counts[true][predicted] > 1 else ""
            )


def test_texts_of_an_embedding_model_have_no_probabilities(reader: Reader, tmp_path: Path) -> None:
    report = of_embeddings(label_names(4))
    page = reader.open(report, tmp_path)
    page.locator(cell(page, 1, 0)).click()
    assert sorted(listed(page)) == sorted(confused(report, 1, 0)) != []
    with page.expect_download() as download:
        page.locator("#texts-export [data-format=csv]").click()
    assert "message,topic,channel,predicted" in download.value.path().read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("look", [(1440, "light"), (1440, "dark"), (400, "light"), (400, "dark")])
def test_it_fits_the_screen(
    browser: Browser, five: Report, many: Report, tmp_path: Path, look: tuple[int, Any]
) -> None:
    width, scheme = look
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    reader = Reader(context)
    for name, report in (("5", five), ("150", many)):
        page = reader.open(report, tmp_path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(cell(page, 1, 0)).click()
        if folder := os.environ.get(SCREENSHOTS_VARIABLE):
            page.screenshot(path=f"{folder}/report-{name}-{width}-{scheme}.png", full_page=True)
    context.close()
    assert reader.problems == []


@pytest.fixture(scope="module")
def side_by_side() -> tuple[SideBySide, str]:
    runs = two()
    return runs, render_side_by_side(runs)


@pytest.mark.parametrize("look", [(1440, "light"), (400, "dark")])
def test_runs_side_by_side_are_sorted_and_searched(
    browser: Browser, side_by_side: tuple[SideBySide, str], tmp_path: Path, look: tuple[int, Any]
) -> None:
    (width, scheme), (runs, html) = look, side_by_side
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    reader = Reader(context)
    page = reader.show(html, tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    names = page.locator("#classes-table tbody tr:not([hidden]) th")
    assert names.all_text_contents() == [row.label for row in runs.classes]
    page.get_by_role("button", name="Change").click()
    rising = sorted(runs.classes, key=lambda row: row.changes[1] or 0)
    assert names.all_text_contents() == [row.label for row in rising]
    page.locator("#classes-find").fill(rising[0].label.upper())
    assert names.all_text_contents() == [rising[0].label]
    colours = [
        page.locator(f".chart .run{number} path").first.evaluate("(path) => getComputedStyle(path).stroke")
        for number in (0, 1)
    ]
    assert len({*colours, "none"}) == 3
    if folder := os.environ.get(SCREENSHOTS_VARIABLE):
        page.locator("#classes-find").fill("")
        page.screenshot(path=f"{folder}/side-by-side-{width}-{scheme}.png", full_page=True)
    context.close()
    assert reader.problems == []
