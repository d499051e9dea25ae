"""The whole page: templates, style and script made one file that loads nothing."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trainingrun_api.progress import bounded_epochs

from .charts import chart_of_losses, chart_of_scores, chart_of_steps, reliability_chart
from .confusions import cells, confused_pairs, taken_for
from .content import Report
from .facts import copies, data_steps, lineage, recipe, settings
from .headline import headline
from .texts import Shown, shown_texts

STYLES = ("base", "parts", "matrix", "texts", "print")
SCRIPTS = ("data", "tables", "matrix", "keyboard", "texts", "export", "main")
"""In the order they build on each other."""


def render(report: Report) -> str:
    """One HTML document with a Content-Security-Policy that lets it run its own script and load nothing."""
    evaluation = report.evaluation
    scores = report.scores
    style, script = _joined("style", STYLES, "css"), _joined("script", SCRIPTS, "js")
    shown = None if report.predictions is None else shown_texts(report.predictions, evaluation.labels)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            evaluation=evaluation,
            scores=scores,
            config=report.record.config,
            headline=headline(report),
            pairs=confused_pairs(scores),
            taken_for=taken_for(scores),
            losses=chart_of_losses(evaluation),
            epoch_scores=chart_of_scores(evaluation),
            steps=chart_of_steps(evaluation),
            reliability=reliability_chart(scores),
            epochs=bounded_epochs(evaluation.curves.epochs, evaluation.best_epoch),
            advice=evaluation.advice,
            similarity=report.similarity,
            data_steps=data_steps(report),
            copies=copies(evaluation.data),
            source_scores={one.source: one for one in evaluation.sources},
            recipe=recipe(evaluation.recipe),
            settings=settings(report.record.config),
            lineage=lineage(report),
            shown=shown,
            data=_data(report, shown),
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - files of this package
            script=Markup(script),  # noqa: S704
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # What `tojson` writes may stand in a script element: <, >, & and ' are escaped.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}"
    return environment


def _data(report: Report, shown: Shown | None) -> dict[str, Any]:
    """What the script works on."""
    evaluation, source = report.evaluation, report.record.config.dataset
    scores = report.scores
    return {
        "name": evaluation.model_name,
        "labels": evaluation.labels,
        "support": [one.support for one in scores.classes] if scores else [],
        "cells": cells(scores),
        "several": bool(scores and scores.threshold),
        "textField": source.text_field,
        "labelField": source.label_field,
        "separator": source.label_separator or "|",
        "context": report.record.config.context_parameters,
        "texts": shown.rows if shown else [],
        "sources": shown.sources if shown else [],
    }


@cache
def _joined(folder: str, names: tuple[str, ...], suffix: str) -> str:
    place = files(__package__) / folder
    return "".join(f"\n{(place / f'{name}.{suffix}').read_text(encoding='utf-8')}" for name in names)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
