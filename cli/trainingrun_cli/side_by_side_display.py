"""Runs side by side in a terminal: what differs in scores, curves, classes and settings."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from trainingrun_api.evaluation import Interval
from trainingrun_trainer.evaluation import Difference
from trainingrun_trainer.report.side_by_side import SideBySide

MOST_CLASSES = 20
"""As many as fit a screen; the page has all."""

NOTHING = "-"

BLOCKS = "▁▂▃▄▅▆▇█"

MOST_BLOCKS = 24
"""Columns of a curve."""


def show(console: Console, runs: SideBySide) -> None:
    """Print all of it."""
    for line in (*(f"{remark}." for remark in runs.remarks), *_verdicts(runs)):
        console.print(line, highlight=False, soft_wrap=True)
    for table in _tables(runs):
        console.print(table)


def _verdicts(runs: SideBySide) -> Iterator[str]:
    for pair in runs.paired:
        yield f"{pair.verdict} {pair.basis}".rstrip()


def _tables(runs: SideBySide) -> Iterator[Table]:
    yield _scores_table(runs)
    if any(pair.scored for pair in runs.paired):
        yield _paired_table(runs)
    yield _curves_table(runs)
    if runs.classes:
        yield _classes_table(runs)
    if runs.differences:
        yield _differences_table(runs)


def _scores_table(runs: SideBySide) -> Table:
    title = f"Scores on each run's own evaluation texts in percent, and points above {runs.names[0]}"
    table = _table(title, "Score", runs.names)
    for row in runs.scores:
        cells = [
            NOTHING
            if score is None
            else _joined(f"{100 * score.value:.1f}", _points(change), _interval(score.interval))
            for score, change in zip(row.values, (None, *row.changes[1:]), strict=True)
        ]
        table.add_row(row.name, *cells)
    for fact in runs.outcomes:
        table.add_row(fact.name, *fact.values)
    return table


def _paired_table(runs: SideBySide) -> Table:
    title = f"Points above {runs.names[0]} on the texts of both, with 95 % intervals by paired bootstrap"
    metrics = list(dict.fromkeys(metric for pair in runs.paired for metric in pair.scored))
    names = [name for metric in metrics for name in (metric.title, "Significant?")]
    table = _table(title, "Run", ["Texts", *names])
    for pair in runs.paired:
        cells = [cell for one in pair.scored.values() for cell in _difference(one)]
        table.add_row(pair.second, f"{pair.common:,}", *cells)
    return table


def _curves_table(runs: SideBySide) -> Table:
    title = "Losses by epoch, from the model before training to the last epoch"
    table = _table(title, "Run", ("Training loss", "Evaluation loss"))
    curves = [report.evaluation.curves.epochs for report in runs.reports]
    training = [[epoch.training_loss for epoch in epochs] for epochs in curves]
    evaluating = [[epoch.evaluation_loss for epoch in epochs] for epochs in curves]
    for name, *cells in zip(runs.names, _curves(training), _curves(evaluating), strict=True):
        table.add_row(name, *cells)
    return table


def _classes_table(runs: SideBySide) -> Table:
    changes = [f"{name}: change" if len(runs.names) > 2 else "Change" for name in runs.names[1:]]
    table = _table("F1 by label in percent, the most changed first", "Label", [*runs.names, *changes])
    for row in runs.classes[:MOST_CLASSES]:
        values = [NOTHING if one is None else f"{100 * one.f1:.1f}" for one in row.values]
        table.add_row(row.label, *values, *(_points(change) or NOTHING for change in row.changes[1:]))
    if (more := len(runs.classes) - MOST_CLASSES) > 0:
        table.caption = f"{more} more labels changed less; the page that --output writes has all"
    return table


def _differences_table(runs: SideBySide) -> Table:
    table = Table(title="What was different", title_justify="left")
    for name in ("Setting", *runs.names):
        table.add_column(name, overflow="fold")
    for group in runs.differences.values():
        for row in group:
            table.add_row(row.name, *row.values)
        table.add_section()
    return table


def _table(title: str, first: str, others: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _difference(one: Difference) -> tuple[str, str]:
    interval = f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
    return f"{100 * one.value:+.1f} ({interval})", "yes" if one.beyond_chance else "no"


def _points(change: float | None) -> str:
    return "" if change is None else f"{change:+.1f}"


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f"({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _curves(runs: Sequence[Sequence[float]]) -> list[str]:
    """Each as blocks between its first and its last value; one scale for all, so that they compare."""
    low, high = min(map(min, runs)), max(map(max, runs))
    return [f"{values[0]:.3f} {_blocks(values, low, high)} {values[-1]:.3f}" for values in runs]


def _blocks(values: Sequence[float], low: float, high: float) -> str:
    step = -(-len(values) // MOST_BLOCKS)
    shown = values[::step]
    height = (high - low) or 1.0
    return "".join(BLOCKS[round((value - low) / height * (len(BLOCKS) - 1))] for value in shown)
