"""Curves of training, drawn by matplotlib."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from trainingrun_api.evaluation import ClassificationScores, Evaluation, LossPoint

from .drawing import SIZE, Line, by_epoch, common_scores, draw, dress, legend
from .svg import CLASS, inline_svg

MAX_POINTS = 600
"""Points of a curve by step: more than there are pixels for would only make the page larger."""


def chart_of_losses(evaluation: Evaluation) -> Markup:
    """Training and evaluation loss, with the best epoch, early stopping and restarts."""
    epochs, points = evaluation.curves.epochs, _thinned(evaluation.curves.training_loss)
    training = [epoch.training_loss for epoch in epochs]
    evaluating = [epoch.evaluation_loss for epoch in epochs]
    lines = [
        Line("steps", "training, by step", points[:, 0], points[:, 1]),
        by_epoch("training", "training", "training loss", epochs, training),
        by_epoch("evaluation", "evaluation", "evaluation loss", epochs, evaluating),
    ]
    return _chart(evaluation, "loss, nats per text", "Training and evaluation loss.", lines)


def chart_of_scores(evaluation: Evaluation) -> Markup | None:
    """Scores of the evaluation split by epoch; None for a task without."""
    epochs = evaluation.curves.epochs
    metrics = common_scores(epochs)
    lines = [
        by_epoch(f"score{number}", one.name, one.name, epochs, [epoch.scores[one] for epoch in epochs])
        for number, one in enumerate(metrics)
    ]
    title = f"{' and '.join(one.name for one in metrics)} by epoch."
    return _chart(evaluation, "score", title, lines) if lines else None


def chart_of_steps(evaluation: Evaluation) -> Markup | None:
    """Learning rate and norm of the gradient by step; None before the first one."""
    points = _thinned(evaluation.curves.training_loss)
    if not len(points):
        return None
    figure = Figure(figsize=SIZE, layout="constrained")
    for place, name, label in ((2, "rate", "learning rate"), (3, "norm", "gradient norm")):
        axes = figure.add_subplot(1, 2, place - 1)
        dress(axes, label, "epoch")
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        draw(axes, Line(name, label, points[:, 0], points[:, place]))
        axes.set_ylim(bottom=0)
    return inline_svg(figure, "Learning rate and norm of the gradient by epoch", {})


def reliability_chart(scores: ClassificationScores | None) -> Markup | None:
    """How often the model is right against how sure it is; None where that was not measured."""
    if scores is None or scores.calibration is None:
        return None
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    dress(axes, "share that is right", "probability the model gives")
    bins = [one for one in scores.calibration.bins if one.support]
    tips = tuple(f"{b.support} texts: {b.confidence:.0%} sure, {b.accuracy:.0%} right" for b in bins)
    line = Line("evaluation", "", [b.confidence for b in bins], [b.accuracy for b in bins], tips)
    axes.plot([0, 1], [0, 1], linestyle="--", linewidth=1, gid=f"{CLASS}ideal")
    draw(axes, line)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), box_aspect=1)
    return inline_svg(figure, "Reliability: share that is right by probability", {line.name: tips})


def _chart(evaluation: Evaluation, label: str, title: str, lines: list[Line]) -> Markup:
    """Lines by epoch, with what happened in which epoch."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    dress(axes, label, "epoch")
    for line in lines:
        draw(axes, line)
    last = evaluation.curves.epochs[-1].epoch
    restarts = [restart.epoch for restart in evaluation.curves.restarts]
    _mark(axes, "best", "best epoch", "--", [evaluation.best_epoch])
    _mark(axes, "stop", "stopped early", ":", [last] if evaluation.stopped_early else [])
    _mark(axes, "restart", "restarted", "-.", restarts)
    legend(axes)
    early = ", stopped early" if evaluation.stopped_early else ""
    after = f" Restarted after epoch {', '.join(map(str, restarts))}." if restarts else ""
    tips = {line.name: line.tips for line in lines}
    return inline_svg(figure, f"{title} Best epoch: {evaluation.best_epoch} of {last}{early}.{after}", tips)


def _mark(axes: Axes, name: str, label: str, style: str, epochs: Sequence[int]) -> None:
    """Upright lines; the legend names them once."""
    for number, epoch in enumerate(epochs):
        said = "_" if number else label
        axes.axvline(epoch, linewidth=1.2, linestyle=style, gid=f"{CLASS}{name}", label=said)


def _thinned(points: list[LossPoint]) -> NDArray[np.float64]:
    """Epoch, loss, learning rate and gradient norm, as means of neighbours: at most (MAX_POINTS, 4)."""
    rows = np.array([(p.epoch, p.loss, p.learning_rate, p.gradient_norm) for p in points]).reshape(-1, 4)
    if len(rows) <= MAX_POINTS:
        return rows
    return np.array([part.mean(axis=0) for part in np.array_split(rows, MAX_POINTS)])
