"""Labels with nearly the same name, and labels that are amounts."""

import logging
from pathlib import Path

import pytest

from trainingrun_api.advice import MAX_SENTENCE, FindingType, Severity
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.advice import advise_on_labels

from ..conftest import changed, tickets, write_jsonl
from .evidence import counts, evidence, types


def found(labels: dict[str, int]) -> list[FindingType]:
    return [
        finding.type for finding in advise_on_labels(counts({name: (n, 5) for name, n in labels.items()}))
    ]


def alike(*labels: str) -> bool:
    return found(dict.fromkeys(labels, 20)) == [FindingType.SIMILAR_NAMES]


@pytest.mark.parametrize(
    "names",
    [
        ("Billing", "billing"),
        ("billing issue", "billing-issue", "billing_issue", "BillingIssue"),
        ("1", "1.0", "01", "+1.00"),
        ("-0.5", "-0.50"),
        ("refund", "refund."),
        ("\uff21bc", "abc"),
        ("item 1", "item-1"),
    ],
)
def test_names_that_differ_in_next_to_nothing_are_found(names: tuple[str, ...]) -> None:
    assert alike(*names)


@pytest.mark.parametrize(
    "names",
    [
        ("C", "C++", "C#"),
        ("1", "-1", "10", "1.5", "15", "100", "1e3"),
        ("score 1", "score -1"),
        ("1-2", "12"),
        ("v1.5", "v15"),
        (":)", ":(", "\U0001f44d", "\U0001f44e"),
        ("<5", ">5"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012346"),
        ("billing", "bill"),
    ],
)
def test_names_that_punctuation_tells_apart_are_not(names: tuple[str, ...]) -> None:
    assert found(dict.fromkeys(names, 20)) == []


def test_the_aliases_are_offered_to_the_name_with_most_texts() -> None:
    labels = {"Billing": (5, 1), "billing": (60, 15), "BILLING": (9, 2), "1": (20, 5), "1.0": (30, 5)}
    (one,) = advise_on_labels(counts(labels))
    assert (one.type, one.severity) == (FindingType.SIMILAR_NAMES, Severity.WARNING)
    assert one.message == (
        "'billing', 'BILLING', 'Billing' are separate labels whose names differ only in case, punctuation or "
        "notation (more such groups: 1)"
    )
    assert one.suggestion == (
        "If they mean the same, merge them: "
        "spec.labels.aliases: {'BILLING': 'billing', 'Billing': 'billing', '1': '1.0'}"
    )
    assert one.evidence == {"labels": 5, "groups": 2}


def test_it_has_room_whatever_names_there_are() -> None:
    names = [f"{n} {'x' * 200}" for n in range(50)]
    (one,) = advise_on_labels(counts({name: (20, 5) for label in names for name in (label, label.upper())}))
    assert len(one.message) < MAX_SENTENCE
    assert one.suggestion.endswith(" and 49 more")


@pytest.mark.parametrize(
    ("numbers", "severity"),
    [
        ([str(n / 10) for n in range(121)], Severity.WARNING),
        ([str(n / 10).replace(".", ",") for n in range(40)], Severity.WARNING),
        ([f"{n / 3:.20f}" for n in range(31)], Severity.WARNING),
        ([repr(n / 1e6) for n in range(1, 40)], Severity.WARNING),
        ([*(str(n / 7) for n in range(40)), "unknown"], Severity.WARNING),
        ([str(n) for n in range(18, 99)], Severity.INFO),
        ([str(10**40 + n) for n in range(40)], Severity.INFO),
    ],
    ids=["tenths", "commas", "long", "exponents", "one-word", "ages", "long-codes"],
)
def test_many_numbers_are_likely_amounts(numbers: list[str], severity: Severity) -> None:
    (one,) = advise_on_labels(counts(dict.fromkeys(numbers, (20, 5))))
    assert (one.type, one.severity) == (FindingType.NUMERIC_LABELS, severity)
    assert "regression" in one.suggestion
    assert max(len(one.message), len(one.suggestion)) < MAX_SENTENCE


def test_scales_and_names_with_numbers_are_labels() -> None:
    assert found({str(n / 2): 20 for n in range(21)}) == []  # 0 to 10 in halves
    assert found({f"intent {n}": 20 for n in range(150)}) == []
    assert found({f"1.{n}.{n}": 20 for n in range(1, 40)}) == []  # chapters


def test_a_run_is_warned_of_before_training_and_told_in_the_end(
    config: RunConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = tickets()
    for row in rows[:10]:
        row["label"] = row["label"].upper()
    write_jsonl(tmp_path / "tickets.jsonl", rows)
    pipeline.run(changed(config, training={"max_epochs": 1}), lambda report: None)
    warned = next(r for r in caplog.records if "merge them: spec.labels.aliases" in r.getMessage())
    assert warned.levelno == logging.WARNING
    evaluation = Evaluation.model_validate_json((tmp_path / "out" / "evaluation.json").read_text())
    assert FindingType.SIMILAR_NAMES in {finding.type for finding in evaluation.advice}


def test_the_check_is_among_those_of_a_run() -> None:
    by_label = counts({"Billing": (60, 20), "billing": (60, 20)})
    assert FindingType.SIMILAR_NAMES in types(evidence(data=by_label))
