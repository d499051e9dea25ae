"""Dashboards for Grafana, as values of its own types; `make generate` writes them into the chart."""

import json
from collections.abc import Iterator

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import fleet, operator, run


def dashboards() -> Iterator[tuple[str, str]]:
    """Name and JSON of each."""
    for name, built in (("fleet", fleet.build()), ("run", run.build()), ("operator", operator.build())):
        yield name, json.dumps(built, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"
