"""Which labels are learned, and under which names."""

import logging
from typing import Any

import pytest

from trainingrun_api.labels import Labels
from trainingrun_api.status import Reason, RunFailure
from trainingrun_trainer.data import LabelRules
from trainingrun_trainer.errors import DataError

TEXTS = [("spam",), ("Billing",), ("billing", "login"), ("login", "spam")]


def kept(**wanted: Any) -> list[tuple[str, ...]]:
    rules = LabelRules(Labels(**wanted))
    applied = [rules.apply(labels) for labels in TEXTS]
    rules.require_known()
    return applied


def test_all_labels_are_kept_as_they_are() -> None:
    assert kept() == TEXTS


def test_labels_are_left_out_and_texts_keep_their_others() -> None:
    assert kept(exclude=["spam"]) == [(), ("Billing",), ("billing", "login"), ("login",)]
    assert kept(include=["spam", "login"]) == [("spam",), (), ("login",), ("login", "spam")]


def test_aliases_come_before_the_choice() -> None:
    aliases = {"Billing": "billing", "login": "account"}
    applied = kept(aliases=aliases, include=["billing", "account"])
    assert applied == [(), ("billing",), ("account", "billing"), ("account",)]


def test_two_names_of_one_label_become_one() -> None:
    assert kept(aliases={"login": "billing"})[2] == ("billing",)


@pytest.mark.parametrize("which", ["include", "exclude"])
def test_a_label_that_no_text_has_is_refused_with_those_there_are(which: str) -> None:
    message = (
        rf"spec.labels.{which}: no text has the label 'spam!'; did you mean 'spam'\? There are 'Billing', "
    )
    with pytest.raises(DataError, match=message):
        kept(**{which: ["spam!"]})
    with pytest.raises(
        DataError, match=r"no text has the label 'xyz'\. There are 'Billing', 'billing', 'login'"
    ):
        kept(**{which: ["xyz"]})


@pytest.mark.parametrize(
    ("label", "count", "told"),
    [("card_arrival_{}", 90, 90), ("q{}", 200, 200), ("card_arrival_{}", 1000, 95), ("請求書{}", 1000, 190)],
)
def test_of_the_labels_there_are_as_many_are_told_as_the_status_takes(
    label: str, count: int, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    rules = LabelRules(Labels(include=["no such label"]))
    labels = [label.format(n) for n in range(count)]
    assert not any(rules.apply((one,)) for one in labels)
    with pytest.raises(DataError) as caught:
        rules.require_known()
    message = str(caught.value)
    shown = sum(f"'{one}'" in message for one in labels)
    assert shown >= told
    assert message.endswith(f", … and {count - shown} more" if shown < count else f" {max(labels)!r}")
    assert len(message) <= 2048  # what a condition takes
    assert len(RunFailure(reason=Reason.DATA_ERROR, message=message).model_dump_json().encode()) <= 4096
    assert all(f"'{one}'" in caplog.text for one in labels)


def test_an_alias_that_no_text_has_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        kept(aliases={"Login": "login", "Billing": "billing"})
    assert [record.getMessage() for record in caplog.records] == [
        "spec.labels.aliases: no text has the label 'Login'"
    ]
