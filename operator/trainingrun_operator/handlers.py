"""What the operator watches. Handlers only pass on what they are told."""

from dataclasses import dataclass
from typing import Any

import kopf

from trainingrun_api.names import MANAGED_BY_LABEL, OPERATOR, RUN_LABEL

from .backend import BACKEND
from .failed_mounts import FAILED_MOUNTS
from .feed import Feed
from .kinds import OURS, PODS, PROJECTS, RUNS, Kind
from .resources import Manifest, key_of
from .stateless import NoDiffBase

LABELS: dict[str, Any] = {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: kopf.PRESENT}
# The next watch goes on where this one ended; what they miss is found by audits (health.py).
WATCH_SECONDS = 300


@dataclass(frozen=True)
class Memo:
    """What handlers need."""

    feed: Feed

    def take(self, kind: Kind, event: kopf.RawEvent) -> None:
        """What a watch tells of an object."""
        manifest: Manifest = dict(event["object"])
        self.feed.hear(kind, manifest)
        if event["type"] == "DELETED":
            self.feed.gone(kind, key_of(manifest), manifest["metadata"]["uid"])
        else:
            self.feed.shown(kind, manifest)


@kopf.on.event(*RUNS.resource)
async def on_training_run(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A run; others may wait for it as their base model, or for its name."""
    memo.take(RUNS, event)


@kopf.on.event(*PROJECTS.resource)
async def on_training_project(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A project that runs may wait for."""
    memo.take(PROJECTS, event)


@kopf.on.event(*BACKEND.kind.resource, labels=LABELS)
async def on_workload(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """What trains a run."""
    memo.take(BACKEND.kind, event)


@kopf.on.event(*PODS.resource, labels=LABELS)
async def on_pod(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A Pod of a run."""
    memo.take(PODS, event)


@kopf.on.event(*BACKEND.refusals.resource)
async def on_refusal(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A run's pod was rejected."""
    memo.feed.refused(dict(event["object"]))


@kopf.on.event(*FAILED_MOUNTS.resource)
async def on_failed_mount(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A volume of a pod, a run's or another's, can't be mounted."""
    memo.feed.mount_failed(dict(event["object"]))


def watch_queues(kind: Kind) -> None:
    """Watch what Kueue says of queued Jobs, where it is installed."""

    @kopf.on.event(*kind.resource)
    async def on_queued_job(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
        memo.take(kind, event)


def watch_settings() -> kopf.OperatorSettings:
    """kopf watches and nothing else: it posts no Events and writes nothing onto resources."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.client_timeout = WATCH_SECONDS + 30
    settings.watching.connect_timeout = 30
    for group, _, plural in (BACKEND.kind.resource, PODS.resource):
        settings.watching.label_selectors[f"{plural}.{group}".rstrip(".")] = OURS
    for kind in (BACKEND.refusals, FAILED_MOUNTS):
        settings.watching.field_selectors[kind.resource] = kind.fields
    return settings
