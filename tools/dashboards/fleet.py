"""All runs: how many there are in which phase, why they wait and fail, and what they occupy."""

from grafana_foundation_sdk.models.dashboard import Dashboard, VariableOption

from dashboards.panels import (
    HALF,
    THIRD,
    WHOLE,
    Link,
    Query,
    a_dashboard,
    bars,
    choice,
    curves,
    rows,
)

OURS = '{namespace=~"$namespace"}'
WORKING = 'trainingrun_phase{phase=~"Running|Evaluating"} == 1'
WAITING = 'trainingrun_phase{phase=~"Pending|Queued|Suspended"} == 1'
OF_A_RUN = "and on (namespace, name)"
ALL_NAMESPACES = "Of all namespaces."
RUN = Link(
    "name",
    "Open the run",
    "/d/trainingrun-run?var-namespace=${__data.fields.namespace}&var-name=${__value.raw}",
)


def build() -> Dashboard:
    """The dashboard."""
    namespaces = (
        choice("namespace", "Namespace", "label_values(trainingrun_phase, namespace)")
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(text="All", value="$__all"))
    )
    built = a_dashboard("fleet", "TrainingRun / Fleet", "All training runs.").with_variable(namespaces)
    for panel in (
        curves(
            "Runs by phase",
            "Runs that there are, ended ones included until they are deleted.",
            Query(f"sum by (phase) (trainingrun_phase{OURS})", "{{phase}}"),
            width=THIRD,
            stacked=True,
        ),
        curves(
            "GPUs",
            "GPUs that runs asked for, of those whose pods work and of those that wait.",
            Query(f"sum(trainingrun_requested_gpus{OURS} {OF_A_RUN} ({WORKING})) or vector(0)", "working"),
            Query(f"sum(trainingrun_requested_gpus{OURS} {OF_A_RUN} ({WAITING})) or vector(0)", "waiting"),
            width=THIRD,
        ),
        curves(
            "Ended runs",
            f"Runs that ended, in an hour, by result. {ALL_NAMESPACES}",
            Query("sum by (result) (increase(trainingrun_finished_total[1h]))", "{{result}}"),
            width=THIRD,
        ),
        rows(
            "Runs",
            "Runs by namespace and name; click on a name for its curves.",
            Query(f"max by (namespace, name, phase) (trainingrun_phase{OURS} == 1)"),
            Query(f"max by (namespace, name) (trainingrun_progress_ratio{OURS})", "Progress"),
            Query(f"max by (namespace, name) (trainingrun_epoch{OURS})", "Epoch"),
            Query(f"max by (namespace, name) (trainingrun_evaluation_loss{OURS})", "Evaluation loss"),
            Query(f"max by (namespace, name) (trainingrun_f1{OURS})", "Macro F1"),
            Query(f"max by (namespace, name) (trainingrun_accuracy{OURS})", "Accuracy"),
            Query(f"max by (namespace, name) (trainingrun_restarts{OURS})", "Restarts"),
            width=WHOLE,
            links=(RUN,),
        ),
        rows(
            "Waiting runs",
            "Runs that wait, by what they wait for, and for how many seconds since they were created.",
            Query(
                f"max by (namespace, name, reason) (trainingrun_reason{OURS} {OF_A_RUN} ({WAITING}))",
            ),
            Query(
                f"max by (namespace, name) (time() - trainingrun_created_timestamp_seconds{OURS}"
                f" {OF_A_RUN} ({WAITING}))",
                "Seconds",
            ),
            width=HALF,
            links=(RUN,),
        ),
        bars(
            "Failures by reason",
            f"Runs that failed, over the time shown. {ALL_NAMESPACES}",
            Query(
                'sum by (reason) (increase(trainingrun_finished_total{result="Failed"}[$__range])) > 0',
                "{{reason}}",
            ),
        ),
        curves(
            "Time until start",
            "From the creation of a run until all of its pods run: half and nine tenths of the runs. "
            f"{ALL_NAMESPACES}",
            *_quantiles("trainingrun_wait_seconds_bucket"),
            unit="s",
        ),
        curves(
            "Time until end",
            f"From start to end, of runs that succeeded: half and nine tenths of the runs. {ALL_NAMESPACES}",
            *_quantiles('trainingrun_duration_seconds_bucket{result="Succeeded"}'),
            unit="s",
        ),
        bars(
            "Findings",
            "Runs with a finding in their advice, by its type.",
            Query(f"sum by (type, severity) (trainingrun_advice{OURS})", "{{type}} ({{severity}})"),
        ),
        bars(
            "Restarts",
            "Restarts of runs, over the time shown.",
            Query(
                f"sum by (namespace, name) (increase(trainingrun_restarts{OURS}[$__range])) > 0",
                "{{namespace}}/{{name}}",
            ),
        ),
    ):
        built.with_panel(panel)
    return built.build()


def _quantiles(buckets: str) -> tuple[Query, ...]:
    counted = f"sum by (le) (increase({buckets}[$__range]))"
    return tuple(
        Query(f"histogram_quantile({quantile}, {counted})", name)
        for quantile, name in ((0.5, "half"), (0.9, "nine tenths"))
    )
