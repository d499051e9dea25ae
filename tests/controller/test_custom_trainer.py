"""A trainer of the user's own: what its pod has, and how its reports and its end get onto the run."""

import json
import runpy
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from localcluster import S3Server

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_run
from .process import ROOT, SERVER_NAME, OperatorProcess

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "examples" / "custom-trainer" / "train.py"

TRAINER = {"image": "example.com/own:1", "command": ["python"], "args": ["train.py"]}


def variables(pod: Manifest) -> dict[str, str]:
    (container,) = pod["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


TEXTS = ("please send the invoice", "i forgot my password")


@pytest.fixture
def store() -> Iterator[S3Server]:
    """A server with the data."""
    rows = [{"text": f"{text} {n}", "label": text.split()[-1]} for n in range(20) for text in TEXTS]
    with S3Server() as server:
        client = client_of(server)
        client.create_bucket(Bucket="team")
        client.put_object(Bucket="team", Key="tickets.jsonl", Body="\n".join(map(json.dumps, rows)).encode())
        yield server


def client_of(server: S3Server) -> Any:
    session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
    return session.client("s3", endpoint_url=server.endpoint)


def keys_of(server: S3Server) -> list[str]:
    return [found["Key"] for found in client_of(server).list_objects_v2(Bucket="team")["Contents"]]


def content_of(server: S3Server, key: str) -> bytes:
    content: bytes = client_of(server).get_object(Bucket="team", Key=key)["Body"].read()
    return content


@pytest.fixture
def run(api: Api, store: S3Server) -> Manifest:
    return api.apply(
        a_run(
            "own",
            dataset={"uri": "s3://team/tickets.jsonl"},
            output={
                "uri": "s3://team/out",
                "endpoint": store.endpoint,
                "credentialsSecretRef": {"name": "store"},
            },
            baseModel={"huggingFace": {"repoId": "team/model", "tokenSecretRef": {"name": "hub"}}},
            training={"maxEpochs": 2, "batchSize": 16, "learningRate": 1e-4},
            trainer=TRAINER,
        )
    )


@pytest.fixture
def pod(run: Manifest, kubelet: Kubelet) -> Manifest:
    pod = kubelet.pod_of("own")
    kubelet.start(pod)
    return pod


@pytest.fixture
def environment(
    pod: Manifest,
    api: Api,
    operator: OperatorProcess,
    store: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """That of the pod, with its files in a folder, and the name of the operator's Service known."""
    values = variables(pod)
    folder = tmp_path / "credentials" / "storage"
    folder.mkdir(parents=True)
    (folder / "AWS_ACCESS_KEY_ID").write_text(store.access_key)
    (folder / "AWS_SECRET_ACCESS_KEY").write_text(store.secret_key)
    (tmp_path / "ca.crt").write_text(operator.ca_certificate)
    (tmp_path / "token").write_text(api.token(pod))
    url = urlsplit(values["KUBEFLOW_TRAINER_SERVER_URL"])
    assert url.hostname == SERVER_NAME
    mine = {
        "TRAININGRUN_CONFIG": values["TRAININGRUN_CONFIG"],
        "TRAININGRUN_CREDENTIALS": str(folder.parent),
        "KUBEFLOW_TRAINER_SERVER_URL": f"https://{SERVER_NAME}:{operator.progress_port}{url.path}",
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": str(tmp_path / "ca.crt"),
        "KUBEFLOW_TRAINER_SERVER_TOKEN": str(tmp_path / "token"),
    }
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    resolve = socket.getaddrinfo

    def resolved(host: Any, *others: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host == SERVER_NAME else host, *others, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return mine


def test_its_pod_has_image_command_and_a_way_to_report(pod: Manifest, operator: OperatorProcess) -> None:
    (container,) = pod["spec"]["containers"]
    assert {name: container[name] for name in TRAINER} == TRAINER
    values = variables(pod)
    assert json.loads(values["TRAININGRUN_CONFIG"])["training"]["maxEpochs"] == 2
    (mount,) = [one for one in container["volumeMounts"] if one["name"] == "progress-token"]
    (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == "progress-token"]
    token, certificate = volume["projected"]["sources"]
    assert values["KUBEFLOW_TRAINER_SERVER_TOKEN"] == (
        f"{mount['mountPath']}/{token['serviceAccountToken']['path']}"
    )
    (item,) = certificate["downwardAPI"]["items"]
    assert values["KUBEFLOW_TRAINER_SERVER_CA_CERT"] == f"{mount['mountPath']}/{item['path']}"
    folder = values["TRAININGRUN_CREDENTIALS"]
    assert values["HF_TOKEN_PATH"] == f"{folder}/HF_TOKEN/token"
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert {f"{folder}/HF_TOKEN", f"{folder}/storage"} <= mounts
    annotation = item["fieldRef"]["fieldPath"].split("'")[1]
    assert pod["metadata"]["annotations"][annotation] == operator.ca_certificate


@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch, that there is no GPU
def test_the_example_reports_by_transformers_leaves_its_model_and_resumes_from_a_checkpoint(
    api: Api,
    kubelet: Kubelet,
    store: S3Server,
    pod: Manifest,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    status = api.get("TrainingRun", "own")["status"]
    progress = status["progress"]
    assert (progress["percent"], progress["stage"], progress["remainingSeconds"]) == (100, "Publishing", 0)
    assert progress["trainingLoss"] > 0
    assert progress["metrics"]["grad_norm"] > 0
    assert [epoch["epoch"] for epoch in status["epochs"]][-1] == 2
    assert status["epochs"][-1]["evaluationLoss"] == pytest.approx(progress["evaluationLoss"], abs=1e-3)

    kubelet.end(pod, 0)
    done = api.eventually("own", phase="Succeeded", message="The trainer has finished: example.com/own:1")
    weights = done["status"]["artifacts"]["model"].removeprefix("s3://team/") + "/model.safetensors"
    undisturbed = content_of(store, weights)
    *_, last = sorted(key for key in keys_of(store) if key.endswith("trainer_state.json"))
    assert "/checkpoints/checkpoint-4/" in last
    for key in keys_of(store):
        if "/checkpoint-4/" in key or key == weights:
            client_of(store).delete_object(Bucket="team", Key=key)
    shutil.rmtree(tmp_path / "trainer")
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert content_of(store, weights) == undisturbed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "trainerStatus"),
        ({"trainerStatus": {"progressPercentage": 101}}, "progressPercentage"),
        ({"trainerStatus": {"metrics": [{"name": "loss"}]}}, "value"),
    ],
)
def test_what_is_no_such_report_is_refused(
    api: Api, operator: OperatorProcess, pod: Manifest, body: Manifest, message: str
) -> None:
    status, text = operator.post(body, api.token(pod), path="/v1/progress/kubeflow")
    assert (status, message in text) == (400, True)


def test_metrics_are_bounded_and_numbers(api: Api, operator: OperatorProcess, pod: Manifest) -> None:
    metrics = {"loss": "nan", "eval_loss": "0.5", "x" * 65: "1", "name": "text"}
    metrics |= {f"metric{n:02}": str(n) for n in range(40)}
    body = {
        "trainerStatus": {
            "lastUpdatedTime": "2026-01-01T00:00:00+00:00",
            "progressPercentage": 7,
            "metrics": [{"name": name, "value": value} for name, value in metrics.items()],
        }
    }
    assert operator.post(body, api.token(pod), path="/v1/progress/kubeflow")[0] == 204
    progress = api.get("TrainingRun", "own")["status"]["progress"]
    assert progress["metrics"] == {f"metric{n:02}": n for n in range(32)}
    assert (progress["percent"], progress["evaluationLoss"]) == (7, 0.5)
    assert "trainingLoss" not in progress
