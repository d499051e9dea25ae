"""report.html: what a trained model is worth, for people; one file that needs nothing but a browser."""

from .content import Report
from .page import render

__all__ = ["Report", "render"]
