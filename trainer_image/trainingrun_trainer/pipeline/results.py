"""What a pass over the evaluation split means, published as evaluation.json, report.html, the model."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import ValidationError

from trainingrun_api.advice import MAX_FINDINGS
from trainingrun_api.artifacts import ArtifactPaths, Artifacts, PushedModel
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.status import EpochSummary, RunResult

from ..advice import Evidence, advise
from ..artifacts import Store, commit_folder, is_committed
from ..distributed import at_first, from_first
from ..errors import ObjectMissingError, StorageRefusedError, StorageUnavailableError, TrainerError
from ..evaluation import base_run
from ..model import TextModel
from ..records import RunRecord
from ..report import Report, render
from ..tasks import EvaluationResult, Task, TaskData
from ..time_share import TimeShare
from ..training import EpochDone, Outcome, TrainState
from .session import RunSession

log = logging.getLogger(__name__)

NOISE = 1e-3
"""Most that two evaluation losses of the same weights differ by, as a share and in nats: other hardware adds
in another order, and adapters are merged. The same weights came within 1e-5."""

EXPECTED_SECONDS = 2.0
"""What the first page is taken to cost: a run of less than ten times this has one at its end only."""


@dataclass(frozen=True)
class Results:
    """What is known of a run beside its passes over the evaluation split."""

    run: RunSession
    model: TextModel
    state: TrainState
    references: Callable[[], Any]
    """What scores compare with, for which all processes come together."""
    score: Callable[[Outcome[Any], Any], EvaluationResult]
    """Scores a pass of the model as it is, with these references."""
    data: TaskData
    base_model: ResolvedBaseModel
    earlier: Evaluation | None
    """The evaluation of the run that made the base model."""
    made_of: RunRecord

    def of(
        self, outcome: Outcome[Any], *, finished: bool, final_fit: FinalFit | None = None
    ) -> Report | None:
        """All that is said of a pass, at the first process; `finished` once training has ended."""
        references = self.references()
        return at_first(lambda: self._report(outcome, references, final_fit, finished=finished))

    def _report(
        self, outcome: Outcome[Any], references: Any, final_fit: FinalFit | None, *, finished: bool
    ) -> Report:
        result = self.score(outcome, references)
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


def published(store: Store, paths: ArtifactPaths) -> Evaluation | None:
    """The evaluation of a run that came to its end before; None when it didn't."""
    if not is_committed(store, paths.model):
        return None
    try:
        evaluation = Evaluation.model_validate_json(store.read(paths.evaluation), extra="ignore")
    except (ObjectMissingError, ValidationError):
        return None
    return evaluation if evaluation.finished else None


def write_evaluation(store: Store, paths: ArtifactPaths, evaluation: Evaluation) -> None:
    """Write evaluation.json. Raises ValidationError, before anything is written, for one that can't be read.

    A value that was made by the contract's models may hold what they refuse: JSON has no NaN, and copies are
    not checked.
    """
    content = evaluation.model_dump_json(indent=2).encode()
    Evaluation.model_validate_json(content)
    store.write(paths.evaluation, content)


def require_weights_of(best: EpochSummary, loss: float) -> None:
    """Raises TrainerError when a model with this evaluation loss is not the one of the `best` epoch."""
    if not math.isclose(loss, best.evaluation_loss, rel_tol=NOISE, abs_tol=NOISE):
        raise TrainerError(
            f"the weights to publish have an evaluation loss of {loss:.4f}, but those of epoch "
            f"{best.epoch}, the best, had {best.evaluation_loss:.4f}: these are different weights, so "
            "nothing is published; apply the run under a new name, and report this as a bug"
        )


def publish(run: RunSession, task: Task[Any, Any, Any], model: TextModel, evaluation: Evaluation) -> None:
    """Commit the model folder, then write evaluation.json, which says that all is there."""
    work = run.work / "model"
    work.mkdir()
    task.save(model, evaluation, work)
    commit_folder(run.store, work, run.paths.model)
    timing = evaluation.timing.model_copy(update={"stages": run.progress.seconds()})
    write_evaluation(run.store, run.paths, evaluation.model_copy(update={"timing": timing}))


def result(evaluation: Evaluation, artifacts: Artifacts, pushed: PushedModel | None) -> RunResult:
    """What the termination message says."""
    return RunResult(
        best_epoch=evaluation.best_epoch,
        epochs=evaluation.curves.epochs[-1].epoch,
        stopped_early=evaluation.stopped_early,
        evaluation=evaluation.headline,
        final_fit=evaluation.final_fit,
        artifacts=artifacts,
        hugging_face=pushed,
        base_model=evaluation.base_model.model_copy(update={"lineage": []}),
        advice=evaluation.advice[:MAX_FINDINGS],
    )


class LiveResults:
    """Evaluation and page of the latest epoch, each as often as it costs little."""

    def __init__(self, run: RunSession, results: Callable[[Outcome[Any]], Report | None]) -> None:
        self._run, self._results = run, results
        self._scoring, self._drawing = TimeShare(), TimeShare(EXPECTED_SECONDS)

    def after_epoch(self, done: EpochDone) -> None:
        """Have the first process write what is due of an epoch that isn't the last, which neither stops
        training nor changes it.
        """
        if done.outcome is None or done.is_last or not self._is_due():
            return
        try:
            # When this is done the clock decides, so it must not move the random numbers of training.
            with torch.random.fork_rng(devices=[]), self._scoring.taken():
                report = self._results(done.outcome)
                at_first(lambda: self._write(report))
        except (StorageRefusedError, StorageUnavailableError, ValidationError) as error:
            log.warning("Interim results could not be written: %s", error)

    def _is_due(self) -> bool:
        return from_first(self._scoring.due(time.monotonic()))

    def _write(self, report: Report | None) -> None:
        assert report is not None  # at the first process
        write_evaluation(self._run.store.impatient, self._run.paths, report.evaluation)
        if self._drawing.due(time.monotonic()):
            with self._drawing.taken():
                write_report(self._run.store.impatient, self._run.paths, report)


def write_report(store: Store, paths: ArtifactPaths, report: Report) -> None:
    """Write report.html. Raises StorageRefusedError and StorageUnavailableError."""
    try:
        page = render(report)
    except Exception:
        # All it shows is in evaluation.json and predictions.parquet too: a model is not lost for a drawing.
        log.exception("report.html could not be drawn")
        return
    store.write(paths.report, page.encode())
