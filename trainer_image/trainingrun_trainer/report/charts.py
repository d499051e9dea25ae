"""Charts: drawn by matplotlib, as SVG that may stand in a page with a strict policy and takes its colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from trainingrun_api.evaluation import ClassificationScores, Evaluation, LossPoint
from trainingrun_api.metrics import Metric
from trainingrun_api.status import EpochSummary

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

CLASS = "c-"
"""Start of the gid of an artist that the style sheet colours: it becomes the class of its group."""

for prefix, namespace in (("", SVG), ("xlink", XLINK)):
    ElementTree.register_namespace(prefix, namespace)

SIZE = (7.2, 3.2)
"""Inches; the page scales it."""

MAX_POINTS = 600
"""Points of a curve by step: more than there are pixels for would only make the page larger."""


def inline_svg(figure: Figure, title: str, tips: Mapping[str, Sequence[str]]) -> Markup:
    """The figure as an element for HTML, named `title` for those who can't see it.

    `tips` has what the markers of a line say when pointed at, by the class of the line.
    """
    drawn = StringIO()
    # Text stays text; ids follow from the title, so that they are the same each time but for no two figures.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(drawn.getvalue())  # noqa: S314 - made a line above
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{SVG}}}metadata", f"{{{SVG}}}style"}:
                parent.remove(child)
    for element in root.iter():
        _plain(element)
    for marker in root.iterfind(f".//{{{SVG}}}defs/{{{SVG}}}path"):
        # It would hide the colour of the element that uses it, which the style sheet sets.
        marker.attrib.pop("stroke", None)
    for name, lines in tips.items():
        _tell(root, name, lines)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.attrib |= {"role": "img", "aria-label": title, "class": "chart"}
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - texts are escaped by it


def _plain(element: ElementTree.Element) -> None:
    """Attributes in place of inline style, which the policy refuses; classes in place of ids."""
    style = element.attrib.pop("style", "")
    for declaration in filter(None, style.split(";")):
        name, value = (part.strip() for part in declaration.split(":", 1))
        if name == "font":
            element.set("font-size", next(part for part in value.split() if part.endswith("px")))
        else:
            element.set(name, value)
    name = element.get("id", "")
    if element.tag == f"{{{SVG}}}g" and name:
        # Several figures in one page would have the same ids.
        element.attrib.pop("id")
        element.set("class", name.removeprefix(CLASS) if name.startswith(CLASS) else name.split("_")[0])


def _tell(root: ElementTree.Element, name: str, lines: Sequence[str]) -> None:
    for group in root.iter(f"{{{SVG}}}g"):
        if group.get("class") == name:
            for marker, line in zip(group.iter(f"{{{SVG}}}use"), lines, strict=False):
                ElementTree.SubElement(marker, f"{{{SVG}}}title").text = line


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
    marker_size: float = 4
    """Points."""


def legend(axes: Axes) -> None:
    """Name the curves above the chart."""
    classes = {str(line.get_label()): str(line.get_gid()) for line in axes.get_lines()}
    drawn = axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    for handle in drawn.legend_handles:
        if handle is not None:
            handle.set_gid(classes[str(handle.get_label())])


def dress(axes: Axes, label: str, below: str) -> None:
    """Axes with a name for what is drawn and for what lies `below` it; without a frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.patch.set_visible(False)
    axes.figure.patch.set_visible(False)
    axes.grid(axis="y", linewidth=0.5, gid=f"{CLASS}grid")
    axes.set(xlabel=below, ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=below == "epoch"))


def by_epoch(name: str, label: str, score: str, epochs: list[EpochSummary], values: Sequence[float]) -> Line:
    """A curve with a marker for each epoch, which says its `score`."""
    tips = tuple(f"Epoch {e.epoch}: {score} {value:.3f}" for e, value in zip(epochs, values, strict=True))
    return Line(name, label, [float(epoch.epoch) for epoch in epochs], values, tips)


def common_scores(epochs: Sequence[EpochSummary]) -> list[Metric]:
    """The scores that all epochs have; at least one epoch is given."""
    return [metric for metric in epochs[0].scores if all(metric in epoch.scores for epoch in epochs)]


def draw(axes: Axes, line: Line) -> None:
    """Draw a curve."""
    marker = "o" if line.tips else ""
    axes.plot(
        line.x,
        line.y,
        marker=marker,
        markersize=line.marker_size,
        linewidth=1.6,
        label=line.label,
        gid=CLASS + line.name,
    )


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
