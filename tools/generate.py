"""Write every file that is generated; `--check` says which differ and changes nothing."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import yaml

import run_statuses
from dashboards import dashboards
from messages_page import messages_page
from trainingrun_api import __version__
from trainingrun_api.crd import custom_resource_definitions
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.manifest_schema import manifest_schema
from trainingrun_api.reference import reference_page
from values_page import values_page


class PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice twice, since manifests have no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


ROOT = Path(__file__).resolve().parent.parent
CHART = "charts/trainingrun-operator"
HEALTH = "deploy/argocd/resource_customizations/training.labelator.io/TrainingRun"
"""Argo CD's health check of runs, as a folder of its own repository."""
HEALTH_KEY = "resource.customizations.health.training.labelator.io_TrainingRun"
ARGUMENT = re.compile(r"^(ARG VERSION=).*$", re.MULTILINE)
STAMPS = {
    f"{CHART}/Chart.yaml": re.compile(r"^(version: |appVersion: ).*$", re.MULTILINE),
    "operator/Dockerfile": ARGUMENT,
    "trainer_image/Dockerfile": ARGUMENT,
    "deploy/kustomize/example/kustomization.yaml": re.compile(r"(newTag: |/trainingrun-trainer:).*"),
}
"""Where the version stands beside the contract, and what stands before it."""


def generated_files() -> Iterator[tuple[str, str]]:
    """Path relative to the repository, and content."""
    definitions = custom_resource_definitions()
    for plural, definition in definitions.items():
        for folder in ("crds", f"{CHART}/files/crds"):
            yield f"{folder}/{plural}.yaml", as_yaml(definition)
    yield "docs/reference.md", reference_page(definitions)
    for name, stamp in STAMPS.items():
        yield name, stamp.sub(rf"\g<1>{__version__}", (ROOT / name).read_text())
    for name, text in dashboards():
        yield f"charts/trainingrun-operator/files/monitoring/dashboards/{name}.json", text
    schema = Evaluation.model_json_schema(mode="serialization")
    yield "docs/evaluation.schema.json", json.dumps(schema, indent=2) + "\n"
    yield "docs/manifest.schema.json", json.dumps(manifest_schema(), indent=2) + "\n"
    yield "docs/messages.md", messages_page(ROOT)
    yield "docs/values.md", values_page((ROOT / CHART / "values.yaml").read_text())
    for name, run in run_statuses.runs():
        yield f"{HEALTH}/testdata/{name}.yaml", as_yaml(run)
    yield "deploy/argocd/argocd-cm.yaml", argocd_settings((ROOT / HEALTH / "health.lua").read_text())


def as_yaml(manifest: object) -> str:
    """A manifest, as files have it."""
    return yaml.dump(manifest, Dumper=PlainDumper, sort_keys=False, width=110, allow_unicode=True)


def argocd_settings(health_check: str) -> str:
    """The part of Argo CD's ConfigMap that has this health check."""
    metadata = {"name": "argocd-cm", "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}}
    settings = as_yaml({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    return f"{settings}data:\n  {HEALTH_KEY}: |\n{indent(health_check, '    ')}"


def main() -> None:
    """Write the files, or exit with 1 and their names when `--check` finds a difference."""
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, text in generated_files():
        path = ROOT / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in stale:
        print(f"{'differs' if check else 'written'}: {name}")
    if check and stale:
        sys.exit("run `make generate` and commit the result")


if __name__ == "__main__":
    main()
