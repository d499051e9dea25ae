"""A proxy before the real API server, in which faults can be planted."""

import asyncio
import base64
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

PASSED_ON = ("Authorization", "Accept", "Content-Type")
LARGEST = 16 * 1024 * 1024


class Call(NamedTuple):
    """A request of the operator."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""

    @property
    def watches(self) -> bool:
        return self.query.get("watch") == "true"

    @property
    def writes(self) -> bool:
        return self.method != "GET" and "dryRun" not in self.query and "reviews" not in self.path

    def about(self, name: str) -> bool:
        """Whether it is about the run of this name or something of it."""
        return name in self.path or name.encode() in self.body


class Reply(NamedTuple):
    """What the operator is told."""

    status: int
    body: bytes
    content_type: str = "application/json"


def refusal(status: int, reason: str) -> Reply:
    """What an API server says that refuses a request."""
    answer = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reason}
    return Reply(status, json.dumps(answer | {"message": f"{reason}, by the proxy"}).encode())


class CutError(Exception):
    """The connection ends without an answer."""


PassOn = Callable[[Call], Awaitable[Reply]]


class Fault:
    """Does what it is for to calls and to what watches show; this one leaves them as they are."""

    async def call(self, call: Call, pass_on: PassOn) -> Reply:
        """The answer, or CutError."""
        return await pass_on(call)

    async def event(self, call: Call, line: bytes) -> list[bytes]:
        """What the watch shows instead of this line, in which one event is."""
        return [line]


class FaultProxy:
    """On loopback, without TLS: to the API server it is a client like others, with the operator's token."""

    def __init__(self, kubeconfig: Path) -> None:
        cluster = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]
        self._upstream = cluster["server"]
        self._tls = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
        self._faults: tuple[Fault, ...] = ()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        """Within, it listens at its URL."""
        thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        thread.start()
        assert self._ready.wait(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()
            self._loop.close()

    @contextmanager
    def planted(self, *faults: Fault) -> Iterator[None]:
        """Within, these faults happen."""
        self._faults = (*self._faults, *faults)
        try:
            yield
        finally:
            self._faults = tuple(fault for fault in self._faults if fault not in faults)

    async def _serve(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        async with aiohttp.ClientSession(connector=connector) as self._session:
            runner = web.ServerRunner(
                web.Server(self._handle, handler_cancellation=True), shutdown_timeout=0.1
            )
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = "http://{}:{}".format(*runner.addresses[0])
            self._ready.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call(request.method, request.path, dict(request.query), await request.read())
        headers = CIMultiDict((name, request.headers[name]) for name in PASSED_ON if name in request.headers)

        async def pass_on(call: Call) -> Reply:
            async with self._session.request(
                call.method,
                self._upstream + call.path,
                params=call.query,
                data=call.body or None,  # with an empty one, it would make up a content type
                headers=headers,
            ) as answer:
                return Reply(answer.status, await answer.read(), answer.content_type)

        async def stream(call: Call) -> Reply:
            return await self._stream(request, call, headers)

        try:
            answer = self._chain(stream if call.watches else pass_on)(call)
            # The API server carries out what it was sent, even if the operator is killed before the answer.
            reply = await (answer if call.watches else asyncio.shield(answer))
        except (CutError, aiohttp.ClientError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)

    def _chain(self, pass_on: PassOn) -> PassOn:
        for fault in self._faults:
            pass_on = _through(fault, pass_on)
        return pass_on

    async def _stream(self, request: web.BaseRequest, call: Call, headers: CIMultiDict[str]) -> Reply:
        async with self._session.get(
            self._upstream + call.path, params=call.query, headers=headers, read_bufsize=LARGEST, timeout=None
        ) as answer:
            if answer.status != 200:
                return Reply(answer.status, await answer.read(), answer.content_type)
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            async for line in answer.content:
                for shown in await self._shown(call, line):
                    await response.write(shown)
        raise CutError

    async def _shown(self, call: Call, line: bytes) -> list[bytes]:
        lines = [line]
        for fault in self._faults:
            lines = [shown for one in lines for shown in await fault.event(call, one)]
        return lines


def _through(fault: Fault, pass_on: PassOn) -> PassOn:
    async def call(call: Call) -> Reply:
        return await fault.call(call, pass_on)

    return call
