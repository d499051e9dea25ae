"""A port holds its bounds, whatever comes to it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from trainingrun_operator.listener import Bounds, Listener, listening_on

REQUEST = b"POST / HTTP/1.1\r\nHost: operator\r\nContent-Length: 4\r\n\r\n"
ADDRESSES = ("127.0.0.2", "127.0.0.3")
BOUNDS = Bounds(connections=3, of_one_address=2, seconds=60)


class Port:
    """A port that answers with what it was sent."""

    def __init__(self, number: int, registry: CollectorRegistry) -> None:
        self._number = number
        self._registry = registry

    def unserved(self, bound: str) -> float | None:
        return self._registry.get_sample_value("unserved_total", {"port": "test", "bound": bound})

    def connect(self, address: str = ADDRESSES[0]) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._number), source_address=(address, 0))
        connection.setblocking(False)
        return connection

    async def ask(self, address: str = ADDRESSES[0]) -> bytes:
        """The answer to a request, without its headers; nothing when it is refused."""
        with self.connect(address) as connection, suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(connection, REQUEST + b"data")
            return (await read(connection)).partition(b"\r\n\r\n")[2]
        return b""


@asynccontextmanager
async def a_port(bounds: Bounds) -> AsyncIterator[Port]:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    application = web.Application()
    application.router.add_post("/", echo)
    registry = CollectorRegistry()
    unserved = Counter("unserved", "", ("port", "bound"), registry=registry)
    with listening_on(0) as listening:
        port = Port(listening.getsockname()[1], registry)
        serving = asyncio.create_task(Listener("test", application, bounds, unserved).run(listening))
        yield port
        serving.cancel()
        await asyncio.wait([serving])


async def read(connection: socket.socket) -> bytes:
    """All until the other side closes."""
    content = b""
    while chunk := await asyncio.get_running_loop().sock_recv(connection, 4096):
        content += chunk
    return content


async def test_an_address_has_its_share_and_others_theirs() -> None:
    async with a_port(BOUNDS) as port:
        with port.connect(), port.connect():
            assert await port.ask() == b""
            assert port.unserved("address") == 1
            assert await port.ask(ADDRESSES[1]) == b"data"
        while await port.ask() != b"data":
            pass


async def test_where_all_have_too_many_the_newest_takes_the_place_of_the_oldest() -> None:
    async with a_port(BOUNDS) as port:
        with port.connect() as oldest, port.connect(), port.connect(ADDRESSES[1]):
            assert await port.ask("127.0.0.4") == b"data"
            with suppress(ConnectionResetError):
                assert await read(oldest) == b""
            assert port.unserved("connections") == 1
            assert await port.ask() == b"data"
            assert port.unserved("address") == 0


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHost:", REQUEST, REQUEST + b"dat"])
async def test_what_takes_too_long_is_cut(sent: bytes) -> None:
    async with a_port(Bounds(3, 2, seconds=0.2)) as port:
        with port.connect() as connection:
            connection.send(sent)
            with suppress(ConnectionResetError):
                assert await read(connection) == b""
        assert port.unserved("seconds") == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: operator\r\nContent-Length: some\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: operator\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
        b"POST / HTTP/1.1\r\nHost: operator\r\nLong: " + b"x" * 10_000 + b"\r\n\r\n",
        b"POST http://[ HTTP/1.1\r\nHost: operator\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_not_logged(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_port(BOUNDS) as port:
        with port.connect() as connection:
            connection.send(sent)
            assert (await read(connection)).startswith(b"HTTP/1.0 400")
    assert caplog.records == []


async def test_body_is_taken_as_it_comes() -> None:
    async with a_port(BOUNDS) as port:
        with port.connect() as connection:
            connection.send(REQUEST.replace(b"Host:", b"Content-Encoding: gzip\r\nHost:") + b"data")
            assert (await read(connection)).endswith(b"\r\n\r\ndata")


async def test_a_connection_ends_with_its_answer() -> None:
    async with a_port(BOUNDS) as port:
        for _ in range(10):
            assert await port.ask() == b"data"
        assert port.unserved("address") == 0
