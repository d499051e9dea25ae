"""Whether a Job that a run's status doesn't name is the run's all the same."""

from typing import Any

from trainingrun_api.names import RUN_CONFIG_VARIABLE
from trainingrun_api.started_with import SecretNames, StartedWith

from .pod_template import CREDENTIALS, HUB_TOKEN_VARIABLE, MLFLOW_CREDENTIALS
from .resources import Manifest, kubernetes_json

OF_THE_JOB = {"suspend", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "selector"}
OF_THE_POD = {"nodeSelector", "tolerations", "schedulingGates"}
"""What says where and when, not what is done: it follows the run, or is a queue's once the Job is there."""


def same_work(one: Manifest, other: Manifest) -> bool:
    """Whether two Jobs, both as the API server has completed them, do the same."""
    return _work(one) == _work(other)


def _work(job: Manifest) -> Manifest:
    """The spec, but for labels and annotations of the pod too: those name the Job, or are a queue's."""
    spec = {name: value for name, value in job["spec"].items() if name not in OF_THE_JOB | {"template"}}
    pod = job["spec"]["template"]["spec"]
    return spec | {"template": {name: value for name, value in pod.items() if name not in OF_THE_POD}}


def started_with_of(job: Manifest) -> StartedWith | None:
    """What a Job was made of, for operators that didn't keep it in the status; None when it can't be read."""
    try:
        container = job["spec"]["template"]["spec"]["containers"][0]
        variables = {variable["name"]: variable for variable in container["env"]}
        config = kubernetes_json(variables[RUN_CONFIG_VARIABLE]["value"])
        return StartedWith.of(container["image"], _config(config), _secrets(variables))
    except (LookupError, TypeError, ValueError):
        return None


def _config(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("outputPrefix"), str):
        raise ValueError(f"{RUN_CONFIG_VARIABLE} is no configuration of a run")
    return {name: part for name, part in value.items() if name != "progress"}


def _secrets(variables: dict[str, Manifest]) -> SecretNames:
    def secret(variable: str) -> str | None:
        source = variables.get(variable, {}).get("valueFrom", {})
        name: str | None = source.get("secretKeyRef", {}).get("name")
        return name

    return SecretNames(
        storage=secret(CREDENTIALS[0]),
        hub=secret(HUB_TOKEN_VARIABLE),
        mlflow=secret(MLFLOW_CREDENTIALS[0][0]),
    )
