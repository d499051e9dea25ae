"""Pods that can't be made: the run says why within seconds, and ends at its deadline with the cause."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from kubernetes.client import AdmissionregistrationV1Api, ApiClient
from kubernetes.client.exceptions import ApiException
from promises import Promise

from trainingrun_operator.certificate import renewed

from .cluster import Api
from .manifests import Manifest, a_quota, a_run
from .test_waiting import stalled

SECONDS = 10.0
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
NAME = "kubernetes.io/metadata.name"


def too_small_a_quota(api: Api) -> Manifest:
    api.apply(a_quota("small", **{"limits.memory": "1Gi"}))
    return {}


def too_low_a_limit(api: Api) -> Manifest:
    limit = {"type": "Container", "max": {"memory": "1Gi"}}
    metadata, spec = {"name": "low"}, {"limits": [limit]}
    api.apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec})
    return {}


def no_such_priority_class(_: Api) -> Manifest:
    return {"scheduling": {"priorityClassName": "missing"}}


def no_such_account(_: Api) -> Manifest:
    return {"podTemplate": {"spec": {"serviceAccountName": "missing"}}}


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (too_small_a_quota, "exceeded quota: small, requested: limits.memory=4Gi"),
        (too_low_a_limit, "maximum memory usage per Container is 1Gi"),
        (no_such_priority_class, "no PriorityClass with name missing was found"),
        (no_such_account, 'serviceaccount "missing" not found'),
    ],
)
def test_run_says_at_once_why_it_has_no_pod(
    api: Api, promise: Promise, cause: Callable[[Api], Manifest], message: str
) -> None:
    seconds = told(api, cause(api), message)
    promise("Operator", SENTENCE, f"{cause.__name__.replace('_', ' ')}: {seconds:.1f} s")


SENTENCE = "A run whose pod is rejected says why within 10 seconds, and ends at its deadline with the cause"


@pytest.mark.parametrize("denies", [True, False], ids=["denies", "is away"])
def test_run_says_at_once_that_a_webhook_keeps_its_pod_away(
    api: Api, api_client: ApiClient, promise: Promise, denies: bool
) -> None:
    message = "denied the request: unsigned" if denies else "failed calling webhook"
    with a_webhook(api, api_client, answers=denies):
        seconds = told(api, {}, message, stays=denies)
    said = "a webhook that denies it" if denies else "a webhook that is away"
    promise("Operator", SENTENCE, f"{said}: {seconds:.1f} s")


def told(api: Api, spec: Manifest, message: str, *, stays: bool = True) -> float:
    """Seconds until the run says it; `stays`: whether only a person can help."""
    since = time.monotonic()
    api.apply(a_run("refused", **spec))
    run = api.eventually("refused", phase="Pending", reason="PodRefused", message=message)
    seconds = time.monotonic() - since
    assert seconds < SECONDS
    assert stalled(run) is stays
    assert api.until(lambda: warnings(api), "an Event")[-1] == "PodRefused"
    api.change("refused", pendingDeadlineSeconds=1)
    api.eventually("refused", phase="Failed", reason="PendingDeadlineExceeded", message=message)
    api.until(lambda: api.get("Job", "refused") is None, "the Job to be deleted")
    return seconds


def warnings(api: Api) -> list[str]:
    """Reasons of the Warning Events on the run."""
    found = api.resource("Event").get(namespace=api.namespace, field_selector="type=Warning").items
    return [event.reason for event in found if event.involvedObject.kind == "TrainingRun"]


@contextmanager
def a_webhook(api: Api, api_client: ApiClient, *, answers: bool) -> Iterator[None]:
    """One that denies the pods of the namespace, or at whose address nothing answers."""
    certificates = renewed(None, "localhost", datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.load_into(context)
    server = ThreadingHTTPServer(("localhost", 0), Denying)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    authority = certificates.secret_data()["ca.crt"]
    hook = {
        "name": "images.example.com",
        "clientConfig": {"url": f"https://localhost:{server.server_port}/", "caBundle": authority},
        "rules": [PODS],
        "namespaceSelector": {"matchLabels": {NAME: api.namespace}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    if not answers:
        server.shutdown()
        server.server_close()
    hooks, name = AdmissionregistrationV1Api(api_client), api.namespace
    hooks.create_validating_webhook_configuration({"metadata": {"name": name}, "webhooks": [hook]})
    wait_until_it_rejects(api)
    try:
        yield
    finally:
        hooks.delete_validating_webhook_configuration(name)
        server.shutdown()
        server.server_close()


def wait_until_it_rejects(api: Api) -> None:
    """The API server takes up a new webhook a moment later."""
    pods = api.resource("Pod")
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    privileges = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "x", "image": "example.com/x", "securityContext": privileges}
    spec = {"securityContext": security, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}

    def rejects() -> bool:
        try:
            pods.create(pod, namespace=api.namespace, query_params=[("dryRun", "All")])
        except ApiException as error:
            return "images.example.com" in str(error)
        return False

    api.until(rejects, "the webhook to be asked")


class Denying(BaseHTTPRequestHandler):
    """Answers an AdmissionReview."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"uid": review["request"]["uid"], "allowed": False, "status": {"message": "unsigned"}}
        body = json.dumps(review | {"response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
