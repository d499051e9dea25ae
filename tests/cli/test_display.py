"""What stands in a terminal."""

import pytest

from trainingrun_api.evaluation import ClassScores
from trainingrun_cli.display import classes_table, terminal


def test_labels_that_look_like_markup_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    scores = ClassScores(label="[red] lamp", precision=1, recall=1, f1=1, support=3)
    terminal().print(classes_table([scores]))
    assert "[red] lamp" in capsys.readouterr().out
