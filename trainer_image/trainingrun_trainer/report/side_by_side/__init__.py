"""Runs beside each other: what was set differently, and what it did to scores, curves and classes."""

from .content import SideBySide, compare
from .page import render_side_by_side

__all__ = ["SideBySide", "compare", "render_side_by_side"]
