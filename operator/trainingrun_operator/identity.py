"""Which run a token speaks for: from the token to its pod, the pod's workload and that one's TrainingRun."""

import asyncio
import hashlib
import time

from trainingrun_api.names import RUN_KIND
from trainingrun_api.progress import RunIdentity

from .backend import BACKEND
from .cache import Known
from .cluster import Cluster
from .errors import ReportRefusedError
from .kinds import PODS, RUNS
from .observed import Attempt
from .resources import Manifest
from .tokens import Sender, Tokens

CACHE_SECONDS = 45.0
CACHE_SIZE = 4096
CONCURRENT = 8


class Identities:
    """Verifies tokens; remembers good ones for less than a minute, by their hash."""

    def __init__(self, cluster: Cluster, tokens: Tokens, known: Known) -> None:
        self._cluster = cluster
        self._tokens = tokens
        self._known = known
        self._verified: dict[bytes, tuple[float, RunIdentity]] = {}
        self._verifying = asyncio.Semaphore(CONCURRENT)

    async def of_token(self, token: str) -> RunIdentity:
        """The run whose workload owns the pod that holds this token. Raises ReportRefusedError."""
        digest = hashlib.sha256(token.encode()).digest()
        now = time.monotonic()
        if (verified := self._verified.get(digest)) and verified[0] > now:
            return verified[1]
        async with self._verifying:
            sender = await self._tokens.sender(token)
            cache = self._known()
            identity = (cache.run_of(*sender) if cache else None) or await self._run_of(sender)
        self._remember(digest, now + CACHE_SECONDS, identity)
        return identity

    def _remember(self, digest: bytes, until: float, identity: RunIdentity) -> None:
        if len(self._verified) >= CACHE_SIZE:
            self._verified.clear()
        self._verified[digest] = (until, identity)

    async def _run_of(self, sender: Sender) -> RunIdentity:
        pod = await self._cluster.get(PODS, (sender.namespace, sender.pod))
        if pod is None or pod["metadata"]["uid"] != sender.uid:
            raise ReportRefusedError(403, "forbidden", "the token's pod no longer exists")
        if Attempt.parse(pod).finished:
            # Its successor reports by now; a pod on a lost node may not know.
            raise ReportRefusedError(403, "forbidden", "the token's pod has ended")
        pod_owner = _controller(pod, BACKEND.kind.name)
        workload = await self._cluster.get(BACKEND.kind, (sender.namespace, pod_owner["name"]))
        if workload is None or workload["metadata"]["uid"] != pod_owner["uid"]:
            raise ReportRefusedError(403, "forbidden", f"the pod's {BACKEND.kind.name} no longer exists")
        owner = _controller(workload, RUN_KIND)
        identity = RunIdentity(namespace=sender.namespace, name=owner["name"], uid=owner["uid"])
        await self._check_named(identity, workload["metadata"]["uid"])
        return identity

    async def _check_named(self, identity: RunIdentity, uid: str) -> None:
        """Users of the namespace can write a workload with the run as its owner, but not the run's status."""
        run = await self._cluster.get(RUNS, (identity.namespace, identity.name))
        if run is None or run["metadata"]["uid"] != identity.uid:
            raise ReportRefusedError(403, "forbidden", "the run no longer exists")
        if run.get("status", {}).get("jobUid") != uid:
            text = f"the pod's {BACKEND.kind.name} isn't the one in the run's status"
            raise ReportRefusedError(403, "forbidden", text)


def _controller(manifest: Manifest, kind: str) -> Manifest:
    for owner in manifest["metadata"].get("ownerReferences", ()):
        if owner.get("controller") and owner["kind"] == kind:
            found: Manifest = owner
            return found
    raise ReportRefusedError(403, "forbidden", f"the pod doesn't belong to a {kind}")
