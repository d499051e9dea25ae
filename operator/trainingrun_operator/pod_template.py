"""The trainer pod: what it may do, what it mounts, what it is told."""

import json
from urllib.parse import urlsplit

from trainingrun_api.custom_trainer import CustomTrainer
from trainingrun_api.names import (
    CREDENTIALS_VARIABLE,
    GRACE_SECONDS,
    HUB_TOKEN_KEY,
    HUB_TOKEN_VARIABLE,
    MANAGED_BY_LABEL,
    MEMORY_LIMIT_VARIABLE,
    OPERATOR,
    PROGRESS_AUDIENCE,
    RUN_CONFIG_VARIABLE,
    RUN_LABEL,
    TERMINATION_MESSAGE_PATH,
    TRAINER_CONTAINER,
)
from trainingrun_api.placement import Resources
from trainingrun_api.run_config import BaseModelSource, ProgressEndpoint
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import StartedWith

from . import kubeflow, rendezvous
from .additions import with_additions
from .credentials import CREDENTIALS_FOLDER, mounted_secrets
from .resources import Manifest, Run
from .settings import Settings

TRAINER_USER = 65532
WORK_FOLDER = "/work"
WORK_LIMIT = "50Gi"
TOKEN_FOLDER = "/var/run/secrets/trainingrun"  # noqa: S105 - a folder
TOKEN_PATH = f"{TOKEN_FOLDER}/token"
TOKEN_SECONDS = 3600
READ_ONLY = {"progress-token", "base-model"}
BASE_MODEL_FOLDER = "/base-model"

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
            "volumes": [
                *_volumes(spec, base_model),
                *(secret.volume for secret in mounted_secrets(started.secrets)),
            ],
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
    secrets = mounted_secrets(started.secrets)
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
            *([{"name": CREDENTIALS_VARIABLE, "value": CREDENTIALS_FOLDER}] if secrets else []),
            *(_of_custom_trainer(started, settings) if spec.trainer else []),
        ],
        **_command(spec.trainer),
        **rendezvous.ports(resources),
        "resources": _resources(resources),
        "volumeMounts": [
            *(
                {"name": name, "mountPath": path, "readOnly": name in READ_ONLY}
                for name, path in _mounts(resources, base_model).items()
            ),
            *(secret.mount for secret in secrets),
        ],
    }


def _of_custom_trainer(started: StartedWith, settings: Settings) -> list[Manifest]:
    """What libraries read by themselves."""
    token_path = f"{CREDENTIALS_FOLDER}/{HUB_TOKEN_VARIABLE}/{HUB_TOKEN_KEY}"
    return [
        *kubeflow.variables(settings.report_url, TOKEN_FOLDER, TOKEN_PATH),
        *([{"name": "HF_TOKEN_PATH", "value": token_path}] if started.secrets.hub else []),
    ]


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


def _resources(resources: Resources) -> Manifest:
    limits = {"memory": resources.memory}
    if resources.gpus_per_node:
        limits[resources.gpu_resource_name] = str(resources.gpus_per_node)
    return {"requests": {"cpu": resources.cpu, "memory": resources.memory}, "limits": limits}


def _mounts(resources: Resources, base_model: BaseModelSource) -> dict[str, str]:
    mounts = {"work": WORK_FOLDER, "progress-token": TOKEN_FOLDER}
    if resources.gpus_per_node > 1:
        mounts["shared-memory"] = "/dev/shm"  # noqa: S108 - where NCCL looks for it
    if base_model.mount_path is not None:
        mounts["base-model"] = base_model.mount_path
    return mounts


def _volumes(spec: TrainingRunSpec, base_model: BaseModelSource) -> list[Manifest]:
    token = {"audience": PROGRESS_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    sources = [{"serviceAccountToken": token}, *([kubeflow.certificate_source()] if spec.trainer else [])]
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": WORK_LIMIT}},
        {"name": "progress-token", "projected": {"sources": sources}},
    ]
    if spec.resources.gpus_per_node > 1:
        # GPUs of a node are connected through it; a container has 64 MiB of it otherwise.
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory"}})
    if base_model.mount_path is not None:
        claim = urlsplit(base_model.uri or "").netloc
        claimed = {"claimName": claim, "readOnly": True}
        volumes.append({"name": "base-model", "persistentVolumeClaim": claimed})
    return volumes
