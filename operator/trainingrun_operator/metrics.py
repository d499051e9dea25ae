"""Metrics for Prometheus: each run's state and curves, and the operator's own."""

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from .milestones import Milestones
from .resources import Run, RunKey
from .run_metrics import RunCollector


class Metrics:
    """All series of the operator, in a registry of their own."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        build = Info("trainingrun_operator_build", "Version of the operator.", registry=self._registry)
        build.info({"version": version})
        self.leader = Gauge(
            "trainingrun_operator_leader",
            "1 for the replica that reconciles, 0 for those that stand by.",
            registry=self._registry,
        )
        self._runs = RunCollector()
        self._registry.register(self._runs)
        self._milestones = Milestones(self._registry)
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
        self._queue_depth = Gauge(
            "trainingrun_operator_queue_depth",
            "Runs that wait to be reconciled.",
            registry=self._registry,
        )
        self._queue_oldest = Gauge(
            "trainingrun_operator_queue_oldest_key_seconds",
            "How long the one of these that waits longest has waited.",
            registry=self._registry,
        )
        self._watches = Gauge(
            "trainingrun_operator_watch_verified_timestamp_seconds",
            "Time when a list last showed that the watch of a resource has missed nothing.",
            ("resource",),
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
            "Requests to the API server, except those of the watches, by method, resource and status code.",
            ("method", "resource", "code"),
            registry=self._registry,
        )
        self.progress_reports = Counter(
            "trainingrun_operator_progress_reports_total",
            "Progress reports by outcome.",
            ("outcome",),
            registry=self._registry,
        )

    def saw(self, run: Run) -> None:
        """Count what has become of a run."""
        self._milestones.saw(run)

    def show(self, run: Run) -> None:
        """Show a run as it is now."""
        self.saw(run)
        self._runs.show(run)

    def forget(self, key: RunKey) -> None:
        """Remove the series of a run that is gone."""
        self._milestones.forget(key)
        self._runs.forget(key)

    def show_work(self, depth: int, oldest: float, verified: Mapping[str, float]) -> None:
        """Show the operator's work as it is now.

        Runs that wait, the seconds of the one that waits longest, and by resource when its watch was last
        found to have missed nothing.
        """
        self._queue_depth.set(depth)
        self._queue_oldest.set(oldest)
        for resource, time in verified.items():
            self._watches.labels(resource).set(time)

    def count_request(self, method: str, resource: str, code: str) -> None:
        """Count a request to the API server."""
        self._api_requests.labels(method, resource, code).inc()

    def exposition(self) -> bytes:
        """All series in the text format of Prometheus."""
        return generate_latest(self._registry)
