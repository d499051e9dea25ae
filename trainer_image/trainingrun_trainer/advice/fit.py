"""How training went: unstable, too long, too short, or with too little learned."""

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

RISEN = 1.15
"""Times the lowest evaluation loss, from which on it has risen: from epoch to epoch it moves by a tenth even
where nothing is wrong, as with the 182 evaluation texts of the example tickets."""

LEAST_EPOCHS = 2
"""Epochs after the lowest loss; a single one that is worse may be chance."""

STILL_FALLING = 0.05
"""Share of the lowest evaluation loss before that the last epoch still took off. The rate has fallen to zero
by then, so that an epoch which still takes that much was not the last one worth its time."""

HIGHER, HIGHER_TEXTS = 0.02, 3
"""A score is higher than another by this share at least, and by this many texts' worth of accuracy: in a few
hundred texts half of it is chance."""

UNEXPLAINED = 0.5
"""Share of the loss of one who knows no more than how frequent labels are. A model whose loss on the texts
it is trained on is above that has learned less than half of what there is to know."""


ENOUGH_TEXTS = 8
"""In a batch on each device, below which a small model's step is over before its gradients are shared."""


def unstable(evidence: Evidence) -> bool:
    """Whether the loss or the gradients went astray."""
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


def final_fit_failed(evidence: Evidence) -> Iterator[Finding]:
    """The fit on all texts came to nothing."""
    final = evidence.final_fit
    if final is None or final.kept:
        return
    before = evidence.curves.epochs[evidence.best_epoch].evaluation_loss
    after = "not finite" if final.loss is None else f"{final.loss:.3g}"
    yield finding(
        FindingType.FINAL_FIT_FAILED,
        Severity.WARNING,
        f"The final fit on all {final.texts} texts failed: on the evaluation split, which it learned, its "
        f"loss is {after}, that of epoch {evidence.best_epoch}, which is published, {before:.3g}",
        f"Lower spec.training.learningRate, which was {evidence.recipe.learning_rate:.2g}, or choose another "
        "seed; the published model is that of a run without finalFit",
        {"lossBefore": before, **({} if final.loss is None else {"lossAfter": final.loss})},
    )


def overfitting(evidence: Evidence) -> Iterator[Finding]:
    """The evaluation loss rose after an epoch, and the training loss went on falling."""
    epochs = evidence.curves.epochs
    lowest = min(epochs, key=lambda epoch: epoch.evaluation_loss)
    later = epochs[epochs.index(lowest) + 1 :]
    if not lowest.epoch or len(later) < LEAST_EPOCHS:
        return
    after, last = float(np.mean([epoch.evaluation_loss for epoch in later])), later[-1]
    if after > RISEN * lowest.evaluation_loss and last.training_loss < lowest.training_loss:
        yield finding(
            FindingType.OVERFITTING,
            Severity.INFO,
            f"From epoch {later[0].epoch} on the evaluation loss rose, from {lowest.evaluation_loss:.3g} to "
            f"{last.evaluation_loss:.3g}, while the training loss fell to {last.training_loss:.2g}",
            f"{evidence.chosen.capitalize()}. More texts help most; a lower learningRate or a higher "
            "weightDecay of spec.training may help too",
            {
                "epoch": later[0].epoch,
                "lowestLoss": lowest.evaluation_loss,
                "lastLoss": last.evaluation_loss,
                "trainingLoss": last.training_loss,
            },
        )


def too_few_epochs(evidence: Evidence) -> Iterator[Finding]:
    """The last epoch of all that were allowed was the best, and far better than those before.

    Not where all evaluation texts are given the right labels: a lower loss gains nothing there.
    """
    *earlier, last = evidence.curves.epochs
    most = evidence.recipe.max_epochs
    if not earlier or most is None or not evidence.best_epoch == last.epoch == most or last.accuracy == 1:
        return
    before = min(epoch.evaluation_loss for epoch in earlier)
    if last.evaluation_loss < (1 - STILL_FALLING) * before:
        yield finding(
            FindingType.TOO_FEW_EPOCHS,
            Severity.WARNING,
            f"The last epoch was the best, and the evaluation loss was still falling, from {before:.3g} to "
            f"{last.evaluation_loss:.3g}",
            f"Raise spec.training.maxEpochs from {most} to {2 * most}; early stopping ends it in time",
            {"epochs": most, "lossBefore": before, "lossAfter": last.evaluation_loss},
        )


def better_epoch(evidence: Evidence) -> Iterator[Finding]:
    """Another epoch has a higher score than the published one; a warning where it is that before training.

    Not where training was unstable, which says more.
    """
    if not evidence.finished or unstable(evidence):
        return
    epochs, chosen_by = evidence.curves.epochs, evidence.settings.training.early_stopping.metric
    least = max(HIGHER, HIGHER_TEXTS / max(evidence.data.evaluation, 1))
    for metric, score in epochs[evidence.best_epoch].scores.items():
        best = max(epochs, key=lambda epoch: metric.merit(epoch.scores[metric]))
        found = best.scores[metric]
        if metric.merit(found) <= metric.merit(score) + least:
            continue
        better = f"Epoch {best.epoch}" if best.epoch else "The model before training"
        yield finding(
            FindingType.BETTER_EPOCH,
            Severity.INFO if best.epoch else Severity.WARNING,
            f"{better} has {metric.name} {found:.3f}; epoch {evidence.best_epoch}, which {chosen_by} "
            f"chose, has {score:.3f}",
            f"If {metric.name} matters more, set spec.training.earlyStopping.metric to {metric.stopping}",
            {"epoch": best.epoch, "score": found, "publishedScore": score},
        )
        return


def nothing_gained(evidence: Evidence) -> Iterator[Finding]:
    """No epoch was better than the model before training; unless training was unstable, which says more."""
    first, *trained = evidence.curves.epochs
    if not evidence.finished or not trained or evidence.best_epoch:
        return
    if unstable(evidence):
        return
    best = min(epoch.evaluation_loss for epoch in trained)
    rate = evidence.recipe.learning_rate
    yield finding(
        FindingType.NOTHING_GAINED,
        Severity.INFO,
        f"No epoch was better than the model before training: its evaluation loss is "
        f"{first.evaluation_loss:.3g}, the best after training {best:.3g}",
        f"Try half of spec.training.learningRate, which was {rate:.2g}; if that gains nothing either, more "
        "texts are needed",
        {"lossBefore": first.evaluation_loss, "bestLossAfter": best},
    )


def underfitting(evidence: Evidence) -> Iterator[Finding]:
    """The training loss stayed near that of guessing; where training was unstable, that says more.

    A loss of smoothed labels is above that of the labels, and says nothing of it.
    """
    last, chance = evidence.curves.epochs[-1], evidence.loss_of_guessing
    if not evidence.finished or not last.epoch or last.training_loss <= UNEXPLAINED * chance:
        return
    if evidence.settings.training.label_smoothing or unstable(evidence):
        return
    rate = evidence.recipe.learning_rate
    frozen = evidence.settings.training.freeze_body
    yield finding(
        FindingType.UNDERFITTING,
        Severity.WARNING,
        f"The training loss is {last.training_loss:.3g}; always predicting how frequent labels are "
        f"has {chance:.3g}",
        (
            "Leave out spec.training.freezeBody, so that the body learns too"
            if frozen
            else f"Raise maxEpochs or learningRate ({rate:.2g}) of spec.training, or try a larger base "
            "model; if nothing helps, the labels can't be predicted from the texts"
        ),
        {"trainingLoss": last.training_loss, "lossOfGuessing": chance},
    )


def starved_devices(evidence: Evidence) -> Iterator[Finding]:
    """Several processes share batches of few texts."""
    recipe = evidence.recipe
    each = recipe.batch_size / recipe.processes
    if recipe.processes > 1 and each < ENOUGH_TEXTS:
        yield finding(
            FindingType.STARVED_DEVICES,
            Severity.INFO,
            f"{recipe.processes} devices shared batches of {recipe.batch_size} texts, {each:.3g} each: "
            "they spent much of their time on waiting for each other",
            f"Set training.batchSize to {ENOUGH_TEXTS * recipe.processes} or more, with a learning rate that "
            "fits it, or take fewer devices in resources",
            {"processes": recipe.processes, "batchSize": recipe.batch_size},
        )
