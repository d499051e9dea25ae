"""What all dashboards are made of: panels by what they show, and the variables on top."""

from typing import NamedTuple

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
    xychart,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.xychart import XYShowMode

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WHOLE, HALF, THIRD, SIXTH = 24, 12, 8, 4
"""Widths, of 24 columns."""
LOW, HIGH = 4, 8


class Query(NamedTuple):
    """An expression of Prometheus, and what its series are called."""

    expr: str
    legend: str = ""


class Link(NamedTuple):
    """Where a click on a value of a table's column leads."""

    column: str
    title: str
    url: str


def a_dashboard(name: str, title: str, text: str) -> dashboard.Dashboard:
    """An empty one, over the last day, with a choice of the Prometheus that it asks."""
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return (
        dashboard.Dashboard(title)
        .uid(f"trainingrun-{name}")
        .description(text)
        .tags(["trainingrun"])
        .refresh("30s")
        .time("now-24h", "now")
        .with_variable(source)
    )


def choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A variable whose values a query finds."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def curves(
    title: str, text: str, *queries: Query, unit: str = "short", width: int = HALF, stacked: bool = False
) -> timeseries.Panel:
    """Values over time."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(width)
        .height(HIGH)
        .show_points(VisibilityMode.AUTO)
        .legend(_legend())
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(30)
    return panel.targets(_targets(queries))


def by_epoch(title: str, text: str, epoch: Query, *queries: Query, width: int = HALF) -> xychart.Panel:
    """Values over the values of `epoch` at the same time."""
    joined = DataTransformerConfig(id_val="joinByField", options={"byField": "Time", "mode": "outer"})
    return (
        xychart.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(width)
        .height(HIGH)
        .show(XYShowMode.POINTS_AND_LINES)
        .series([xychart.XYSeriesConfig()])  # the first column against all others
        .legend(_legend())
        .with_transformation(joined)
        .targets(_targets((epoch, *queries)))
    )


def number(title: str, text: str, query: Query, unit: str = "short", width: int = SIXTH) -> stat.Panel:
    """The latest value, or the name of the series that has one."""
    return (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .span(width)
        .height(LOW)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(_latest())
        .text_mode(BigValueTextMode.NAME if query.legend else BigValueTextMode.VALUE)
        .targets([_target(query, "A").instant()])
    )


def bars(title: str, text: str, query: Query, unit: str = "short", width: int = HALF) -> bargauge.Panel:
    """The latest values beside each other."""
    return (
        bargauge.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .decimals(0)  # increase() doesn't count in whole numbers
        .span(width)
        .height(HIGH)
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(_latest())
        .targets([_target(query, "A").instant()])
    )


def states(title: str, text: str, query: Query, width: int = WHOLE) -> statetimeline.Panel:
    """When each series was there."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(width)
        .height(LOW)
        .targets(_targets((query,)))
    )


def rows(
    title: str, text: str, *queries: Query, width: int = WHOLE, links: tuple[Link, ...] = ()
) -> table.Panel:
    """The latest values by their labels: a column for each query that has a name, a row for all labels."""
    values = {f"Value #{reference}": query.legend for reference, query in _referenced(queries)}
    unnamed = {column: True for column, name in values.items() if not name}
    columns = {
        "excludeByName": {"Time": True, **unnamed},
        "renameByName": {column: name for column, name in values.items() if name},
    }
    panel = (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(width)
        .height(HIGH)
        .targets(
            [
                _target(query._replace(legend=""), reference).instant().format(PromQueryFormat.TABLE)
                for reference, query in _referenced(queries)
            ]
        )
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(DataTransformerConfig(id_val="organize", options=columns))
    )
    for link in links:
        shown = [{"title": link.title, "url": link.url}]
        panel.override_by_name(link.column, [DynamicConfigValue(id_val="links", value=shown)])
    return panel


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )


def _latest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _referenced(queries: tuple[Query, ...]) -> list[tuple[str, Query]]:
    """With the letters that Grafana knows them by."""
    return [(chr(ord("A") + number), query) for number, query in enumerate(queries)]


def _targets(queries: tuple[Query, ...]) -> list[Builder[Dataquery]]:
    return [_target(query, reference).range() for reference, query in _referenced(queries)]


def _target(query: Query, reference: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(reference).datasource(SOURCE)
    return target.legend_format(query.legend) if query.legend else target
