"""Whether the operator does its work, not merely whether its process answers."""

import asyncio
import itertools
import logging
import time
from typing import NamedTuple

from .cache import Identity, identity_of
from .cluster import Cluster
from .errors import ApiError
from .feed import Feed
from .kinds import Kind
from .kueue import GROUP
from .resources import Key, key_of
from .work_queue import WorkQueue

logger = logging.getLogger(__name__)

# The watches begin a moment after everything was listed: what was deleted in between, only an audit tells.
FIRST_AUDIT_SECONDS = 10.0
AUDIT_SECONDS = 60.0
# A reconcile is a handful of requests with a time limit of half a minute each.
STUCK_SECONDS = 300.0
# A watch of many objects is late at times. With the pause between audits, a dead one is told in two minutes.
LATE_SECONDS = 45.0
NOTHING = Identity("", 0)


class Listed(NamedTuple):
    """What there is of a kind: UID and resourceVersion of each, as they were at a resourceVersion."""

    version: int
    objects: dict[Key, Identity]


class Missed(NamedTuple):
    """The oldest resourceVersion that a watch should have shown, and when that was found."""

    version: int
    since: float


class Watchdog:
    """Lists everything now and then, and compares with what the watches have shown.

    After an error, kopf's watches begin again with a list, which doesn't tell what was deleted in between.
    """

    def __init__(self, cluster: Cluster, feed: Feed, queue: WorkQueue, namespaces: tuple[str, ...]) -> None:
        self._cluster = cluster
        self._feed = feed
        self._queue = queue
        self._namespaces = namespaces
        self._missed: dict[tuple[Kind, str], Missed] = {}
        self._unwatched: set[str] = set()
        self._last_audit = time.monotonic()
        self.verified = dict.fromkeys((kind.plural for kind in feed.tables), time.time())
        """By resource, when its watch was last found to have missed nothing."""

    def trouble(self) -> str | None:
        """What is wrong, None when all is well."""
        if self._queue.longest_work() > STUCK_SECONDS:
            return "a reconcile is stuck"
        if time.monotonic() - self._last_audit > STUCK_SECONDS:
            return "the audit loop is stuck"
        dead = {kind.plural for kind in self._feed.tables if self._is_dead(kind)} | self._unwatched
        return f"the watch of {', '.join(sorted(dead))} is stale" if dead else None

    async def run(self) -> None:
        """Audit until cancelled."""
        for pause in itertools.chain([FIRST_AUDIT_SECONDS], itertools.repeat(AUDIT_SECONDS)):
            await asyncio.sleep(pause)
            try:
                await self.audit()
            except ApiError as error:
                # Without an API server there is nothing to do; a restart would not help.
                logger.warning("audit postponed: %s", error)
            self._last_audit = time.monotonic()

    async def audit(self) -> None:
        """Compare once, and read what the watches have not shown."""
        for kind in self._feed.tables:
            if self.compare(kind, await self._list(kind)):
                await self._feed.read(kind)
        if not self._feed.watches_queues and await self._cluster.version_of(GROUP):
            # kopf watches what is there when it starts; the kubelet starts it again.
            self._unwatched.add("workloads")

    def compare(self, kind: Kind, listed: Listed) -> bool:
        """Drop what is gone. Whether there is something that isn't known."""
        known = dict(self._feed.tables[kind].identities)
        for key, (uid, version) in known.items():
            if version <= listed.version and listed.objects.get(key, NOTHING).uid != uid:
                self._feed.gone(kind, key, uid)
        news = [
            (there.version, self._feed.watch_of(key))
            for key, there in listed.objects.items()
            if known.get(key, NOTHING).version < there.version
        ]
        for version, watch in sorted(news):
            self._expect(kind, watch, version)
        if not self._is_dead(kind):
            self.verified[kind.plural] = time.time()
        return bool(news)

    def _expect(self, kind: Kind, watch: str, version: int) -> None:
        """The watch shows this version soon, or is dead; that the audit reads it doesn't mend the watch."""
        before = self._missed.get((kind, watch))
        if before is None or before.version <= self._feed.heard(kind, watch):
            self._missed[kind, watch] = Missed(version, time.monotonic())

    def _is_dead(self, kind: Kind) -> bool:
        """Whether a watch of the kind has not shown for long what an audit found."""
        latest = time.monotonic() - LATE_SECONDS
        return any(
            about == kind and missed.since < latest and self._feed.heard(kind, watch) < missed.version
            for (about, watch), missed in self._missed.items()
        )

    async def _list(self, kind: Kind) -> Listed:
        objects: dict[Key, Identity] = {}
        versions: list[int] = []
        async for version, page in self._cluster.pages(kind, self._namespaces, metadata_only=True):
            versions.append(version)
            objects |= {key_of(manifest): identity_of(manifest) for manifest in page}
        return Listed(min(versions), objects)
