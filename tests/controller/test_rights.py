"""The chart gives the operator the rights that the API server's audit log shows it to use."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from kubernetes.client import CoreV1Api
from kubernetes.utils import create_from_dict
from promises import Promise

from localcluster import ControlPlane
from trainingrun_operator.model_names import name_lease
from trainingrun_operator.resources import Run

from .cluster import Api
from .conftest import a_replica, administrator, rights_of_the_chart
from .kubelet import Kubelet
from .manifests import Manifest, a_foreign_job, a_project, a_project_run, a_report, a_result, a_run
from .process import NAMESPACE, RELEASE, decoded, stopped

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
KUEUE = ("kueue.x-k8s.io", "v1beta2")
TEAM = "team"


class Right(NamedTuple):
    """To do something with objects of a kind, in the operator's own namespace alone or wherever it works."""

    group: str
    resource: str
    verb: str
    own: bool


# The API server asks for it when a Job with this owner is created, which isn't a request of its own.
TO_OWN_JOBS = Right("training.labelator.io", "trainingruns/finalizers", "update", own=False)


@pytest.fixture
def audit_log(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def api(audit_log: Path, tmp_path: Path) -> Iterator[Api]:
    """The operator and a part of Kueue, on an API server that writes down what the operator asks for."""
    file = tmp_path / "policy.json"
    rules = [{"level": "Metadata", "users": [ACCOUNT]}, {"level": "None"}]
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules}
    file.write_text(json.dumps(policy | {"omitStages": ["RequestReceived"]}))
    flags = {
        "audit-policy-file": str(file),
        "audit-log-path": str(audit_log),
        "enable-admission-plugins": "NodeRestriction,OwnerReferencesPermissionEnforcement",
    }
    with (
        ControlPlane(controllers=True, flags=flags) as plane,
        contextmanager(administrator)(plane) as client,
    ):
        create_from_dict(client, the_definition_of_workloads())
        CoreV1Api(client).create_namespace({"metadata": {"name": TEAM}})
        operator = a_replica(plane, client, tmp_path, "first")
        operator.start()
        api = Api(client, TEAM, operator)
        api.until(lambda: api.get("ServiceAccount", "default"), "the default service account")
        yield api
        assert operator.stop() == 0


def the_definition_of_workloads() -> Manifest:
    """Kueue's, without its schema."""
    group, version = KUEUE
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": "workloads", "singular": "workload", "kind": "Workload", "listKind": "WorkloadList"}
    versions = [{"name": version, "served": True, "storage": True, "schema": schema}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"workloads.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


def test_operator_has_the_rights_that_it_uses(api: Api, audit_log: Path, promise: Promise) -> None:
    does_all_that_an_operator_does(api)
    used, refused = rights_in(audit_log)
    assert refused == set()
    granted = set(granted_by_the_chart())
    assert granted - used == {TO_OWN_JOBS}
    assert used - granted == set()
    said = f"{len(granted)} rights, each of them used, none refused"
    promise("Security", "The operator has the rights that it uses, and no others", said)


def does_all_that_an_operator_does(api: Api) -> None:
    finds_its_certificate_unusable(api)
    carries_runs_through(api)
    looks_up_who_reports(api)
    keeps_a_job_from_its_queue(api)
    finds_a_model_name_that_nobody_holds(api)


def finds_its_certificate_unusable(api: Api) -> None:
    secrets, name = api.resource("Secret"), f"{RELEASE}-tls"
    with stopped(api.operator):
        nothing = {"data": {"ca.crt": None, "ca.key": None}}
        merge = "application/merge-patch+json"
        secrets.patch(nothing, name=name, namespace=NAMESPACE, content_type=merge)
    held = secrets.get(name=name, namespace=NAMESPACE).to_dict()
    api.operator.ca_certificate = decoded(held["data"]["ca.crt"])


def carries_runs_through(api: Api) -> None:
    """One reports and succeeds, one of several nodes is suspended, one is never scheduled."""
    kubelet = Kubelet(api)
    api.apply(a_project("shared"))
    run = api.apply(a_project_run("mine", "shared"))
    api.apply(a_run("several", resources={"nodes": 2}))
    api.apply(a_run("late", pendingDeadlineSeconds=1))
    api.eventually("mine", phase="Pending", reason="Unschedulable")
    pod = kubelet.pod_of("mine")
    kubelet.start(pod)
    assert api.operator.post(a_report(run), api.token(pod)) == (204, "")
    kubelet.end(pod, 0, a_result())
    api.eventually("mine", phase="Succeeded")
    api.eventually("several", phase="Pending", reason="Unschedulable")
    api.change("several", suspend=True)
    api.eventually("several", phase="Suspended")
    api.eventually("late", phase="Failed")
    api.until(lambda: api.get("Job", "late") is None, "the Job to be deleted")


def looks_up_who_reports(api: Api) -> None:
    api.apply(a_foreign_job("foreign"))
    token = api.token(Kubelet(api).pod_of("foreign"))
    status, text = api.operator.post(a_report(api.get("TrainingRun", "mine") or {}), token)
    assert (status, text) == (403, "the pod doesn't belong to a TrainingRun")


def keeps_a_job_from_its_queue(api: Api) -> None:
    api.apply(a_run("queued", scheduling={"queueName": "training"}))
    job = api.until(lambda: api.get("Job", "queued"), "the Job")
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "queued", "uid": job["metadata"]["uid"]}
    metadata = {"name": "job-queued", "ownerReferences": [owner | {"controller": True}]}
    version = "/".join(KUEUE)
    workload = {"apiVersion": version, "kind": "Workload", "metadata": metadata, "spec": {"active": True}}
    api.apply(workload)
    api.change("queued", suspend=True)
    workloads = api.resource("Workload", version)
    api.until(lambda: not workloads.get("job-queued", namespace=TEAM).spec.active, "it to be inactive")


def finds_a_model_name_that_nobody_holds(api: Api) -> None:
    lease = name_lease(Run.parse(api.get("TrainingRun", "mine") or {}), "Tickets")
    del lease["metadata"]["ownerReferences"]
    api.apply(lease)
    api.apply(a_run("named", modelName="Tickets"))
    api.eventually("named", phase="Pending", reason="Unschedulable")


def rights_in(audit_log: Path) -> tuple[set[Right], set[Right]]:
    """What the operator has asked for, and what of it was refused for want of a right."""
    used, refused = set(), set()
    for line in audit_log.read_text().splitlines():
        event = json.loads(line)
        if (asked := event.get("objectRef")) is None:
            continue  # which APIs there are
        resource = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        own = asked.get("namespace") == NAMESPACE
        right = Right(asked.get("apiGroup", ""), resource, event["verb"], own)
        used.add(right)
        if event["annotations"]["authorization.k8s.io/decision"] != "allow":
            refused.add(right)
    return used, refused


def granted_by_the_chart() -> Iterator[Right]:
    """What the roles say that are bound to the operator's account."""
    rendered = rights_of_the_chart()
    bound = {binding["roleRef"]["name"] for binding in rendered if "roleRef" in binding}
    for role in rendered:
        if role["kind"] in {"Role", "ClusterRole"} and role["metadata"]["name"] in bound:
            for rule in role["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        for verb in rule["verbs"]:
                            yield Right(group, resource, verb, own=role["kind"] == "Role")
