"""Curves of training, drawn by matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from trainingrun_api.evaluation import ClassificationScores, Evaluation, LossPoint
from trainingrun_api.status import EpochSummary

from .svg import CLASS, inline_svg

SIZE = (7.2, 3.2)
"""Inches; the page scales it."""

MAX_POINTS = 600
"""Points of a curve by step: more than there are pixels for would only make the page larger."""


@dataclass(frozen=True)
class Line:
    """A curve, coloured by the style sheet."""

    name: str
    """Its class."""
    label: str
    """What the legend calls it."""
    x: Sequence[float] | NDArray[np.float64]
    y: Sequence[float] | NDArray[np.float64]
    tips: tuple[str, ...] = ()
    """What its markers say when pointed at; without any, it has no markers."""


def chart_of_losses(evaluation: Evaluation) -> Markup:
    """Training and evaluation loss, with the best epoch and early stopping."""
    epochs, points = evaluation.curves.epochs, _thinned(evaluation.curves.training_loss)
    training = [epoch.training_loss for epoch in epochs]
    evaluating = [epoch.evaluation_loss for epoch in epochs]
    lines = [
        Line("steps", "training, by step", points[:, 0], points[:, 1]),
        _by_epoch("training", "training", "training loss", epochs, training),
        _by_epoch("evaluation", "evaluation", "evaluation loss", epochs, evaluating),
    ]
    return _chart(evaluation, "loss, nats per text", "Training and evaluation loss.", lines)


def chart_of_scores(evaluation: Evaluation) -> Markup | None:
    """Scores of the evaluation part by epoch; None for a task without."""
    epochs = evaluation.curves.epochs
    names = [name for name in epochs[0].scores if all(name in epoch.scores for epoch in epochs)]
    lines = [
        _by_epoch(f"score{number}", name, name, epochs, [epoch.scores[name] for epoch in epochs])
        for number, name in enumerate(names)
    ]
    return _chart(evaluation, "score", f"{' and '.join(names)} by epoch.", lines) if lines else None


def chart_of_steps(evaluation: Evaluation) -> Markup | None:
    """Learning rate and norm of the gradient by step; None before the first one."""
    points = _thinned(evaluation.curves.training_loss)
    if not len(points):
        return None
    figure = Figure(figsize=SIZE, layout="constrained")
    for place, name, label in ((2, "rate", "learning rate"), (3, "norm", "gradient norm")):
        axes = figure.add_subplot(1, 2, place - 1)
        _dress(axes, label, "epoch")
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        _draw(axes, Line(name, label, points[:, 0], points[:, place]))
        axes.set_ylim(bottom=0)
    return inline_svg(figure, "Learning rate and norm of the gradient by epoch", {})


def reliability_chart(scores: ClassificationScores | None) -> Markup | None:
    """How often the model is right against how sure it is; None where that was not measured."""
    if scores is None or scores.calibration is None:
        return None
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    _dress(axes, "share that is right", "probability the model gives")
    bins = [one for one in scores.calibration.bins if one.support]
    tips = tuple(f"{b.support} texts: {b.confidence:.0%} sure, {b.accuracy:.0%} right" for b in bins)
    line = Line("evaluation", "", [b.confidence for b in bins], [b.accuracy for b in bins], tips)
    axes.plot([0, 1], [0, 1], linestyle="--", linewidth=1, gid=f"{CLASS}ideal")
    _draw(axes, line)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), box_aspect=1)
    return inline_svg(figure, "Reliability: share that is right by probability", {line.name: tips})


def _chart(evaluation: Evaluation, label: str, title: str, lines: list[Line]) -> Markup:
    """Lines by epoch, with what happened in which epoch."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    _dress(axes, label, "epoch")
    for line in lines:
        _draw(axes, line)
    last = evaluation.curves.epochs[-1].epoch
    marks = {"best": ("best epoch", "--", evaluation.best_epoch)}
    if evaluation.stopped_early:
        marks["stop"] = ("stopped early", ":", last)
    for name, (said, style, epoch) in marks.items():
        axes.axvline(epoch, linewidth=1.2, linestyle=style, gid=f"{CLASS}{name}", label=said)
    _legend(axes)
    early = ", stopped early" if evaluation.stopped_early else ""
    tips = {line.name: line.tips for line in lines}
    return inline_svg(figure, f"{title} Best epoch: {evaluation.best_epoch} of {last}{early}.", tips)


def _legend(axes: Axes) -> None:
    classes = {str(line.get_label()): str(line.get_gid()) for line in axes.get_lines()}
    legend = axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_gid(classes[str(handle.get_label())])


def _dress(axes: Axes, label: str, below: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.patch.set_visible(False)
    axes.figure.patch.set_visible(False)
    axes.grid(axis="y", linewidth=0.5, gid=f"{CLASS}grid")
    axes.set(xlabel=below, ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=below == "epoch"))


def _by_epoch(name: str, label: str, score: str, epochs: list[EpochSummary], values: Sequence[float]) -> Line:
    tips = tuple(f"Epoch {e.epoch}: {score} {value:.3f}" for e, value in zip(epochs, values, strict=True))
    return Line(name, label, [float(epoch.epoch) for epoch in epochs], values, tips)


def _draw(axes: Axes, line: Line) -> None:
    marker = "o" if line.tips else ""
    axes.plot(
        line.x, line.y, marker=marker, markersize=4, linewidth=1.6, label=line.label, gid=CLASS + line.name
    )


def _thinned(points: list[LossPoint]) -> NDArray[np.float64]:
    """Epoch, loss, learning rate and gradient norm, as means of neighbours: at most (MAX_POINTS, 4)."""
    rows = np.array([(p.epoch, p.loss, p.learning_rate, p.gradient_norm) for p in points]).reshape(-1, 4)
    if len(rows) <= MAX_POINTS:
        return rows
    return np.array([part.mean(axis=0) for part in np.array_split(rows, MAX_POINTS)])
