"""The operator: whether it keeps up, and with whom it talks."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import THIRD, Query, a_dashboard, curves, number

PREFIX = "trainingrun_operator"
ITS_PROCESS = f"and on (job, instance) {PREFIX}_leader == 1"


def build() -> Dashboard:
    """The dashboard."""
    built = a_dashboard("operator", "TrainingRun / Operator", "The operator of training runs.")
    for panel in (
        number(
            "Version",
            "Of the operator.",
            Query(f"max by (version) ({PREFIX}_build_info)", "{{version}}"),
            width=THIRD,
        ),
        number(
            "Up for",
            "Since the process that leads started.",
            Query(f"min(time() - process_start_time_seconds {ITS_PROCESS})"),
            "s",
            width=THIRD,
        ),
        number(
            "Oldest watch",
            "Time since a list last showed that a watch has missed nothing; one comes every minute.",
            Query(f"max(time() - {PREFIX}_watch_verified_timestamp_seconds)"),
            "s",
            width=THIRD,
        ),
        curves(
            "Reconciles",
            "Per second.",
            Query(f"sum(rate({PREFIX}_reconcile_duration_seconds_count[$__rate_interval]))", "reconciles"),
            Query(f"sum(rate({PREFIX}_reconcile_errors_total[$__rate_interval]))", "errors"),
            unit="ops",
            width=THIRD,
        ),
        curves(
            "Duration of reconciles",
            "Half, and 99 of a hundred.",
            Query(_duration(0.5), "half"),
            Query(_duration(0.99), "99 of 100"),
            unit="s",
            width=THIRD,
        ),
        curves(
            "Queue",
            "Runs that wait to be reconciled.",
            Query(f"max({PREFIX}_queue_depth)", "runs"),
            width=THIRD,
        ),
        curves(
            "Oldest run in the queue",
            "How long it has waited.",
            Query(f"max({PREFIX}_queue_oldest_key_seconds)", "oldest"),
            unit="s",
            width=THIRD,
        ),
        curves(
            "Age of watches",
            "Time since a list last showed that the watch of a resource has missed nothing.",
            Query(f"max by (resource) (time() - {PREFIX}_watch_verified_timestamp_seconds)", "{{resource}}"),
            unit="s",
            width=THIRD,
        ),
        curves(
            "Requests to the API server by status code",
            "Per second, except those of the watches.",
            Query(
                f"sum by (method, code) (rate({PREFIX}_api_requests_total[$__rate_interval]))",
                "{{method}} {{code}}",
            ),
            unit="reqps",
            width=THIRD,
        ),
        curves(
            "Requests to the API server by resource",
            "Per second, except those of the watches.",
            Query(f"sum by (resource) (rate({PREFIX}_api_requests_total[$__rate_interval]))", "{{resource}}"),
            unit="reqps",
            width=THIRD,
        ),
        curves(
            "Progress reports",
            "Per second, by outcome.",
            Query(
                f"sum by (outcome) (rate({PREFIX}_progress_reports_total[$__rate_interval]))", "{{outcome}}"
            ),
            unit="reqps",
            width=THIRD,
        ),
        curves(
            "Unserved connections",
            "Per second, by port and by the limit that was exceeded.",
            Query(
                f"sum by (port, bound) (rate({PREFIX}_unserved_connections_total[$__rate_interval]))",
                "{{port}}: {{bound}}",
            ),
            unit="ops",
            width=THIRD,
        ),
        curves(
            "Memory",
            "Of the process that leads.",
            Query(f"max(process_resident_memory_bytes {ITS_PROCESS})", "resident"),
            unit="bytes",
            width=THIRD,
        ),
        curves(
            "Processor time",
            "Of the process that leads, in cores.",
            Query(f"max(rate(process_cpu_seconds_total[$__rate_interval]) {ITS_PROCESS})", "cores"),
            width=THIRD,
        ),
    ):
        built.with_panel(panel)
    return built.build()


def _duration(quantile: float) -> str:
    buckets = f"sum by (le) (rate({PREFIX}_reconcile_duration_seconds_bucket[$__rate_interval]))"
    return f"histogram_quantile({quantile}, {buckets})"
