"""`kubectl trainingrun`: the same command, found by kubectl."""

import os
import subprocess
import sys
from pathlib import Path

from kubernetes.client import CustomObjectsApi

from localcluster import ControlPlane, binaries

from .conftest import apply


def kubectl(control_plane: ControlPlane, *arguments: str) -> subprocess.CompletedProcess[str]:
    binaries.ensure(("kubectl",))
    environment = {
        **os.environ,
        "KUBECONFIG": str(control_plane.kubeconfig),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(
        [binaries.path("kubectl"), *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_kubectl_finds_the_command_and_it_calls_itself_so(
    api: CustomObjectsApi, control_plane: ControlPlane, namespace: str
) -> None:
    apply(api, "tickets", {"phase": "Running"}, namespace)
    listed = kubectl(control_plane, "trainingrun", "list", "-n", namespace)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.splitlines()[1].split()[:2] == ["tickets", "Running"]
    said = kubectl(control_plane, "trainingrun", "--help")
    assert "Usage: kubectl trainingrun " in said.stdout
    refused = kubectl(control_plane, "trainingrun", "suspend", "none", "-n", namespace)
    assert (refused.returncode, refused.stderr) == (
        2,
        f"trainingrun: TrainingRun {namespace}/none: Not Found\n",
    )
