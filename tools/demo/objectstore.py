"""The object store of the demo: Service s3 in its namespace, whatever stands behind it."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from localcluster import LocalClusterError, binaries
from localcluster.control_plane import LOOPBACK, free_port
from localcluster.process import accepts, wait_until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAMESPACE = "trainingrun-demo"
BUCKET = "trainingrun-demo"
NAME = "s3"
PORT = 7070
SECRET = "s3-credentials"  # noqa: S105 - the name of it
LABELS = {"app.kubernetes.io/name": NAME}

Manifest = dict[str, object]


@dataclass(frozen=True)
class StoreKeys:
    """What clients of the object store sign with."""

    access_key: str
    secret_key: str = field(repr=False)

    def secret(self) -> Manifest:
        """The Secret that runs refer to."""
        data = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        return _object("v1", "Secret", SECRET) | {"stringData": data}


def outside_objects(address: str) -> list[Manifest]:
    """A Service for an S3 server that listens at `address`, outside of Pods."""
    ports = [{"name": "s3", "port": PORT, "protocol": "TCP"}]
    endpoints = _object("discovery.k8s.io/v1", "EndpointSlice", NAME, {"kubernetes.io/service-name": NAME})
    return [
        _object("v1", "Service", NAME) | {"spec": {"ports": ports}},
        endpoints | {"addressType": "IPv4", "endpoints": [{"addresses": [address]}], "ports": ports},
    ]


def in_cluster_objects(image: str) -> list[Manifest]:
    """An S3 server in a Pod, with its files gone when the Pod goes."""
    container = {
        "name": NAME,
        "image": image,
        "args": ["--port", f":{PORT}", "posix", "/data"],
        "env": [
            _secret_variable("ROOT_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
            _secret_variable("ROOT_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
        ],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": {"tcpSocket": {"port": PORT}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    deployment = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template}
    return [
        _object("v1", "Service", NAME) | {"spec": {"selector": LABELS, "ports": [{"port": PORT}]}},
        _object("apps/v1", "Deployment", NAME) | {"spec": deployment},
    ]


@contextmanager
def port_forward(environment: Mapping[str, str]) -> Iterator[str]:
    """A URL on this machine that leads to Service s3 while the context lasts."""
    port = free_port()
    kubectl = str(binaries.path("kubectl"))
    command = [kubectl, "--namespace", NAMESPACE, "port-forward", f"service/{NAME}", f"{port}:{PORT}"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or accepts(LOOPBACK, port), "kubectl port-forward")
        if process.poll() is not None:
            raise LocalClusterError("kubectl port-forward ended; it says why above")
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait()


def s3_client(endpoint: str, credentials: StoreKeys) -> "S3Client":
    """A client of the demo's object store."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        config=Config(retries={"max_attempts": 10, "mode": "standard"}),
    )


def fill(client: "S3Client", folder: Path) -> list[str]:
    """Make the bucket and put the example data into it; gives the URIs."""
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    files = sorted(file for file in folder.iterdir() if file.suffix != ".md")
    for file in files:
        client.upload_file(str(file), BUCKET, f"data/{file.name}")
    return [f"s3://{BUCKET}/data/{file.name}" for file in files]


def listing(client: "S3Client", uri: str) -> list[tuple[str, int]]:
    """Objects under `uri`, each with its size in bytes."""
    prefix = uri.removeprefix(f"s3://{BUCKET}/")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [
        (item["Key"].removeprefix(prefix), item["Size"])
        for page in pages
        for item in page.get("Contents", [])
    ]


def _object(api_version: str, kind: str, name: str, labels: Mapping[str, str] | None = None) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {**(labels or LABELS)}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _secret_variable(name: str, key: str) -> Manifest:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}}
