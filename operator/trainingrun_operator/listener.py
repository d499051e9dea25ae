"""A port that takes so many connections at once, each for so long, before any work is done for it."""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from typing import NamedTuple, cast

import prometheus_client
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

logger = logging.getLogger(__name__)
http_logger = logging.getLogger(f"{__name__}.http")
# Anybody can send what isn't HTTP, and would fill the log with tracebacks.
http_logger.addFilter(
    lambda record: not isinstance((record.exc_info or (None, None))[1], HttpProcessingError)
)

# After an accept that failed: no file descriptor is left, or the peer is gone already.
ACCEPT_RETRY_SECONDS = 0.1

OF_CONNECTIONS = ("address", "connections", "seconds")
"""The bounds, as metrics call them."""


class Bounds(NamedTuple):
    """What a port takes at most."""

    connections: int
    """Connections at once, above which the newest takes the place of the oldest; one with TLS has 70 KiB,
    whether or not it sends anything."""
    of_one_address: int
    """Connections at once from one address, above which more are refused; each pod has its own, unless the
    network rewrites it."""
    seconds: float
    """From accepting a connection to the end of its answer: handshake, headers and body lie within."""


def listening_on(port: int) -> socket.socket:
    """A socket that takes connections to this port of all addresses, IPv6 or not."""
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    listening = socket.create_server(("", port), family=family, dualstack_ipv6=dual)
    listening.setblocking(False)
    return listening


class Listener:
    """Serves an application on a port, one request a connection."""

    def __init__(
        self,
        name: str,
        application: web.Application,
        bounds: Bounds,
        unserved: prometheus_client.Counter,
        context: ssl.SSLContext | None = None,
    ) -> None:
        application.on_response_prepare.append(_close_afterwards)
        self._name = name
        self._runner = web.AppRunner(application, access_log=None, logger=http_logger, auto_decompress=False)
        self._bounds = bounds
        self._unserved = unserved
        for bound in OF_CONNECTIONS:
            unserved.labels(name, bound)  # from the start, or the first would not show as an increase
        self._context = context
        self._addresses: Counter[str] = Counter()
        self._connections: dict[asyncio.Task[None], str] = {}
        """Each with the address that it comes from, the oldest first."""

    async def run(self, listening: socket.socket) -> None:
        """Serve until cancelled."""
        await self._runner.setup()
        try:
            await self._accept(listening)
        finally:
            await self._runner.cleanup()
            self._cut(len(self._connections))

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, (address, *_) = await loop.sock_accept(listening)
            except OSError as error:
                logger.warning("can't accept a connection: %s", error)
                await asyncio.sleep(ACCEPT_RETRY_SECONDS)
                continue
            self._admit(connection, address)
            # Where many wait, accepting takes no pause, and others have work to do.
            await asyncio.sleep(0)

    def _admit(self, connection: socket.socket, address: str) -> None:
        if self._addresses[address] >= self._bounds.of_one_address:
            self._unserved.labels(self._name, "address").inc()
            connection.close()
            return
        if len(self._connections) >= self._bounds.connections:
            # A request takes milliseconds: what has been here for longest is the least likely to be one.
            self._unserved.labels(self._name, "connections").inc()
            self._cut(1)
        task = asyncio.create_task(self._serve(connection))
        self._connections[task] = address
        self._addresses[address] += 1
        task.add_done_callback(self._release)

    def _cut(self, oldest: int) -> None:
        for connection in list(self._connections)[:oldest]:
            connection.cancel()
            self._release(connection)

    def _release(self, connection: asyncio.Task[None]) -> None:
        address = self._connections.pop(connection, None)
        if address is None:
            return
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]

    async def _serve(self, connection: socket.socket) -> None:
        assert self._runner.server is not None
        served = _Served(self._runner.server())
        try:
            async with asyncio.timeout(self._bounds.seconds):
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: served, connection, ssl=self._context
                )
                await served.closed.wait()
        except TimeoutError:
            self._unserved.labels(self._name, "seconds").inc()
        except OSError as error:
            logger.debug("connection lost: %s", error)
        finally:
            served.abort()


class _Served(asyncio.Protocol):
    """Hands all on to the web server's protocol, and tells when the connection is closed."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        self._transport: asyncio.Transport | None = None
        self.closed = asyncio.Event()

    def abort(self) -> None:
        """Close at once, whatever is under way; without effect on one that is closed."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()


async def _close_afterwards(_: web.Request, response: web.StreamResponse) -> None:
    # Connections that wait for a next request would keep others out.
    response.force_close()
