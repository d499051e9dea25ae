"""Why Kubernetes rejects the pod of a run: quotas, limits, priorities, admission.

A Job has no condition for it; its controller reports it in Events.
"""

import re
from datetime import datetime
from typing import NamedTuple, Self

from kubernetes.utils.quantity import parse_quantity

from .recent import Recent
from .resources import Manifest, RunKey, parse_time

# The least recent ones: Events are kept for an hour, and not runs' workloads alone have them.
MOST_REMEMBERED = 10_000
MAX_MESSAGE = 1024
PREAMBLE = re.compile(r"^(\(combined from similar events\): )?(Error creating: )?")
QUOTA = re.compile(r"exceeded quota: .+?, requested: (\S+), used: \S+, limited: (\S+)")
FOR_GOOD = ("is forbidden", "denied the request", "is invalid")
# The cluster makes each namespace's own account, shortly after the namespace; others, a person makes.
PASSING = re.compile(r"looking up service account \S+/default:")


class Refusal(NamedTuple):
    """What was said when, the last time that the pod was tried."""

    message: str
    time: datetime

    @classmethod
    def parse(cls, event: Manifest) -> Self:
        """Read an Event."""
        name = event["involvedObject"].get("name", "")
        message = PREAMBLE.sub("", event.get("message") or "")
        # Each try has a pod of another name; without it the message stays the same.
        message = re.sub(rf'"{re.escape(name)}-\w{{5}}"', f'"{name}"', message)
        time = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        return cls(message[:MAX_MESSAGE], parse_time(time))

    @property
    def for_good(self) -> bool:
        """Whether only a person can help: not where others' pods that end make room in a quota."""
        quotas = QUOTA.findall(self.message)
        if quotas:
            return not all(_fits(requested, limited) for requested, limited in quotas)
        return not PASSING.search(self.message) and any(word in self.message for word in FOR_GOOD)


class Refusals:
    """The latest refusal of each workload, fed by a watch of Events."""

    def __init__(self) -> None:
        self._by_uid = Recent[Refusal](MOST_REMEMBERED)

    def saw(self, event: Manifest) -> RunKey:
        """Remember what it says; the run that it may be about."""
        # Anybody may write Events, and leave out what the cluster's own say.
        involved = event["involvedObject"]
        uid = involved.get("uid", "")
        refusal = Refusal.parse(event)
        self._by_uid.keep(uid, max(refusal, self.of(uid) or refusal, key=lambda one: one.time))
        return RunKey(event["metadata"]["namespace"], involved.get("name", ""))

    def of(self, uid: str) -> Refusal | None:
        """Why this workload had no pod the last time, if that has ever been so."""
        return self._by_uid.get(uid)


def _fits(requested: str, limited: str) -> bool:
    """Whether what is asked for is within the limits, each as in cpu=1,limits.memory=4Gi."""
    try:
        asked, limits = (dict(one.split("=", 1) for one in text.split(",")) for text in (requested, limited))
        return all(parse_quantity(asked[name]) <= parse_quantity(limit) for name, limit in limits.items())
    except (KeyError, ValueError):
        return False
