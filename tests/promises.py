"""What tests promise to users, and the figures that they measure, as a table in docs/reliability.md."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by make test-faults -->\n", "<!-- up to here -->\n"
HEADING = re.compile(r"^### (\w+)$")
ROW = re.compile(r"^\| (.+) \| `(\S+)` \| (.+) \|$")
HEAD = "| Promise | Test | Measured |\n| --- | --- | --- |\n"
SHORT, WHOLE = "short", "whole"

Section = Literal["Operator", "Scale", "Trainer", "Security"]


class Promised(NamedTuple):
    """A row of the table."""

    section: str
    sentence: str
    measured: str


Rows = Mapping[str, Promised]
"""By the test that shows them: its file and function."""


class Promise:
    """A test says with it what users may rely on; it counts when the test passes."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def __call__(self, section: Section, sentence: str, measured: str) -> None:
        """State the promise, as one sentence, and the figure that this run of the test has measured.

        Those of several parameters of a test stand side by side in one row. The short form of a sweep
        leaves the row as it is.
        """
        if not _is_short(self._item):
            # As a list: xdist sends nothing but plain values to the process that writes.
            self._item.user_properties.append(("promise", [section, sentence, measured]))


def forms(short: Any, whole: Any) -> list[Any]:
    """Parameters of a sweep: its short form, in `make test`, and the whole, in `make test-faults`."""
    return [pytest.param(short, id=SHORT), pytest.param(whole, id=WHOLE, marks=pytest.mark.faults)]


@pytest.fixture
def promise(request: pytest.FixtureRequest) -> Promise:
    return Promise(request.node)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-reliability",
        action="store_true",
        help="bring the table in docs/reliability.md up to date with what passes",
    )


def pytest_configure(config: pytest.Config) -> None:
    # With xdist the reports of all processes arrive in the first one.
    if config.getoption("--write-reliability") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Writer())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have `make test-faults` also run what promises something in `make test`, but for short forms."""
    if config.getoption("--write-reliability"):
        for item in items:
            if "promise" in getattr(item, "fixturenames", ()) and not _is_short(item):
                item.add_marker("faults")


def _is_short(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and SHORT in callspec.id.split("-")


class Writer:
    """Writes the promises of each test that passes, at once: a sweep takes hours, and may be stopped."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Promised]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            test = report.nodeid.partition("[")[0]
            for name, value in report.user_properties:
                if name == "promise":
                    self._kept.setdefault(test, []).append(Promised(*value))
            if test in self._kept:
                PAGE.write_text(updated(PAGE.read_text(), {test: together(self._kept[test])}))


def together(kept: Iterable[Promised]) -> Promised:
    """One row for the parameters of a test."""
    *_, last = kept = list(kept)
    return last._replace(measured="; ".join(dict.fromkeys(one.measured for one in kept)))


def updated(page: str, kept: Rows) -> str:
    """The page with these rows in place of those of the same tests."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table(rows_of(page) | kept) + END + after


def rows_of(page: str) -> dict[str, Promised]:
    """The rows that the page has."""
    rows, section = {}, ""
    for line in page.partition(BEGIN)[2].partition(END)[0].splitlines():
        if heading := HEADING.match(line):
            section = heading[1]
        elif row := ROW.match(line):
            sentence, test, measured = row.groups()
            rows[test] = Promised(section, sentence, measured)
    return rows


def table(rows: Rows) -> str:
    """A table for each section that has rows."""
    text = ""
    for section in get_args(Section):
        own = [(test, row) for test, row in sorted(rows.items()) if row.section == section]
        lines = [f"| {row.sentence} | `{test}` | {row.measured} |\n" for test, row in own]
        text += f"\n### {section}\n\n{HEAD}{''.join(lines)}" if lines else ""
    return text + "\n"
