"""The stages that runs of all tasks have in common: from training to what is published."""

from functools import partial
from typing import Protocol

from trainingrun_api.evaluation import Evaluation

from ..evaluation import to_parquet
from ..model import TextModel
from ..report import Report
from ..training import Outcome, Trainee
from .publish import publish
from .reports import LiveResults, write_report
from .session import Run, train


class Results(Protocol):
    """What a pass over the evaluation part means for one task."""

    def of(self, outcome: Outcome, *, finished: bool) -> Report:
        """All that is said of the pass; `finished` once training has ended."""


def train_and_publish(
    run: Run, trainee: Trainee, model: TextModel, origin: str, results: Results
) -> Evaluation:
    """Train `model`, going on from a checkpoint of the same `origin`; publish it with its best weights."""
    live = LiveResults(run, partial(results.of, finished=False))
    train(run, trainee, origin, live.after_epoch)
    run.progress.stage("Evaluating")
    trainee.load_weights(run.best)
    trainee.merge_adapters()
    final = results.of(trainee.evaluate(), finished=True)
    run.progress.stage("Publishing")
    run.store.write(run.places.predictions, to_parquet(final.predictions))
    write_report(run, final)
    publish(run, model, final.evaluation)
    return final.evaluation
