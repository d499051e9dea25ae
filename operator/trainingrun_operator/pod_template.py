"""The trainer pod: what it may do, what it mounts, what it is told."""

from trainingrun_api.names import (
    MANAGED_BY_LABEL,
    OPERATOR,
    PROGRESS_AUDIENCE,
    RUN_CONFIG_VARIABLE,
    RUN_LABEL,
    TERMINATION_MESSAGE_PATH,
)
from trainingrun_api.placement import Resources, Scheduling
from trainingrun_api.references import Output
from trainingrun_api.run_config import RunConfig

from .resources import Manifest
from .settings import Settings

TRAINER = "trainer"
TRAINER_USER = 65532
WORK_FOLDER = "/work"
WORK_LIMIT = "50Gi"
SHARED_MEMORY_LIMIT = "1Gi"
TOKEN_FOLDER = "/var/run/secrets/trainingrun"  # noqa: S105 - a folder
TOKEN_PATH = f"{TOKEN_FOLDER}/token"
TOKEN_SECONDS = 3600
# The current step ends and the latest checkpoint is uploaded within it.
GRACE_SECONDS = 120
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def pod_template(
    config: RunConfig, output: Output, resources: Resources, scheduling: Scheduling, settings: Settings
) -> Manifest:
    """The template of the trainer pod, within the restricted Pod Security Standard."""
    return {
        "metadata": {"labels": {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: config.run.name}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "securityContext": _pod_security(),
            "imagePullSecrets": [{"name": name} for name in settings.trainer_image_pull_secrets],
            "containers": [_trainer(config, output, resources, settings)],
            "volumes": _volumes(resources),
            **scheduling.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
        },
    }


def _pod_security() -> Manifest:
    return {
        "runAsNonRoot": True,
        "runAsUser": TRAINER_USER,
        "runAsGroup": TRAINER_USER,
        "fsGroup": TRAINER_USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _trainer(config: RunConfig, output: Output, resources: Resources, settings: Settings) -> Manifest:
    return {
        "name": TRAINER,
        "image": settings.trainer_image,
        "imagePullPolicy": settings.trainer_image_pull_policy,
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "env": [*_environment(config), *_credentials(output)],
        "resources": _resources(resources),
        "volumeMounts": [
            {"name": name, "mountPath": path, "readOnly": name == "progress-token"}
            for name, path in _mounts(resources).items()
        ],
    }


def _environment(config: RunConfig) -> list[Manifest]:
    values = {
        RUN_CONFIG_VARIABLE: config.model_dump_json(exclude_none=True),
        "HOME": WORK_FOLDER,
        "TMPDIR": WORK_FOLDER,
        "HF_HOME": f"{WORK_FOLDER}/huggingface",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "true",
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _credentials(output: Output) -> list[Manifest]:
    if output.credentials_secret_ref is None:
        return []
    secret = output.credentials_secret_ref.name
    return [{"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}} for key in CREDENTIALS]


def _resources(resources: Resources) -> Manifest:
    limits = {"memory": resources.memory}
    if resources.gpus_per_node:
        limits[resources.gpu_resource_name] = str(resources.gpus_per_node)
    return {"requests": {"cpu": resources.cpu, "memory": resources.memory}, "limits": limits}


def _mounts(resources: Resources) -> dict[str, str]:
    mounts = {"work": WORK_FOLDER, "progress-token": TOKEN_FOLDER}
    return mounts | ({"shared-memory": "/dev/shm"} if resources.gpus_per_node else {})  # noqa: S108


def _volumes(resources: Resources) -> list[Manifest]:
    token = {"audience": PROGRESS_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": WORK_LIMIT}},
        {"name": "progress-token", "projected": {"sources": [{"serviceAccountToken": token}]}},
    ]
    if resources.gpus_per_node:
        # Libraries that use several GPUs exchange data here, and 64 MiB, the default, are too few.
        memory = {"medium": "Memory", "sizeLimit": SHARED_MEMORY_LIMIT}
        volumes.append({"name": "shared-memory", "emptyDir": memory})
    return volumes
