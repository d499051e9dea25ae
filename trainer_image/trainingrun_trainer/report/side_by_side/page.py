"""The page of several runs, with their curves in one chart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from trainingrun_api.metrics import Metric
from trainingrun_api.status import EpochSummary

from ..charts import SIZE, Line, by_epoch, common_scores, draw, dress, inline_svg, legend
from ..content import Report
from ..document import document
from .content import SideBySide, kind

Value = Callable[[EpochSummary], float]

BEST_SIZE = 9.0
"""Points, of the marker of a run's best epoch."""

STYLES = ("base", "parts", "series", "print")

SCRIPTS = ("elements", "tables")


@dataclass(frozen=True)
class Chart:
    """A chart, and what it shows."""

    drawn: Markup
    caption: str


def overlaid(names: Sequence[str], reports: Sequence[Report]) -> list[Chart]:
    """A chart for each loss, and for each score that all runs have by epoch."""
    unit = "loss, nats per text"
    return [
        _chart(names, reports, "evaluation loss", unit, lambda epoch: epoch.evaluation_loss),
        _chart(names, reports, "training loss", unit, lambda epoch: epoch.training_loss),
        *(_chart(names, reports, one.name, "score", _score(one)) for one in _common_scores(reports)),
    ]


def _score(metric: Metric) -> Value:
    return lambda epoch: epoch.scores[metric]


def _common_scores(reports: Sequence[Report]) -> list[Metric]:
    """What all runs have at all epochs; scores of different kinds are none in common."""
    if len({kind(report) for report in reports}) > 1:
        return []
    return common_scores([epoch for report in reports for epoch in report.evaluation.curves.epochs])


def _chart(
    names: Sequence[str],
    reports: Sequence[Report],
    what: str,
    unit: str,
    value: Value,
) -> Chart:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    dress(axes, unit, "epoch")
    lines = [line for n, name in enumerate(names) for line in _lines(n, name, reports[n], what, value)]
    for line in lines:
        draw(axes, line)
    legend(axes)
    title = f"{what[0].upper()}{what[1:]} by epoch"
    return Chart(inline_svg(figure, title, {line.name: line.tips for line in lines}), title)


def _lines(number: int, name: str, report: Report, what: str, value: Value) -> list[Line]:
    """The run's curve, and its best epoch, which the legend leaves out as its label starts with _."""
    epochs, best = report.evaluation.curves.epochs, report.evaluation.best_epoch
    said = f"{what} of {name}"
    curve = by_epoch(f"run{number}", name, said, epochs, [value(epoch) for epoch in epochs])
    chosen = [epoch for epoch in epochs if epoch.epoch == best]
    mark = by_epoch(f"run{number}-best", "_best", f"the best, {said}", chosen, [value(one) for one in chosen])
    return [curve, Line(mark.name, mark.label, mark.x, mark.y, mark.tips, BEST_SIZE)]


def render_side_by_side(runs: SideBySide) -> str:
    """One HTML document, made and guarded as the page of one run is."""
    return document(
        "side_by_side.html.j2", STYLES, SCRIPTS, runs=runs, charts=overlaid(runs.names, runs.reports)
    )
