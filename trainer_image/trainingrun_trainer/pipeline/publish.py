"""Publish model and evaluation; find what an earlier attempt has published already."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from trainingrun_api.advice import MAX_FINDINGS
from trainingrun_api.evaluation import (
    ClassificationScores,
    DataCounts,
    Evaluation,
    LabelDoubts,
    Recipe,
    SimilarityScores,
    SourceScores,
)
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import RunResult

from ..advice import Evidence, advise
from ..artifacts import Store, commit_folder, is_committed
from ..data import FieldValues
from ..errors import ObjectMissingError
from ..evaluation import base_run, headline
from ..model import Classifier, PooledClassifier, TextModel, embedding_card, model_card
from ..training import History
from .places import Places
from .session import Run


@dataclass(frozen=True)
class Judgement:
    """What the published model is worth; scores by the kind of task."""

    loss: float
    classification: ClassificationScores | None = None
    similarity: SimilarityScores | None = None
    sources: Sequence[SourceScores] = ()
    doubts: LabelDoubts | None = None


@dataclass(frozen=True)
class Provenance:
    """How the published model came about."""

    history: History
    recipe: Recipe
    counts: DataCounts
    base_model: ResolvedBaseModel
    seconds: dict[str, float]
    """Of each stage."""
    fields: Sequence[FieldValues] = ()
    """What rows of the data set hold beside text and label."""
    earlier: Evaluation | None = None
    """The evaluation of the run that made the base model."""


def published(store: Store, places: Places) -> Evaluation | None:
    """The evaluation of a run that came to its end before; None when it didn't."""
    if not is_committed(store, places.model):
        return None
    try:
        evaluation = Evaluation.model_validate_json(store.read(places.evaluation))
    except (ObjectMissingError, ValidationError):
        return None
    return evaluation if evaluation.finished else None


def write_evaluation(store: Store, places: Places, evaluation: Evaluation) -> None:
    """Write evaluation.json. Raises ValidationError, before anything is written, for one that can't be read.

    A value that was made by the contract's models may hold what they refuse: JSON has no NaN, and copies are
    not checked.
    """
    content = evaluation.model_dump_json(indent=2).encode()
    Evaluation.model_validate_json(content)
    store.write(places.evaluation, content)


def publish(run: Run, model: TextModel, evaluation: Evaluation) -> None:
    """Commit the model folder, then write evaluation.json, which says that all is there."""
    work = run.work / "model"
    work.mkdir()
    if isinstance(model, Classifier) and evaluation.classification and evaluation.classification.threshold:
        model.set_threshold(evaluation.classification.threshold.value)
    model.save(work)
    (work / "README.md").write_text(_card(model, evaluation), encoding="utf-8")
    commit_folder(run.store, work, run.places.model)
    timing = evaluation.timing.model_copy(update={"stages": run.progress.seconds()})
    write_evaluation(run.store, run.places, evaluation.model_copy(update={"timing": timing}))


def _card(model: TextModel, evaluation: Evaluation) -> str:
    if not isinstance(model, Classifier):
        return embedding_card(evaluation, max_tokens=model.max_tokens)
    return model_card(
        evaluation,
        pooled=isinstance(model, PooledClassifier),
        max_tokens=model.max_tokens,
        context=model.context,
    )


def evaluate(
    config: RunConfig,
    labels: list[str],
    judgement: Judgement,
    provenance: Provenance,
    *,
    finished: bool,
) -> Evaluation:
    """All of evaluation.json; `finished` once training has ended."""
    history = provenance.history
    curves = history.curves
    settings, best_epoch = config.settings(), history.best.epoch
    evidence = Evidence(
        curves=curves,
        recipe=provenance.recipe,
        settings=settings,
        data=provenance.counts,
        best_epoch=best_epoch,
        scores=judgement.classification,
        fields=provenance.fields,
        finished=finished,
        doubts=judgement.doubts,
        earlier=provenance.earlier,
    )
    evaluation = Evaluation(
        finished=finished,
        model_name=config.model_name,
        labels=labels,
        best_epoch=best_epoch,
        stopped_early=finished and history.trained < config.training.max_epochs,
        loss=judgement.loss,
        classification=judgement.classification,
        similarity=judgement.similarity,
        sources=list(judgement.sources),
        baseline=history.baseline,
        settings=settings,
        similarity_stage=history.stage,
        recipe=provenance.recipe,
        curves=curves,
        timing=history.timing(provenance.seconds),
        data=provenance.counts,
        doubts=judgement.doubts,
        base_model=provenance.base_model,
        advice=advise(evidence),
    )
    return _beside_base_run(evaluation, provenance.earlier)


def _beside_base_run(evaluation: Evaluation, earlier: Evaluation | None) -> Evaluation:
    name = evaluation.base_model.from_run
    if name is None or earlier is None:
        return evaluation
    return evaluation.model_copy(update={"base_run": base_run(name, earlier, evaluation)})


def result(evaluation: Evaluation, places: Places) -> RunResult:
    """What the termination message says."""
    return RunResult(
        best_epoch=evaluation.best_epoch,
        epochs=evaluation.curves.epochs[-1].epoch,
        stopped_early=evaluation.stopped_early,
        evaluation=headline(evaluation),
        artifacts=places.artifacts(),
        base_model=evaluation.base_model.model_copy(update={"lineage": []}),
        advice=evaluation.advice[:MAX_FINDINGS],
    )
