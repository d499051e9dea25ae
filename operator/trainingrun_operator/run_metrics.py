"""What the metrics say of each run; its series go with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from trainingrun_api.metrics import LOSS, METRICS, Metric
from trainingrun_api.status import Phase, Progress, Stage

from .resources import Run, RunKey, parse_time

OF_A_RUN = ("namespace", "name")
Labelled = tuple[tuple[tuple[str, ...], float], ...]
"""Values of one metric for one run, each after the labels that it has besides the run's."""
Values = Labelled | float | None
"""A number alone is one value without further labels."""


@dataclass(frozen=True)
class RunMetric:
    """One metric of runs."""

    name: str
    text: str
    values: Callable[[Run], Values]
    labels: tuple[str, ...] = ()


def _of_progress(read: Callable[[Progress], float | None]) -> Callable[[Run], float | None]:
    return lambda run: read(run.status.progress) if run.status.progress else None


def _time(read: Callable[[Run], str | None]) -> Callable[[Run], float | None]:
    def seconds(run: Run) -> float | None:
        time = read(run)
        return parse_time(time).timestamp() if time else None

    return seconds


def _score(metric: Metric) -> Callable[[Run], float | None]:
    def latest(run: Run) -> float | None:
        scores = run.status.evaluation or (run.status.epochs[-1] if run.status.epochs else None)
        return getattr(scores, metric.key, None)

    return latest


@cache
def _phase(current: Phase) -> Labelled:
    """One for all runs of the phase."""
    return tuple(((phase.value,), float(phase is current)) for phase in Phase)


@lru_cache(maxsize=256)
def _true(*labels: str) -> tuple[tuple[str, ...], float]:
    """One for all runs that have it."""
    return labels, 1.0


def _phases(run: Run) -> Values:
    return _phase(run.status.phase)


def _reason(run: Run) -> Values:
    return tuple(_true(condition.reason) for condition in run.status.conditions[:1])


def _failure(run: Run) -> Values:
    return (_true(run.status.last_failure.reason.value),) if run.status.last_failure else ()


def _advice(run: Run) -> Values:
    return tuple({_true(finding.type, finding.severity.value) for finding in run.status.advice})


def _stalled(run: Run) -> float:
    return any(one.type == "Stalled" and one.status == "True" for one in run.status.conditions)


def _gpus(run: Run) -> float | None:
    return run.spec.resources.gpus_per_node * run.spec.resources.nodes if run.spec else None


def _stage_seconds(run: Run) -> Values:
    took = run.status.progress.stage_seconds if run.status.progress else {}
    return tuple((_true(stage.value)[0], float(took[stage])) for stage in Stage if stage in took)


RUN_METRICS = (
    RunMetric("trainingrun_phase", "1 for the run's current phase.", _phases, ("phase",)),
    RunMetric("trainingrun_reason", "1 for the reason of the run's current phase.", _reason, ("reason",)),
    RunMetric("trainingrun_failure", "1 for the reason of the latest failure.", _failure, ("reason",)),
    RunMetric("trainingrun_advice", "1 for each finding in status.advice.", _advice, ("type", "severity")),
    RunMetric(
        "trainingrun_stalled",
        "1 if only a person can help, also after a failure; otherwise 0.",
        _stalled,
    ),
    RunMetric(
        "trainingrun_created_timestamp_seconds",
        "Time when the run was created.",
        lambda run: run.created.timestamp(),
    ),
    RunMetric(
        "trainingrun_start_timestamp_seconds",
        "Time when all pods of the run first ran.",
        _time(lambda run: run.status.start_time),
    ),
    RunMetric(
        "trainingrun_completion_timestamp_seconds",
        "Time when the run ended.",
        _time(lambda run: run.status.completion_time),
    ),
    RunMetric("trainingrun_requested_gpus", "GPUs of all pods of the run.", _gpus),
    RunMetric(
        "trainingrun_restarts",
        "Pods that ended without finishing the run and were replaced.",
        lambda run: run.status.restarts,
    ),
    RunMetric(
        "trainingrun_last_progress_timestamp_seconds",
        "Time of the trainer's last accepted progress report.",
        _time(lambda run: run.status.progress.last_update_time if run.status.progress else None),
    ),
    RunMetric("trainingrun_epoch", "Epochs finished.", _of_progress(lambda progress: progress.epoch)),
    RunMetric(
        "trainingrun_max_epochs",
        "Maximum number of epochs.",
        _of_progress(lambda progress: progress.max_epochs),
    ),
    RunMetric(
        "trainingrun_progress_ratio",
        "Share of training that is done, from 0 to 1.",
        _of_progress(lambda progress: progress.percent / 100),
    ),
    RunMetric(
        "trainingrun_stage_seconds",
        "Seconds that each stage has taken, of the latest attempt.",
        _stage_seconds,
        ("stage",),
    ),
    RunMetric(
        "trainingrun_training_loss",
        "Mean training loss of the latest steps, in nats per text.",
        _of_progress(lambda progress: progress.training_loss),
    ),
    RunMetric(
        "trainingrun_epoch_training_loss",
        "Mean training loss of the latest epoch, in nats per text.",
        lambda run: run.status.epochs[-1].training_loss if run.status.epochs else None,
    ),
    RunMetric(
        "trainingrun_evaluation_loss",
        "Evaluation loss of the latest epoch, in nats per text.",
        _of_progress(lambda progress: progress.evaluation_loss),
    ),
    # Each has a series of its own: over different scores, neither a sum nor a mean would say anything.
    *(
        RunMetric(
            f"trainingrun_{one.key}",
            f"{one.title} of the latest epoch; at the end, of the best epoch.",
            _score(one),
        )
        for one in METRICS
        if one is not LOSS
    ),
    RunMetric(
        "trainingrun_learning_rate",
        "Current learning rate of the body.",
        _of_progress(lambda progress: progress.learning_rate),
    ),
    RunMetric(
        "trainingrun_samples_per_second",
        "Texts trained on per second.",
        _of_progress(lambda progress: progress.samples_per_second),
    ),
)


class RunCollector(Collector):
    """Gives the registry the series of all runs.

    Gauges take three times the memory for thousands of runs, and six times the time whenever one changes.
    """

    def __init__(self) -> None:
        self._shown: dict[RunKey, tuple[Values, ...]] = {}

    def show(self, run: Run) -> None:
        """Show the run as it is now."""
        self._shown[run.key] = tuple(metric.values(run) for metric in RUN_METRICS)

    def forget(self, key: RunKey) -> None:
        """Show nothing of the run any more."""
        self._shown.pop(key, None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All series, in a thread beside the one that shows."""
        shown = list(self._shown.items())
        for number, metric in enumerate(RUN_METRICS):
            family = GaugeMetricFamily(metric.name, metric.text, labels=(*OF_A_RUN, *metric.labels))
            for key, values in shown:
                for labels, value in _labelled(values[number]):
                    family.add_metric((*key, *labels), value)
            yield family


def _labelled(values: Values) -> Labelled:
    if values is None:
        return ()
    return values if isinstance(values, tuple) else (((), values),)
