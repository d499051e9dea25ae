"""The table of what users may rely on."""

import re
from pathlib import Path

from promises import BEGIN, END, PAGE, Promised, rows_of, together, updated

ROOT = Path(__file__).parents[2]
EMPTY = f"# Reliability\n\n{BEGIN}\n{END}\nMore.\n"
KILLED = Promised("Operator", "A killed operator goes on", "12 of 12")
LOADED = Promised("Scale", "A thousand runs start soon", "2 s")


def test_rows_stay_until_their_test_runs_again() -> None:
    page = updated(EMPTY, {"tests/b.py::test_load": LOADED, "tests/a.py::test_kill": KILLED})
    again = updated(page, {"tests/a.py::test_kill": KILLED._replace(measured="13 of 13")})
    assert rows_of(again) == {
        "tests/a.py::test_kill": KILLED._replace(measured="13 of 13"),
        "tests/b.py::test_load": LOADED,
    }
    assert again.startswith("# Reliability")
    assert again.endswith("More.\n")
    assert again.index("### Operator") < again.index("### Scale")
    assert updated(again, {}) == again


def test_parameters_of_a_test_share_a_row() -> None:
    assert together([KILLED, KILLED._replace(measured="5 of 5"), KILLED]).measured == "12 of 12; 5 of 5"


def test_promises_name_tests_that_exist() -> None:
    for test in rows_of(PAGE.read_text()):
        file, _, function = test.partition("::")
        assert re.search(rf"^(async )?def {function}\(", (ROOT / file).read_text(), re.MULTILINE), test
