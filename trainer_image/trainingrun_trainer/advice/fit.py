"""Training that went on too long, ended too early, or learned too little."""

from collections.abc import Iterator

import numpy as np

from trainingrun_api.advice import Finding, FindingType, Severity

from .evidence import Evidence
from .instability import unstable
from .wording import finding

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
            f"The last epoch was the best, and the evaluation loss still fell, from {before:.3g} to "
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
            f"If {metric.name} counts more, set spec.training.earlyStopping.metric to {metric.stopping}",
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
        f"On the texts that it is trained on, the model's loss is {last.training_loss:.3g}; guessing by how "
        f"frequent labels are has {chance:.3g}",
        (
            "Leave out spec.training.freezeBody, so that the body learns too"
            if frozen
            else f"Raise maxEpochs or learningRate ({rate:.2g}) of spec.training, or try a larger base "
            "model; if nothing helps, the texts don't tell the labels"
        ),
        {"trainingLoss": last.training_loss, "lossOfGuessing": chance},
    )
