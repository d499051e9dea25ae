"""The whole of evaluation.json."""

from typing import Literal

from ..advice import Finding
from ..base import Model
from ..final_fit import FinalFit, fitted_anew
from ..lineage import ResolvedBaseModel
from ..metrics import LOSS, METRICS, DataKind, Metric, StoppingMetric
from ..spec import RunSettings
from ..status import EvaluationScores
from .course import Baseline, BaseRun, Curves, Recipe, StageOutcome, Timing
from .data import DataCounts
from .label_issues import LabelIssues
from .scores import ClassificationScores, SimilarityScores, SourceScores


class Evaluation(Model):
    """The whole of evaluation.json."""

    schema_version: Literal["v1alpha1"] = "v1alpha1"
    """Version of this format."""
    finished: bool = True
    """False during training: nothing is published yet, and scores are those of the latest epoch, the last one
    in curves."""
    model_name: str
    """Name of the model."""
    labels: list[str]
    """Labels in the order of the model's outputs; for TextSimilarity those of the texts, none with pairs."""
    best_epoch: int
    """Epoch that these scores belong to, and that is published unless a final fit is; during training, the
    best one so far. 0 if training improved nothing."""
    stopped_early: bool
    """True if early stopping, or a loss that is not finite, ended training before maxEpochs."""
    loss: float
    """Mean loss, in nats per text: cross-entropy, or the contrastive loss of TextSimilarity."""
    classification: ClassificationScores | None = None
    """Scores of the predicted labels; null for a task without labels."""
    similarity: SimilarityScores | None = None
    """Scores of the embeddings; null for a task without embeddings."""
    sources: list[SourceScores] = []
    """Scores by data set, for those with labelled evaluation texts."""
    baseline: Baseline
    """Scores before training: the published model is never worse, by the metric of early stopping."""
    settings: RunSettings
    """Settings of the run, including its project's defaults."""
    similarity_stage: StageOutcome | None = None
    """The stage before epoch 0; null if there were enough texts, or the setting is Never."""
    final_fit: FinalFit | None = None
    """The fit on all texts after these scores; null without one."""
    recipe: Recipe
    """How it was trained."""
    curves: Curves
    """Training and evaluation loss."""
    timing: Timing = Timing()
    """How long it took."""
    data: DataCounts
    """Texts at each step from file to split."""
    label_issues: LabelIssues | None = None
    """Labels that are likely wrong; null for other tasks than Classification."""
    base_model: ResolvedBaseModel
    """The model that training started from."""
    base_run: BaseRun | None = None
    """The run that training started from, for comparison; null for another base model, or if that run's
    evaluation can't be read."""
    advice: list[Finding] = []
    """Findings that you can act on, warnings first."""

    @property
    def kind(self) -> DataKind:
        """What the scores are of."""
        return DataKind.CLASSES if self.similarity is None else self.similarity.kind

    @property
    def label_scores(self) -> ClassificationScores | None:
        """Scores of the labels given: by a classifier, or those of the nearest texts."""
        by_nearness = self.similarity.labels if self.similarity else None
        return self.classification or (by_nearness.nearest_label if by_nearness else None)

    @property
    def scores(self) -> dict[Metric, float]:
        """The few that say how good the model is, in the order of METRICS; which, depends on the data."""
        found: dict[Metric, float] = {LOSS: self.loss}
        if self.similarity is not None:
            found |= self.similarity.scores
        elif self.classification is not None:
            found |= self.classification.scores
        return {metric: found[metric] for metric in METRICS if metric in found}

    @property
    def headline(self) -> EvaluationScores:
        """These as status shows them, rounded, and what they are of."""
        labels = self.label_scores
        return EvaluationScores.model_validate(
            {
                **{metric.key: score for metric, score in self.scores.items()},
                "evaluated_labels": len(labels.evaluated) if labels else None,
                "labels": len(labels.classes) if labels else None,
                "support": self.data.evaluation,
            }
        )

    @property
    def chosen_by(self) -> str:
        """By what the best epoch was chosen, in words."""
        metric = self.settings.training.early_stopping.metric
        lowest = min(self.curves.epochs, key=lambda epoch: epoch.evaluation_loss).epoch
        if metric is not StoppingMetric.EVALUATION_LOSS or self.best_epoch in {0, lowest}:
            return metric
        return f"{metric}: the last of those as good, but for chance, as epoch {lowest}"

    @property
    def fitted_anew(self) -> FinalFit | None:
        """The final fit if it is published; None if the model with these scores is."""
        return fitted_anew(self.final_fit)
