"""An operator that serves some namespaces needs no rights in others, and has its own defaults."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path

from kubernetes.client import ApiClient, RbacAuthorizationV1Api
from kubernetes.utils import create_from_dict

from trainingrun_operator.certificate import renewed

from .cluster import Api
from .conftest import rights_of_the_chart
from .kubelet import Kubelet
from .manifests import a_project, a_project_run, a_report, a_run
from .process import NAMESPACE, RELEASE, SERVER_NAME, OperatorProcess
from .test_certificate import write
from .test_waiting import config_of


def test_operator_serves_its_namespaces_with_rights_in_them_alone(
    api: Api, api_client: ApiClient, kubelet: Kubelet, operator: OperatorProcess
) -> None:
    rbac, name = RbacAuthorizationV1Api(api_client), f"{NAMESPACE}-{RELEASE}"
    everywhere = rbac.read_cluster_role(name)
    rights = rights_of_the_chart("--set", f"watchNamespaces={{{api.namespace}}}")
    narrow = next(m for m in rights if m["kind"] == "ClusterRole" and m["metadata"]["name"] == name)

    assert operator.stop() == 0
    rbac.replace_cluster_role(name, narrow)
    for manifest in rights:
        if manifest["metadata"].get("namespace") == api.namespace:
            create_from_dict(api_client, manifest)
    operator.start(
        {
            "WATCH_NAMESPACES": api.namespace,
            "DEFAULT_BASE_MODEL": '{"uri": "s3://models/default"}',
            "DEFAULT_OUTPUT": '{"uri": "s3://shared/results", "credentialsSecretRef": {"name": "s3"}}',
            "DEFAULT_POD_TEMPLATE": '{"metadata": {"labels": {"cost-centre": "7"}}}',
        }
    )
    try:
        run = api.apply(a_run("mine"))
        pod = kubelet.pod_of("mine")
        kubelet.start(pod)
        api.eventually("mine", phase="Running")
        assert config_of(api, "mine")["baseModel"]["uri"] == "s3://models/default"
        assert operator.post(a_report(run), api.token(pod)) == (204, "")
        assert pod["metadata"]["labels"]["cost-centre"] == "7"
        assert config_of(api, "mine")["outputPrefix"].startswith("s3://models/team/")
        without_output = a_run("plain")
        del without_output["spec"]["output"]
        api.apply(without_output)
        api.eventually("plain", phase="Pending", reason="Unschedulable")
        assert config_of(api, "plain")["outputPrefix"].startswith("s3://shared/results/")
        project = a_project("bare")
        del project["spec"]["output"]
        api.apply(project)
        api.apply(a_project_run("shared", "bare"))
        api.eventually("shared", phase="Pending", reason="Unschedulable")
        assert config_of(api, "shared")["outputPrefix"].startswith("s3://shared/results/")
        volumes = api.get("Job", "plain")["spec"]["template"]["spec"]["volumes"]
        (keys,) = [volume for volume in volumes if volume["name"] == "credentials-storage"]
        assert keys["projected"]["sources"][0]["secret"]["name"] == "s3"
        shared = {"project": "returns", "namespace": "elsewhere"}
        api.apply(a_run("guest", additionalDatasets=[shared]))
        message = f"the operator watches only {api.namespace}"
        api.eventually("guest", phase="Pending", reason="ProjectNotShared", message=message)
        assert "is forbidden: User" not in operator.log_tail()
    finally:
        assert operator.stop() == 0
        everywhere.metadata.resource_version = None
        rbac.replace_cluster_role(name, everywhere)
        operator.start()


def test_operator_needs_no_right_of_the_whole_cluster_nor_on_secrets(
    api: Api, api_client: ApiClient, kubelet: Kubelet, operator: OperatorProcess, tmp_path: Path
) -> None:
    rbac, name = RbacAuthorizationV1Api(api_client), f"{NAMESPACE}-{RELEASE}"
    everywhere = rbac.read_cluster_role(name)
    options = f"watchNamespaces={{{api.namespace}}},rbac.clusterRoles=false,certificate.existingSecret=own"
    rights = rights_of_the_chart("--set", options)
    assert "ClusterRole" not in {manifest["kind"] for manifest in rights}
    assert not [rule for one in rights for rule in one.get("rules", ()) if "secrets" in rule["resources"]]
    certificates, trusted = renewed(None, SERVER_NAME, datetime.now(UTC)), operator.ca_certificate
    write(tmp_path, certificates)

    assert operator.stop() == 0
    rbac.delete_cluster_role(name)
    for manifest in rights:
        if manifest["metadata"].get("namespace") == api.namespace:
            create_from_dict(api_client, manifest)
    operator.start(
        {
            "WATCH_NAMESPACES": api.namespace,
            "TOKEN_VERIFICATION": "Signature",
            "CERTIFICATE_FOLDER": str(tmp_path),
        }
    )
    operator.ca_certificate = certificates.authority.certificate
    try:
        run, other = api.apply(a_run("mine")), api.apply(a_run("other"))
        pod = kubelet.pod_of("mine")
        kubelet.start(pod)
        api.eventually("mine", phase="Running")
        token = api.token(pod)
        assert config_of(api, "mine")["progress"]["caCertificate"] == certificates.authority.certificate
        assert operator.post(a_report(run), token) == (204, ""), operator.log_tail()
        assert operator.post(a_report(other), token)[0] == 403
        for forged in (
            api.token(pod, audience="https://kubernetes.default.svc"),
            with_part(token, 0, alg="none"),
            with_part(token, 0, alg="HS256"),
            with_part(token, 0, kid="other"),
            with_part(token, 1, exp=2**40),
            token[:-8] + "AAAAAAAA",
            "nonsense",
            f"{encoded('[' * 5000)}.{token.partition('.')[2]}",
        ):
            assert operator.post(a_report(run), forged)[0] == 401, forged
        assert "is forbidden: User" not in operator.log_tail()
    finally:
        assert operator.stop() == 0
        everywhere.metadata.resource_version = None
        rbac.create_cluster_role(everywhere)
        operator.ca_certificate = trusted
        operator.start()


def with_part(token: str, part: int, **changes: object) -> str:
    """The token with other fields in its header (0) or its claims (1), and the same signature."""
    parts = token.split(".")
    content = json.loads(urlsafe_b64decode(parts[part] + "=="))
    parts[part] = encoded(json.dumps(content | changes))
    return ".".join(parts)


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")
