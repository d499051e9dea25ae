"""Which Secret, or key of one, a pod waits for, as its kubelet says; the operator itself can read none."""

import re

from trainingrun_api.names import MLFLOW_CREDENTIALS

from .resources import Manifest

# As the kubelet writes them in kubelet_pods.go.
NO_SECRET = re.compile(r'secrets? "(?P<secret>[^"]+)" not found')
NO_KEY = re.compile(r"couldn't find key (?P<key>\S+) in Secret \S+/(?P<secret>\S+)")


def missing_secret(message: str, pod: Manifest) -> str | None:
    """What to create, from why a container of the pod can't be made; None when that is something else."""
    if found := NO_KEY.search(message):
        return f"Secret {found['secret']} in namespace {_namespace(pod)} has no key {found['key']}; add it"
    if found := NO_SECRET.search(message):
        secret, keys = found["secret"], _keys(pod, found["secret"])
        return f"Secret {secret} does not exist in namespace {_namespace(pod)}; create it with {keys}"
    return None


def _namespace(pod: Manifest) -> str:
    return str(pod["metadata"]["namespace"])


def _keys(pod: Manifest, secret: str) -> str:
    """What the Secret has to hold for the pod's containers."""
    variables = [v for c in pod["spec"]["containers"] for v in c.get("env", ())]
    references = [v.get("valueFrom", {}).get("secretKeyRef", {}) for v in variables]
    of_it = [reference for reference in references if reference.get("name") == secret]
    required = [reference["key"] for reference in of_it if not reference.get("optional")]
    choices = [required] if required else MLFLOW_CREDENTIALS
    return ", or ".join(" and ".join(keys) for keys in choices)
