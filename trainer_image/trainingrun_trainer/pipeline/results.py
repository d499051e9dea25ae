"""What a pass over the evaluation split means: evaluation.json, predictions, and what the report shows."""

from collections.abc import Callable
from dataclasses import dataclass

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.lineage import ResolvedBaseModel

from ..advice import Evidence, advise
from ..evaluation import base_run
from ..model import TextModel
from ..records import RunRecord
from ..report import Report
from ..tasks import EvaluationResult, TaskData
from ..training import Outcome, TrainState
from .session import Run


@dataclass(frozen=True)
class Results:
    """What is known of a run beside its passes over the evaluation split."""

    run: Run
    model: TextModel
    state: TrainState
    score: Callable[[Outcome], EvaluationResult]
    """Scores a pass of the model as it is."""
    data: TaskData
    base_model: ResolvedBaseModel
    earlier: Evaluation | None
    """The evaluation of the run that made the base model."""
    made_of: RunRecord

    def of(self, outcome: Outcome, *, finished: bool, final_fit: FinalFit | None = None) -> Report:
        """All that is said of a pass; `finished` once training has ended."""
        result = self.score(outcome)
        evaluation = self._evaluation(result, final_fit, finished=finished)
        return Report(self._beside_base_run(evaluation), self.made_of, result.predictions)

    def _evaluation(
        self, result: EvaluationResult, final_fit: FinalFit | None, *, finished: bool
    ) -> Evaluation:
        config, history = self.run.config, self.state.history
        curves, settings, best_epoch = history.curves, config.settings(), history.best.epoch
        recipe = self.state.recipe_used.model_copy(update={"max_sequence_length": self.model.max_tokens})
        evidence = Evidence(
            curves=curves,
            recipe=recipe,
            settings=settings,
            data=self.data.counts,
            best_epoch=best_epoch,
            scores=result.classification,
            loss_of_guessing=result.loss_of_guessing,
            fields=self.data.fields,
            finished=finished,
            label_issues=result.label_issues,
            earlier=self.earlier,
            final_fit=final_fit,
        )
        return Evaluation(
            finished=finished,
            model_name=config.model_name,
            labels=self.data.labels,
            best_epoch=best_epoch,
            stopped_early=finished and history.trained < self.state.max_epochs,
            loss=result.loss,
            classification=result.classification,
            similarity=result.similarity,
            sources=list(result.sources),
            baseline=history.baseline,
            settings=settings,
            similarity_stage=history.stage,
            final_fit=final_fit,
            recipe=recipe,
            curves=curves,
            timing=history.timing(self.run.progress.seconds()),
            data=self.data.counts,
            label_issues=result.label_issues,
            base_model=self.base_model,
            advice=advise(evidence),
        )

    def _beside_base_run(self, evaluation: Evaluation) -> Evaluation:
        name = self.base_model.from_run
        if name is None or self.earlier is None:
            return evaluation
        return evaluation.model_copy(update={"base_run": base_run(name, self.earlier, evaluation)})
