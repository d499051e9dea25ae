"""What Prometheus reads of a run."""

from trainingrun_api.advice import Finding, Severity
from trainingrun_api.status import (
    Condition,
    EpochSummary,
    EvaluationScores,
    Phase,
    Progress,
    Reason,
    RunFailure,
    TrainingRunStatus,
)
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.resources import RunKey

KEY, OTHER = RunKey("team", "tickets"), RunKey("team", "reviews")


def a_finding(kind: str, severity: Severity) -> Finding:
    return Finding(type=kind, severity=severity, message="found", suggestion="change it")


def advised(*findings: Finding) -> TrainingRunStatus:
    return TrainingRunStatus(phase=Phase.SUCCEEDED, advice=list(findings))


def advice_series(metrics: Metrics) -> set[str]:
    lines = metrics.exposition().decode().splitlines()
    return {
        line.removeprefix("trainingrun_advice") for line in lines if line.startswith("trainingrun_advice{")
    }


def series(name: str, kind: str, severity: str) -> str:
    return f'{{name="{name}",namespace="team",severity="{severity}",type="{kind}"}} 1.0'


def test_each_finding_is_a_series_until_it_or_its_run_is_gone() -> None:
    metrics = Metrics("1.2.3")
    warning, info = a_finding("LossJump", Severity.WARNING), a_finding("NewerThanThis", Severity.INFO)
    metrics.show(OTHER, advised(warning))
    metrics.show(KEY, advised(warning, info, info))
    others = series("reviews", "LossJump", "Warning")
    assert advice_series(metrics) == {
        others,
        series("tickets", "LossJump", "Warning"),
        series("tickets", "NewerThanThis", "Info"),
    }
    metrics.show(KEY, advised(info))
    assert advice_series(metrics) == {others, series("tickets", "NewerThanThis", "Info")}
    metrics.forget(KEY)
    assert advice_series(metrics) == {others}
    assert b"tickets" not in metrics.exposition()


def test_what_an_alert_needs_is_there() -> None:
    metrics = Metrics("1.2.3")
    progress = Progress(stage="Training", max_epochs=3, last_update_time="2026-11-01T12:00:00Z")
    stalled = Condition(type="Stalled", status="True", reason="PodRefused", last_transition_time="")
    failure = RunFailure(reason=Reason.STORAGE_UNAVAILABLE, message="the bucket can't be reached")
    status = TrainingRunStatus(progress=progress, restarts=2, last_failure=failure, conditions=[stalled])
    metrics.show(KEY, status)
    shown = metrics.exposition().decode()
    run = 'name="tickets",namespace="team"'
    for series in (
        f"trainingrun_last_progress_timestamp_seconds{{{run}}} 1.7935344e+09",
        f"trainingrun_restarts{{{run}}} 2.0",
        f"trainingrun_stalled{{{run}}} 1.0",
        f'trainingrun_reason{{{run},reason="PodRefused"}} 1.0',
        f'trainingrun_failure{{{run},reason="StorageUnavailable"}} 1.0',
        'trainingrun_operator_build_info{version="1.2.3"} 1.0',
        "process_resident_memory_bytes ",
    ):
        assert series in shown
    metrics.show(KEY, status.model_copy(update={"conditions": [], "last_failure": None}))
    assert "PodRefused" not in (shown := metrics.exposition().decode())
    assert f"trainingrun_stalled{{{run}}} 0.0" in shown
    metrics.forget(KEY)
    assert "tickets" not in metrics.exposition().decode()


def test_each_score_that_the_task_has_is_a_series() -> None:
    metrics, run = Metrics("1.2.3"), 'name="tickets",namespace="team"'
    epoch = EpochSummary(epoch=1, training_loss=1, evaluation_loss=1, learning_rate=0, average_precision=0.5)
    metrics.show(KEY, TrainingRunStatus(epochs=[epoch]))
    shown = metrics.exposition().decode()
    assert f"trainingrun_average_precision{{{run}}} 0.5" in shown
    assert f"trainingrun_f1{{{run}}}" not in shown
    best = EvaluationScores(average_precision=0.75, accuracy=1, loss=1, support=9)
    metrics.show(KEY, TrainingRunStatus(epochs=[epoch], evaluation=best))
    shown = metrics.exposition().decode()
    assert f"trainingrun_average_precision{{{run}}} 0.75" in shown
    assert f"trainingrun_accuracy{{{run}}} 1.0" in shown


def test_a_run_without_findings_has_no_such_series() -> None:
    metrics = Metrics("1.2.3")
    metrics.show(KEY, advised())
    assert advice_series(metrics) == set()
    assert b'trainingrun_phase{name="tickets",namespace="team",phase="Succeeded"} 1.0' in metrics.exposition()
