"""The whole of evaluation.json."""

from typing import Literal

from ..advice import Finding
from ..base import Model
from ..final_fit import FinalFit
from ..lineage import ResolvedBaseModel
from ..spec import RunSettings
from .course import Baseline, BaseRun, Curves, Recipe, StageOutcome, Timing
from .data import DataCounts
from .label_issues import LabelIssues
from .scores import ClassificationScores, SimilarityScores, SourceScores


class Evaluation(Model):
    """The whole of evaluation.json."""

    schema_version: Literal["v1alpha1"] = "v1alpha1"
    """Version of this format."""
    finished: bool = True
    """False while training goes on: nothing is published yet, and scores are those of the latest epoch, the
    last one of curves."""
    model_name: str
    """Name of the model."""
    labels: list[str]
    """Labels in the order of the model's outputs; of TextSimilarity, those of the texts, none with pairs."""
    best_epoch: int
    """Epoch that these scores belong to, and that is published unless a final fit was; while training goes
    on, the best one so far. 0 when training made nothing better."""
    stopped_early: bool
    """True when early stopping, or a loss that is not finite, ended training before maxEpochs."""
    loss: float
    """Mean loss, in nats per text: cross-entropy, or the contrastive loss of TextSimilarity."""
    classification: ClassificationScores | None = None
    """Scores of the labels given; null for a task that gives none."""
    similarity: SimilarityScores | None = None
    """Scores of the embeddings; null for a task that makes none."""
    sources: list[SourceScores] = []
    """Scores by data set, of those with labelled evaluation texts."""
    baseline: Baseline
    """Scores before training: the published model is never worse, by the metric of early stopping."""
    settings: RunSettings
    """Settings of the run, with its project's defaults in the places it left open."""
    similarity_stage: StageOutcome | None = None
    """What was done before epoch 0; null when texts were enough, or the setting says Never."""
    final_fit: FinalFit | None = None
    """The fit on all texts that came after these scores; null without one."""
    recipe: Recipe
    """How it was trained."""
    curves: Curves
    """Training and evaluation loss."""
    timing: Timing = Timing()
    """How long it took."""
    data: DataCounts
    """Texts at each step from file to split."""
    label_issues: LabelIssues | None = None
    """Labels that are likely wrong; null for a task other than Classification."""
    base_model: ResolvedBaseModel
    """The model that training started from."""
    base_run: BaseRun | None = None
    """The run that it came from, beside this one; null for another base model, or where that run's evaluation
    can't be read."""
    advice: list[Finding] = []
    """What training shows and a user can act on, warnings first."""

    @property
    def fitted_anew(self) -> FinalFit | None:
        """The final fit, where it is published; None where the model that has these scores is."""
        return self.final_fit if self.final_fit and self.final_fit.kept else None
