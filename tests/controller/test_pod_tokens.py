"""Whose token a report needs, however the operator verifies it; all are signed with the API server's key."""

import time
from collections.abc import Iterator

import jwt
import pytest
from promises import Promise

from localcluster import ControlPlane
from trainingrun_api.names import PROGRESS_AUDIENCE

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_report, a_result, a_run
from .process import OperatorProcess


@pytest.fixture(scope="module", params=["Review", "Signature"])
def verifying(request: pytest.FixtureRequest, operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """The operator, verifying tokens in one of its ways."""
    assert operator.stop() == 0
    operator.start({"TOKEN_VERIFICATION": request.param})
    yield operator
    assert operator.stop() == 0
    operator.start()


@pytest.fixture
def run(api: Api, verifying: OperatorProcess) -> Manifest:
    api.apply(a_run("mine"))
    return api.eventually("mine", phase="Pending", reason="Unschedulable")


@pytest.fixture
def pod(run: Manifest, kubelet: Kubelet) -> Manifest:
    pod = kubelet.pod_of("mine")
    kubelet.start(pod)
    return pod


def test_token_of_the_runs_own_pod_is_accepted_and_no_other(
    api: Api, kubelet: Kubelet, verifying: OperatorProcess, run: Manifest, pod: Manifest, promise: Promise
) -> None:
    api.apply(a_run("other"))
    api.eventually("other", phase="Pending", reason="Unschedulable")
    others = api.token(kubelet.pod_of("other"))
    assert verifying.post(a_report(run), others) == (403, "the report is for another run than the pod's")
    assert verifying.post(a_report(run), api.token(pod, audience="https://kubernetes.default.svc"))[0] == 401
    assert verifying.post(a_report(run), account_token(api))[0] == 403
    assert "progress" not in api.get("TrainingRun", "mine")["status"]
    assert verifying.post(a_report(run), api.token(pod)) == (204, "")
    promise(
        "Security",
        "A pod reports for its own run alone, until it ends, is deleted or its token expires",
        "others get 401 or 403, whether tokens are reviewed or verified by signature",
    )


def account_token(api: Api) -> str:
    """A token for the endpoint that isn't bound to a pod, which editors of the namespace can create."""
    accounts = api.resource("ServiceAccount")
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [PROGRESS_AUDIENCE]},
    }
    answer = accounts.subresources["token"].create(body, name="default", namespace=api.namespace)
    return str(answer.status.token)


def test_token_that_has_expired_is_refused(
    api: Api, control_plane: ControlPlane, verifying: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token, now = api.token(pod), int(time.time())
    key = (control_plane.kubeconfig.parent / "service-accounts.key").read_bytes()

    def signed(expires: int) -> str:
        claims = jwt.decode(token, options={"verify_signature": False})
        lifetime = {"iat": expires - 600, "nbf": expires - 600, "exp": expires}
        header = jwt.get_unverified_header(token)
        return jwt.encode(claims | lifetime, key, header["alg"], {"kid": header["kid"]})

    assert verifying.post(a_report(run), signed(now - 120))[0] == 401
    assert verifying.post(a_report(run), signed(now + 300)) == (204, "")


def test_pod_that_is_deleted_reports_no_more(
    api: Api, verifying: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token = api.token(pod)
    pods, name = api.resource("Pod"), pod["metadata"]["name"]
    pods.delete(name, namespace=api.namespace, body={"gracePeriodSeconds": 0})
    api.until(lambda: api.get("Pod", name) is None, "the pod to be gone")
    status, text = verifying.post(a_report(run), token)
    assert status in {401, 403}, text


def test_pod_that_has_ended_reports_no_more_though_the_run_goes_on(
    api: Api, kubelet: Kubelet, verifying: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token = api.token(pod)
    kubelet.preempt(pod)
    api.eventually("mine", phase="Pending", reason="Restarting")
    assert verifying.post(a_report(run), token) == (403, "the token's pod has ended")


def test_pod_whose_run_has_ended_reports_no_more(
    api: Api, kubelet: Kubelet, verifying: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token = api.token(pod)
    assert verifying.post(a_report(run), token) == (204, "")
    kubelet.end(pod, 0, a_result())
    before = api.eventually("mine", phase="Succeeded")["status"]["epochs"]
    assert verifying.post(a_report(run, epoch=9), token) == (409, "the run has finished")
    assert api.get("TrainingRun", "mine")["status"]["epochs"] == before
