"""What the operator watches. Handlers only hand on what they are told."""

from dataclasses import dataclass
from typing import Any

import kopf

from trainingrun_api.names import (
    GROUP,
    MANAGED_BY_LABEL,
    OPERATOR,
    PROJECT_PLURAL,
    RUN_LABEL,
    RUN_PLURAL,
    VERSION,
)

from .feed import Feed
from .kinds import JOBS, OURS, PODS, PROJECTS, REFUSALS, RUNS, Kind
from .resources import Manifest, key_of
from .stateless import NoDiffBase

LABELS: dict[str, Any] = {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: kopf.PRESENT}
# A list comes with every new watch: what a watch may have missed is seen then.
RESYNC_SECONDS = 300


@dataclass(frozen=True)
class Memo:
    """What handlers need."""

    feed: Feed

    def take(self, kind: Kind, event: kopf.RawEvent) -> None:
        """What a watch tells of an object."""
        manifest: Manifest = dict(event["object"])
        if event["type"] == "DELETED":
            self.feed.gone(kind, key_of(manifest), manifest["metadata"]["uid"])
        else:
            self.feed.shown(kind, manifest)


@kopf.on.event(GROUP, VERSION, RUN_PLURAL)
async def on_training_run(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A run; others may wait for it as their base model, or for its name."""
    memo.take(RUNS, event)


@kopf.on.event(GROUP, VERSION, PROJECT_PLURAL)
async def on_training_project(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A project that runs may wait for."""
    memo.take(PROJECTS, event)


@kopf.on.event("batch", "v1", "jobs", labels=LABELS)
async def on_job(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A Job of a run."""
    memo.take(JOBS, event)


@kopf.on.event("", "v1", "pods", labels=LABELS)
async def on_pod(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A Pod of a run."""
    memo.take(PODS, event)


@kopf.on.event("", "v1", "events")
async def on_refusal(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A Job's pod was refused."""
    memo.feed.refused(dict(event["object"]))


def watch_settings() -> kopf.OperatorSettings:
    """kopf watches and nothing else: it posts no Events and writes nothing onto resources."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.watching.server_timeout = RESYNC_SECONDS
    settings.watching.client_timeout = RESYNC_SECONDS + 30
    settings.watching.connect_timeout = 30
    for resource in ("jobs.batch", "pods"):
        settings.watching.label_selectors[resource] = OURS
    settings.watching.field_selectors["events"] = REFUSALS.fields
    return settings
