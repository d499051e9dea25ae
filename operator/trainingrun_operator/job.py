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
from trainingrun_api.references import Output
from trainingrun_api.run_config import (
    ProgressEndpoint,
    Resolved,
    RunConfig,
    effective_output,
    effective_tracking,
)
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import SecretNames, StartedWith
from trainingrun_api.tracking import MlflowServer

from .children import Job
from .pod_template import TOKEN_PATH, TRAINER, pod_template
from .resources import Manifest, References, Run
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


def starting_with(
    run: Run, spec: TrainingRunSpec, model_name: str, references: References, settings: Settings
) -> StartedWith:
    """What `run` is started with, when all that it refers to is there."""
    output = effective_output(spec, references.project)
    if output is None:
        raise ValueError("a run without an output has something missing and isn't started")
    found = Resolved(
        references.project, references.base_model, model_name, references.others, references.resume_from
    )
    config = RunConfig.resolve(run.identity, spec, found, None)
    server = effective_tracking(spec, references.project).mlflow
    secrets = SecretNames(
        storage=_secret_of(output), hub=references.hub_token_secret, mlflow=_secret_of(server)
    )
    return StartedWith.of(settings.trainer_image, config.model_dump(mode="json", exclude_none=True), secrets)


def _secret_of(user: Output | MlflowServer | None) -> str | None:
    """Name of the Secret with credentials for it."""
    return user.credentials_secret_ref.name if user and user.credentials_secret_ref else None


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
