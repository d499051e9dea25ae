"""What a run added to the one that it went on from: pure functions over their evaluations."""

from trainingrun_api.evaluation import BaseRun, Evaluation, ScoreChange
from trainingrun_api.lineage import HeadOrigin
from trainingrun_api.status import EpochSummary


def base_run(name: str, earlier: Evaluation, evaluation: Evaluation) -> BaseRun:
    """Run `name`, whose evaluation is `earlier`, beside the run that went on from it."""
    own = BaseRun(
        name=name,
        model_name=earlier.model_name,
        own_scores=earlier.headline,
        final_fit=earlier.fitted_anew is not None,
    )
    if not _same_outputs(earlier, evaluation):
        return own
    before = evaluation.baseline.scores
    best = next(epoch for epoch in evaluation.curves.epochs if epoch.epoch == evaluation.best_epoch)
    return own.model_copy(update={"scores": before, "difference": _change(before, best)})


def _same_outputs(earlier: Evaluation, evaluation: Evaluation) -> bool:
    """Whether the model of the earlier run was, before training, a model of this run's task and labels."""
    same_task = earlier.settings.task_type is evaluation.settings.task_type
    return same_task and evaluation.base_model.head is not HeadOrigin.NEW


def _change(before: EpochSummary, after: EpochSummary) -> ScoreChange:
    scores = {
        metric.key: value - before.scores[metric]
        for metric, value in after.scores.items()
        if metric in before.scores
    }
    return ScoreChange(loss=after.evaluation_loss - before.evaluation_loss, **scores)
