"""The stages of a run, whatever its task: from data to what is published."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

import torch
from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.status import Stage

from ..base_model import fetch_base_model
from ..evaluation import to_parquet
from ..report import Report
from ..tasks import Anew, load_task
from ..training import prepare
from .final_fit import fit_anew
from .first_fit import choose_epoch
from .memory import LESS_AT_ONCE, memory_errors, within_limit
from .origin import Origin
from .publish import publish, require_weights_of
from .reports import LiveResults, write_report
from .results import Results
from .session import Run, log_recipe, record


def train(run: Run) -> Evaluation:
    """Train, going on from a checkpoint of the same data and base model; publish the best weights.

    Where the task has a final fit, that is done, and its weights are published.
    """
    config = run.config
    # Written before anything else, so that an output that can't be written to costs seconds, not hours.
    record(run, dataset=None, base_model=None)
    with within_limit():
        run.progress.stage(Stage.LOADING_DATA)
        task = load_task(config, run.work / "data")
        run.progress.stage(Stage.LOADING_MODEL)
        set_seed(config.training.seed)
        base = fetch_base_model(config.base_model, config.storage, run.work / "base")
        model = task.load_model(base)
    base_model = base.resolved.fitted(model.head_origin, model.notes)
    made_of = record(run, task.data.sha256, base_model)
    anew = task.anew(model, run.work / "untrained.safetensors")
    rows = task.encode(model)
    state = prepare(task.objective(model, rows), config.training)
    log_recipe(state, model.max_tokens, rows.truncated)
    counts = task.data.counts.model_copy(update={"truncated": rows.truncated})
    results = Results(
        run=run,
        model=model,
        state=state,
        score=partial(task.evaluate, model, rows, state),
        data=replace(task.data, counts=counts),
        base_model=base_model,
        earlier=base.earlier,
        made_of=made_of,
    )
    final = _fit(results, anew)
    run.progress.stage(Stage.PUBLISHING)
    run.store.write(run.paths.predictions, to_parquet(final.predictions))
    write_report(run.store, run.paths, final)
    publish(run, task, model, final.evaluation)
    return final.evaluation


def _fit(results: Results, anew: Anew | None) -> Report:
    """Train, and evaluate the weights of the best epoch; the model has those to be published then."""
    run, state, origin = results.run, results.state, Origin.of(results.made_of)
    live = LiveResults(run, partial(results.of, finished=False))
    with memory_errors(LESS_AT_ONCE), _limit():
        choose_epoch(run, state, origin, live.after_epoch)
        run.progress.stage(Stage.EVALUATING)
        state.load_weights(run.best)
        state.merge_adapters()
        outcome = state.evaluate()
        require_weights_of(state.history.best, outcome.loss)
        final_fit = fit_anew(run, state, anew, origin) if anew else None
    return results.of(outcome, finished=True, final_fit=final_fit)


def _limit() -> AbstractContextManager[None]:
    """Where there is a GPU, batches take the memory of that."""
    return nullcontext() if torch.cuda.is_available() else within_limit()
