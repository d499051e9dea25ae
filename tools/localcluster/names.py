"""What a cluster is called and which addresses are its own: pure functions of the checkout's path."""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Self

# Rarely used parts of the private range; a cluster takes the same number in each.
LINKS, PODS, SERVICES = "10.201.{}.0/30", "10.202.{}.0/24", "10.203.{}.0/24"
SUBNETS = 256


def cluster_name(checkout: Path) -> str:
    """The name of the cluster of this checkout; another checkout has another."""
    return f"trainingrun-{_digest(str(checkout))[:6]}"


@dataclass(frozen=True)
class Addresses:
    """The networks of one cluster."""

    number: int

    @classmethod
    def choose(cls, name: str, taken: Iterable[IPv4Network]) -> Self:
        """The first networks, counted from one that follows from `name`, that overlap nothing of `taken`.

        Raises:
            ValueError: none is free.
        """
        first, others = int(_digest(name), 16), tuple(taken)
        for candidate in (cls((first + offset) % SUBNETS) for offset in range(SUBNETS)):
            if not any(mine.overlaps(other) for mine in candidate.networks for other in others):
                return candidate
        raise ValueError("all networks of 10.201.0.0/16 to 10.203.0.0/16 are taken")

    @property
    def networks(self) -> tuple[IPv4Network, IPv4Network, IPv4Network]:
        """Those of the link to the host, the Pods and the Services."""
        link, pods, services = (
            ipaddress.IPv4Network(net.format(self.number)) for net in (LINKS, PODS, SERVICES)
        )
        return link, pods, services

    @property
    def host(self) -> IPv4Address:
        """The host's end of the link."""
        return self.networks[0][1]

    @property
    def node(self) -> IPv4Address:
        """The node, and with it the API server, the object store and the registry."""
        return self.networks[0][2]

    @property
    def dns(self) -> IPv4Address:
        """The Service that resolves names in Pods."""
        return self.networks[2][10]

    @property
    def kubernetes(self) -> IPv4Address:
        """The API server's own Service."""
        return self.networks[2][1]


def link_names(name: str) -> tuple[str, str]:
    """The link's two ends, on the host and in the node; the kernel takes 15 characters at most."""
    digest = _digest(name)[:8]
    return f"trh-{digest}", f"trn-{digest}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
