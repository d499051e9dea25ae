"""Commands of README.md that need no node, typed as they stand there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from kubernetes.client import CustomObjectsApi
from readme import ROOT, command

from localcluster import ControlPlane, binaries

from .conftest import EXAMPLES, apply

pytestmark = pytest.mark.slow


def typed(line: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What it says, in a shell that has our commands."""
    path = f"{Path(sys.executable).parent}:{binaries.path('kubectl').parent}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env=os.environ | {"PATH": path} | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_first_run_on_this_machine(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    manifest, data = (tmp_path / "examples" / name for name in ("tickets.yaml", "data/tickets.jsonl"))
    # To be quick.
    manifest.write_text(f"{manifest.read_text()}  training:\n    maxEpochs: 1\n")
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:200]))
    said = typed(command("trainingrun run"), tmp_path)
    assert "Published: epoch" in said
    assert list(tmp_path.glob("runs/default/tickets-v1/*/report.html"))


def test_a_run_on_texts_of_ones_own(tmp_path: Path) -> None:
    rows = [f"{text} {number},{text}\n" for number in range(20) for text in ("late", "broken")]
    (tmp_path / "texts.csv").write_text("".join(["text,label\n", *rows]))
    assert "Published: epoch" in typed(command("trainingrun init"), tmp_path)


def test_runs_are_listed_by_kubectl(api: CustomObjectsApi, api_server: ControlPlane) -> None:
    progress = {"epoch": 3, "percent": 37}
    apply(api, "listed", {"phase": "Running", "progress": progress})
    said = typed(command("kubectl get trun"), ROOT, {"KUBECONFIG": str(api_server.kubeconfig)})
    header, *rows = said.splitlines()
    assert header.split() == ["NAME", "PHASE", "EPOCH", "PROGRESS", "F1", "AGE"]
    assert any(row.split()[:4] == ["listed", "Running", "3", "37"] for row in rows)


def test_make_lists_its_targets() -> None:
    assert "demo-down" in typed(command("make help"), ROOT)
