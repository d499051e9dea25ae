"""The page of one run."""

from typing import Any

from trainingrun_api.progress import bounded_epochs

from ..setting_paths import settings_by_path
from .charts import chart_of_losses, chart_of_scores, chart_of_steps, reliability_chart
from .confusions import cells, confused_pairs, taken_for
from .content import Report
from .document import document
from .facts import data_steps, duplicates, lineage, recipe, timing
from .headline import headline
from .texts import Shown, shown_texts

STYLES = ("base", "parts", "matrix", "texts", "print")
SCRIPTS = ("elements", "data", "tables", "matrix", "keyboard", "texts", "export", "main")


def render(report: Report) -> str:
    """One HTML document with a Content-Security-Policy that lets it run its own script and load nothing."""
    evaluation = report.evaluation
    scores = report.scores
    table, labels = report.predictions, evaluation.labels
    shown = shown_texts(table, labels) if table is not None and labels else None
    return document(
        "page.html.j2",
        STYLES,
        SCRIPTS,
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
        duplicates=duplicates(evaluation.data),
        source_scores={one.source: one for one in evaluation.sources},
        recipe=recipe(evaluation.recipe),
        timing=timing(evaluation.timing),
        settings=settings_by_path(report.record.config).items(),
        lineage=lineage(report),
        shown=shown,
        data=_data(report, shown),
    )


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
