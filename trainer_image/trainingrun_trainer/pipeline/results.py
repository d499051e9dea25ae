"""What a pass over the evaluation part means: evaluation.json, predictions, and what the report shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from trainingrun_api.evaluation import (
    ClassificationScores,
    DataCounts,
    Evaluation,
    LabelDoubts,
    SimilarityScores,
    SourceScores,
)
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.lineage import ResolvedBaseModel

from ..advice import Evidence, advise
from ..data import FieldValues
from ..evaluation import base_run
from ..model import TextModel
from ..records import RunRecord
from ..report import Report
from ..training import Outcome, Trainee
from .session import Run


@dataclass(frozen=True)
class Judgement:
    """What the model is worth; scores by the kind of task."""

    loss: float
    predictions: pa.Table
    """What it made of each evaluation text, or pair of them."""
    classification: ClassificationScores | None = None
    similarity: SimilarityScores | None = None
    sources: Sequence[SourceScores] = ()
    """By data set."""
    doubts: LabelDoubts | None = None


@dataclass(frozen=True)
class Results:
    """What is known of a run beside its passes over the evaluation part."""

    run: Run
    model: TextModel
    trainee: Trainee
    judge: Callable[[Outcome], Judgement]
    """Scores a pass of the model as it is."""
    labels: list[str]
    counts: DataCounts
    base_model: ResolvedBaseModel
    earlier: Evaluation | None
    """The evaluation of the run that made the base model."""
    made_of: RunRecord
    fields: Sequence[FieldValues] = ()
    """What rows of the data set hold beside text and label."""

    def of(self, outcome: Outcome, *, finished: bool, final_fit: FinalFit | None = None) -> Report:
        """All that is said of a pass; `finished` once training has ended."""
        judgement = self.judge(outcome)
        evaluation = self._evaluation(judgement, final_fit, finished=finished)
        return Report(self._beside_base_run(evaluation), self.made_of, judgement.predictions)

    def _evaluation(self, judgement: Judgement, final_fit: FinalFit | None, *, finished: bool) -> Evaluation:
        config, history = self.run.config, self.trainee.history
        curves, settings, best_epoch = history.curves, config.settings(), history.best.epoch
        recipe = self.trainee.recipe_used.model_copy(update={"max_sequence_length": self.model.max_tokens})
        evidence = Evidence(
            curves=curves,
            recipe=recipe,
            settings=settings,
            data=self.counts,
            best_epoch=best_epoch,
            scores=judgement.classification,
            fields=self.fields,
            finished=finished,
            doubts=judgement.doubts,
            earlier=self.earlier,
            final_fit=final_fit,
        )
        return Evaluation(
            finished=finished,
            model_name=config.model_name,
            labels=self.labels,
            best_epoch=best_epoch,
            stopped_early=finished and history.trained < self.trainee.max_epochs,
            loss=judgement.loss,
            classification=judgement.classification,
            similarity=judgement.similarity,
            sources=list(judgement.sources),
            baseline=history.baseline,
            settings=settings,
            similarity_stage=history.stage,
            final_fit=final_fit,
            recipe=recipe,
            curves=curves,
            timing=history.timing(self.run.progress.seconds()),
            data=self.counts,
            doubts=judgement.doubts,
            base_model=self.base_model,
            advice=advise(evidence),
        )

    def _beside_base_run(self, evaluation: Evaluation) -> Evaluation:
        name = self.base_model.from_run
        if name is None or self.earlier is None:
            return evaluation
        return evaluation.model_copy(update={"base_run": base_run(name, self.earlier, evaluation)})
