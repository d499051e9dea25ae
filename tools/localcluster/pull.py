"""Fetching an image to the node ahead of the Pods that need it."""

import hashlib
import json
from pathlib import Path
from typing import Any

from localcluster.errors import LocalClusterError
from localcluster.manifests import Manifest, kubectl
from localcluster.process import wait_until

# A trainer image is several gigabytes.
PULL_SECONDS = 1800.0
FAILURES = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")
NAMESPACE = "--namespace=kube-system"


def pull(kubeconfig: Path, image: str) -> None:
    """Have the kubelet fetch `image`, by a Pod whose program doesn't exist: it ends once the image is there.

    Only the kubelet's way lets containerd drop the compressed layers; `ctr` would keep the image twice.

    Raises:
        LocalClusterError: the image can't be fetched; says why.
    """
    name = f"pull-{hashlib.sha256(image.encode()).hexdigest()[:10]}"
    kubectl(kubeconfig, NAMESPACE, "wait", "--for=create", "serviceaccount/default", "--timeout=240s")
    kubectl(kubeconfig, NAMESPACE, "apply", "--filename=-", standard_input=json.dumps(_pod(name, image)))
    try:
        wait_until(lambda: _ended(kubeconfig, name), f"{image} to be pulled", seconds=PULL_SECONDS)
    finally:
        kubectl(kubeconfig, NAMESPACE, "delete", "pod", name, "--now", "--ignore-not-found")


def _pod(name: str, image: str) -> Manifest:
    command = ["/there-is-no-such-program"]
    container = {"name": "main", "image": image, "imagePullPolicy": "Always", "command": command}
    spec = {"containers": [container], "restartPolicy": "Never", "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _ended(kubeconfig: Path, name: str) -> bool:
    pod: dict[str, Any] = json.loads(kubectl(kubeconfig, NAMESPACE, "get", "pod", name, "--output=json"))
    states = [status["state"] for status in pod["status"].get("containerStatuses", [])]
    for waiting in (state.get("waiting", {}) for state in states):
        if waiting.get("reason") in FAILURES:
            raise LocalClusterError(f"the node can't pull the image: {waiting.get('message')}")
    return any("terminated" in state for state in states)
