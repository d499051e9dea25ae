"""One run, from configuration to result; its stages, whatever its task, are ordered here alone."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.random import set_seed
from safetensors.torch import load_model

from trainingrun_api.artifacts import ArtifactPaths, Artifacts
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.references import ModelFormat
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import RunResult, Stage

from ..artifacts import PatientStore, Store, Turn, open_store
from ..base_model import BaseModelFolder, fetch_base_model
from ..disk import disk_errors
from ..distributed import at_first, by_first, from_first, is_first, node_folder, once_a_node
from ..errors import Interrupted, StorageUnavailableError
from ..evaluation import to_parquet
from ..interruption import Interruption
from ..memory import LESS_AT_ONCE, memory_errors, within_limit
from ..model import TextModel, require_exportable
from ..report import Report
from ..setting_paths import settings_by_path
from ..tasks import Anew, Task, load_task
from ..trackers import INSTALL, Ending, Mlflow, Subject, Tracker, Trackers
from ..training import WEIGHTS, Outcome, add_adapters, is_sharded, merge_adapters, prepare
from .checkpoints import Origin
from .final_fit import fit_anew
from .fitting import choose_epoch
from .progress import Listener, ProgressTracker
from .push import push, require_allowed
from .results import LiveResults, Results, publish, published, require_weights_of, result, write_report
from .session import RunSession, log_recipe, record, take_turn

log = logging.getLogger(__name__)

LESS = "choose a smaller base model, or leave out the longest texts"
"""What takes less memory before training."""


def run(config: RunConfig, listener: Listener, interruption: Interruption | None = None) -> RunResult:
    """Train, evaluate and publish; goes on from the last checkpoint, or only reports what is published.

    Where several processes train, all of them run this, and the first one reports and writes. `listener` gets
    each progress report in this thread. `interruption` ends the run, once what is trained is saved. Raises a
    TrainerError, whose message says what to change; its exit code says whether trying again
    can help.
    """
    paths = ArtifactPaths(config.output_prefix.rstrip("/"))
    progress = ProgressTracker(config, listener)
    impatient = open_store(paths.prefix, config.storage)
    store = PatientStore(impatient, config.storage.patience_seconds, progress.storage)
    trackers = trackers_of(config, impatient, paths)
    with failing(trackers):
        evaluation = by_first(lambda: published(store, paths))
        if evaluation is None:
            # What can't be deleted at the end, as on some network volumes, is no reason to fail.
            folder = tempfile.TemporaryDirectory(prefix="trainingrun-", ignore_cleanup_errors=True)
            with folder as work, disk_errors(), memory_errors(LESS):
                until = interruption or Interruption()
                turn = Turn(store, paths.attempt)
                evaluation = train(
                    RunSession(config, store, turn, paths, progress, trackers, Path(work), until)
                )
        else:
            log.info("The results of this run are already published; nothing to train")
        pushed = by_first(lambda: push(config, store, paths, progress))
    progress.done(evaluation.curves.epochs, evaluation.best_epoch)
    trackers.end(Ending.FINISHED, evaluation)
    return result(evaluation, artifacts_of(paths), pushed)


def train(run: RunSession) -> Evaluation:
    """Train, going on from a checkpoint of the same data and base model; publish the best weights.

    Where the task has a final fit, that is done, and its weights are published.
    """
    config = run.config
    # Written before anything else, so that an output that can't be written to costs seconds, not hours.
    record(run, dataset=None, base_model=None)
    if config.hub is not None:
        target = config.hub
        at_first(lambda: require_allowed(target))
    take_turn(run)
    folder = node_folder(run.work)
    with within_limit():
        run.progress.stage(Stage.LOADING_DATA)
        task = once_a_node("task", lambda: load_task(config, run.work / "data"))
        _require_same_data(task.data.sha256)
        run.progress.stage(Stage.LOADING_MODEL)
        set_seed(config.training.seed)
        base = once_a_node(
            "base", lambda: fetch_base_model(config.base_model, config.storage, folder / "base-model")
        )
        model = task.load_model(base)
        if ModelFormat.ONNX in config.formats:
            at_first(lambda: require_exportable(model, run.work / "trial"))
    base_model = base.resolved.fitted(model.head_origin, model.notes)
    made_of = record(run, task.data.sha256, base_model)
    anew = task.anew(model, folder / "untrained.safetensors")
    rows = once_a_node("rows", lambda: task.encode(model))
    state = prepare(task.objective(model, rows), config.training)
    log_recipe(state, model.max_tokens, rows.truncated)
    counts = task.data.counts.model_copy(update={"truncated": rows.truncated})
    results = Results(
        run=run,
        model=model,
        state=state,
        references=partial(task.references, model, rows, state),
        score=partial(task.evaluate, rows, state),
        data=replace(task.data, counts=counts),
        base_model=base_model,
        earlier=base.earlier,
        made_of=made_of,
    )
    outcome, final_fit = _fit(results, anew)
    report = results.of(outcome, finished=True, final_fit=final_fit)
    return by_first(partial(_publish, results, task, base, report))


def _require_same_data(sha256: str) -> None:
    """Raises StorageUnavailableError where nodes have read different files."""
    if sha256 != from_first(sha256):
        raise StorageUnavailableError("the data sets changed while the nodes of the run read them")


def _publish(
    results: Results, task: Task[Any, Any, Any], base: BaseModelFolder, report: Report | None
) -> Evaluation:
    assert report is not None  # at the first process
    run = results.run
    run.turn.require()
    run.progress.stage(Stage.PUBLISHING)
    run.store.write(run.paths.predictions, to_parquet(report.predictions))
    write_report(run.store, run.paths, report)
    model = _whole(results, task, base) if is_sharded(results.state.objective.network) else results.model
    publish(run, task, model, report.evaluation)
    return report.evaluation


def _whole(results: Results, task: Task[Any, Any, Any], base: BaseModelFolder) -> TextModel:
    """The model of the best epoch, which is divided among processes, once more and as one."""
    model: TextModel = task.load_model(base)
    lora = results.run.config.training.lora
    adapters = add_adapters(model.network, lora) if lora else None
    load_model(model.network, results.run.best / WEIGHTS)
    if adapters is not None:
        merge_adapters(adapters)
    return model


def _fit(results: Results, anew: Anew | None) -> tuple[Outcome[Any], FinalFit | None]:
    """Train, and evaluate the weights of the best epoch; the model has those to be published then."""
    run, state, origin = results.run, results.state, Origin.of(results.made_of)
    live = LiveResults(run, partial(results.of, finished=False))
    with memory_errors(LESS_AT_ONCE), _limit():
        choose_epoch(run, state, origin, live.after_epoch)
        run.progress.stage(Stage.EVALUATING)
        state.load_weights(run.best)
        if not is_sharded(state.objective.network):
            state.merge_adapters()
        outcome = state.evaluate()
        require_weights_of(state.history.best, outcome.loss)
        return outcome, fit_anew(run, state, anew, origin) if anew else None


def _limit() -> AbstractContextManager[None]:
    """Where there is a GPU, batches take the memory of that."""
    return nullcontext() if torch.cuda.is_available() else within_limit()


def trackers_of(config: RunConfig, store: Store, paths: ArtifactPaths) -> Tracker:
    """All that follow a run, as one: TensorBoard where it is installed, and what the settings ask for; they
    follow the first process.

    Raises SettingsError for one that is asked for and isn't installed.
    """
    artifacts, trackers = artifacts_of(paths), list[Tracker]()
    if not is_first():
        return Trackers(trackers)
    if artifacts.tensorboard is not None:
        from ..trackers.tensorboard import TensorBoard  # noqa: PLC0415  # of an extra

        trackers.append(TensorBoard(store, artifacts.tensorboard))
    else:
        log.info("No curves for TensorBoard, which is not installed: %s", INSTALL)
    if config.mlflow is not None:
        subject = Subject(config.run, config.model_name, settings_by_path(config), artifacts, store)
        trackers.append(Mlflow(config.mlflow, subject))
    return Trackers(trackers)


def artifacts_of(paths: ArtifactPaths) -> Artifacts:
    """What a run leaves here: curves for TensorBoard only where it is installed."""
    installed = find_spec("tensorboard") is not None
    return paths.artifacts().model_copy(update={} if installed else {"tensorboard": None})


@contextmanager
def failing(tracker: Tracker) -> Iterator[None]:
    """Tell of what is raised."""
    try:
        yield
    except Interrupted:
        tracker.end(Ending.INTERRUPTED)
        raise
    except BaseException:
        tracker.end(Ending.FAILED)
        raise
