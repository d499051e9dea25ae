"""What stands in a terminal."""

import pytest

from trainingrun_api.evaluation import ClassScores
from trainingrun_cli.display import classes_table, terminal
from trainingrun_client.errors import ClientError


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("[red] lamp", "[red] lamp"),
        (":bug: report", ":bug: report"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("two\nlines", r"two\nlines"),
    ],
)
def test_labels_are_printed_as_they_are_and_steer_nothing(
    label: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = ClassScores(label=label, precision=1, recall=1, f1=1, support=3)
    terminal().print(classes_table([scores]))
    terminal().print(f"confused: {label}", soft_wrap=True)
    out = capsys.readouterr().out
    assert f"│ {shown} │" in out
    assert f"confused: {shown}\n" in out


def test_errors_keep_their_lines_and_steer_nothing() -> None:
    assert str(ClientError("run.yaml:\n  no label 'a\x1b[2J'")) == "run.yaml:\n  no label 'a\\x1b[2J'"
