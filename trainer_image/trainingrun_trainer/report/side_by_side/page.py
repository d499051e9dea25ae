"""The page of several runs."""

from ..document import document
from .content import SideBySide
from .curves import overlaid

STYLES = ("base", "parts", "series", "print")
SCRIPTS = ("elements", "tables")


def render_side_by_side(runs: SideBySide) -> str:
    """One HTML document, made and guarded as the page of one run is."""
    return document(
        "side_by_side.html.j2", STYLES, SCRIPTS, runs=runs, charts=overlaid(runs.names, runs.reports)
    )
