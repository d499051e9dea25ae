"""Training that became unstable: what its curves show."""

from collections.abc import Iterator, Sequence

import numpy as np

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import LossPoint
from trainingrun_api.status import EpochSummary

from .evidence import Evidence
from .wording import finding

SMOOTHED = 5
"""Points of the curve whose median counts as one: single batches are hard at times."""

JUMP, ROSE = 2.0, 1.5
"""Times the loss before, from which on a loss has jumped, or has risen above that of the untrained model."""

LEAST_RISE = 0.2
"""Nats; between losses near zero, large factors mean nothing."""

GROWN = 10.0
"""Times maxGradientNorm, and times what they were at first, from which on gradients have grown."""


def unstable(evidence: Evidence) -> bool:
    """Whether any check of this module finds something."""
    checks = (diverged, loss_jump, evaluation_loss_rose, one_label, growing_gradients)
    return any(True for check in checks for _ in check(evidence))


def diverged(evidence: Evidence) -> Iterator[Finding]:
    """The loss was not finite, which ended training."""
    where = evidence.curves.divergence
    if where is not None:
        yield finding(
            FindingType.DIVERGED,
            Severity.WARNING,
            f"After step {where.step}, in epoch {where.epoch}, the loss was not finite: training "
            f"ended there, and {evidence.chosen}",
            _calmer(evidence),
            {"step": where.step, "epoch": where.epoch},
        )


def loss_jump(evidence: Evidence) -> Iterator[Finding]:
    """The training loss rose to twice its lowest and stayed there until the end."""
    losses = _smoothed([point.loss for point in evidence.curves.training_loss])
    if len(losses) < 2:
        return
    lowest = int(np.argmin(losses))
    before, after = losses[lowest], float(np.min(losses[lowest:][-SMOOTHED:]))
    if lowest < len(losses) - SMOOTHED and after > max(JUMP * before, before + LEAST_RISE):
        step = _first_above(evidence.curves.training_loss, lowest, max(JUMP * before, before + LEAST_RISE))
        yield finding(
            FindingType.LOSS_JUMP,
            Severity.WARNING,
            f"The training loss rose from {before:.3g} to {after:.3g} at step {step} and stayed",
            _calmer(evidence),
            {"step": step, "lossBefore": before, "lossAfter": after},
        )


def evaluation_loss_rose(evidence: Evidence) -> Iterator[Finding]:
    """The last epoch's evaluation loss is far above that of the model before training."""
    first, last = evidence.curves.epochs[0], evidence.curves.epochs[-1]
    limit = max(ROSE * first.evaluation_loss, first.evaluation_loss + LEAST_RISE)
    if last.epoch and last.evaluation_loss > limit:
        yield finding(
            FindingType.EVALUATION_LOSS_ROSE,
            Severity.WARNING,
            f"The evaluation loss was {first.evaluation_loss:.3g} before training "
            f"and {last.evaluation_loss:.3g} after epoch {last.epoch}",
            _calmer(evidence),
            {"lossBefore": first.evaluation_loss, "lossAfter": last.evaluation_loss},
        )


def one_label(evidence: Evidence) -> Iterator[Finding]:
    """After the last epoch the model gave all texts one label, as its accuracy and F1 tell."""
    last = evidence.curves.epochs[-1]
    support = [one.support for one in evidence.scores.evaluated] if evidence.scores else []
    if len(support) < 2:
        return
    if any(_is_all_one_label(last, count, support) for count in set(support)):
        yield finding(
            FindingType.ONE_LABEL,
            Severity.WARNING,
            f"After epoch {last.epoch} the model gave all evaluation texts the same label",
            _calmer(evidence),
            {"epoch": last.epoch},
        )


def growing_gradients(evidence: Evidence) -> Iterator[Finding]:
    """The last quarter's gradients are far longer than the first quarter's, and than they are cut to."""
    norms = [point.gradient_norm for point in evidence.curves.training_loss]
    quarter = len(norms) // 4
    if not quarter:
        return
    first, last = float(np.median(norms[:quarter])), float(np.median(norms[-quarter:]))
    if last > GROWN * max(first, evidence.recipe.max_gradient_norm):
        yield finding(
            FindingType.GROWING_GRADIENTS,
            Severity.WARNING,
            f"Gradients grew from a norm of {first:.3g} to {last:.3g}",
            _calmer(evidence),
            {"normBefore": first, "normAfter": last},
        )


def _smoothed(values: Sequence[float]) -> list[float]:
    """Medians of SMOOTHED values each."""
    windows = [values[start : start + SMOOTHED] for start in range(len(values) - SMOOTHED + 1)]
    return [float(np.median(window)) for window in windows]


def _first_above(points: Sequence[LossPoint], start: int, limit: float) -> int:
    return next((point.step for point in points[start:] if point.loss > limit), points[-1].step)


def _is_all_one_label(epoch: EpochSummary, count: int, support: Sequence[int]) -> bool:
    """Whether the scores are those of giving all texts a label that `count` of them have.

    `support` are the texts of each label that was evaluated.
    """
    share = count / sum(support)
    f1 = 2 * share / (1 + share) / len(support)
    return bool(np.allclose([epoch.accuracy or 0, epoch.f1 or 0], [share, f1], atol=1e-9))


def _calmer(evidence: Evidence) -> str:
    rate = evidence.recipe.learning_rate
    return (
        f"Lower spec.training.learningRate, which was {rate:.2g}, to about {rate / 4:.0e}; "
        "a longer warm-up or a lower maxGradientNorm can help as well"
    )
