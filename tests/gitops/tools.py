"""How GitOps tools see objects: Argo CD's Lua, Flux' evaluator and kstatus, as these run them."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from localcluster import binaries

Manifest = dict[str, Any]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ARGOCD = DEPLOY / "argocd"
HEALTH = ARGOCD / "resource_customizations/training.labelator.io/TrainingRun"
SETTINGS = yaml.safe_load((ARGOCD / "argocd-cm.yaml").read_text())["data"]
FLUX = yaml.safe_load((DEPLOY / "flux" / "kustomization.yaml").read_text())
(EXPRESSIONS,) = FLUX["spec"]["healthCheckExprs"]


class Health(NamedTuple):
    status: str
    message: str


class Seen(NamedTuple):
    """What each of the tools tells of one object."""

    argocd: Health
    flux: Health
    kstatus: Health

    @property
    def statuses(self) -> tuple[str, str, str]:
        return self.argocd.status, self.flux.status, self.kstatus.status


def seen(*objects: Manifest) -> list[Seen]:
    """What the tools tell of each, by the files that users copy."""
    binaries.ensure(("gitops",))
    lua = SETTINGS["resource.customizations.health.training.labelator.io_TrainingRun"]
    question = {"objects": objects, "lua": lua, "cel": EXPRESSIONS}
    result = subprocess.run(
        [binaries.path("gitops")], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout)
    return [Seen(**{tool: Health(**told) for tool, told in answer.items()}) for answer in answers]
