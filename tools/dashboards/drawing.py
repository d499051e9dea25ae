"""Draws a dashboard without Grafana, from the answers to its own queries: to see that there is something."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

from matplotlib.axes import Axes
from matplotlib.figure import Figure

Panel = Mapping[str, Any]
COLUMNS = 24
COLUMN_INCHES, ROW_INCHES = 0.55, 0.33
POINTS = 400
UNITS: dict[str, Callable[[float], str]] = {
    "percentunit": lambda value: f"{value:.0%}",
    "s": lambda value: f"{value:.3g} s",
    "bytes": lambda value: f"{value / 2**20:.0f} MiB",
}


class Series(NamedTuple):
    """One series of an answer: what it is called, its labels, and its values over time."""

    name: str
    labels: Mapping[str, str]
    times: list[float]
    values: list[float]


@dataclass(frozen=True)
class Viewed:
    """What a reader has chosen: which Prometheus, from when to when, and values for the variables."""

    url: str
    start: float
    end: float
    variables: Mapping[str, str]

    @property
    def step(self) -> float:
        """Seconds between two points."""
        return max((self.end - self.start) / POINTS, 1.0)

    def answers(self, panel: Panel) -> list[list[Series]]:
        """To each of the panel's queries."""
        return [self._answer(target) for target in panel["targets"]]

    def _answer(self, target: Mapping[str, Any]) -> list[Series]:
        expression = self._filled(target["expr"])
        if target["instant"]:
            found = self._asked("query", query=expression, time=self.end)
        else:
            found = self._asked(
                "query_range", query=expression, start=self.start, end=self.end, step=self.step
            )
        return [_series(one, target.get("legendFormat", "")) for one in found]

    def _filled(self, expression: str) -> str:
        built_in = {"__range": f"{self.end - self.start:.0f}s", "__rate_interval": f"{4 * self.step:.0f}s"}
        for name, value in (built_in | dict(self.variables)).items():
            expression = expression.replace(f"${name}", value)
        return expression

    def _asked(self, what: str, **query: str | float) -> list[dict[str, Any]]:
        with urlopen(f"{self.url}/api/v1/{what}?{urlencode(query)}", timeout=60) as answer:  # noqa: S310
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def _series(found: Mapping[str, Any], legend: str) -> Series:
    labels, points = found["metric"], found.get("values") or [found["value"]]
    name = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
    return Series(name, labels, [float(time) for time, _ in points], [float(value) for _, value in points])


def draw(dashboard: Mapping[str, Any], viewed: Viewed, path: Path) -> None:
    """Write the picture of all its panels, placed as in Grafana."""
    panels = dashboard["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = Figure(figsize=(COLUMNS * COLUMN_INCHES, height * ROW_INCHES), dpi=80)
    for panel in panels:
        axes = figure.add_axes(_place(panel["gridPos"], height))
        axes.set_title(panel["title"], fontsize=9, loc="left")
        axes.tick_params(labelsize=7)
        DRAWN[panel["type"]](axes, panel, viewed)
    figure.savefig(path)


def _place(grid: Mapping[str, int], height: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height within the figure, with room for title and axes."""
    left, low = grid["x"] + 1.2, height - grid["y"] - grid["h"] + 1.2
    return left / COLUMNS, low / height, (grid["w"] - 1.7) / COLUMNS, (grid["h"] - 2.4) / height


def _curves(axes: Axes, panel: Panel, viewed: Viewed) -> None:
    for answer in viewed.answers(panel):
        for series in answer:
            minutes = [(time - viewed.start) / 60 for time in series.times]
            axes.plot(minutes, series.values, label=series.name, linewidth=1)
    axes.set_xlim(0, (viewed.end - viewed.start) / 60)
    axes.set_xlabel("minutes", fontsize=7)
    if axes.lines:
        axes.set_ylim(min(0.0, axes.dataLim.y0), 1.1 * axes.dataLim.y1 or 1.0)
    _legend(axes)


def _by_epoch(axes: Axes, panel: Panel, viewed: Viewed) -> None:
    """Each of the others over the first, at the same times."""
    (epochs,), *others = viewed.answers(panel)
    epoch_at = dict(zip(epochs.times, epochs.values, strict=True))
    for series in (one for answer in others for one in answer):
        points = [
            (epoch_at[time], value)
            for time, value in zip(series.times, series.values, strict=True)
            if time in epoch_at
        ]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1, label=series.name)
    axes.set_xlabel(epochs.name, fontsize=7)
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=6, loc="best", frameon=False)


def _number(axes: Axes, panel: Panel, viewed: Viewed) -> None:
    ((series, *_), *_) = viewed.answers(panel)
    text = series.name or _with_unit(panel, series.values[-1])
    axes.axis("off")
    axes.text(0.5, 0.4, text, fontsize=18, ha="center", va="center")


def _bars(axes: Axes, panel: Panel, viewed: Viewed) -> None:
    (answer,) = viewed.answers(panel)
    for place, series in enumerate(answer):
        axes.barh(-place, series.values[-1], height=0.6, color="C0", alpha=0.4)
        axes.text(
            0, -place, f" {series.name}: {_with_unit(panel, series.values[-1])}", fontsize=8, va="center"
        )
    axes.set_ylim(-max(len(answer), 6) + 0.5, 0.5)
    axes.set_yticks([])


def _states(axes: Axes, panel: Panel, viewed: Viewed) -> None:
    for answer in viewed.answers(panel):
        for series in answer:
            starts = [((time - viewed.start) / 60, viewed.step / 60) for time in series.times]
            axes.broken_barh(starts, (-0.4, 0.8), label=series.name, facecolors=f"C{len(axes.collections)}")
    axes.set_xlim(0, (viewed.end - viewed.start) / 60)
    axes.set_xlabel("minutes", fontsize=7)
    axes.set_yticks([])
    axes.legend(fontsize=6, loc="lower right", bbox_to_anchor=(1, 1), ncols=8, frameon=False)


def _rows(axes: Axes, panel: Panel, viewed: Viewed) -> None:
    """A row for all series that have the same labels, but for those that only the first query has."""
    organize = panel["transformations"][-1]["options"]
    first, *others = viewed.answers(panel)
    rows = {_key(series): dict(series.labels) for series in first}
    columns = [organize["renameByName"].get(f"Value #{target['refId']}") for target in panel["targets"]]
    for column, answer in zip(columns[1:], others, strict=True):
        for series in answer:
            if _key(series) in rows:
                rows[_key(series)][column] = f"{series.values[-1]:.3g}"
    axes.axis("off")
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    if not names:
        axes.text(0.5, 0.5, "none", fontsize=8, ha="center", color="gray")
        return
    cells = [[row.get(name, "") for name in names] for row in rows.values()]
    table = axes.table(cells, colLabels=names, loc="upper center", cellLoc="left", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(7)


def _key(series: Series) -> tuple[str, ...]:
    return tuple(series.labels.get(name, "") for name in ("namespace", "name", "type"))


def _with_unit(panel: Panel, value: float) -> str:
    how = panel["fieldConfig"]["defaults"]
    write = UNITS.get(how["unit"])
    return write(value) if write else f"{value:.{how['decimals']}f}" if "decimals" in how else f"{value:.4g}"


DRAWN: Mapping[str, Callable[[Axes, Panel, Viewed], None]] = {
    "timeseries": _curves,
    "xychart": _by_epoch,
    "stat": _number,
    "bargauge": _bars,
    "state-timeline": _states,
    "table": _rows,
}
