"""What a real API server makes of the chart."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from readme import command

from localcluster import ControlPlane
from localcluster.process import wait_until

from .release import CHART, NAME, NAMESPACE, Manifest, of_kind, run, template

pytestmark = pytest.mark.slow

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


class Cluster:
    def __init__(self, plane: ControlPlane) -> None:
        self.environment = os.environ | {"KUBECONFIG": str(plane.kubeconfig)}

    def kubectl(self, *arguments: str, given: str = "") -> str:
        return self._answer(run("kubectl", *arguments, given=given, environment=self.environment))

    def refusal(self, *arguments: str, given: str = "") -> str:
        """What kubectl says when it is refused."""
        result = run("kubectl", *arguments, given=given, environment=self.environment)
        assert result.returncode != 0
        return result.stderr

    def helm(self, *arguments: str, given: str = "") -> str:
        return self._answer(run("helm", *arguments, given=given, environment=self.environment))

    def install(self, chart: Path) -> None:
        """Install the chart, or upgrade to it."""
        self.helm("upgrade", NAME, str(chart), "--install", "--namespace", NAMESPACE)

    def allows(self, user: str, verb: str, resource: str, *more: str) -> bool:
        resource, _, subresource = resource.partition("/")
        question = ("auth", "can-i", verb, resource, f"--subresource={subresource}", f"--as={user}", *more)
        answer = run("kubectl", *question, environment=self.environment)
        return answer.stdout.strip() == "yes"

    def _answer(self, result: subprocess.CompletedProcess[str]) -> str:
        assert result.returncode == 0, result.stderr
        return result.stdout


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """An API server with its controllers, the chart installed in a restricted namespace."""
    with ControlPlane(controllers=True) as plane:
        found = Cluster(plane)
        found.kubectl("create", "namespace", NAMESPACE)
        found.kubectl("label", "namespace", NAMESPACE, RESTRICTED)
        found.kubectl("create", "namespace", "team-a")
        found.install(CHART)
        yield found


def objects(text: str) -> list[Manifest]:
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"watchNamespaces": ["team-a"], "networkPolicy": {"enabled": False}},
        {"metrics": {"dashboards": {"enabled": True}}},
        {"networkPolicy": {"trainerPods": {"namespaces": ["team-a"]}}},
        {
            "podDisruptionBudget": {"enabled": True},
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
            ],
        },
    ],
)
def test_api_server_accepts_every_manifest_as_it_is(cluster: Cluster, values: dict[str, object]) -> None:
    options = ("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=strict")
    cluster.kubectl(*options, "--filename=-", given=template(**values).stdout)


def test_pod_is_within_the_restricted_standard(cluster: Cluster) -> None:
    (deployment,) = of_kind(objects(template().stdout), "Deployment")
    pod = {"apiVersion": "v1", "kind": "Pod", **deployment["spec"]["template"]}
    pod["metadata"] |= {"name": "operator", "namespace": NAMESPACE}
    cluster.kubectl("create", "--dry-run=server", "--filename=-", given=json.dumps(pod))


def test_operator_may_do_its_work_and_no_more(cluster: Cluster) -> None:
    for verb, resource in (
        ("watch", "trainingruns.training.labelator.io"),
        ("patch", "trainingruns.training.labelator.io/status"),
        ("create", "jobs.batch"),
        ("delete", "jobs.batch"),
        ("list", "pods"),
        ("create", "events"),
        ("create", "leases.coordination.k8s.io"),
        ("watch", "events"),
    ):
        assert cluster.allows(ACCOUNT, verb, resource, "--namespace=team-a"), (verb, resource)
    assert cluster.allows(ACCOUNT, "create", "tokenreviews.authentication.k8s.io", "--all-namespaces")
    for verb, resource in (
        ("patch", "trainingruns.training.labelator.io"),
        ("get", "secrets"),
        ("list", "secrets"),
        ("create", "secrets"),
        ("create", "pods"),
        ("delete", "pods"),
    ):
        assert not cluster.allows(ACCOUNT, verb, resource, "--namespace=team-a"), (verb, resource)


def test_operator_reads_and_writes_one_secret_of_its_own_namespace(cluster: Cluster) -> None:
    own = ("--namespace", NAMESPACE, "create", "secret", "generic")
    for name in (f"{NAME}-tls", "another"):
        cluster.kubectl(*own, name, "--from-literal=key=value")
    read = ("--namespace", NAMESPACE, "get", "secret", "--output=json")
    as_operator = f"--as={ACCOUNT}"
    replace = ("replace", "--filename=-", as_operator)
    cluster.kubectl(*replace, given=cluster.kubectl(*read, f"{NAME}-tls", as_operator))
    another = cluster.kubectl(*read, "another")
    assert "cannot update resource" in cluster.refusal(*replace, given=another)
    assert "cannot get resource" in cluster.refusal(*read, "another", as_operator)


def test_editors_train_and_viewers_look_on(cluster: Cluster) -> None:
    for role, user in (("edit", "editor"), ("view", "viewer")):
        bound = (f"--clusterrole={role}", f"--user={user}", "--namespace=team-a")
        cluster.kubectl("create", "rolebinding", role, *bound)
    runs = "trainingruns.training.labelator.io"
    wait_until(lambda: cluster.allows("editor", "create", runs, "-n", "team-a"), "aggregated roles")
    wait_until(lambda: cluster.allows("viewer", "list", runs, "-n", "team-a"), "aggregated roles")
    assert not cluster.allows("viewer", "create", runs, "-n", "team-a")
    for verb in ("update", "patch"):
        assert not cluster.allows("editor", verb, f"{runs}/status", "-n", "team-a")


def test_upgrade_brings_definitions_up_to_date_and_uninstall_keeps_them(
    cluster: Cluster, tmp_path: Path
) -> None:
    definition = "customresourcedefinition/trainingprojects.training.labelator.io"
    columns = "--output=jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}"
    older = Path(shutil.copytree(CHART, tmp_path / "chart"))
    file = older / "files/crds/trainingprojects.yaml"
    file.write_text(file.read_text().replace("name: Dataset\n", "name: Texts\n"))

    cluster.install(older)
    assert "Texts" in cluster.kubectl("get", definition, columns)
    cluster.install(CHART)
    assert "Dataset" in cluster.kubectl("get", definition, columns)
    cluster.helm("uninstall", NAME, "--namespace", NAMESPACE)
    assert "Dataset" in cluster.kubectl("get", definition, columns)
    cluster.install(CHART)


def test_the_command_of_the_readme_installs_it() -> None:
    line = command("helm install").replace("…", "registry.example.com")
    program, *arguments = shlex.split(line.replace("charts/", f"{CHART.parent}/"))
    with ControlPlane(controllers=True) as plane:
        found = Cluster(plane)
        found.helm(*arguments)
        images = "--output=jsonpath={..image} {..env[?(@.name=='TRAINER_IMAGE')].value}"
        installed = found.kubectl("get", "deployment", NAME, "--namespace", NAMESPACE, images)
    parts = [image.rpartition(":")[0] for image in installed.split()]
    assert (program, parts) == (
        "helm",
        ["registry.example.com/trainingrun-operator", "registry.example.com/trainingrun-trainer"],
    )
