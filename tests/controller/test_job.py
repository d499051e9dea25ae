"""The Job as a value: same input, same output."""

import json

import pytest

from trainingrun_api.base_model import BaseModel, HuggingFaceModel
from trainingrun_api.names import (
    CREDENTIALS_VARIABLE,
    HUB_PUSH_TOKEN_VARIABLE,
    MEMORY_LIMIT_VARIABLE,
    PROGRESS_AUDIENCE,
    ExitCode,
)
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import (
    BaseModelSource,
    HubModel,
    HubTarget,
    OtherDatasets,
    References,
    RunConfig,
)
from trainingrun_api.spec import TrainingProjectSpec
from trainingrun_operator.backend import BACKEND
from trainingrun_operator.base_models import source_of
from trainingrun_operator.pod_template import pod_template
from trainingrun_operator.resources import Resolution, Run
from trainingrun_operator.services import is_service_of, service_of
from trainingrun_operator.settings import Settings
from trainingrun_operator.start import starting_with

from .manifests import Manifest, a_project, a_project_run, a_run

DEFAULT_MODEL = BaseModelSource()
SETTINGS = Settings.from_environment(
    {"TRAINER_IMAGE": "example.com/trainer:1", "POD_NAMESPACE": "training-system"}
)


def as_read(manifest: Manifest) -> Run:
    """The run as the API server gives it back."""
    created = {"creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1, "resourceVersion": "1"}
    metadata = {"namespace": "team", "uid": "u-1", **created} | manifest["metadata"]
    return Run.parse(manifest | {"metadata": metadata})


def job_of(
    manifest: Manifest,
    project: TrainingProjectSpec | None = None,
    base_model: BaseModelSource = DEFAULT_MODEL,
    settings: Settings = SETTINGS,
) -> Manifest:
    run = as_read(manifest)
    assert run.spec is not None, run.problem
    found = Resolution(ResolvedSpec.of(run.spec, project), References(base_model))
    started = starting_with(run, "brisk-heron-3f9a", found, settings)
    return BACKEND.build(run, run.spec, pod_template(run, run.spec, started, "PEM", settings))


def pod_of(manifest: Manifest) -> Manifest:
    return job_of(manifest)["spec"]["template"]["spec"]


def test_job_belongs_to_its_run() -> None:
    metadata = job_of(a_run("tickets"))["metadata"]
    assert metadata["name"] == "tickets"
    assert metadata["ownerReferences"][0]["uid"] == "u-1"
    assert metadata["ownerReferences"][0]["controller"]


def test_disruptions_are_ignored_and_user_errors_are_final() -> None:
    peers, ignore, fail = job_of(a_run("tickets"))["spec"]["podFailurePolicy"]["rules"]
    assert (peers["action"], peers["onExitCodes"]["values"]) == ("Ignore", [ExitCode.PEER_LOST])
    assert ignore == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert fail["onExitCodes"]["values"] == sorted(ExitCode.USER_ERRORS)


def test_trainer_is_told_everything_in_one_value() -> None:
    environment = {v["name"]: v.get("value") for v in pod_of(a_run("tickets"))["containers"][0]["env"]}
    config = json.loads(environment["TRAININGRUN_CONFIG"])
    assert config["dataset"]["uri"] == "s3://data/tickets.jsonl"
    assert config["progress"]["url"] == "https://trainingrun-operator.training-system.svc/v1/progress"
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_trainer_has_no_rights_but_a_token_for_the_operator() -> None:
    pod = pod_of(a_run("tickets"))
    token = next(v for v in pod["volumes"] if "projected" in v)["projected"]["sources"][0][
        "serviceAccountToken"
    ]
    assert pod["automountServiceAccountToken"] is False
    assert token["audience"] == PROGRESS_AUDIENCE


def test_trainer_is_told_how_much_memory_it_may_use() -> None:
    (limit,) = [v for v in pod_of(a_run("t"))["containers"][0]["env"] if v["name"] == MEMORY_LIMIT_VARIABLE]
    assert limit["valueFrom"]["resourceFieldRef"] == {"resource": "limits.memory"}


def test_gpus_are_limits() -> None:
    pod = pod_of(a_run("tickets", resources={"gpusPerNode": 1, "memory": "16Gi"}))
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "16Gi", "nvidia.com/gpu": "1"}


def test_one_node_is_one_process_or_one_for_each_gpu() -> None:
    for gpus, processes in ((0, "1"), (1, "1"), (4, "4")):
        job = job_of(a_run("tickets", resources={"gpusPerNode": gpus}))["spec"]
        pod = job["template"]["spec"]
        told = {
            v["name"]: v.get("value") for v in pod["containers"][0]["env"] if v["name"].startswith("PET_")
        }
        assert told == {"PET_NNODES": "1", "PET_NPROC_PER_NODE": processes}
        assert not {"completionMode", "completions", "parallelism"} & set(job)
        assert not {"subdomain"} & set(pod)
        assert "ports" not in pod["containers"][0]
        mounted = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert ("/dev/shm" in mounted) == (gpus > 1)


def test_nodes_are_pods_of_an_indexed_job_that_are_told_where_the_first_one_is() -> None:
    job = job_of(a_run("tickets", resources={"nodes": 3, "gpusPerNode": 2}, backoffLimit=5))["spec"]
    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 3, 3)
    assert (job["backoffLimit"], job["backoffLimitPerIndex"]) == (5, 5)
    pod = job["template"]["spec"]
    assert pod["subdomain"] == "tickets"
    environment = {v["name"]: v.get("value", v.get("valueFrom")) for v in pod["containers"][0]["env"]}
    assert {name: told for name, told in environment.items() if name.startswith("PET_")} == {
        "PET_NNODES": "3",
        "PET_NPROC_PER_NODE": "2",
        "PET_NODE_RANK": {
            "fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}
        },
        "PET_MASTER_ADDR": "tickets-0.tickets",
        "PET_MASTER_PORT": "29400",
    }
    assert [port["containerPort"] for port in pod["containers"][0]["ports"]] == [29400]


def test_service_leads_to_the_pods_of_its_run_alone() -> None:
    run = as_read(a_run("tickets", resources={"nodes": 2}))
    service = service_of(run)
    labels = job_of(a_run("tickets", resources={"nodes": 2}))["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels
    assert is_service_of(run, service)
    for changed in ({"selector": labels | {"app": "other"}}, {"clusterIP": "10.0.0.7"}, {"selector": None}):
        assert not is_service_of(run, service | {"spec": service["spec"] | changed})
    other = {"ownerReferences": [service["metadata"]["ownerReferences"][0] | {"uid": "u-2"}]}
    assert not is_service_of(run, service | {"metadata": service["metadata"] | other})


def test_scheduling_is_handed_on() -> None:
    scheduling = {
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "priorityClassName": "high",
    }
    assert scheduling.items() <= pod_of(a_run("tickets", scheduling=scheduling)).items()


def test_a_job_for_a_queue_is_created_suspended() -> None:
    job = job_of(a_run("tickets", scheduling={"queueName": "training"}))
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "training"
    assert job["spec"]["suspend"] is True
    assert "queueName" not in job["spec"]["template"]["spec"]
    assert job_of(a_run("tickets"))["spec"]["suspend"] is False


def secrets_of(pod: Manifest) -> dict[str, list[Manifest]]:
    """Sources of the Secrets that the trainer has as files, by the names of their folders."""
    (container,) = pod["containers"]
    assert not [one for one in container["env"] if "secretKeyRef" in one.get("valueFrom", {})]
    assert "envFrom" not in container
    folder = next((one["value"] for one in container["env"] if one["name"] == CREDENTIALS_VARIABLE), None)
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = [one for one in container["volumeMounts"] if one["mountPath"].startswith(f"{folder}/")]
    assert all(mount["readOnly"] for mount in mounts)
    return {
        mount["mountPath"].removeprefix(f"{folder}/"): [
            source["secret"] for source in volumes[mount["name"]]["projected"]["sources"]
        ]
        for mount in mounts
    }


def a_token(secret: str) -> list[Manifest]:
    return [{"name": secret, "items": [{"key": "token", "path": "token"}]}]


def test_credentials_are_files_of_the_secret() -> None:
    output = {"uri": "s3://m/x", "credentialsSecretRef": {"name": "store"}}
    pod = pod_of(a_run("t", dataset={"uri": "s3://d/t.csv"}, output=output))
    required, temporary = secrets_of(pod)["storage"]
    assert required["name"] == temporary["name"] == "store"
    assert [item["path"] for item in required["items"]] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert "optional" not in required
    assert temporary["items"] == [{"key": "AWS_SESSION_TOKEN", "path": "AWS_SESSION_TOKEN"}]
    assert temporary["optional"] is True
    config = json.loads(pod["containers"][0]["env"][0]["value"])
    assert config["storage"]["credentialsSecret"] == "store"
    assert secrets_of(pod_of(a_run("t"))) == {}


def test_tracker_is_the_runs_own_else_the_projects() -> None:
    server = {"trackingUri": "https://mlflow.example.com", "credentialsSecretRef": {"name": "mlflow"}}
    spec = a_project("tickets", tracking={"mlflow": server})["spec"]
    project = TrainingProjectSpec.model_validate(spec)
    own = {"trackingUri": "http://mlflow.team", "experiment": "mine"}
    for tracking, experiment, secrets in (
        (
            None,
            {"trackingUri": "https://mlflow.example.com", "experiment": "team"},
            {"mlflow": [{"name": "mlflow"}]},
        ),
        ({"mlflow": own}, own, {}),
        ({}, None, {}),
    ):
        run = a_project_run("t", "tickets", **({} if tracking is None else {"tracking": tracking}))
        pod = job_of(run, project)["spec"]["template"]["spec"]
        assert json.loads(pod["containers"][0]["env"][0]["value"]).get("mlflow") == experiment
        assert secrets_of(pod) == secrets


def test_hub_is_reached_with_the_token_alone() -> None:
    source = BaseModelSource(hub=HubModel(repo_id="team/model", revision="main"))
    asked = {"huggingFace": {"repoId": "team/model", "tokenSecretRef": {"name": "hub"}}}
    pod = job_of(a_run("t", baseModel=asked), base_model=source)["spec"]["template"]["spec"]
    assert secrets_of(pod) == {"HF_TOKEN": a_token("hub")}
    assert {"name": "HF_HUB_OFFLINE", "value": "0"} in pod["containers"][0]["env"]


def test_each_data_set_of_the_hub_has_its_token() -> None:
    def asked(name: str, secret: str | None = None) -> Manifest:
        token = {"tokenSecretRef": {"name": secret}} if secret else {}
        return {"huggingFace": {"repoId": f"team/{name}", **token}}

    project = TrainingProjectSpec.model_validate(
        a_project("tickets")["spec"] | {"dataset": asked("shared", "of-project")}
    )
    others = [{"uri": "s3://data/more.csv"}, asked("open"), asked("more", "of-run")]
    run = as_read(
        a_project_run("t", "tickets", additionalDatasets=others, evaluationDataset=asked("test", "of-test"))
    )
    assert run.spec is not None, run.problem
    assert run.spec.evaluation_dataset is not None
    named = OtherDatasets(
        tuple(one.source(None) for one in run.spec.additional_datasets),
        run.spec.evaluation_dataset.source(None),
    )
    settings = SETTINGS.model_copy(update={"hub_endpoint": "https://mirror.example.com"})
    found = Resolution(ResolvedSpec.of(run.spec, project), References(DEFAULT_MODEL, named))
    started = starting_with(run, "brisk-heron-3f9a", found, settings)
    config = RunConfig.model_validate(started.config)
    of_hub = [source.hugging_face for source in config.all_sources if source.hugging_face]
    assert [(one.repo_id, started.secrets.datasets.get(one.token_variable)) for one in of_hub] == [
        ("team/shared", "of-project"),
        ("team/open", None),
        ("team/more", "of-run"),
        ("team/test", "of-test"),
    ]
    assert {one.endpoint for one in of_hub} == {"https://mirror.example.com"}
    pod = pod_template(run, run.spec, started, "PEM", settings)["spec"]
    datasets = started.secrets.datasets
    assert secrets_of(pod) == {name: a_token(secret) for name, secret in datasets.items()}
    assert {"name": "HF_HUB_OFFLINE", "value": "0"} in pod["containers"][0]["env"]


@pytest.mark.parametrize("secret", ["push", None])
def test_a_push_has_a_token_of_its_own_and_the_mirror(secret: str | None) -> None:
    token = {"tokenSecretRef": {"name": secret}} if secret else {}
    output = {"uri": "s3://models", "huggingFace": {"repoId": "team/tickets", **token}}
    run = as_read(a_run("t", output=output))
    assert run.spec is not None, run.problem
    settings = SETTINGS.model_copy(update={"hub_endpoint": "https://mirror.example.com"})
    found = Resolution(ResolvedSpec.of(run.spec, None), References(DEFAULT_MODEL))
    started = starting_with(run, "brisk-heron-3f9a", found, settings)
    hub = RunConfig.model_validate(started.config).hub
    assert hub == HubTarget(repo_id="team/tickets", private=True, endpoint="https://mirror.example.com")
    pod = pod_template(run, run.spec, started, "PEM", settings)["spec"]
    assert {"name": "HF_HUB_OFFLINE", "value": "0"} in pod["containers"][0]["env"]
    assert secrets_of(pod) == ({HUB_PUSH_TOKEN_VARIABLE: a_token(secret)} if secret else {})


def test_volume_of_the_base_model_is_mounted_read_only() -> None:
    model = BaseModel(uri="pvc://imported/models/mine")
    source = source_of(model, SETTINGS)
    pod = job_of(a_run("t"), base_model=source)["spec"]["template"]["spec"]
    mount = next(m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "base-model")
    assert mount == {"name": "base-model", "mountPath": source.mount_path, "readOnly": True}
    claim = next(v["persistentVolumeClaim"] for v in pod["volumes"] if v["name"] == "base-model")
    assert claim == {"claimName": "imported", "readOnly": True}
    assert "base-model" not in {v["name"] for v in pod_of(a_run("t"))["volumes"]}


def test_settings_of_the_operator_reach_the_trainer() -> None:
    settings = SETTINGS.model_copy(
        update={"hub_endpoint": "https://mirror.example.com", "allow_pickled_models": True}
    )
    source = source_of(BaseModel(hugging_face=HuggingFaceModel(repo_id="team/model")), settings)
    assert source.hub is not None
    assert (source.hub.endpoint, source.allow_pickled) == ("https://mirror.example.com", True)
    assert not source_of(BaseModel(uri="s3://models/mine"), SETTINGS).allow_pickled


def test_project_fills_what_the_run_leaves_open() -> None:
    project = TrainingProjectSpec.model_validate(a_project("tickets")["spec"])
    job = job_of(a_project_run("mine", "tickets"), project)
    environment = job["spec"]["template"]["spec"]["containers"][0]["env"]
    config = json.loads(environment[0]["value"])
    assert config["dataset"]["uri"] == "s3://data/project.csv"
    assert config["outputPrefix"].startswith("s3://models/project/team/mine/")


@pytest.mark.parametrize(
    ("spec", "final", "patch"),
    [
        ({"suspend": True}, False, {"suspend": True}),
        ({"suspend": True}, True, {}),
        ({"activeDeadlineSeconds": 60}, False, {"activeDeadlineSeconds": 60}),
        ({"ttlSecondsAfterFinished": 60}, False, {}),
        ({"ttlSecondsAfterFinished": 60}, True, {"ttlSecondsAfterFinished": 60}),
        ({}, False, {}),
        ({}, True, {}),
    ],
)
def test_job_follows_what_may_change(spec: Manifest, final: bool, patch: Manifest) -> None:
    job = job_of(a_run("tickets"))
    seen = BACKEND.read(job | {"metadata": job["metadata"] | {"uid": "j-1"}})
    wanted = as_read(a_run("tickets", **spec)).spec
    assert wanted is not None
    assert BACKEND.changes(wanted, seen, suspend_told=False, final=final) == patch
