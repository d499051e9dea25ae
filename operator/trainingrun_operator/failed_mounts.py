"""Volumes with Secrets that a pod's node can't mount: the kubelet says so in Events, and not in the pod."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from .kinds import Kind
from .missing_secret import NO_FILE, NO_SECRET
from .recent import Recent
from .refusals import MAX_MESSAGE, MOST_REMEMBERED
from .resources import Key, Manifest, parse_time

# By their newer API: kopf watches a resource once, and Events of workloads by the older one.
FAILED_MOUNTS = Kind(
    "Event", "apis/events.k8s.io/v1", "events", fields="reason=FailedMount,regarding.kind=Pod"
)
VOLUME = re.compile(r'for volume "([^"]+)"')
# The kubelet tries again after two minutes and two seconds at most, and says it anew.
STANDS = timedelta(seconds=150)


class FailedMount(NamedTuple):
    """What was said when, the last time that a volume was tried."""

    volume: str
    message: str
    time: datetime

    @classmethod
    def parse(cls, event: Manifest) -> Self | None:
        """Read an Event; None for one that isn't about a Secret, or a key of one, that is missing."""
        message = (event.get("note") or "")[:MAX_MESSAGE]
        volume = VOLUME.search(message)
        if volume is None or not (NO_SECRET.search(message) or NO_FILE.search(message)):
            return None
        series = event.get("series") or {}
        time = (
            series.get("lastObservedTime") or event.get("deprecatedLastTimestamp") or event.get("eventTime")
        )
        return cls(volume[1], message, parse_time(time or event["metadata"]["creationTimestamp"]))


class FailedMounts:
    """The latest of each pod's volumes, fed by a watch of Events."""

    def __init__(self) -> None:
        self._by_uid = Recent[dict[str, FailedMount]](MOST_REMEMBERED)

    def saw(self, event: Manifest) -> Key:
        """Remember what it says; the pod that it is about."""
        # Anybody may write Events, and leave out what the kubelet's say.
        pod, failed = event.get("regarding") or {}, FailedMount.parse(event)
        if failed is not None:
            self._remember(pod.get("uid", ""), failed)
        return event["metadata"]["namespace"], pod.get("name", "")

    def of(self, uid: str) -> list[str]:
        """What the kubelet says of each volume of this pod that it couldn't mount the last time."""
        return [failed.message for failed in self._known(uid).values()]

    def _remember(self, uid: str, failed: FailedMount) -> None:
        known = self._known(uid)
        latest = max(failed, known.get(failed.volume, failed), key=lambda one: one.time)
        of_pod = known | {failed.volume: latest}
        newest = max(one.time for one in of_pod.values())
        standing = {volume: one for volume, one in of_pod.items() if newest - one.time <= STANDS}
        self._by_uid.keep(uid, standing)

    def _known(self, uid: str) -> dict[str, FailedMount]:
        return self._by_uid.get(uid) or {}
