"""Tasks that give texts labels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import MAX_FLAGGED, DataCounts, Evaluation, FlaggedText, LabelIssues, Part
from trainingrun_api.run_config import RunConfig

from ..base_model import BaseModelFolder
from ..corpus import Splits, Texts
from ..data import listed
from ..distributed import once_a_node
from ..errors import DataError
from ..evaluation import (
    FoundIssues,
    LabelIssue,
    LabelPredictions,
    loss_of_guessing_one,
    loss_of_guessing_several,
    predictions_table,
    score_sources,
)
from ..model import Classifier, model_card
from ..model import load as load_classifier
from ..records import EncodedTexts
from ..training import (
    Classification,
    MultiLabelClassification,
    Objective,
    Outcome,
    SingleLabelClassification,
    TrainState,
)
from .task import Anew, Encoded, EvaluationResult, Task, Untrained
from .texts import LabelledTexts, load_texts

LENGTHS = (5000, 2000, 1000, 500)
"""Characters that texts are cut to, from longest on, until all fit."""

ROOM = 150_000
"""Characters of all texts together, which leave report.html within 2 MB."""


@dataclass(frozen=True)
class ClassificationTask(Task[Classifier, EncodedTexts, LabelPredictions]):
    """A classifier learns the labels; how many a text may have is for the two kinds to say."""

    data: LabelledTexts

    one_label: ClassVar[str | None]
    """Why a text has one label alone, and what to change otherwise; None where it may have several."""

    learns: ClassVar[type[Classification]]
    """What training goes by."""

    loss_of_guessing: ClassVar[Callable[[DataCounts], float]]
    """Loss of giving labels by how frequent they are, in nats per text."""

    @classmethod
    def load(cls, config: RunConfig, folder: Path) -> Self:
        data = load_texts(config, folder, cls.one_label)
        if config.evaluation_dataset is not None:
            _require_trained(data.splits, config.evaluation_dataset)
        return cls(config, data)

    def load_model(self, base: BaseModelFolder) -> Classifier:
        """With an output for each label; it reads context beside the text."""
        config = self.config
        classifier = load_classifier(
            base.folder,
            base.resolved.source,
            self.data.labels,
            multi_label=self.one_label is None,
            allow_pickled=config.base_model.allow_pickled,
        )
        classifier.use_context(config.context_parameters)
        classifier.limit_tokens(config.training.max_sequence_length, self.data.splits.training)
        return classifier

    def encode(self, model: Classifier) -> Encoded[EncodedTexts]:
        """Texts with their context."""
        splits = self.data.splits
        return Encoded(model.encode(splits.training), model.encode(splits.evaluation))

    def objective(self, model: Classifier, rows: Encoded[EncodedTexts]) -> Objective:
        return self.learns(model, rows.training, rows.evaluation, self.config.training)

    def evaluate(
        self,
        rows: Encoded[EncodedTexts],
        state: TrainState,
        outcome: Outcome[LabelPredictions],
        references: None,
    ) -> EvaluationResult:
        """Scores of the labels given, in all and by data set; labels that are likely wrong."""
        splits, labels, predictions = self.data.splits, self.data.labels, outcome.output
        targets, predicted, losses = predictions.targets, predictions.predicted, predictions.losses
        return EvaluationResult(
            predictions.loss,
            predictions_table(splits.evaluation, labels, predictions),
            classification=predictions.scores(labels),
            loss_of_guessing=type(self).loss_of_guessing(self.data.counts),
            sources=score_sources(targets, predicted, losses, splits.evaluation, self.config.source_names),
            label_issues=collect_label_issues(state.history.label_issues, predictions.label_issues(), splits),
        )

    def card(self, model: Classifier, evaluation: Evaluation) -> str:
        """Scores by label, and how to have labels given."""
        return model_card(evaluation, pooled=model.pooled, max_tokens=model.max_tokens, context=model.context)

    def anew(self, model: Classifier, weights: Path) -> Anew | None:
        """All texts, where the settings ask for a final fit."""
        if not self.config.training.final_fit:
            return None
        texts, evaluation = self.data.splits.together(), self.data.splits.evaluation

        def objective() -> Objective:
            rows = once_a_node("all-rows", lambda: Encoded(model.encode(texts), model.encode(evaluation)))
            return self.objective(model, rows)

        return Anew(Untrained.of(model, weights), objective, len(texts))


@dataclass(frozen=True)
class SingleLabelTask(ClassificationTask):
    """One label for each text."""

    one_label = "Classification gives each text one; use taskType MultiLabelClassification, or correct it"
    learns = SingleLabelClassification
    loss_of_guessing = loss_of_guessing_one


@dataclass(frozen=True)
class MultiLabelTask(ClassificationTask):
    """Any number of labels for each text."""

    one_label = None
    learns = MultiLabelClassification
    loss_of_guessing = loss_of_guessing_several

    def save(self, model: Classifier, evaluation: Evaluation, folder: Path) -> None:
        """The threshold that the scores were made with goes with the model."""
        if evaluation.classification and evaluation.classification.threshold:
            model.set_threshold(evaluation.classification.threshold.value)
        super().save(model, evaluation, folder)


def _require_trained(splits: Splits, evaluated: DataSource) -> None:
    """A classifier can give no label that it has never seen."""
    if unknown := splits.evaluation.labels - splits.training.labels:
        raise DataError(
            f"{evaluated.name} has labels without any training text: {listed(unknown)}. Map them in "
            "spec.labels.aliases, or leave them out with spec.labels.exclude"
        )


def collect_label_issues(
    of_training: FoundIssues | None, of_evaluation: FoundIssues | None, splits: Splits
) -> LabelIssues | None:
    """Those of both splits, as far as they are known; None where neither is."""
    both = (
        (Part.EVALUATION, of_evaluation, splits.evaluation),
        (Part.TRAINING, of_training, splits.training),
    )
    parts = [(part, found, texts) for part, found, texts in both if found is not None]
    if not parts:
        return None
    flagged = [(issue, part, texts) for part, label_issues, texts in parts for issue in label_issues.worst]
    worst = sorted(flagged, key=lambda one: one[0].trust)[:MAX_FLAGGED]
    return LabelIssues(
        judged=sum(label_issues.judged for _, label_issues, _ in parts),
        flagged=sum(label_issues.flagged for _, label_issues, _ in parts),
        texts=_fitting([_flagged(texts, issue, part, splits.labels) for issue, part, texts in worst]),
    )


def _flagged(texts: Texts, issue: LabelIssue, part: Part, labels: Sequence[str]) -> FlaggedText:
    example = texts[issue.row]
    return FlaggedText(
        text=example.text,
        context=list(example.context),
        source=example.source,
        label=example.label,
        suggested=labels[issue.suggested],
        probability=issue.probability,
        part=part,
    )


def _fitting(texts: Sequence[FlaggedText]) -> list[FlaggedText]:
    """The same, long ones cut so that all have room."""
    for length in LENGTHS:
        if sum(min(len(one.text), length) for one in texts) <= ROOM:
            break
    return [
        one.model_copy(update={"text": one.text[:length], "cut": True}) if len(one.text) > length else one
        for one in texts
    ]
