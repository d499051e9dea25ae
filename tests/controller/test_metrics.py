"""What Prometheus reads of a run."""

from trainingrun_api.advice import Finding, Severity
from trainingrun_api.status import Phase, TrainingRunStatus
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
    metrics = Metrics()
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


def test_a_run_without_findings_has_no_such_series() -> None:
    metrics = Metrics()
    metrics.show(KEY, advised())
    assert advice_series(metrics) == set()
    assert b'trainingrun_phase{name="tickets",namespace="team",phase="Succeeded"} 1.0' in metrics.exposition()
