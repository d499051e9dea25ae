"""The trainer pod: what it may do, what it mounts, what it is told."""

import json
from urllib.parse import urlsplit

from trainingrun_api.custom_trainer import CustomTrainer
from trainingrun_api.names import (
    GRACE_SECONDS,
    HUB_PUSH_TOKEN_VARIABLE,
    HUB_TOKEN_VARIABLE,
    MANAGED_BY_LABEL,
    MEMORY_LIMIT_VARIABLE,
    MLFLOW_CREDENTIALS,
    OPERATOR,
    PROGRESS_AUDIENCE,
    REQUIRED_STORAGE_KEYS,
    RUN_CONFIG_VARIABLE,
    RUN_LABEL,
    STORAGE_KEYS,
    STORAGE_KEYS_VARIABLE,
    TERMINATION_MESSAGE_PATH,
    TRAINER_CONTAINER,
)
from trainingrun_api.placement import Resources
from trainingrun_api.run_config import BaseModelSource, ProgressEndpoint
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import SecretNames, StartedWith

from . import kubeflow, rendezvous
from .additions import with_additions
from .resources import Manifest, Run
from .settings import Settings

TRAINER_USER = 65532
WORK_FOLDER = "/work"
WORK_LIMIT = "50Gi"
TOKEN_FOLDER = "/var/run/secrets/trainingrun"  # noqa: S105 - a folder
TOKEN_PATH = f"{TOKEN_FOLDER}/token"
TOKEN_SECONDS = 3600
READ_ONLY = {"progress-token", "base-model", "storage-keys"}
BASE_MODEL_FOLDER = "/base-model"
HUB_TOKEN_KEY = "token"  # noqa: S105 - its name
KEYS_FOLDER = "/var/run/secrets/storage"

MEMORY_LIMIT: Manifest = {
    "name": MEMORY_LIMIT_VARIABLE,
    "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}},
}
"""As Kubernetes fills it in, in bytes: the trainer divides batches before the kernel would end it."""


def pod_template(
    run: Run, spec: TrainingRunSpec, started: StartedWith, ca_certificate: str, settings: Settings
) -> Manifest:
    """The template of the trainer pod, within the restricted Pod Security Standard.

    `ca_certificate` is the PEM of the authority that signed what progress is posted to. Raises
    InvalidSpecError when spec.podTemplate, or the operator's default for it, would change what is decided
    here.
    """
    base_model = base_model_of(started)
    progress = ProgressEndpoint(url=settings.report_url, ca_certificate=ca_certificate, token_path=TOKEN_PATH)
    config = started.config | {"progress": progress.model_dump(mode="json")}
    ours = {
        "metadata": _metadata(run, spec, ca_certificate),
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "securityContext": _pod_security(),
            "imagePullSecrets": [{"name": name} for name in settings.trainer_image_pull_secrets],
            "containers": [_trainer(run, spec, started, config, settings)],
            "volumes": _volumes(spec, base_model, started.secrets.storage),
            **rendezvous.domain(run, spec.resources),
            **spec.scheduling.model_dump(
                mode="json", exclude_none=True, exclude_defaults=True, exclude={"queue_name"}
            ),
        },
    }
    default = settings.default_pod_template
    if default is not None and spec.trainer is not None:
        default = default.without_image()
    return with_additions(ours, spec.pod_template, default, spec.resources.gpu_resource_name)


def base_model_of(started: StartedWith) -> BaseModelSource:
    """Where the base model is read from, as far as this version knows of it."""
    return BaseModelSource.model_validate(started.config.get("baseModel", {}), extra="ignore")


def _metadata(run: Run, spec: TrainingRunSpec, ca_certificate: str) -> Manifest:
    labels = {"labels": {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: run.key.name}}
    if spec.trainer is None:
        return labels
    return labels | {"annotations": {kubeflow.CERTIFICATE_ANNOTATION: ca_certificate}}


def _pod_security() -> Manifest:
    return {
        "runAsNonRoot": True,
        "runAsUser": TRAINER_USER,
        "runAsGroup": TRAINER_USER,
        "fsGroup": TRAINER_USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _trainer(
    run: Run, spec: TrainingRunSpec, started: StartedWith, config: Manifest, settings: Settings
) -> Manifest:
    base_model, resources = base_model_of(started), spec.resources
    return {
        "name": TRAINER_CONTAINER,
        "image": started.image,
        "imagePullPolicy": settings.trainer_image_pull_policy,
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "env": [
            *_environment(config, base_model),
            MEMORY_LIMIT,
            *rendezvous.variables(run, resources),
            *_secrets(started.secrets),
            *(kubeflow.variables(settings.report_url, TOKEN_FOLDER, TOKEN_PATH) if spec.trainer else []),
        ],
        **_command(spec.trainer),
        **rendezvous.ports(resources),
        "resources": _resources(resources),
        "volumeMounts": [
            {"name": name, "mountPath": path, "readOnly": name in READ_ONLY}
            for name, path in _mounts(resources, base_model, started.secrets.storage).items()
        ],
        **_insisting_on(started.secrets.mlflow),
    }


def _command(trainer: CustomTrainer | None) -> Manifest:
    """Of a trainer of the user's own; {} where the image says it."""
    return trainer.model_dump(include={"command", "args"}, exclude_defaults=True) if trainer else {}


def _environment(config: Manifest, base_model: BaseModelSource) -> list[Manifest]:
    values = {
        RUN_CONFIG_VARIABLE: json.dumps(config, ensure_ascii=False, separators=(",", ":")),
        "HOME": WORK_FOLDER,
        "TMPDIR": WORK_FOLDER,
        "HF_HOME": f"{WORK_FOLDER}/huggingface",
        "HF_HUB_OFFLINE": "0" if base_model.hub or _reads_hub_datasets(config) or "hub" in config else "1",
        # Its servers are others than the hub's, and mirrors have none.
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "true",
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _reads_hub_datasets(config: Manifest) -> bool:
    named = [config["dataset"], *config.get("additionalDatasets", []), config.get("evaluationDataset", {})]
    return any("huggingFace" in dataset for dataset in named)


def _secrets(names: SecretNames) -> list[Manifest]:
    return [
        *(_storage_keys(names.storage) if names.storage else []),
        *([_from_secret(HUB_TOKEN_VARIABLE, names.hub, HUB_TOKEN_KEY)] if names.hub else []),
        *(_from_secret(variable, secret, HUB_TOKEN_KEY) for variable, secret in names.datasets.items()),
        *([_from_secret(HUB_PUSH_TOKEN_VARIABLE, names.push, HUB_TOKEN_KEY)] if names.push else []),
        *(_mlflow_credentials(names.mlflow) if names.mlflow else []),
    ]


def _storage_keys(secret: str) -> list[Manifest]:
    folder = {"name": STORAGE_KEYS_VARIABLE, "value": KEYS_FOLDER}
    return [folder, *(_from_secret(key, secret, key) for key in REQUIRED_STORAGE_KEYS)]


def _mlflow_credentials(secret: str) -> list[Manifest]:
    variables = [_from_secret(key, secret, key) for keys in MLFLOW_CREDENTIALS for key in keys]
    for variable in variables:
        variable["valueFrom"]["secretKeyRef"]["optional"] = True  # it holds a password or a token
    return variables


def _insisting_on(secret: str | None) -> Manifest:
    """Holds the container up until the Secret is there, of which it may take any one key."""
    if secret is None:
        return {}
    # Under names that mean nothing to anyone: the Secret may hold more than is asked of it.
    return {"envFrom": [{"prefix": "UNUSED_", "secretRef": {"name": secret}}]}


def _from_secret(variable: str, secret: str, key: str) -> Manifest:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _resources(resources: Resources) -> Manifest:
    limits = {"memory": resources.memory}
    if resources.gpus_per_node:
        limits[resources.gpu_resource_name] = str(resources.gpus_per_node)
    return {"requests": {"cpu": resources.cpu, "memory": resources.memory}, "limits": limits}


def _mounts(resources: Resources, base_model: BaseModelSource, keys: str | None) -> dict[str, str]:
    mounts = {"work": WORK_FOLDER, "progress-token": TOKEN_FOLDER}
    if resources.gpus_per_node > 1:
        mounts["shared-memory"] = "/dev/shm"  # noqa: S108 - where NCCL looks for it
    if keys is not None:
        mounts["storage-keys"] = KEYS_FOLDER
    if base_model.mount_path is not None:
        mounts["base-model"] = base_model.mount_path
    return mounts


def _volumes(spec: TrainingRunSpec, base_model: BaseModelSource, keys: str | None) -> list[Manifest]:
    token = {"audience": PROGRESS_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    sources = [{"serviceAccountToken": token}, *([kubeflow.certificate_source()] if spec.trainer else [])]
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": WORK_LIMIT}},
        {"name": "progress-token", "projected": {"sources": sources}},
    ]
    if spec.resources.gpus_per_node > 1:
        # GPUs of a node are connected through it; a container has 64 MiB of it otherwise.
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory"}})
    if keys is not None:
        # Files follow a Secret that changes, which variables don't. It is these that insist on its keys: the
        # kubelet says of a variable what is missing, of a volume nothing that the pod's status shows.
        items = [{"key": key, "path": key} for key in STORAGE_KEYS]
        secret = {"secretName": keys, "optional": True, "items": items, "defaultMode": 0o440}
        volumes.append({"name": "storage-keys", "secret": secret})
    if base_model.mount_path is not None:
        claim = urlsplit(base_model.uri or "").netloc
        claimed = {"claimName": claim, "readOnly": True}
        volumes.append({"name": "base-model", "persistentVolumeClaim": claimed})
    return volumes
