"""Metrics for Prometheus: each run's state and curves, and the operator's own."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from trainingrun_api.metrics import EPOCH_METRICS
from trainingrun_api.status import Phase, TrainingRunStatus

from .resources import RunKey, parse_time

OF_A_RUN = ("namespace", "name")
GAUGES = {
    "trainingrun_epoch": "Epochs finished.",
    "trainingrun_max_epochs": "Maximum number of epochs.",
    "trainingrun_training_loss": "Mean training loss of the latest steps, in nats per text.",
    "trainingrun_evaluation_loss": "Evaluation loss of the latest epoch, in nats per text.",
    # Each has a series of its own: over different scores, neither a sum nor a mean would say anything.
    **{
        f"trainingrun_{one.key}": f"{one.title} of the latest epoch; at the end, of the best epoch."
        for one in EPOCH_METRICS
    },
    "trainingrun_samples_per_second": "Texts trained on per second.",
    "trainingrun_last_progress_timestamp_seconds": "Time of the trainer's last accepted progress report.",
    "trainingrun_restarts": "Pods that ended without finishing the run and were replaced.",
    "trainingrun_stalled": "1 if only a person can help, also after a failure; otherwise 0.",
}


class OnesOfRuns:
    """A gauge that is 1 for each thing that is so of a run."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._shown: dict[RunKey, set[tuple[str, ...]]] = {}

    def show(self, key: RunKey, found: set[tuple[str, ...]]) -> None:
        """Show these, by the labels that the gauge has besides the run's, and no others of the run."""
        for gone in self._shown.pop(key, set()) - found:
            self._gauge.remove(*key, *gone)
        for one in found:
            self._gauge.labels(*key, *one).set(1)
        if found:
            self._shown[key] = found


class Metrics:
    """All series of the operator, in a registry of their own."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        build = Info("trainingrun_operator_build", "Version of the operator.", registry=self._registry)
        build.info({"version": version})
        self._phase = Gauge(
            "trainingrun_phase",
            "1 for the run's current phase.",
            (*OF_A_RUN, "phase"),
            registry=self._registry,
        )
        self._reason = self._ones(
            "trainingrun_reason", "1 for the reason of the run's current phase.", "reason"
        )
        self._failure = self._ones("trainingrun_failure", "1 for the reason of the latest failure.", "reason")
        self._advice = self._ones(
            "trainingrun_advice", "1 for each finding in status.advice.", "type", "severity"
        )
        self._gauges = {
            name: Gauge(name, text, OF_A_RUN, registry=self._registry) for name, text in GAUGES.items()
        }
        self._known: set[RunKey] = set()
        self.reconcile_duration = Histogram(
            "trainingrun_operator_reconcile_duration_seconds",
            "Duration of reconciles.",
            registry=self._registry,
        )
        self.reconcile_errors = Counter(
            "trainingrun_operator_reconcile_errors_total",
            "Reconciles that failed and are retried.",
            registry=self._registry,
        )
        self.unserved_connections = Counter(
            "trainingrun_operator_unserved_connections_total",
            "Connections refused or closed, by port and by the limit that was exceeded.",
            ("port", "bound"),
            registry=self._registry,
        )
        self._api_requests = Counter(
            "trainingrun_operator_api_requests_total",
            "Requests to the API server, except those of the watches, by method and resource.",
            ("method", "resource"),
            registry=self._registry,
        )
        self.progress_reports = Counter(
            "trainingrun_operator_progress_reports_total",
            "Progress reports by outcome.",
            ("outcome",),
            registry=self._registry,
        )

    def show(self, key: RunKey, status: TrainingRunStatus) -> None:
        """Show a run as it is now."""
        self._known.add(key)
        for phase in Phase:
            self._phase.labels(*key, phase.value).set(phase is status.phase)
        self._reason.show(key, {(condition.reason,) for condition in status.conditions[:1]})
        self._failure.show(key, {(status.last_failure.reason.value,)} if status.last_failure else set())
        self._advice.show(key, {(finding.type, finding.severity.value) for finding in status.advice})
        for name, value in values_of(status).items():
            if value is None:
                self._gauges[name].remove(*key)
            else:
                self._gauges[name].labels(*key).set(value)

    def forget(self, key: RunKey) -> None:
        """Remove the series of a run that is gone."""
        if key not in self._known:
            return
        self._known.discard(key)
        for phase in Phase:
            self._phase.remove(*key, phase.value)
        for ones in (self._reason, self._failure, self._advice):
            ones.show(key, set())
        for name in GAUGES:
            self._gauges[name].remove(*key)

    def count_request(self, method: str, resource: str) -> None:
        """Count a request to the API server."""
        self._api_requests.labels(method, resource).inc()

    def exposition(self) -> bytes:
        """All series in the text format of Prometheus."""
        return generate_latest(self._registry)

    def _ones(self, name: str, text: str, *labels: str) -> OnesOfRuns:
        return OnesOfRuns(Gauge(name, text, (*OF_A_RUN, *labels), registry=self._registry))


def values_of(status: TrainingRunStatus) -> dict[str, float | None]:
    """The numbers shown of a run by metric; None for what isn't known."""
    progress, last = status.progress, status.epochs[-1] if status.epochs else None
    latest = status.evaluation or last
    scores = latest.scores if latest else {}
    return {
        "trainingrun_epoch": progress.epoch if progress else None,
        "trainingrun_max_epochs": progress.max_epochs if progress else None,
        "trainingrun_training_loss": progress.training_loss if progress else None,
        "trainingrun_evaluation_loss": progress.evaluation_loss if progress else None,
        **{f"trainingrun_{metric.key}": scores.get(metric) for metric in EPOCH_METRICS},
        "trainingrun_samples_per_second": progress.samples_per_second if progress else None,
        "trainingrun_last_progress_timestamp_seconds": _seconds(progress.last_update_time)
        if progress
        else None,
        "trainingrun_restarts": status.restarts,
        "trainingrun_stalled": any(c.type == "Stalled" and c.status == "True" for c in status.conditions),
    }


def _seconds(time: str) -> float:
    return parse_time(time).timestamp()
