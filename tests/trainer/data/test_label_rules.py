"""Which labels are learned, and under which names."""

import logging
from typing import Any

import pytest

from trainingrun_api.labels import Labels
from trainingrun_trainer.data import LabelRules
from trainingrun_trainer.errors import DataError

TEXTS = [("spam",), ("Billing",), ("billing", "login"), ("login", "spam")]


def kept(**wanted: Any) -> list[tuple[str, ...]]:
    rules = LabelRules(Labels(**wanted))
    applied = [rules.kept(rules.renamed(labels)) for labels in TEXTS]
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
    there_are = r"\. There are 'Billing', 'billing', 'login', 'spam'$"
    message = rf"spec.labels.{which}: no text has the label 'spam!' \(did you mean 'spam'\?\){there_are}"
    with pytest.raises(DataError, match=message):
        kept(**{which: ["spam!", "login"]})
    message = rf"no text has the labels 'spam!' \(did you mean 'spam'\?\), 'xyz'{there_are}"
    with pytest.raises(DataError, match=message):
        kept(**{which: ["xyz", "spam!"]})


def test_an_alias_that_no_text_has_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        kept(aliases={"Login": "login", "Billing": "billing"})
    assert [record.getMessage() for record in caplog.records] == [
        "spec.labels.aliases: no text has the label 'Login'"
    ]
