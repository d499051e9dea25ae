"""`kubectl trainingrun` and the shell: the same command, found by kubectl and completed."""

import os
import subprocess
import sys
from pathlib import Path

from kubernetes.client import CustomObjectsApi

from localcluster import ControlPlane

from .conftest import apply, kubectl


def test_kubectl_finds_the_command_and_it_calls_itself_so(
    api: CustomObjectsApi, api_server: ControlPlane, namespace: str
) -> None:
    apply(api, "tickets", {"phase": "Running"}, namespace)
    listed = kubectl(api_server, "trainingrun", "list", "-n", namespace)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.splitlines()[1].split()[:2] == ["tickets", "Running"]
    said = kubectl(api_server, "trainingrun", "--help")
    assert "Usage: kubectl trainingrun " in said.stdout
    refused = kubectl(api_server, "trainingrun", "suspend", "none", "-n", namespace)
    assert (refused.returncode, refused.stderr) == (
        2,
        f"trainingrun: TrainingRun {namespace}/none: Not Found\n",
    )


def test_kubectl_completes_its_plugin(
    api: CustomObjectsApi, api_server: ControlPlane, namespace: str
) -> None:
    apply(api, "tickets", {"phase": "Running"}, namespace)

    def completed(*words: str) -> list[str]:
        return kubectl(api_server, "__complete", "trainingrun", *words).stdout.splitlines()

    assert completed("su") == ["submit", "suspend", ":0"]
    assert completed("logs", "-n", namespace, "") == ["tickets", ":0"]
    assert completed("validate", "") == [":0"], "the shell offers files"


def test_the_shell_completes_commands_and_names_of_runs(
    api: CustomObjectsApi, api_server: ControlPlane, namespace: str
) -> None:
    for name in ("tickets-1", "tickets-2", "other"):
        apply(api, name, {"phase": "Running"}, namespace)

    def completed(*words: str) -> list[str]:
        environment = {
            **os.environ,
            "KUBECONFIG": str(api_server.kubeconfig),
            "_TRAININGRUN_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(["trainingrun", *words]),
            "COMP_CWORD": str(len(words)),
        }
        command = Path(sys.executable).with_name("trainingrun")
        return subprocess.run(
            [command], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()

    assert completed("su") == ["submit", "suspend"]
    assert completed("logs", "-n", namespace, "tick") == ["tickets-1", "tickets-2"]
    assert completed("watch", "-n", namespace, "o") == ["other"]
    assert completed("watch", "--context", "nowhere", "o") == []
