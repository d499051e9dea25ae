"""The Job that trains a run: a value made from values."""

from typing import Any

from trainingrun_api.names import (
    API_VERSION,
    MANAGED_BY_LABEL,
    OPERATOR,
    RUN_CONFIG_VARIABLE,
    RUN_KIND,
    RUN_LABEL,
    ExitCode,
)
from trainingrun_api.run_config import ProgressEndpoint, Resolved, RunConfig, effective_output
from trainingrun_api.spec import TrainingRunSpec

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


def build_job(
    run: Run, spec: TrainingRunSpec, references: References, ca_certificate: str, settings: Settings
) -> Manifest:
    """The Job that trains `run`: same input, same output, no I/O."""
    output = effective_output(spec, references.project)
    if output is None or run.status.model_name is None:
        raise ValueError("a run without an output or a model name has something missing and gets no Job")
    found = Resolved(references.project, references.base_model, run.status.model_name, references.others)
    config = RunConfig.resolve(run.identity, spec, found, _endpoint(ca_certificate, settings))
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(run),
        "spec": {
            "backoffLimit": spec.backoff_limit,
            "suspend": spec.suspend,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": POD_FAILURE_POLICY,
            "template": pod_template(config, output, spec, references, settings),
            **_deadline(spec),
        },
    }


def owned_by(manifest: Manifest, uid: str) -> bool:
    """Whether the object with `uid` controls this one."""
    return any(
        o.get("controller") and o["uid"] == uid for o in manifest["metadata"].get("ownerReferences", ())
    )


def job_patch(spec: TrainingRunSpec, job: Manifest, *, suspend_told: bool, final: bool) -> dict[str, Any]:
    """What to change on a created Job so that it follows the fields of a run that may change; {} for nothing.

    Queues suspend and resume Jobs, too: `suspend` is handed on only when it isn't what the Job was told last.
    The TTL is handed on when the run's final status is written (`final`), never before: it deletes the pod,
    and with it the result that the pod left.
    """
    wanted: dict[str, Any] = {"ttlSecondsAfterFinished": spec.ttl_seconds_after_finished}
    if not final:
        wanted = {"activeDeadlineSeconds": spec.active_deadline_seconds}
        wanted |= {} if spec.suspend == suspend_told else {"suspend": spec.suspend}
    return {name: value for name, value in wanted.items() if job["spec"].get(name) != value}


def _deadline(spec: TrainingRunSpec) -> Manifest:
    if spec.active_deadline_seconds is None:
        return {}
    return {"activeDeadlineSeconds": spec.active_deadline_seconds}


def _endpoint(ca_certificate: str, settings: Settings) -> ProgressEndpoint:
    return ProgressEndpoint(url=settings.report_url, ca_certificate=ca_certificate, token_path=TOKEN_PATH)


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


def config_of(job: Manifest) -> RunConfig:
    """The configuration that a Job was built with."""
    environment = job["spec"]["template"]["spec"]["containers"][0]["env"]
    value = next(v["value"] for v in environment if v["name"] == RUN_CONFIG_VARIABLE)
    return RunConfig.model_validate_json(value, extra="ignore")
