"""What a user adds to the pod."""

import json

import pytest

from trainingrun_operator.errors import InvalidSpecError
from trainingrun_operator.settings import Settings

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_run
from .test_job import SETTINGS, job_of, pod_of

FULL: Manifest = {
    "metadata": {"labels": {"team": "support"}, "annotations": {"example.com/cost-centre": "Ünit 7"}},
    "spec": {
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "preference": {
                            "matchExpressions": [{"key": "gpu", "operator": "In", "values": ["h100"]}]
                        },
                    }
                ]
            }
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"team": "support"}},
            }
        ],
        "runtimeClassName": "kata",
        "schedulerName": "gang-scheduler",
        "serviceAccountName": "trainer",
        "imagePullSecrets": [{"name": "registry"}],
        "containers": [
            {
                "name": "trainer",
                "image": "example.com/mine@sha256:" + "0" * 64,
                "env": [
                    {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
                    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "extra", "key": "token"}}},
                    {"name": "PET_NPROC_PER_NODE", "value": "2"},
                ],
                "envFrom": [{"configMapRef": {"name": "nccl"}}],
                "resources": {"requests": {"ephemeral-storage": "20Gi"}, "limits": {"rdma/hca": "1"}},
                "volumeMounts": [
                    {"name": "shm", "mountPath": "/dev/shm"},
                    {"name": "data", "mountPath": "/data", "readOnly": True, "subPath": "team"},
                ],
            }
        ],
        "volumes": [
            {"name": "shm", "emptyDir": {"medium": "Memory"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        ],
    },
}


def test_additions_are_in_the_pod_that_restricted_security_admits(api: Api, kubelet: Kubelet) -> None:
    for manifest in (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "trainer"}},
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "kata"},
            "handler": "kata",
        },
    ):
        api.apply(manifest)
    api.apply(a_run("mine", podTemplate=FULL))
    pod = kubelet.pod_of("mine")
    (trainer,) = pod["spec"]["containers"]
    wanted = FULL["spec"]["containers"][0]
    assert FULL["metadata"]["labels"].items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["annotations"] == FULL["metadata"]["annotations"]
    for field in ("affinity", "schedulerName", "serviceAccountName", "runtimeClassName", "imagePullSecrets"):
        assert pod["spec"][field] == FULL["spec"][field], field
    assert pod["spec"]["topologySpreadConstraints"] == FULL["spec"]["topologySpreadConstraints"]
    assert trainer["image"] == wanted["image"]
    for field in ("env", "envFrom", "volumeMounts"):
        assert all(one in trainer[field] for one in wanted[field]), field
    names = [variable["name"] for variable in trainer["env"]]
    assert len(names) == len(set(names))
    assert trainer["resources"]["limits"] == {"memory": "4Gi", "rdma/hca": "1"}
    assert {volume["name"] for volume in pod["spec"]["volumes"]} == {"work", "progress-token", "shm", "data"}
    run = api.eventually("mine", phase="Pending")
    assert run["status"]["startedWith"]["image"] == wanted["image"]


def a_container(**fields: object) -> Manifest:
    return {"spec": {"containers": [{"name": "trainer", **fields}]}}


@pytest.mark.parametrize(
    ("additions", "path"),
    [
        (
            {"metadata": {"labels": {"training.labelator.io/run": "other"}}},
            "metadata.labels.training.labelator.io/run",
        ),
        (a_container(env=[{"name": "HOME", "value": "/root"}]), "spec.containers[trainer].env[HOME]"),
        (
            a_container(volumeMounts=[{"name": "data", "mountPath": "/work"}]),
            "spec.containers[trainer].volumeMounts[/work]",
        ),
        (
            a_container(resources={"limits": {"memory": "64Gi"}}),
            "spec.containers[trainer].resources.limits.memory",
        ),
        (
            a_container(resources={"limits": {"nvidia.com/gpu": "8"}}),
            "spec.containers[trainer].resources.limits.nvidia.com/gpu",
        ),
        ({"spec": {"volumes": [{"name": "work", "emptyDir": {}}]}}, "spec.volumes[work]"),
    ],
)
def test_what_the_operator_decides_stays(additions: Manifest, path: str) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        pod_of(a_run("mine", podTemplate=additions))
    assert str(refused.value) == f"spec.podTemplate.{path} can't be set: the operator decides that"


def with_default(**additions: object) -> Settings:
    """An operator that adds this to all trainer pods."""
    settings = {name.upper(): value for name, value in SETTINGS.model_dump(exclude_defaults=True).items()}
    return Settings.from_environment(settings | {"DEFAULT_POD_TEMPLATE": json.dumps(additions)})


def test_a_run_replaces_of_the_default_additions_what_it_sets_itself() -> None:
    proxy, ca = {"name": "HTTPS_PROXY", "value": "http://one:3128"}, {"name": "CA", "value": "/ca"}
    volume = {"name": "ca", "configMap": {"name": "ca"}}
    settings = with_default(
        metadata={"labels": {"team": "all", "cost": "7"}},
        spec={
            "schedulerName": "one",
            "volumes": [volume],
            "containers": [{"name": "trainer", "image": "example.com/default", "env": [proxy, ca]}],
        },
    )
    plain = job_of(a_run("mine"), settings=settings)["spec"]["template"]
    assert plain["metadata"]["labels"].items() >= {"team": "all", "cost": "7"}.items()
    assert plain["spec"]["schedulerName"] == "one"
    assert volume in plain["spec"]["volumes"]
    assert plain["spec"]["containers"][0]["image"] == "example.com/default"
    own = {
        "metadata": {"labels": {"team": "mine"}},
        "spec": {
            "schedulerName": "other",
            "containers": [{"name": "trainer", "env": [proxy | {"value": "http://other:3128"}]}],
        },
    }
    both = job_of(a_run("mine", podTemplate=own), settings=settings)["spec"]["template"]
    assert both["metadata"]["labels"].items() >= {"team": "mine", "cost": "7"}.items()
    assert both["spec"]["schedulerName"] == "other"
    variables = {one["name"]: one.get("value") for one in both["spec"]["containers"][0]["env"]}
    assert variables.items() >= {"HTTPS_PROXY": "http://other:3128", "CA": "/ca"}.items()


def test_default_additions_that_change_what_the_operator_decides_are_told_by_their_value() -> None:
    settings = with_default(**a_container(env=[{"name": "HOME", "value": "/root"}]))
    with pytest.raises(InvalidSpecError, match=r"^trainerPods\.podTemplate\.spec\.containers\[trainer\]"):
        job_of(a_run("mine"), settings=settings)


def test_a_change_of_what_the_operator_decides_is_told(api: Api) -> None:
    api.apply(a_run("mine", podTemplate=a_container(env=[{"name": "TMPDIR", "value": "/tmp"}])))
    message = "spec.podTemplate.spec.containers[trainer].env[TMPDIR] can't be set"
    api.eventually("mine", phase="Failed", reason="InvalidSpec", message=message)
    assert api.get("Job", "mine") is None


@pytest.mark.parametrize(
    ("name", "additions", "message"),
    [
        (
            "affinity",
            {"spec": {"affinity": {"nodeAffinty": {}}}},
            'unknown field "spec.template.spec.affinity.nodeAffinty"',
        ),
        ("variable", a_container(env=[{"name": "A", "valeu": "b"}]), "env[11].valeu"),
        (
            "mount",
            a_container(volumeMounts=[{"name": "nowhere", "mountPath": "/data"}]),
            "volumeMounts[2].name",
        ),
    ],
)
def test_what_kubernetes_does_not_know_is_told_with_its_path(
    api: Api, name: str, additions: Manifest, message: str
) -> None:
    api.apply(a_run(name, podTemplate=additions))
    run = api.eventually(name, phase="Pending", reason="JobRefused", message=message)
    assert "correct it in a new run" in run["status"]["conditions"][0]["message"]
