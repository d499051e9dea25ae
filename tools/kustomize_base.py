"""Write what `kubectl apply -k` installs: the chart as Helm renders it, with its default values."""

from pathlib import Path
from typing import Any

import yaml

from localcluster import binaries
from localcluster.process import execute

ROOT = Path(__file__).resolve().parent.parent
RELEASE = "trainingrun-operator"
NAMESPACE = "trainingrun-system"
CHART = ROOT / "charts" / RELEASE
BASE = ROOT / "deploy" / "kustomize" / "base" / "operator.yaml"


def rendered() -> str:
    """All manifests of the chart but the definitions, which have a kustomization of their own."""
    binaries.ensure(("helm",))
    values = ("--namespace", NAMESPACE, "--set", "crds.install=false")
    text = execute(str(binaries.path("helm")), "template", RELEASE, str(CHART), *values)
    manifests = [_without_helm(manifest) for manifest in yaml.safe_load_all(text) if manifest]
    return "# Written by `make kustomize` from the chart.\n" + yaml.safe_dump_all(
        manifests, sort_keys=False, width=110, allow_unicode=True
    )


def _without_helm(value: Any) -> Any:
    """The same without the labels that say Helm manages it."""
    match value:
        case dict():
            return {name: _without_helm(item) for name, item in value.items() if not _is_helms(name, item)}
        case list():
            return [_without_helm(item) for item in value]
    return value


def _is_helms(name: str, value: Any) -> bool:
    return name == "helm.sh/chart" or (name == "app.kubernetes.io/managed-by" and value == "Helm")


if __name__ == "__main__":
    BASE.write_text(rendered())
