"""Labels that look the same are one label, however they are written; who reads the results sees that."""

import logging
import unicodedata
from pathlib import Path

import pytest

from trainingrun_api.evaluation import Evaluation, JoinedLabel
from trainingrun_api.labels import Labels
from trainingrun_api.run_config import RunConfig
from trainingrun_cli.display import data_line
from trainingrun_trainer import pipeline
from trainingrun_trainer.data.labels import Spellings

from ..conftest import changed, tickets, write_jsonl

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Réclamation") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (DECOMPOSED, COMPOSED),
        (" billing\u00a0issue\t", "billing issue"),
        ("billing \r\n  issue", "billing issue"),
        ("billing\u2028issue", "billing issue"),
        ("\ufeffbill\u200bing\u200e", "billing"),
        ("\u0915\u094d\u200d", "\u0915\u094d\u200d"),  # a joiner, which Hindi needs
        ("Billing", "Billing"),
        ("\u200b \u3000", ""),
    ],
)
def test_what_looks_the_same_has_one_name(written: str, name: str) -> None:
    assert Spellings().names([written]) == ((name,) if name else ())


def test_labels_of_a_text_are_sorted_and_stand_there_once() -> None:
    assert Spellings().names(["b", " a", "a ", ""]) == ("a", "b")


def test_how_often_a_label_is_written_in_another_way_than_most_is_counted() -> None:
    spellings = Spellings()
    for written in (*4 * [DECOMPOSED], *3 * [COMPOSED], f" {COMPOSED}", "login", "login", "Login"):
        spellings.names([written])
    assert spellings.joined() == [JoinedLabel(label=COMPOSED, spellings=3, texts=4)]


def test_names_in_the_spec_are_those_of_the_data() -> None:
    wanted = Labels(exclude=[f" {DECOMPOSED}"], aliases={"e-mail ": " mail", DECOMPOSED + "s": "mail"})
    assert wanted.exclude == [COMPOSED]
    assert wanted.aliases == {"e-mail": "mail", f"{COMPOSED}s": "mail"}
    assert Labels(aliases={DECOMPOSED: COMPOSED}).aliases == {}  # which is so anyway


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"aliases": {DECOMPOSED: "a", COMPOSED: "b"}}, "is listed twice, for 'a' and for 'b'; keep one"),
        ({"aliases": {"a": "b ", " b": "c"}}, "an alias can't stand for another alias"),
        ({"include": ["\u200b"]}, r"'\\u200b' isn't a label: it has no visible characters"),
    ],
)
def test_names_in_the_spec_that_clash_are_refused(labels: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Labels.model_validate(labels)


def test_a_run_joins_spellings_and_says_so(
    config: RunConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = {"billing": [COMPOSED, DECOMPOSED, f" {COMPOSED}"], "login": ["log in", "log  in"]}
    rows = tickets()
    for n, row in enumerate(rows):
        ways = names.get(row["label"], [row["label"]])
        row["label"] = ways[n % len(ways)]
    write_jsonl(tmp_path / "tickets.jsonl", rows)
    labels = Labels(include=[DECOMPOSED, "log in\u00a0"])
    with caplog.at_level(logging.INFO, logger="trainingrun_trainer"):
        result = pipeline.run(changed(config, labels=labels, training={"max_epochs": 1}), lambda report: None)
    evaluation = Evaluation.model_validate_json((tmp_path / "out" / "evaluation.json").read_text())
    assert evaluation.labels == [COMPOSED, "log in"]
    assert evaluation.data.filtered == 20
    assert evaluation.data.joined_labels == [
        JoinedLabel(label=COMPOSED, spellings=3, texts=13),
        JoinedLabel(label="log in", spellings=2, texts=10),
    ]
    assert f"read as one each: {COMPOSED} (3 ways, 13 rows), log in (2 ways, 10 rows)" in caplog.text
    assert data_line(config, evaluation.data, result.evaluation) == (
        "60 texts read, 32 trained on, 8 evaluated on; left out: dropped by labels 20; "
        "labels written in several ways and joined: 2"
    )
    report = " ".join((tmp_path / "out" / "report.html").read_text().split())
    assert f'<span dir="auto">{COMPOSED}</span> (3 ways, 13 rows in another than most), <span' in report
