"""Which replica leads: the one that holds the operator's Lease, as `kubectl get leases` shows it."""

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime

from .cluster import Cluster, Count, connected
from .errors import ApiError, LeadershipLostError, LeaseInDoubtError
from .kinds import LEASES
from .resources import Manifest
from .settings import Settings

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10
"""How long after a renewal the others leave the Lease to its holder."""
WRITE_SECONDS = 6.0
"""How long after a renewal its holder still begins to write; the rest is for what is on its way then."""
PAUSE_SECONDS = 2.0
ATTEMPT_SECONDS = 3.0


class Election:
    """Takes part in the election: `win`, then `keep` while leading, at last `release`.

    Times are those of this process' own clock, which goes on while the process is paused.
    """

    def __init__(self, cluster: Cluster, settings: Settings, count: Count) -> None:
        self._cluster = cluster
        self._count = count
        self._key = (settings.pod_namespace, settings.service_name)
        self._identity = settings.pod_name
        self._renewed_at = float("-inf")
        self._ours: Manifest | None = None
        """The Lease as we have last written it, with which it is renewed without a look at it."""
        self._version = ""
        """Of the Lease as it was last seen, in another's hands."""
        self._seen_at = float("-inf")

    @property
    def leading(self) -> bool:
        """Whether this replica may write as the leader now."""
        return time.monotonic() < self._renewed_at + WRITE_SECONDS

    def check(self) -> None:
        """Raises LeaseInDoubtError unless this replica leads."""
        if not self.leading:
            raise LeaseInDoubtError

    async def win(self) -> None:
        """Wait until the Lease is ours."""
        logger.info("waiting for the Lease %s/%s", *self._key)
        while True:
            if await self._attempt(self._cluster):
                logger.info("%s leads", self._identity)
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def keep(self) -> None:
        """Renew until cancelled. Raises LeadershipLostError once another has had the Lease.

        Nobody has while the API server can't be reached: then it is renewed when it can be. It has a thread
        and a connection of its own, since events of thousands of pods at once would make it late.
        """
        stop = threading.Event()
        renewing = asyncio.ensure_future(asyncio.to_thread(asyncio.run, self._renew(stop)))
        try:
            await asyncio.shield(renewing)
        finally:
            stop.set()
            await renewing

    async def _renew(self, stop: threading.Event) -> None:
        async with connected(self._count) as cluster:
            while not await asyncio.to_thread(stop.wait, PAUSE_SECONDS):
                await self._attempt(cluster, leading=True)

    async def release(self) -> None:
        """Let another take the Lease at once."""
        self._renewed_at = float("-inf")
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                lease = await self._cluster.get(LEASES, self._key)
                if lease and _holder(lease) == self._identity:
                    await self._cluster.replace(LEASES, lease | {"spec": _held(lease, "")})
        except (ApiError, TimeoutError) as error:
            logger.warning("can't release the Lease: %s", error)

    async def _attempt(self, cluster: Cluster, *, leading: bool = False) -> bool:
        """Take or renew the Lease; whether that was possible."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                renewed = await self._take(cluster, leading=leading)
        except (ApiError, TimeoutError) as error:
            logger.warning("can't renew the Lease: %s", error or type(error).__name__)
            return False
        if renewed:
            self._renewed_at = began
        return renewed

    async def _take(self, cluster: Cluster, *, leading: bool) -> bool:
        if self._ours is not None and await self._hold(cluster, self._ours):
            return True
        lease = await cluster.get(LEASES, self._key)
        if lease is None:
            namespace, name = self._key
            new = {"metadata": {"name": name, "namespace": namespace}, "spec": _held({}, self._identity)}
            self._ours = await cluster.create(LEASES, new)
            return True
        if _holder(lease) != self._identity:
            if leading:
                raise LeadershipLostError(_holder(lease))
            if not self._is_free(lease):
                return False
        return await self._hold(cluster, lease)

    async def _hold(self, cluster: Cluster, lease: Manifest) -> bool:
        """Write that the Lease is ours from now on; False when it isn't as it was read."""
        self._ours = None
        try:
            self._ours = await cluster.replace(LEASES, lease | {"spec": _held(lease, self._identity)})
        except ApiError as error:
            if error.status != 409:
                raise
        return self._ours is not None

    def _is_free(self, lease: Manifest) -> bool:
        """Whether it was released, or not renewed for as long as it lasts."""
        now, version = time.monotonic(), lease["metadata"]["resourceVersion"]
        if version != self._version:
            self._version, self._seen_at = version, now
        lasts = lease["spec"].get("leaseDurationSeconds", LEASE_SECONDS)
        return not _holder(lease) or now > self._seen_at + lasts


def _holder(lease: Manifest) -> str:
    return str(lease.get("spec", {}).get("holderIdentity") or "")


def _held(lease: Manifest, holder: str) -> Manifest:
    """The spec of the Lease, renewed by `holder` now; "" for nobody."""
    spec: Manifest = lease.get("spec", {})
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    changed = {"holderIdentity": holder, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now}
    if _holder(lease) != holder:
        changed |= {"acquireTime": now, "leaseTransitions": spec.get("leaseTransitions", 0) + 1}
    return spec | changed
