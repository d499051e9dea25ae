"""What Prometheus reads of a run."""

import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

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
from trainingrun_operator.resources import Run, RunKey

from .manifests import a_run

KEY, OTHER = RunKey("team", "tickets"), RunKey("team", "reviews")
CREATED = "2026-11-01T12:00:00Z"


def a_shown(status: TrainingRunStatus, key: RunKey = KEY, uid: str = "u-1", **spec: Any) -> Run:
    """A run as the API server shows it, created at noon."""
    metadata = {"uid": uid, "resourceVersion": "1", "generation": 1, "creationTimestamp": CREATED}
    manifest = a_run(key.name, **spec)
    shown = {"metadata": metadata | key._asdict(), "status": status.model_dump(mode="json")}
    return Run.parse(manifest | shown)


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
    metrics.show(a_shown(advised(warning), OTHER))
    metrics.show(a_shown(advised(warning, info, info)))
    others = series("reviews", "LossJump", "Warning")
    assert advice_series(metrics) == {
        others,
        series("tickets", "LossJump", "Warning"),
        series("tickets", "NewerThanThis", "Info"),
    }
    metrics.show(a_shown(advised(info)))
    assert advice_series(metrics) == {others, series("tickets", "NewerThanThis", "Info")}
    metrics.forget(KEY)
    assert advice_series(metrics) == {others}
    assert b"tickets" not in metrics.exposition()


def test_words_made_to_be_taken_for_series_stay_words() -> None:
    """The API server lets no such name through; a label holds it all the same."""
    words = 'a"} 1\ntrainingrun_phase{name="forged"} 1\\'
    metrics = Metrics("1.2.3")
    metrics.show(a_shown(advised(a_finding("LossJump", Severity.WARNING)), RunKey(f"{words}n", words)))
    families = list(text_string_to_metric_families(metrics.exposition().decode()))
    runs = [
        (sample.labels["namespace"], sample.labels["name"])
        for family in families
        for sample in family.samples
        if "name" in sample.labels
    ]
    assert len(runs) > 1
    assert set(runs) == {(f"{words}n", words)}


def test_what_an_alert_needs_is_there() -> None:
    metrics = Metrics("1.2.3")
    progress = Progress(stage="Training", max_epochs=3, last_update_time="2026-11-01T12:00:00Z")
    stalled = Condition(type="Stalled", status="True", reason="PodRefused", last_transition_time="")
    failure = RunFailure(reason=Reason.STORAGE_UNAVAILABLE, message="the bucket can't be reached")
    status = TrainingRunStatus(progress=progress, restarts=2, last_failure=failure, conditions=[stalled])
    metrics.show(a_shown(status))
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
    metrics.show(a_shown(status.model_copy(update={"conditions": [], "last_failure": None})))
    assert "PodRefused" not in (shown := metrics.exposition().decode())
    assert f"trainingrun_stalled{{{run}}} 0.0" in shown
    metrics.forget(KEY)
    assert "tickets" not in metrics.exposition().decode()


def test_each_score_that_the_task_has_is_a_series() -> None:
    metrics, run = Metrics("1.2.3"), 'name="tickets",namespace="team"'
    epoch = EpochSummary(epoch=1, training_loss=1, evaluation_loss=1, learning_rate=0, average_precision=0.5)
    metrics.show(a_shown(TrainingRunStatus(epochs=[epoch])))
    shown = metrics.exposition().decode()
    assert f"trainingrun_average_precision{{{run}}} 0.5" in shown
    assert f"trainingrun_f1{{{run}}}" not in shown
    best = EvaluationScores(average_precision=0.75, accuracy=1, loss=1, support=9)
    metrics.show(a_shown(TrainingRunStatus(epochs=[epoch], evaluation=best)))
    shown = metrics.exposition().decode()
    assert f"trainingrun_average_precision{{{run}}} 0.75" in shown
    assert f"trainingrun_accuracy{{{run}}} 1.0" in shown


def test_a_run_without_findings_has_no_such_series() -> None:
    metrics = Metrics("1.2.3")
    metrics.show(a_shown(advised()))
    assert advice_series(metrics) == set()
    assert b'trainingrun_phase{name="tickets",namespace="team",phase="Succeeded"} 1.0' in metrics.exposition()


def test_numbers_of_a_run_are_there_while_they_are_known() -> None:
    metrics, run = Metrics("1.2.3"), 'name="tickets",namespace="team"'
    progress = Progress(
        stage="Training",
        percent=40,
        learning_rate=3e-5,
        stage_seconds={"LoadingData": 7, "Training": 61},
        last_update_time=CREATED,
    )
    began = TrainingRunStatus(progress=progress, start_time="2026-11-01T12:01:30Z")
    metrics.show(a_shown(began, resources={"nodes": 2, "gpusPerNode": 4}))
    shown = metrics.exposition().decode()
    for series in (
        f"trainingrun_progress_ratio{{{run}}} 0.4",
        f"trainingrun_learning_rate{{{run}}} 3e-05",
        f"trainingrun_requested_gpus{{{run}}} 8.0",
        f'trainingrun_stage_seconds{{{run},stage="LoadingData"}} 7.0',
        f'trainingrun_stage_seconds{{{run},stage="Training"}} 61.0',
        f"trainingrun_created_timestamp_seconds{{{run}}} 1.7935344e+09",
        f"trainingrun_start_timestamp_seconds{{{run}}} 1.79353449e+09",
    ):
        assert series in shown
    assert "trainingrun_completion_timestamp_seconds{" not in shown
    metrics.show(a_shown(TrainingRunStatus()))
    assert "trainingrun_stage_seconds{" not in metrics.exposition().decode()


def value(metrics: Metrics, series: str) -> float:
    """What the exposition says of a series."""
    (found,) = (line for line in metrics.exposition().decode().splitlines() if line.startswith(f"{series} "))
    return float(found.rpartition(" ")[2])


WAITS, STARTED = TrainingRunStatus(), TrainingRunStatus(start_time="2026-11-01T12:01:30Z")
ENDED = STARTED.model_copy(
    update={
        "phase": Phase.FAILED,
        "completion_time": "2026-11-01T12:21:30Z",
        "conditions": [
            Condition(type="Succeeded", status="False", reason="DataError", last_transition_time="")
        ],
    }
)
FAILED = 'trainingrun_finished_total{reason="DataError",result="Failed"}'


def test_a_run_counts_once_when_it_starts_and_when_it_ends() -> None:
    metrics = Metrics("1.2.3")
    assert value(metrics, FAILED) == 0.0, "or Prometheus would not see the first"
    for status in (WAITS, STARTED, STARTED, ENDED, ENDED):
        metrics.show(a_shown(status))
    assert value(metrics, FAILED) == 1.0
    assert value(metrics, "trainingrun_wait_seconds_sum") == 90.0
    assert value(metrics, 'trainingrun_duration_seconds_sum{result="Failed"}') == 1200.0
    metrics.forget(KEY)
    assert value(metrics, FAILED) == 1.0, "a counter never falls"
    for status in (WAITS, ENDED):
        metrics.show(a_shown(status, uid="u-2"))
    assert value(metrics, FAILED) == 2.0, "another run of the same name"


def test_what_ended_before_the_operator_started_does_not_count_again() -> None:
    metrics = Metrics("1.2.3")
    metrics.show(a_shown(ENDED))
    assert value(metrics, FAILED) == 0.0
    assert value(metrics, "trainingrun_wait_seconds_count") == 0.0


def test_what_ended_while_the_operator_was_away_counts() -> None:
    metrics = Metrics("1.2.3")
    metrics.saw(a_shown(STARTED))
    metrics.show(a_shown(ENDED))
    assert value(metrics, FAILED) == 1.0


def test_operations_lists_each_metric() -> None:
    metrics = Metrics("1.2.3")
    metrics.show(a_shown(ENDED))
    found = re.findall(r"^# HELP (trainingrun_\w+)", metrics.exposition().decode(), re.MULTILINE)
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    tables = page.partition("## Metrics")[2].partition("\n## ")[0]
    listed = re.findall(r"`(trainingrun_\w+)`", "".join(re.findall(r"^\| (`.*?) \|", tables, re.MULTILINE)))
    assert sorted(listed) == sorted(name for name in found if not name.endswith("_created"))
