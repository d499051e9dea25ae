"""How curves are drawn: by matplotlib, coloured by the style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from trainingrun_api.metrics import Metric
from trainingrun_api.status import EpochSummary

from .svg import CLASS

SIZE = (7.2, 3.2)
"""Inches; the page scales it."""


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
