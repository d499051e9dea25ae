"""Labels that are likely wrong, by probabilities from models that were not trained on the text.

After confident learning (Northcutt, Jiang and Chuang, JAIR 2021): what is little for one label is usual for
another, so each text is measured by the mean probability that texts of its label have for it.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from trainingrun_api.base import Model
from trainingrun_api.evaluation import MAX_FLAGGED

from .scores import Floats, Indices

FLAGGED = 1 / 8
"""Share of a label's mean probability below which a text of it is flagged.

Measured on the example tickets, in 10 draws of 912 texts of which 10 % were given another of the 8 labels,
with regression on four fifths for the training split, and on all of that for the evaluation split: 76 % of
the flagged texts were planted (73 to 78), and 79 % of the planted ones were found (75 to 85). At 1/10 it is
80 and 74 %, at 0.15 72 and 82 %. Confident learning's own rule, that another label reaches its mean, has
about 55 and 66 %.
"""

FLAGGED_OF_FEW = 1 / 2
"""The same times the number of labels: with two, a model that is always right and calibrated on labels of
which a sixth are wrong gives these a sixth, and 0.72 to the labels of all texts on average."""

LEAST_TEXTS = 5
"""Texts of a label below which their mean says nothing, so that it is neither flagged nor suggested."""

SHARPNESS = (-4.0, 3.0)
"""Logarithms of the factors of logits that are tried: models are hardly further from what they should be."""


class LabelIssue(Model):
    """A text that likely has another label."""

    row: int
    """Its position in its part."""
    suggested: int
    """Index of the most probable label."""
    probability: float
    """Of the suggested label, 0 to 1."""
    trust: float
    """Probability of the label it has, as a share of the mean over texts of that label; less than it should
    be."""


class FoundIssues(Model):
    """The label issues of a split."""

    judged: int
    """Texts looked at."""
    flagged: int
    """Texts among them that likely have another label."""
    worst: list[LabelIssue]
    """At most MAX_FLAGGED of these, the least trusted first."""


def find_label_issues(targets: Indices, probabilities: Floats, rows: Indices | None = None) -> FoundIssues:
    """Labels, given as indices, (texts,), that are likely wrong by the probabilities of all, (texts, labels).

    `rows` are the texts' positions, 0, 1, … when left out.
    """
    places, texts = np.arange(len(targets)), np.bincount(targets, minlength=probabilities.shape[1])
    calibrated = _calibrated(targets, probabilities)
    own = calibrated[places, targets]
    means = np.bincount(targets, own, minlength=len(texts)) / np.maximum(texts, 1)
    known = texts >= LEAST_TEXTS
    suggested, trust = calibrated.argmax(axis=1), own / means[targets]
    judged = known[targets] & known[suggested]
    flagged = judged & (suggested != targets) & (trust < max(FLAGGED, FLAGGED_OF_FEW / len(texts)))
    worst = np.argsort(np.where(flagged, trust, np.inf), kind="stable")[: min(flagged.sum(), MAX_FLAGGED)]
    return FoundIssues(
        judged=int(judged.sum()),
        flagged=int(flagged.sum()),
        worst=[
            LabelIssue(
                row=int(place if rows is None else rows[place]),
                suggested=int(suggested[place]),
                probability=float(calibrated[place, suggested[place]]),
                trust=float(trust[place]),
            )
            for place in worst
        ],
    )


def _calibrated(targets: Indices, probabilities: Floats) -> Floats:
    """As sure as they are right about these labels: temperature scaling (Guo et al., ICML 2017).

    A fine-tuned model is too sure of what it says and a regularised regression not sure enough; so that one
    share of the mean does for both.
    """
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    places = np.arange(len(targets))

    def loss(sharpness: float) -> float:
        return -float(log_softmax(np.exp(sharpness) * logits, axis=1)[places, targets].mean())

    best = minimize_scalar(loss, bounds=SHARPNESS, method="bounded", options={"xatol": 0.01}).x
    calibrated: Floats = np.exp(log_softmax(np.exp(best) * logits, axis=1))
    return calibrated
