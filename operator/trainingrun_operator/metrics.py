"""What Prometheus sees: each run's state and curves, and how the operator does."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from trainingrun_api.advice import Finding
from trainingrun_api.status import Phase, TrainingRunStatus

from .resources import RunKey

OF_A_RUN = ("namespace", "name")
GAUGES = {
    "trainingrun_epoch": "Epochs finished.",
    "trainingrun_max_epochs": "Epochs at most.",
    "trainingrun_training_loss": "Mean training loss of the latest steps, in nats per text.",
    "trainingrun_evaluation_loss": "Evaluation loss of the latest epoch, in nats per text.",
    "trainingrun_f1": "Macro F1 of the latest epoch; of the published model once the run has succeeded.",
    "trainingrun_samples_per_second": "Texts trained on in a second.",
}


class Metrics:
    """All series of the operator, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._phase = Gauge(
            "trainingrun_phase",
            "1 for the phase that the run is in.",
            (*OF_A_RUN, "phase"),
            registry=self._registry,
        )
        self._advice = Gauge(
            "trainingrun_advice",
            "1 for each finding of the run.",
            (*OF_A_RUN, "type", "severity"),
            registry=self._registry,
        )
        self._gauges = {
            name: Gauge(name, text, OF_A_RUN, registry=self._registry) for name, text in GAUGES.items()
        }
        self._shown: dict[RunKey, set[tuple[str, str]]] = {}
        """Runs, each with type and severity of its findings."""
        self.reconcile_duration = Histogram(
            "trainingrun_operator_reconcile_duration_seconds",
            "Time to bring one run a step closer to its spec.",
            registry=self._registry,
        )
        self.reconcile_errors = Counter(
            "trainingrun_operator_reconcile_errors_total",
            "Reconciles that ended in an error and are tried again.",
            registry=self._registry,
        )
        self.unserved_connections = Counter(
            "trainingrun_operator_unserved_connections_total",
            "Connections refused or cut, by port and by the bound that they met.",
            ("port", "bound"),
            registry=self._registry,
        )
        self.progress_reports = Counter(
            "trainingrun_operator_progress_reports_total",
            "Progress reports by what became of them.",
            ("outcome",),
            registry=self._registry,
        )

    def show(self, key: RunKey, status: TrainingRunStatus) -> None:
        """Show a run as it is now."""
        for phase in Phase:
            self._phase.labels(*key, phase.value).set(phase is status.phase)
        self._show_advice(key, status.advice)
        for name, value in values_of(status).items():
            if value is None:
                self._gauges[name].remove(*key)
            else:
                self._gauges[name].labels(*key).set(value)

    def forget(self, key: RunKey) -> None:
        """Remove the series of a run that is gone."""
        if key not in self._shown:
            return
        for phase in Phase:
            self._phase.remove(*key, phase.value)
        self._show_advice(key, [])
        for name in GAUGES:
            self._gauges[name].remove(*key)
        del self._shown[key]

    def exposition(self) -> bytes:
        """All series in the text format of Prometheus."""
        return generate_latest(self._registry)

    def _show_advice(self, key: RunKey, advice: Sequence[Finding]) -> None:
        found = {(finding.type, finding.severity.value) for finding in advice}
        for gone in self._shown.get(key, set()) - found:
            self._advice.remove(*key, *gone)
        for one in found:
            self._advice.labels(*key, *one).set(1)
        self._shown[key] = found


def values_of(status: TrainingRunStatus) -> dict[str, float | None]:
    """The numbers shown of a run by metric; None for what isn't known."""
    progress, last = status.progress, status.epochs[-1] if status.epochs else None
    f1 = last.f1 if last else None
    return {
        "trainingrun_epoch": progress.epoch if progress else None,
        "trainingrun_max_epochs": progress.max_epochs if progress else None,
        "trainingrun_training_loss": progress.training_loss if progress else None,
        "trainingrun_evaluation_loss": progress.evaluation_loss if progress else None,
        "trainingrun_f1": status.evaluation.f1 if status.evaluation else f1,
        "trainingrun_samples_per_second": progress.samples_per_second if progress else None,
    }
