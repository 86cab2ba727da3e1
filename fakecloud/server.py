"""The HTTP door: an asyncio server for clients in any language, in any process.

The protocol stands on httptools (the HTTP parser of Node.js) and uvloop; requests are answered
in the event loop, because an answer takes less time than handing it to a thread would.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
import socket
import threading
from collections.abc import Callable
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

import httptools

from fakecloud import control, door, errors, metadata
from fakecloud.cloud import FakeCloud
from fakecloud.door import BODY_LIMIT, Request, Response

HEADER_LIMIT = 64 * 1024
IDLE_S = 75.0
"""How long a connection may be silent, and how long a request may take to arrive, in seconds."""
SWEEP_S = 5.0
LINGER_S = 2.0
"""How long what a refused client still sends is read and thrown away, so that it sees why."""
CONNECTION_LIMIT = 4096

Answer = Callable[[Request], Response]


class _Connection(asyncio.Protocol):
    """One connection: reads requests one after the other and writes their answers in order."""

    def __init__(self, server: Server, answer: Answer) -> None:
        self._server = server
        self._answer = answer
        self._transport: Any = None
        self._parser: Any = None
        self._source = ""
        self._queue: list[tuple[Request, bool]] = []
        self._waiting = False
        self._paused = False
        self._closing = False
        self.since = server.loop.time()
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._size = 0
        self._body: list[bytes] = []
        self._body_size = 0

    # asyncio calls these.

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._source = peer[0] if peer else ""
        self._server.connections.add(self)
        if len(self._server.connections) > CONNECTION_LIMIT:
            self.close()
            return
        self._parser = httptools.HttpRequestParser(self)

    def connection_lost(self, _problem: Exception | None) -> None:
        self._closing = True
        self._queue.clear()
        self._server.connections.discard(self)

    def pause_writing(self) -> None:
        self._paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        self._transport.resume_reading()
        self._work()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(400)
        except (httptools.HttpParserError, httptools.HttpParserCallbackError, UnicodeError):
            self._fail(413 if self._body_size > BODY_LIMIT else 400)

    def close(self) -> None:
        """Hang up."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    # httptools calls these.

    def on_message_begin(self) -> None:
        self.since = self._server.loop.time()
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._grow(len(name) + len(value))
        key = _lower(name)
        text = value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        length = self._headers.get("content-length", "0")
        if len(length) > 15 or int(length) > BODY_LIMIT:
            self._body_size = int(length[:15])
            raise httptools.HttpParserError("The body is too large.")
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._body_size += len(part)
        if self._body_size > BODY_LIMIT:
            raise httptools.HttpParserError("The body is too large.")
        self._body.append(part)

    def on_message_complete(self) -> None:
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(
            self._parser.get_method().decode("latin-1"),
            self._url.decode("latin-1"),
            self._headers,
            body,
            self._source,
        )
        self._queue.append((request, self._parser.should_keep_alive()))
        self._work()

    # Answering.

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > HEADER_LIMIT:
            raise httptools.HttpParserError("The header is too large.")

    def _work(self) -> None:
        while self._queue and not (self._waiting or self._paused or self._closing):
            request, keep = self._queue.pop(0)
            answer = self._answer(request)
            if answer.delay_s:
                self._waiting = True
                self._server.loop.call_later(
                    answer.delay_s, functools.partial(self._finish, answer, keep=keep)
                )
                return
            self._write(answer, keep=keep)

    def _finish(self, answer: Response, *, keep: bool) -> None:
        self._waiting = False
        if not self._closing:
            self._write(answer, keep=keep)
            self._work()

    def _write(self, answer: Response, *, keep: bool) -> None:
        if answer.lost:
            self._closing = True  # What else the client sent on it is lost as well.
            self._transport.abort()
            return
        self._transport.write(self._bytes(answer, keep=keep))
        if not keep:
            self.close()

    def _bytes(self, answer: Response, *, keep: bool) -> bytes:
        head = _head(answer.status, tuple(answer.headers), keep=keep)
        return b"%sDate: %s\r\nContent-Length: %d\r\n\r\n%s" % (
            head,
            self._server.date(),
            len(answer.body),
            answer.body,
        )

    def _fail(self, status: int) -> None:
        if self._closing:
            return
        error = errors.refusal(4095, "The request is no valid HTTP.")
        if status == 413:
            error = door.too_large(self._body_size)
        error.status = status
        self._closing = True
        self._transport.write(self._bytes(self._server.front.refuse(error), keep=False))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._server.loop.call_later(LINGER_S, self.close)


@functools.lru_cache(maxsize=256)
def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


@functools.lru_cache(maxsize=256)
def _head(status: int, headers: tuple[tuple[str, str], ...], *, keep: bool) -> bytes:
    reason = http.client.responses.get(status, "Unknown")
    lines = [f"HTTP/1.1 {status} {reason}", "Server: fakecloud"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    return ("\r\n".join(lines) + "\r\n").encode()


class Server:
    """Serve a cloud on a host and port; use :class:`ServerThread` from tests."""

    def __init__(self, cloud: FakeCloud, mode: str = "none") -> None:
        self.cloud = cloud
        self.front = door.Door(cloud, mode)
        self.rear = control.Control(cloud, self.listen_metadata)
        self.connections: set[_Connection] = set()
        self.loop: asyncio.AbstractEventLoop = None  # type: ignore[assignment]
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._date = b""
        self._dated = 0
        self._sweeper: asyncio.TimerHandle | None = None

    def answer(self, request: Request) -> Response:
        """Answer a request of the API or of the control API."""
        if request.path.startswith(control.ROOT):
            return self.rear.answer(request)
        return self.front.answer(request)

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 lets the system choose one."""
        self.loop = asyncio.get_running_loop()
        self._sweep()
        make = functools.partial(_Connection, self, self.answer)
        server = await self.loop.create_server(make, host, port, backlog=1024)
        self._servers.append(server)
        found: int = server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Stop listening and close all connections."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.close()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def date(self) -> bytes:
        """Return the Date header of now, made once a second."""
        now = int(self.cloud.clock.wall())
        if now != self._dated:
            self._dated = now
            self._date = formatdate(now, usegmt=True).encode()
        return self._date

    def _sweep(self) -> None:
        edge = self.loop.time() - IDLE_S
        for connection in [each for each in self.connections if each.since < edge]:
            connection.close()
        self._sweeper = self.loop.call_later(SWEEP_S, self._sweep)

    def listen_metadata(self, vm: str, host: str, port: int) -> str:
        """Serve the metadata of a VM on a listener of its own, and return its address."""

        def answer(request: Request) -> Response:
            status, text = metadata.answer(self.cloud, vm, request.path)
            return Response(
                status, text.encode("utf-8", "surrogateescape"), [("Content-Type", "text/plain")]
            )

        listener = socket.create_server((host, port))
        self._tasks.add(self.loop.create_task(self._serve(listener, answer)))
        return "http://{}:{}".format(*listener.getsockname())

    async def _serve(self, listener: socket.socket, answer: Answer) -> None:
        make = functools.partial(_Connection, self, answer)
        self._servers.append(await self.loop.create_server(make, sock=listener))


class ServerThread:
    """Serve a cloud from a thread of this process: ``with ServerThread(cloud) as server``."""

    def __init__(
        self, cloud: FakeCloud, *, mode: str = "none", host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.cloud = cloud
        self._server = Server(cloud, mode)
        self._host = host
        self._port = port
        self._loop = new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(
            self._server.start(self._host, self._port), self._loop
        )
        self._port = started.result(timeout=30)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)
        self._loop.close()

    @property
    def port(self) -> int:
        """Return the port that the server listens on."""
        return self._port

    @property
    def url(self) -> str:
        """Return the address of the server, without a path."""
        return f"http://{self._host}:{self._port}"

    @property
    def endpoint(self) -> str:
        """Return the address of the API, for ``OSC_ENDPOINT_API``."""
        return f"{self.url}/api/v1"


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop of uvloop, or of asyncio where uvloop does not exist."""
    with contextlib.suppress(ImportError):
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()
