"""Texts and labels that are made to be taken for something else, through a whole run."""

import json
import re
from pathlib import Path

import pytest
from promises import Promise

from trainingrun_api.names import ExitCode
from trainingrun_api.run_config import RunConfig

from ..conftest import tickets, write_jsonl
from .attempts import Attempt

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

SCRIPT = "<script>alert(1)</script>"
WORDS = {
    "billing": f"{SCRIPT}\x1b[31m",
    "delivery": "=cmd|' /C calc'!A0",
    "login": "a\n2026-01-01 00:00:00,000 INFO all is well",
}
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR) ")


def test_no_text_or_label_becomes_markup_or_a_line_of_the_log(
    config: RunConfig, tmp_path: Path, promise: Promise
) -> None:
    rows = [
        {"text": f"{ticket['text']} {WORDS[ticket['label']]}", "label": WORDS[ticket["label"]]}
        for ticket in tickets()
    ]
    write_jsonl(tmp_path / "tickets.jsonl", rows)
    attempt = Attempt(config, tmp_path / "pod")
    assert attempt.end() == ExitCode.OK, attempt.log
    assert "all is well" in attempt.log
    for line in attempt.log.splitlines():
        assert LINE.match(line), line
        assert not line.startswith("2026-01-01 00:00:00")
    out = tmp_path / "out"
    card = (out / "model" / "README.md").read_text()
    _, _, below_metadata = card.split("---\n", 2)
    for page in ((out / "report.html").read_text(), below_metadata):
        assert "alert(1)" in page
        assert SCRIPT not in page
    for shown in (attempt.log, attempt.message, card):
        assert "\x1b" not in shown
    assert len(attempt.message.splitlines()) == 1
    json.loads(attempt.message)
    promise(
        "Security",
        "No text or label becomes markup of report or model card, a line of the log, or a terminal's command",
        f"{len(WORDS)} labels and {len(rows)} texts through a run",
    )
