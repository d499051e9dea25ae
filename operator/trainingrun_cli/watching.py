"""A run on a cluster, watched until it ends."""

import time
from collections.abc import Iterator
from typing import Any

from kubernetes.client import ApiException, CustomObjectsApi
from kubernetes.watch import Watch

from trainingrun_api.names import GROUP, RUN_PLURAL, VERSION
from trainingrun_api.status import Phase, TrainingRunStatus

from .connection import connect
from .display import RunDisplay, advice_lines, artifacts_lines, scores_table, terminal
from .errors import CommandError

WATCH_SECONDS = 60
"""The server ends a watch after this; the next one starts from what there is then."""


def watch(name: str, namespace: str | None, timeout: int) -> bool:
    """Show run `name` until it ends; True when it succeeded.

    Raises CommandError when there is no such run, or `timeout` seconds pass first.
    """
    console = terminal()
    client, namespace = connect(namespace)
    phase_shown = ""
    status = TrainingRunStatus()
    with RunDisplay(console) as display:
        for run in _versions(CustomObjectsApi(client), name, namespace, timeout):
            status = TrainingRunStatus.model_validate(run.get("status", {}))
            line = _phase_line(status)
            if line != phase_shown:
                phase_shown = line
                display.say(line)
            if status.progress:
                display.update(status.progress, status.epochs)
            if status.phase.finished:
                break
    if status.evaluation and status.artifacts:
        console.print(scores_table(status.evaluation))
        for line in (*advice_lines(status.advice), *artifacts_lines(status.artifacts)):
            console.print(line, highlight=False, soft_wrap=True)
    return status.phase is Phase.SUCCEEDED


def _versions(api: CustomObjectsApi, name: str, namespace: str, timeout: int) -> Iterator[dict[str, Any]]:
    """The run as it is now and after each change; raises CommandError when time is up or it is gone."""
    where = (GROUP, VERSION, namespace, RUN_PLURAL)
    deadline = time.monotonic() + timeout
    run: Any = {}
    while time.monotonic() < deadline:
        try:
            run = api.get_namespaced_custom_object(*where, name)
        except ApiException as error:
            raise CommandError(f"TrainingRun {namespace}/{name}: {error.reason}") from error
        yield run
        events = Watch().stream(
            api.list_namespaced_custom_object,
            *where,
            field_selector=f"metadata.name={name}",
            resource_version=run["metadata"]["resourceVersion"],
            timeout_seconds=WATCH_SECONDS,
        )
        for event in events:
            if event["type"] == "DELETED":
                raise CommandError(f"TrainingRun {namespace}/{name} was deleted")
            yield event["object"]
    status = TrainingRunStatus.model_validate(run.get("status", {}))
    raise CommandError(f"still not finished after {timeout} s: {_phase_line(status)}")


def _phase_line(status: TrainingRunStatus) -> str:
    succeeded = next((c for c in status.conditions if c.type == "Succeeded"), None)
    if succeeded is None:
        return f"{status.phase}"
    return f"{status.phase}: {succeeded.reason} {succeeded.message}".rstrip()
