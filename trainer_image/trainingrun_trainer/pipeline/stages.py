"""The stages that runs of all tasks have in common: from training to what is published."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch

from trainingrun_api.evaluation import Evaluation

from ..evaluation import to_parquet
from .final_fit import Anew, fit_anew
from .first_fit import train
from .memory import LESS_AT_ONCE, memory_errors, within_limit
from .origin import Origin
from .publish import publish, require_weights_of
from .reports import LiveResults, write_report
from .results import Results


def train_and_publish(results: Results, anew: Anew | None = None) -> Evaluation:
    """Train, going on from a checkpoint of the same data and base model; publish the best weights.

    Where `anew` says what a final fit starts from, that is done, and its weights are published.
    """
    run, state, origin = results.run, results.state, Origin.of(results.made_of)
    live = LiveResults(run, partial(results.of, finished=False))
    with memory_errors(LESS_AT_ONCE), _limit():
        train(run, state, origin, live.after_epoch)
        run.progress.stage("Evaluating")
        state.load_weights(run.best)
        state.merge_adapters()
        outcome = state.evaluate()
        require_weights_of(state.history.best, outcome.loss)
        final_fit = fit_anew(run, state, anew, origin) if anew else None
    final = results.of(outcome, finished=True, final_fit=final_fit)
    run.progress.stage("Publishing")
    run.store.write(run.places.predictions, to_parquet(final.predictions))
    write_report(run.store, run.places, final)
    publish(run, results.model, final.evaluation)
    return final.evaluation


def _limit() -> AbstractContextManager[None]:
    """Where there is a GPU, batches take the memory of that."""
    return nullcontext() if torch.cuda.is_available() else within_limit()
