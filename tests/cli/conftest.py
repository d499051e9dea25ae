"""Runs that the command line has trained, once for all tests."""

import io
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from contract.server import wait_until_served
from kubernetes import config
from kubernetes.client import CoreV1Api, CustomObjectsApi
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane, binaries
from trainingrun_api.crd import custom_resource_definitions
from trainingrun_api.names import API_VERSION, GROUP, RUN_KIND, RUN_PLURAL, VERSION
from trainingrun_cli.__main__ import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Said(NamedTuple):
    """What a command ended with."""

    status: str | int | None
    out: str
    err: str


Command = Callable[..., Said]


class Trained(NamedTuple):
    """What the command said, and where it ran."""

    result: subprocess.CompletedProcess[str]
    folder: Path

    def output(self, name: str) -> Path:
        """The folder of a run's results."""
        (evaluation,) = self.folder.glob(f"runs/default/{name}/*/evaluation.json")
        return evaluation.parent


def trainingrun(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "trainingrun_cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def manifest(folder: Path, example: str = "reviews.yaml", **spec: object) -> Path:
    """An example, with other fields."""
    run = yaml.safe_load((EXAMPLES / example).read_text())
    run["spec"].update(spec)
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(run))
    return path


def train(path: Path) -> Trained:
    """Run a manifest in its folder."""
    folder = path.parent
    return Trained(trainingrun("run", str(path), "--data", str(EXAMPLES / "data"), folder=folder), folder)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One epoch of run `reviews`."""
    return train(manifest(tmp_path_factory.mktemp("run"), training={"maxEpochs": 1}))


@pytest.fixture(scope="session")
def retrained(trained: Trained) -> Trained:
    """One more epoch, in run `reviews-by-stars`, which reads the stars beside the text and has a graph."""
    output = {"uri": "s3://models", "formats": ["ONNX"]}
    return train(manifest(trained.folder, "continued.yaml", training={"maxEpochs": 1}, output=output))


@pytest.fixture(scope="session")
def api_server() -> Iterator[ControlPlane]:
    """An API server whose CRD takes any status, as one of a newer version may."""
    definitions = custom_resource_definitions()
    schema = definitions[RUN_PLURAL]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    schema["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    with ControlPlane() as api_server:
        api_client = config.new_client_from_config(str(api_server.kubeconfig))
        for definition in definitions.values():
            create_from_dict(api_client, definition)
            wait_until_served(api_client, definition["metadata"]["name"])
        api_client.close()
        yield api_server


@pytest.fixture
def api(api_server: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Iterator[CustomObjectsApi]:
    """The API server, which commands speak to as well."""
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig))
    api_client = config.new_client_from_config(str(api_server.kubeconfig))
    yield CustomObjectsApi(api_client)
    api_client.close()


@pytest.fixture
def namespace(api: CustomObjectsApi) -> Iterator[str]:
    """A namespace of its own."""
    name = f"team-{uuid.uuid4().hex[:8]}"
    CoreV1Api(api.api_client).create_namespace({"metadata": {"name": name}})
    yield name
    api.delete_collection_namespaced_custom_object(GROUP, VERSION, name, RUN_PLURAL)


def apply(
    api: CustomObjectsApi, name: str, status: dict[str, Any], namespace: str = "default", **spec: Any
) -> None:
    """A run with that status."""
    spec = {"dataset": {"uri": "s3://d/x.csv"}, "output": {"uri": "s3://b/o"}, **spec}
    run = {"apiVersion": API_VERSION, "kind": RUN_KIND, "metadata": {"name": name}, "spec": spec}
    place = (GROUP, VERSION, namespace, RUN_PLURAL)
    api.create_namespaced_custom_object(*place, run)
    api.patch_namespaced_custom_object_status(*place, name, {"status": status})


def kubectl(api_server: ControlPlane, *arguments: str) -> subprocess.CompletedProcess[str]:
    """kubectl, which finds the command of this environment as its plugin."""
    binaries.ensure(("kubectl",))
    environment = {
        **os.environ,
        "KUBECONFIG": str(api_server.kubeconfig),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(
        [binaries.path("kubectl"), *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in this process: another takes seconds to import torch, each time."""

    def run(*arguments: str, given: str = "") -> Said:
        monkeypatch.setattr(sys, "argv", ["trainingrun", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(ended.value.code, *capsys.readouterr())

    return run
