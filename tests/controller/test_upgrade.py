"""What the first version stored works with this one; what this one stores can move to another API version.

No version is released yet. The first is the one since which a status says which Job is the run's, and what it
was started with; `first_version` has its definitions, and what its operator wrote for a run in each phase.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from kubernetes.client import ApiClient, ApiextensionsV1Api, CoreV1Api, CustomObjectsApi
from kubernetes.client.exceptions import ApiException
from promises import Promise

from localcluster import ControlPlane
from trainingrun_api.crd import custom_resource_definitions
from trainingrun_api.names import GROUP, PROJECT_PLURAL, RUN_PLURAL, VERSION

from .cluster import Api
from .conftest import a_replica, administrator
from .kubelet import Kubelet
from .manifests import Manifest, a_report, a_result, a_run
from .process import NAMESPACE, RELEASE, decoded

FIRST = Path(__file__).parent / "first_version"
PHASES = ("pending", "running", "suspended", "succeeded", "failed")
TEAM = "team"
NEXT = "v1beta1"


class Cluster(NamedTuple):
    """One in which the first version has worked, and this one works now."""

    api: Api
    client: ApiClient
    jobs: dict[str, str]
    """UIDs of the first version's Jobs, by the names of their runs."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("upgrade")
    first = [yaml.safe_load(path.read_text()) for path in sorted((FIRST / "crds").iterdir())]
    with (
        ControlPlane(controllers=True) as plane,
        contextmanager(administrator)(plane, first) as client,
    ):
        CoreV1Api(client).create_namespace({"metadata": {"name": TEAM}})
        api = Api(client, TEAM, a_replica(plane, client, folder, "first"))
        api.until(lambda: api.get("ServiceAccount", "default"), "the default service account")
        api.apply(yaml.safe_load((FIRST / "project.yaml").read_text()))
        jobs = {phase: uid for phase in PHASES if (uid := store(api, client, phase))}
        kubelet = Kubelet(api)
        kubelet.start(kubelet.pod_of("running"))

        define(client, lambda spec, now: now)
        api.operator.start()
        secret = CoreV1Api(client).read_namespaced_secret(f"{RELEASE}-tls", NAMESPACE)
        api.operator.ca_certificate = decoded(secret.data["ca.crt"])
        yield Cluster(api, client, jobs)
        api.operator.stop()


def store(api: Api, client: ApiClient, phase: str) -> str | None:
    """Store a run of the first version as it was in this phase; the UID of its Job, if it had one."""
    text = (FIRST / f"{phase}.yaml").read_text()
    uid = api.apply(next(yaml.safe_load_all(text)))["metadata"]["uid"]
    run, *jobs = yaml.safe_load_all(text.replace("UID-OF-THE-RUN", uid))
    created = [api.apply(job)["metadata"]["uid"] for job in jobs]
    if created:
        run["status"]["jobUid"] = created[0]
    at = (GROUP, VERSION, TEAM, RUN_PLURAL, phase)
    CustomObjectsApi(client).patch_namespaced_custom_object_status(*at, {"status": run["status"]})
    return str(created[0]) if created else None


def define(client: ApiClient, change: Callable[[Manifest, Manifest], Manifest]) -> None:
    """Replace the spec of each definition, made of the one that it has and that of this version."""
    definitions = ApiextensionsV1Api(client)
    for definition in custom_resource_definitions().values():
        name = definition["metadata"]["name"]
        held = client.sanitize_for_serialization(definitions.read_custom_resource_definition(name))
        spec = change(held["spec"], deepcopy(definition["spec"]))
        definitions.replace_custom_resource_definition(name, held | {"spec": spec})


def test_what_the_first_version_stored_works_on(cluster: Cluster, promise: Promise) -> None:
    api, kubelet = cluster.api, Kubelet(cluster.api)
    recorded = yaml.safe_load((FIRST / "succeeded.yaml").read_text())["status"]
    succeeded = api.eventually("succeeded", phase="Succeeded")["status"]
    for name in ("evaluation", "artifacts", "epochs", "bestEpoch", "modelName", "completionTime"):
        assert succeeded[name] == recorded[name]
    api.until(lambda: 'trainingrun_f1{name="succeeded"' in api.operator.metrics(), "its metrics")
    api.eventually("failed", phase="Failed", reason="DataError", message="field 'label' is missing")

    pod = kubelet.pod_of("running")
    run = api.eventually("running", phase="Running")
    assert api.operator.post(a_report(run, epoch=3), api.token(pod)) == (204, ""), api.operator.log_tail()
    api.until(lambda: api.get("TrainingRun", "running")["status"]["progress"]["epoch"] == 3, "the report")
    kubelet.end(pod, 0, a_result())
    assert len(api.eventually("running", phase="Succeeded")["status"]["epochs"]) == 3

    api.eventually("pending", phase="Pending", reason="Unschedulable")
    assert {name: api.get("Job", name)["metadata"]["uid"] for name in cluster.jobs} == cluster.jobs
    api.change("suspended", suspend=False)
    api.eventually("suspended", phase="Pending", reason="Unschedulable")
    api.apply(a_run("child", dataset={"project": "tickets"}, baseModel={"fromRun": {"name": "succeeded"}}))
    api.eventually("child", phase="Pending", reason="Unschedulable")
    said = f"{len(PHASES)} runs, one in each phase, and a project; the one in mid-run kept its pod"
    promise("Operator", "Runs that the first version stored go on after an upgrade", said)


def test_each_field_of_the_first_version_is_there_with_its_type() -> None:
    for definition in custom_resource_definitions().values():
        name = definition["spec"]["names"]["plural"]
        first = yaml.safe_load((FIRST / "crds" / f"{name}.yaml").read_text())
        before, now = (dict(fields(one["spec"]["versions"][0])) for one in (first, definition))
        assert {path: now.get(path) for path in before} == before


def fields(version: Manifest) -> Iterator[tuple[str, str | None]]:
    """Each field with its type, which the API server would drop from what is stored if it were gone."""

    def below(schema: Manifest, path: str) -> Iterator[tuple[str, str | None]]:
        yield path, schema.get("type")
        for name, field in schema.get("properties", {}).items():
            yield from below(field, f"{path}.{name}")
        if "items" in schema:
            yield from below(schema["items"], f"{path}[]")

    return below(version["schema"]["openAPIV3Schema"], "")


def test_runs_move_to_the_next_version_of_the_api_while_both_are_served(
    cluster: Cluster, promise: Promise
) -> None:
    """The steps of docs/operations.md."""
    api, client = cluster.api, cluster.client
    runs = CustomObjectsApi(client)
    before = {run["metadata"]["name"]: run for run in listed(client, VERSION)}
    define(client, lambda held, _: held | {"versions": both_versions(held)})
    api.until(lambda: listed(client, NEXT), "the next version to be served")

    new = a_run("next") | {"apiVersion": f"{GROUP}/{NEXT}"}
    runs.create_namespaced_custom_object(GROUP, NEXT, TEAM, RUN_PLURAL, new)
    api.eventually("next", phase="Pending", reason="Unschedulable")

    assert api.operator.stop() == 0
    for run in listed(client, NEXT):
        runs.replace_namespaced_custom_object(GROUP, NEXT, TEAM, RUN_PLURAL, run["metadata"]["name"], run)
    for project in listed(client, NEXT, PROJECT_PLURAL):
        at = (GROUP, NEXT, TEAM, PROJECT_PLURAL, project["metadata"]["name"])
        runs.replace_namespaced_custom_object(*at, project)
    forget_the_stored_versions(client)
    define(client, lambda held, _: held | {"versions": held["versions"][-1:]})
    api.until(lambda: not listed(client, VERSION), "the version before to be gone")

    after = {run["metadata"]["name"]: run for run in listed(client, NEXT)}
    for name, run in before.items():
        assert (after[name]["spec"], after[name].get("status")) == (run["spec"], run.get("status")), name
    said = f"{len(before)} runs, with spec and status as they were"
    promise("Operator", "Stored runs can move to v1beta1 while both versions are served", said)


def listed(client: ApiClient, version: str, plural: str = RUN_PLURAL) -> list[Manifest]:
    """All objects in a version of the API; none where it isn't served."""
    with suppress(ApiException):
        found = CustomObjectsApi(client).list_cluster_custom_object(GROUP, version, plural)
        return list(found["items"])
    return []


def both_versions(held: Manifest) -> list[Manifest]:
    """That of now, and the next one, in which objects are stored."""
    (version,) = held["versions"]
    return [version | {"storage": False}, version | {"name": NEXT}]


def forget_the_stored_versions(client: ApiClient) -> None:
    """Nothing is stored in the version before any more."""
    definitions = ApiextensionsV1Api(client)
    for definition in custom_resource_definitions().values():
        name = definition["metadata"]["name"]
        held = definitions.read_custom_resource_definition(name)
        assert held.status.stored_versions == [VERSION, NEXT]
        held.status.stored_versions = [NEXT]
        definitions.replace_custom_resource_definition_status(name, held)
