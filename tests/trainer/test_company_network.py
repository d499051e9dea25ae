"""The chart's CA bundle and proxies are those that the trainer's clients use."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mlflow import MlflowClient

from localcluster import S3Server, binaries
from trainingrun_operator.settings import Settings

from ..chart.release import manifests, variables
from .hub import Hub
from .intercepting_proxy import intercepting_proxy
from .trackers.mlflow_server import mlflow_server

pytestmark = pytest.mark.slow

CLIENTS = """
import sys
from pathlib import Path
from mlflow import MlflowClient
from trainingrun_api.run_config import BaseModelSource, HubModel, Storage
from trainingrun_trainer import artifacts
from trainingrun_trainer.base_model import fetch_base_model

store = artifacts.open_store("s3://bucket/company", Storage(endpoint="https://s3.example.test"))
store.write("s3://bucket/company/text", b"through the proxy")
hub = HubModel(repo_id="team/open", revision="main", endpoint="https://hub.example.test")
fetch_base_model(BaseModelSource(hub=hub), Storage(), Path(sys.argv[1]))
MlflowClient(tracking_uri="https://mlflow.example.test").create_experiment("company")
"""


def environment_of_pods(proxy: str, bundle: Path) -> dict[str, str]:
    """What the chart gives all trainer pods; `bundle` is where the ConfigMap would be mounted."""
    binaries.ensure(("helm",))
    values = {"caBundle": {"configMap": "authorities"}, "proxy": {"https": proxy, "noProxy": ".svc"}}
    settings = Settings.from_environment(variables(manifests(trainerPods=values)) | {"POD_NAMESPACE": "x"})
    assert settings.default_pod_template is not None
    (trainer,) = settings.default_pod_template.spec.containers
    given = {one.name: one.model_dump()["value"] for one in trainer.env}
    (mount,) = trainer.volume_mounts
    return {
        name: value.replace(f"{mount.mount_path}/ca-bundle.crt", str(bundle)) for name, value in given.items()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mlflow").mkdir()
    return tmp_path


def test_s3_hub_and_mlflow_are_reached_through_a_proxy_that_has_its_own_authority(
    s3_credentials: S3Server, plain_model: Path, folder: Path
) -> None:
    bundle = folder / "bundle.crt"
    with Hub() as hub, mlflow_server(folder / "mlflow") as mlflow:
        hub.folders = {"team/open": plain_model}
        servers = {"s3": s3_credentials.endpoint, "hub": hub.endpoint, "mlflow": mlflow}
        upstreams = {f"{name}.example.test": urlsplit(url).netloc for name, url in servers.items()}
        with intercepting_proxy(upstreams, bundle) as proxy:
            pod = environment_of_pods(proxy.url, bundle)
            reached = clients(folder / "work", pod)
        assert reached.returncode == 0, reached.stderr
        assert set(proxy.asked) == set(upstreams)
        assert MlflowClient(tracking_uri=mlflow).get_experiment_by_name("company") is not None
    assert hub.downloaded


def clients(work: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """A process as in a pod: variables are read when libraries are imported."""
    command = [sys.executable, "-c", CLIENTS, str(work)]
    path = ":".join(filter(None, sys.path))
    quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}  # as in a pod
    return subprocess.run(
        command,
        env=os.environ | environment | quiet | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
