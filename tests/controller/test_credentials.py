"""Keys that are planted in a namespace are in nothing that the operator writes or shows there."""

import base64
import json

from promises import Promise

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_failure, a_report, a_run

PLANTED = "Planted0123456789abcdefSecret"
KINDS = ("TrainingRun", "Job", "Pod", "Event", "Lease")
SECRETS = {
    "store": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "hub": ("token",),
    "tracker": ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"),
}


def plant(api: Api) -> list[str]:
    """Secrets of a run; gives the words that must be nowhere."""
    words = []
    for name, keys in SECRETS.items():
        values = {key: f"{PLANTED}{name}{number}" for number, key in enumerate(keys)}
        api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values})
        words += [*values.values(), *(base64.b64encode(value.encode()).decode() for value in values.values())]
    return words


def a_run_with_secrets(name: str) -> Manifest:
    token = {"tokenSecretRef": {"name": "hub"}}
    return a_run(
        name,
        baseModel={"huggingFace": {"repoId": "team/model", **token}},
        dataset={"huggingFace": {"repoId": "team/tickets", **token}},
        output={
            "uri": "s3://models/x",
            "credentialsSecretRef": {"name": "store"},
            "huggingFace": {"repoId": "team/tickets", **token},
        },
        tracking={"mlflow": {"trackingUri": "http://mlflow", "credentialsSecretRef": {"name": "tracker"}}},
    )


def test_no_key_is_in_what_the_operator_writes_or_shows(api: Api, kubelet: Kubelet, promise: Promise) -> None:
    words = plant(api)
    run = api.apply(a_run_with_secrets("keys"))
    pod = kubelet.pod_of("keys")
    kubelet.lack(pod, "credentials-storage", "references non-existent secret key: AWS_SECRET_ACCESS_KEY")
    api.eventually("keys", phase="Pending", reason="SecretNotFound")
    kubelet.start(pod)
    api.eventually("keys", phase="Running")
    assert api.operator.post(a_report(run), api.token(pod)) == (204, "")
    kubelet.end(pod, 77, a_failure("StorageRefused", "the secret key is wrong"))
    api.eventually("keys", phase="Failed", reason="StorageRefused")
    api.until(lambda: api.events("keys")[-1] == "StorageRefused", "the last Event")

    objects = {kind: api.resource(kind).get(namespace=api.namespace).to_dict()["items"] for kind in KINDS}
    assert all(objects[kind] for kind in ("TrainingRun", "Job", "Pod", "Event", "Lease"))
    shown = json.dumps(objects) + api.operator.metrics() + api.operator.log.read_text(errors="replace")
    assert [word for word in words if word in shown] == []
    number = sum(map(len, objects.values()))
    promise(
        "Security",
        "No key is in the status, the Events or the Job of a run, nor in the operator's log or metrics",
        f"{len(words) // 2} keys, {number} objects",
    )
