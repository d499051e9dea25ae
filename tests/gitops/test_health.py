"""Argo CD and Flux tell of a run what its conditions say."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from trainingrun_api.status import Phase

from .tools import EXPRESSIONS, HEALTH, SETTINGS, Health, Manifest, Seen, seen

pytestmark = pytest.mark.slow

EXPECTED: dict[str, Any] = {
    "new": ("Progressing", "Unknown", "Current"),
    "pending_no_project": ("Progressing", "InProgress", "InProgress"),
    "pending_unschedulable": ("Progressing", "InProgress", "InProgress"),
    "pending_restarting": ("Progressing", "InProgress", "InProgress"),
    "pending_stalled": ("Degraded", "Failed", "Failed"),
    "queued": ("Progressing", "InProgress", "InProgress"),
    "running": ("Progressing", "InProgress", "InProgress"),
    "running_changed": ("Progressing", "InProgress", "InProgress"),
    "evaluating": ("Progressing", "InProgress", "InProgress"),
    "suspended": ("Suspended", "Current", "InProgress"),
    "stopped": ("Degraded", "Failed", "Failed"),
    "succeeded": ("Healthy", "Current", "Current"),
    "succeeded_changed": ("Progressing", "InProgress", "InProgress"),
    "succeeded_observed": ("Healthy", "Current", "Current"),
    "failed": ("Degraded", "Failed", "Failed"),
}
"""By Argo CD, by Flux with the expressions, and by kstatus without them."""


@pytest.fixture(scope="module")
def runs() -> dict[str, Manifest]:
    """By how they stand."""
    folder = HEALTH / "testdata"
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def told(runs: dict[str, Manifest]) -> dict[str, Seen]:
    return dict(zip(runs, seen(*runs.values()), strict=True))


def test_every_phase_occurs(runs: dict[str, Manifest]) -> None:
    assert {run["status"]["phase"] for run in runs.values() if "status" in run} == set(Phase)


def test_argocd_has_the_health_of_its_own_kind_of_test(told: dict[str, Seen]) -> None:
    tests = yaml.safe_load((HEALTH / "health_test.yaml").read_text())["tests"]
    expected = {Path(test["inputPath"]).stem: Health(**test["healthStatus"]) for test in tests}
    assert {name: one.argocd for name, one in told.items()} == expected


def test_tools_agree(told: dict[str, Seen]) -> None:
    assert {name: one.statuses for name, one in told.items()} == EXPECTED


def test_flux_waits_for_a_run_without_a_status(told: dict[str, Seen]) -> None:
    assert "no such attribute(s): status" in told["new"].flux.message


def test_the_health_check_is_the_one_of_the_settings() -> None:
    assert list(SETTINGS.values()) == [(HEALTH / "health.lua").read_text()]


def test_the_expressions_are_for_the_kind_of_runs(runs: dict[str, Manifest]) -> None:
    for run in runs.values():
        assert (run["apiVersion"], run["kind"]) == (EXPRESSIONS["apiVersion"], EXPRESSIONS["kind"])


def test_a_project_is_healthy_once_it_is_there() -> None:
    (project,) = seen({"apiVersion": EXPRESSIONS["apiVersion"], "kind": "TrainingProject", "metadata": {}})
    assert project.kstatus.status == "Current"
