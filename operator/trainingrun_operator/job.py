"""The Job that trains a run: a value made from values."""

from typing import Any

from trainingrun_api.names import (
    API_VERSION,
    MANAGED_BY_LABEL,
    OPERATOR,
    RUN_KIND,
    RUN_LABEL,
    ExitCode,
)
from trainingrun_api.references import LocalObjectReference
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import ProgressEndpoint, RunConfig
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import SecretNames, StartedWith

from .children import Job
from .pod_template import TOKEN_PATH, TRAINER, pod_template
from .resources import Manifest, Resolution, Run
from .settings import Settings

POD_FAILURE_POLICY: Manifest = {
    "rules": [
        # Preemption, eviction and node loss are not the run's fault.
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {
            "action": "FailJob",
            "onExitCodes": {
                "containerName": TRAINER,
                "operator": "In",
                "values": sorted(ExitCode.USER_ERRORS),
            },
        },
    ]
}


def starting_with(run: Run, model_name: str, found: Resolution, settings: Settings) -> StartedWith:
    """What `run` is started with, when all that it refers to is there."""
    config = RunConfig.of(run.identity, model_name, found.spec, found.references)
    told = config.model_dump(mode="json", exclude_none=True)
    return StartedWith.of(settings.trainer_image, told, _secrets(found.spec))


def _secrets(spec: ResolvedSpec) -> SecretNames:
    model = spec.base_model.hugging_face if spec.base_model else None
    return SecretNames(
        storage=_name(spec.output.credentials_secret_ref),
        hub=_name(model.token_secret_ref) if model else None,
        mlflow=_name(spec.tracking.mlflow.credentials_secret_ref) if spec.tracking.mlflow else None,
    )


def _name(secret: LocalObjectReference | None) -> str | None:
    return secret.name if secret else None


def build_job(
    run: Run, spec: TrainingRunSpec, started: StartedWith, ca_certificate: str, settings: Settings
) -> Manifest:
    """The Job that trains `run`: same input, same output, no I/O."""
    progress = ProgressEndpoint(url=settings.report_url, ca_certificate=ca_certificate, token_path=TOKEN_PATH)
    config = started.config | {"progress": progress.model_dump(mode="json")}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(run),
        "spec": {
            "backoffLimit": spec.backoff_limit,
            "suspend": spec.suspend,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": POD_FAILURE_POLICY,
            "template": pod_template(run, spec, started, config, settings),
            **_deadline(spec),
        },
    }


def job_patch(spec: TrainingRunSpec, job: Job, *, suspend_told: bool, final: bool) -> dict[str, Any]:
    """What to change on a created Job so that it follows the fields of a run that may change; {} for nothing.

    Queues suspend and resume Jobs, too: `suspend` is handed on only when it isn't what the Job was told last.
    The TTL is handed on when the run's final status is written (`final`), never before: it deletes the pod,
    and with it the result that the pod left.
    """
    wanted: dict[str, Any] = {"ttlSecondsAfterFinished": spec.ttl_seconds_after_finished}
    if not final:
        wanted = {"activeDeadlineSeconds": spec.active_deadline_seconds}
        wanted |= {} if spec.suspend == suspend_told else {"suspend": spec.suspend}
    return {name: value for name, value in wanted.items() if job.settings.get(name) != value}


def _deadline(spec: TrainingRunSpec) -> Manifest:
    if spec.active_deadline_seconds is None:
        return {}
    return {"activeDeadlineSeconds": spec.active_deadline_seconds}


def _metadata(run: Run) -> Manifest:
    return {
        "name": run.key.name,
        "namespace": run.key.namespace,
        "labels": {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: run.key.name},
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": RUN_KIND,
                "name": run.key.name,
                "uid": run.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
