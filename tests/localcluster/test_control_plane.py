import json
import subprocess
import urllib.error
import urllib.request

import pytest

from localcluster import ControlPlane, binaries


def kubectl(plane: ControlPlane, *arguments: str) -> str:
    binaries.ensure(("kubectl",))
    command = [str(binaries.path("kubectl")), "--kubeconfig", str(plane.kubeconfig), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_administrator_can_write_and_read_back() -> None:
    with ControlPlane() as plane:
        kubectl(plane, "create", "configmap", "greeting", "--from-literal=text=hello")
        found = json.loads(kubectl(plane, "get", "configmap", "greeting", "-o", "json"))
    assert found["data"] == {"text": "hello"}


@pytest.mark.slow
def test_controllers_give_a_job_its_pod() -> None:
    with ControlPlane(controllers=True) as plane:
        kubectl(plane, "create", "job", "hello", "--image=any")
        kubectl(plane, "wait", "job/hello", "--for=jsonpath={.status.active}=1", "--timeout=240s")


def test_two_run_side_by_side_and_leave_nothing() -> None:
    with ControlPlane() as one, ControlPlane() as other:
        kubectl(one, "create", "namespace", "only-here")
        assert "only-here" not in kubectl(other, "get", "namespaces", "-o", "name")
    assert not one.kubeconfig.exists()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(one.url, timeout=5)
