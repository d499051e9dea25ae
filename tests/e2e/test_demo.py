"""The demo, typed as in README.md: everything comes up, a run is trained, and all of it goes."""

import os
import subprocess
from collections.abc import Iterator, Mapping

import pytest
from readme import ROOT, command

from localcluster import LocalCluster

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]


def typed(line: str, environment: Mapping[str, str] = os.environ) -> str:
    """What it says."""
    shell = ["bash", "-euo", "pipefail", "-c", line]
    result = subprocess.run(
        shell,
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """That of this checkout, which must not run: the demo starts it, and removes it."""
    cluster = LocalCluster()
    if cluster.healthy:
        pytest.skip("the local cluster runs: `make demo-down` would remove what is on it")
    yield cluster
    cluster.down()


def test_the_demo_runs_the_main_job_and_leaves_nothing(cluster: LocalCluster) -> None:
    said = typed(command("make demo"))
    assert "Succeeded: Completed Trained" in said
    assert "model/model.safetensors" in said
    assert "report.html" in said
    path = f"{ROOT / '.venv/bin'}:{cluster.environment['PATH']}"
    watched = typed(command("trainingrun watch"), os.environ | cluster.environment | {"PATH": path})
    assert "Succeeded: Completed Trained" in watched
    typed(command("make demo-down"))
    assert not cluster.healthy
    assert not cluster.state.exists()
