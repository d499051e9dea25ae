"""All nodes of a run meet before any of them trains."""

import logging
import socket
import time

import torch.distributed as dist

from ..errors import PeerLostError, PeersNotReached, first_line
from ..settings import ProcessLayout
from .pulse import OVER
from .store import Store, connect, serve

log = logging.getLogger(__name__)

RENDEZVOUS_SECONDS = 1800
"""That a node waits for the others to run."""

LOOK_SECONDS = 0.5
ANSWER_SECONDS = 10.0
SAY_SECONDS = 60.0
"""Between two lines of the log."""


def meet_nodes(layout: ProcessLayout) -> Store:
    """Wait until all nodes are there; gives the store of node 0, which lives as long as this value does.

    Waits in Python, where SIGTERM ends it at once. Raises PeersNotReached when one doesn't come,
    PeerLostError when node 0 goes, or when the others are those of an attempt before.
    """
    until = time.monotonic() + RENDEZVOUS_SECONDS
    store = serve(layout.address, layout.port) if layout.node == 0 else _connect(layout, until)
    try:
        if store.add(_key(layout.node), 1) > 1:
            store.set(OVER, f"node {layout.node} has been started again")
            raise PeerLostError("the processes of the attempt before have not ended yet")
        _wait_for_all(store, layout, until)
    except dist.DistError as error:
        raise PeerLostError(f"node 0 can't be reached: {first_line(error)}") from error
    return store


def _connect(layout: ProcessLayout, until: float) -> Store:
    told = 0.0
    while True:
        try:
            socket.create_connection((layout.address, layout.port), ANSWER_SECONDS).close()
            break
        except OSError as error:
            if time.monotonic() > until:
                raise PeersNotReached(
                    f"node 0 ({layout.address}) did not answer for {RENDEZVOUS_SECONDS} s: {error}"
                ) from error
            told = _say(told, f"node 0 ({layout.address}: {error})")
        time.sleep(LOOK_SECONDS)
    return connect(layout.address, layout.port)


def _wait_for_all(store: Store, layout: ProcessLayout, until: float) -> None:
    told = 0.0
    while missing := [node for node in range(layout.nodes) if not store.add(_key(node), 0)]:
        if time.monotonic() > until:
            raise PeersNotReached(f"nodes {missing} did not come within {RENDEZVOUS_SECONDS} s")
        told = _say(told, f"nodes {missing}")
        time.sleep(LOOK_SECONDS)


def _say(told: float, what: str) -> float:
    """Log it, but not all the time; gives when it was logged last."""
    now = time.monotonic()
    if now - told < SAY_SECONDS:
        return told
    log.info("Waiting for %s", what)
    return now


def _key(node: int) -> str:
    return f"node/{node}"
