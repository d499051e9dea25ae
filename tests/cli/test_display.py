"""What stands in a terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from trainingrun_api.evaluation import ClassScores, DataCounts
from trainingrun_api.status import EvaluationScores, Progress, Stage
from trainingrun_cli.display import RunDisplay, classes_table, data_line, progress_bars, terminal
from trainingrun_cli.local import local_config
from trainingrun_client.errors import ClientError
from trainingrun_client.run_manifest import read_manifest

from .conftest import manifest


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


@pytest.mark.parametrize(
    ("skips", "rest"),
    [
        (True, "left out: duplicates 3, conflicts 1; kept: near-duplicates 2"),
        (False, "left out: conflicts 1; kept: duplicates 3, near-duplicates 2"),
    ],
)
def test_texts_are_accounted_for(skips: bool, rest: str, tmp_path: Path) -> None:
    training = 15 if skips else 18
    data = DataCounts(
        read=20,
        empty=0,
        unlabelled=0,
        duplicates=3,
        conflicts=1,
        near_duplicates=2,
        truncated=0,
        training=training,
        evaluation=1,
        sources=[],
    )
    scores = EvaluationScores(support=1, loss=0.5, labels=2)
    config = local_config(read_manifest(manifest(tmp_path, skipDuplicates=skips)), tmp_path, tmp_path)
    assert data_line(config, data, scores) == f"20 texts read, {training} trained on, 1 evaluated on; {rest}"


def test_each_of_several_runs_has_a_bar_until_it_ends() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    progress = Progress(
        stage=Stage.TRAINING,
        epoch=1,
        max_epochs=4,
        step=15,
        total_steps=40,
        last_update_time="2026-01-01T00:00:00Z",
    )
    with progress_bars(console) as bars:
        first, second = (RunDisplay(bars, name) for name in ("first", "second"))
        first.update(progress, [])
        second.update(progress.model_copy(update={"epoch": 3, "step": 35}), [])
        bars.refresh()
        shown = written.getvalue()
        first.end()
        written.seek(0)
        written.truncate()
        bars.refresh()
        left = written.getvalue()
    assert "first: epoch 2/4" in shown
    assert "second: epoch 4/4" in shown
    assert "first: epoch" not in left
    assert "second: epoch 4/4" in left
