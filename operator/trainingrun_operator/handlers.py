"""What the operator watches. Handlers only say which runs to look at."""

from dataclasses import dataclass
from typing import Any

import kopf

from trainingrun_api.names import (
    GROUP,
    MANAGED_BY_LABEL,
    OPERATOR,
    PROJECT_KIND,
    PROJECT_PLURAL,
    RUN_KIND,
    RUN_LABEL,
    RUN_PLURAL,
    VERSION,
)

from .health import Watchdog
from .references import Resolver
from .refusals import FAILED_CREATE, Refusals
from .resources import Referent, RunKey
from .work_queue import WorkQueue

OURS: dict[str, Any] = {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: kopf.PRESENT}
# A list comes with every new watch: what a watch may have missed is seen then.
RESYNC_SECONDS = 300


@dataclass(frozen=True)
class Memo:
    """What handlers need."""

    queue: WorkQueue
    resolver: Resolver
    refusals: Refusals
    watchdog: Watchdog

    def enqueue_dependents(self, kind: str, key: RunKey) -> None:
        """Look at the runs that wait for this object."""
        for dependent in self.resolver.dependents(Referent(kind, *key)):
            self.queue.add(dependent)


@kopf.on.event(GROUP, VERSION, RUN_PLURAL)
async def on_training_run(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A run was created, changed or deleted; runs may wait for it as their base model."""
    manifest = dict(event["object"])
    memo.watchdog.saw(manifest)
    memo.queue.add(RunKey.of(manifest))
    memo.enqueue_dependents(RUN_KIND, RunKey.of(manifest))


@kopf.on.event(GROUP, VERSION, PROJECT_PLURAL)
async def on_training_project(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A project that runs may wait for."""
    memo.enqueue_dependents(PROJECT_KIND, RunKey.of(dict(event["object"])))


@kopf.on.event("batch", "v1", "jobs", labels=OURS)
@kopf.on.event("", "v1", "pods", labels=OURS)
async def on_child(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A Job or Pod of a run."""
    memo.queue.add(RunKey.of_child(dict(event["object"])))


@kopf.on.event("", "v1", "events")
async def on_refusal(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A Job's pod was refused."""
    memo.queue.add(memo.refusals.saw(dict(event["object"])))


def watch_settings() -> kopf.OperatorSettings:
    """kopf watches and nothing else: it posts no Events and writes nothing onto resources."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = RESYNC_SECONDS
    settings.watching.client_timeout = RESYNC_SECONDS + 30
    settings.watching.connect_timeout = 30
    for resource in ("jobs.batch", "pods"):
        settings.watching.label_selectors[resource] = f"{MANAGED_BY_LABEL}={OPERATOR},{RUN_LABEL}"
    settings.watching.field_selectors["events"] = FAILED_CREATE
    return settings
