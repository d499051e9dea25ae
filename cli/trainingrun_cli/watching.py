"""A run on a cluster, watched until it ends."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from kubernetes.client import ApiClient, ApiException, CustomObjectsApi
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from trainingrun_api.names import GROUP, RUN_KIND, RUN_PLURAL, VERSION
from trainingrun_api.status import Phase, TrainingRunStatus

from .connection import connect, read_resource, status_of
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
        for run in _versions(client, name, namespace, timeout):
            status = status_of(run)
            line = _phase_line(status)
            if line != phase_shown:
                phase_shown = line
                display.say(line)
            if status.progress:
                display.update(status.progress, status.epochs)
            if status.phase.finished:
                break
    if status.evaluation and status.artifacts:
        console.print(scores_table(status.evaluation, status.final_fit))
        for line in (*advice_lines(status.advice), *artifacts_lines(status.artifacts)):
            console.print(line, highlight=False, soft_wrap=True)
    return status.phase is Phase.SUCCEEDED


def _versions(client: ApiClient, name: str, namespace: str, timeout: int) -> Iterator[dict[str, Any]]:
    """The run as it is now and after each change; raises CommandError when time is up or it is gone."""
    deadline = time.monotonic() + timeout
    run: dict[str, Any] = {}
    while time.monotonic() < deadline:
        run = read_resource(client, RUN_PLURAL, RUN_KIND, namespace, name)
        yield run
        try:
            yield from _changes(client, run)
        except HTTPError:
            continue  # broken off; if the cluster can't be reached, that is told next
        except ApiException as error:
            if error.status != HTTPStatus.GONE:
                raise CommandError(
                    f"{RUN_KIND} {namespace}/{name} can't be watched: {error.reason}"
                ) from error
    raise CommandError(f"still not finished after {timeout} s: {_phase_line(status_of(run))}")


def _changes(client: ApiClient, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    metadata = run["metadata"]
    events = Watch().stream(
        CustomObjectsApi(client).list_namespaced_custom_object,
        GROUP,
        VERSION,
        metadata["namespace"],
        RUN_PLURAL,
        field_selector=f"metadata.name={metadata['name']}",
        resource_version=metadata["resourceVersion"],
        timeout_seconds=WATCH_SECONDS,
    )
    for event in events:
        if event["type"] == "DELETED":
            raise CommandError(f"{RUN_KIND} {metadata['namespace']}/{metadata['name']} was deleted")
        yield event["object"]


def _phase_line(status: TrainingRunStatus) -> str:
    succeeded = next((c for c in status.conditions if c.type == "Succeeded"), None)
    if succeeded is None:
        return f"{status.phase}"
    return f"{status.phase}: {succeeded.reason} {succeeded.message}".rstrip()
