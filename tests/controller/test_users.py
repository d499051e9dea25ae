"""What users with the cluster's default roles can do to runs, each with a token of their own."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from kubernetes import config
from kubernetes.client import ApiClient, CoreV1Api, CustomObjectsApi, RbacAuthorizationV1Api
from kubernetes.client.exceptions import ApiException
from promises import Promise

from localcluster import ControlPlane
from trainingrun_api.names import GROUP, RUN_PLURAL, VERSION

from .cluster import Api
from .manifests import a_run
from .process import kubeconfig_with_token


@pytest.fixture
def editor(
    api: Api, api_client: ApiClient, control_plane: ControlPlane, tmp_path: Path
) -> Iterator[CustomObjectsApi]:
    """A user of the namespace with the role edit."""
    core, person = CoreV1Api(api_client), {"metadata": {"name": "editor"}}
    core.create_namespaced_service_account(api.namespace, person)
    subject = {"kind": "ServiceAccount", "name": "editor", "namespace": api.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    bound = person | {"roleRef": role, "subjects": [subject]}
    RbacAuthorizationV1Api(api_client).create_namespaced_role_binding(api.namespace, bound)
    token = core.create_namespaced_service_account_token("editor", api.namespace, {"spec": {}}).status.token
    kubeconfig = kubeconfig_with_token(control_plane.kubeconfig, token, tmp_path / "kubeconfig")
    with config.new_client_from_config(str(kubeconfig)) as client:
        yield CustomObjectsApi(client)


def test_editor_trains_but_can_not_forge_success(
    api: Api, editor: CustomObjectsApi, promise: Promise
) -> None:
    place, name = (GROUP, VERSION, api.namespace, RUN_PLURAL), "mine"

    def created() -> bool:
        # The cluster adds our roles to its own a moment later.
        with suppress(ApiException):
            editor.create_namespaced_custom_object(*place, a_run(name, suspend=True))
            return True
        return False

    api.until(created, "the role edit to cover runs")
    before = api.eventually(name, phase="Suspended")["status"]

    forged = {"status": before | {"phase": "Succeeded", "evaluation": {"accuracy": 1.0}}}
    whole = editor.get_namespaced_custom_object(*place, name) | forged
    for write, body in (
        (editor.patch_namespaced_custom_object_status, forged),
        (editor.replace_namespaced_custom_object_status, whole),
    ):
        with pytest.raises(ApiException, match=r"cannot (patch|update) resource .*trainingruns/status"):
            write(*place, name, body)
    editor.replace_namespaced_custom_object(*place, name, whole)  # which has no effect on the status
    editor.create_namespaced_custom_object(*place, a_run("born", suspend=True) | forged)
    assert api.get("TrainingRun", name)["status"] == before
    assert "evaluation" not in api.eventually("born", phase="Suspended")["status"]
    said = "patch and update of the status get 403; a status in create or update is dropped"
    promise("Security", "Users with the role edit can't write the status of a run", said)
