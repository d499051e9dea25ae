"""The certificate of the progress endpoint, issued by the real cert-manager, as the chart asks for it."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client import ApiClient, CoreV1Api

from localcluster import ControlPlane
from localcluster.process import wait_until
from trainingrun_operator.certificate_files import CHECK_SECONDS

from .cert_manager import ISSUER, CertManager
from .cluster import Api
from .conftest import objects_of_the_chart
from .kubelet import Kubelet
from .manifests import Manifest, a_report, a_run
from .process import NAMESPACE, OperatorProcess, decoded
from .test_waiting import config_of

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]


@pytest.fixture
def cert_manager(control_plane: ControlPlane) -> Iterator[CertManager]:
    with CertManager(control_plane) as cert_manager:
        yield cert_manager


def certificate_of_the_chart() -> Manifest:
    """What the chart asks cert-manager for."""
    values = (f"certificate.certManager.issuerRef.{field}={value}" for field, value in ISSUER.items())
    objects = objects_of_the_chart("--set", ",".join(values))
    (asked,) = [one for one in objects if one["kind"] == "Certificate"]
    return asked


def mount(api_client: ApiClient, secret: str, folder: Path) -> None:
    """Write the files of a Secret, as the kubelet does at first and after changes."""
    for key, value in CoreV1Api(api_client).read_namespaced_secret(secret, NAMESPACE).data.items():
        (folder / key).write_text(decoded(value))


def serial_number(operator: OperatorProcess) -> str:
    """Of the certificate that is served, which the operator's authority has signed."""
    with operator.connection("127.0.0.1") as session:
        assert isinstance(session, ssl.SSLSocket)
        certificate = session.getpeercert()
    assert certificate is not None
    return str(certificate["serialNumber"])


def test_reports_come_over_certificates_that_cert_manager_issues_and_renews(
    api: Api,
    api_client: ApiClient,
    kubelet: Kubelet,
    operator: OperatorProcess,
    cert_manager: CertManager,
    tmp_path: Path,
) -> None:
    own, asked = operator.ca_certificate, certificate_of_the_chart()
    secret = asked["spec"]["secretName"]
    cert_manager.issue(asked)
    mount(api_client, secret, tmp_path)
    assert operator.stop() == 0
    operator.start({"CERTIFICATE_FOLDER": str(tmp_path)})
    operator.ca_certificate = cert_manager.authority()
    try:
        run = api.apply(a_run("mine"))
        pod = kubelet.pod_of("mine")
        kubelet.start(pod)
        assert config_of(api, "mine")["progress"]["caCertificate"] == operator.ca_certificate
        assert operator.post(a_report(run), api.token(pod)) == (204, ""), operator.log_tail()
        first = serial_number(operator)

        cert_manager.renew(asked)

        def renewed() -> bool:
            mount(api_client, secret, tmp_path)
            return serial_number(operator) != first

        wait_until(renewed, "the renewed certificate to be served", operator.log, 3 * CHECK_SECONDS)
        assert operator.post(a_report(run), api.token(pod)) == (204, ""), operator.log_tail()
    finally:
        assert operator.stop() == 0
        operator.ca_certificate = own
        operator.start()
    assert serial_number(operator) != first, "the operator's own authority is as it was"
