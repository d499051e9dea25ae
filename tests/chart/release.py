"""The chart as a user meets it: through helm."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from localcluster import binaries

CHART = Path(__file__).resolve().parents[2] / "charts/trainingrun-operator"
NAME = "trainingrun-operator"
NAMESPACE = "trainingrun-system"

Manifest = dict[str, Any]


def run(
    program: str, *arguments: str, given: str = "", environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    command = [str(binaries.path(program)), *arguments]
    return subprocess.run(
        command, input=given, env=dict(environment), capture_output=True, text=True, check=False
    )


def template(**values: Any) -> subprocess.CompletedProcess[str]:
    arguments = ("template", NAME, str(CHART), "--namespace", NAMESPACE, "--values=-")
    return run("helm", *arguments, given=json.dumps(values))


def manifests(**values: Any) -> list[Manifest]:
    """What the chart makes of `values`."""
    result = template(**values)
    assert result.returncode == 0, result.stderr
    return [manifest for manifest in yaml.safe_load_all(result.stdout) if manifest]


def of_kind(found: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in found if manifest["kind"] == kind]


def container(found: list[Manifest]) -> Manifest:
    """The operator's container."""
    (deployment,) = of_kind(found, "Deployment")
    result: Manifest = deployment["spec"]["template"]["spec"]["containers"][0]
    return result


def variables(found: list[Manifest]) -> dict[str, str]:
    """The operator's environment, but for what the cluster fills in."""
    return {entry["name"]: entry["value"] for entry in container(found)["env"] if "value" in entry}
