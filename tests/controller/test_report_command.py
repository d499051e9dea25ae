"""`trainingrun report` and `compare`: results of a run on a cluster, before and after its end."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from localcluster import ControlPlane, S3Server
from trainingrun_api.names import REQUIRED_STORAGE_KEYS
from trainingrun_cli.comparing import compare_runs
from trainingrun_client import Client, ClientError

from .cluster import Api
from .kubelet import Kubelet
from .manifests import a_result, a_run
from .test_waiting import config_of

BUCKET = "models"


class Store(NamedTuple):
    server: S3Server
    client: Any


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with S3Server() as server:
        session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
        client = session.client("s3", endpoint_url=server.endpoint)
        client.create_bucket(Bucket=BUCKET)
        yield Store(server, client)
        client.close()


def apply_secret(api: Api, s3: S3Server) -> None:
    secret = dict(zip(REQUIRED_STORAGE_KEYS, (s3.access_key, s3.secret_key), strict=True))
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in secret.items()}
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3"}, "data": encoded})


def output_of(s3: S3Server) -> dict[str, Any]:
    return {"uri": f"s3://{BUCKET}", "endpoint": s3.endpoint, "credentialsSecretRef": {"name": "s3"}}


def report(
    name: str, api: Api, control_plane: ControlPlane, folder: Path
) -> subprocess.CompletedProcess[str]:
    command = (
        "report",
        name,
        "--namespace",
        api.namespace,
        "--no-open",
        "--output",
        str(folder / "page.html"),
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "trainingrun_cli", *command],
        env=environment | {"KUBECONFIG": str(control_plane.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_report_is_fetched_with_the_credentials_of_the_run(
    api: Api, kubelet: Kubelet, control_plane: ControlPlane, store: Store, tmp_path: Path
) -> None:
    s3, bucket = store
    apply_secret(api, s3)
    api.apply(a_run("page", output=output_of(s3)))
    api.eventually("page", phase="Pending", reason="Unschedulable")
    key = f"{config_of(api, 'page')['outputPrefix']}/report.html".removeprefix(f"s3://{BUCKET}/")

    early = report("page", api, control_plane, tmp_path)
    assert early.returncode == 2
    assert "has no report yet" in early.stderr

    bucket.put_object(Bucket=BUCKET, Key=key, Body=b"so far")
    assert report("page", api, control_plane, tmp_path).stdout.strip() == str(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "so far"

    pod = kubelet.pod_of("page")
    kubelet.start(pod)
    kubelet.end(pod, 0, a_result())
    api.eventually("page", phase="Succeeded")
    bucket.put_object(Bucket=BUCKET, Key=key, Body=b"for good")
    assert report("page", api, control_plane, tmp_path).returncode == 0
    assert (tmp_path / "page.html").read_text() == "for good"


def test_only_runs_that_have_succeeded_are_compared(
    api: Api, kubelet: Kubelet, control_plane: ControlPlane, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, _ = store
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    for name in REQUIRED_STORAGE_KEYS:
        monkeypatch.delenv(name, raising=False)
    apply_secret(api, s3)
    api.apply(a_run("compared", output=output_of(s3)))
    api.eventually("compared", phase="Pending", reason="Unschedulable")

    def refusal() -> str:
        with pytest.raises(ClientError) as refused:
            compare_runs(Client(api.namespace), ["compared", "other"], None)
        return str(refused.value)

    run = f"TrainingRun {api.namespace}/compared"
    assert refusal() == f"{run} is Pending: only runs that have succeeded can be compared"
    pod = kubelet.pod_of("compared")
    kubelet.start(pod)
    kubelet.end(pod, 0, a_result())
    api.eventually("compared", phase="Succeeded")
    file = f"{config_of(api, 'compared')['outputPrefix']}/evaluation.json"
    assert f"{run} has no evaluation.json: {file} is not there" in refusal()
    assert not os.environ.keys() & set(REQUIRED_STORAGE_KEYS), (
        "credentials of one run are not left for the next"
    )


def test_a_run_that_is_not_there_is_an_error_in_words(
    api: Api, control_plane: ControlPlane, tmp_path: Path
) -> None:
    result = report("none", api, control_plane, tmp_path)
    assert result.returncode == 2
    assert "none: Not Found" in result.stderr
