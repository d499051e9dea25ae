"""The kustomize base is the chart, and a real API server takes it."""

import os
import runpy
from pathlib import Path

import pytest

from localcluster import ControlPlane
from trainingrun_api import __version__

from .release import CHART, NAMESPACE, run

KUSTOMIZE = CHART.parents[1] / "deploy" / "kustomize"
BASE = runpy.run_path(str(CHART.parents[1] / "tools" / "kustomize_base.py"))


def test_base_is_what_the_chart_renders() -> None:
    assert Path(BASE["BASE"]).read_text() == BASE["rendered"](), "run `make kustomize` and commit the result"


@pytest.mark.slow
def test_example_is_applied_and_again_would_change_nothing() -> None:
    with ControlPlane() as plane:
        environment = os.environ | {"KUBECONFIG": str(plane.kubeconfig)}
        example = ("--kustomize", str(KUSTOMIZE / "example"))
        applied = run("kubectl", "apply", *example, environment=environment)
        assert applied.returncode == 0, applied.stderr
        again = run("kubectl", "diff", *example, environment=environment)
        assert (again.returncode, again.stdout) == (0, "")
        images = "--output=jsonpath={..image} {..env[?(@.name=='TRAINER_IMAGE')].value}"
        found = run(
            "kubectl", "get", "deployments", f"--namespace={NAMESPACE}", images, environment=environment
        )
    assert found.stdout.split() == [
        f"registry.example.com/trainingrun-{part}:{__version__}" for part in ("operator", "trainer")
    ]
