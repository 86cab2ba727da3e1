"""HTTP on a socket: requests in order, answers and streams out, with limits and back-pressure.

The protocol stands on httptools and, where there is one, uvloop. A request is answered at once in
the event loop; one that has to wait for somebody else goes on as a task.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
from collections.abc import Callable, Coroutine, Generator
from email.utils import formatdate
from typing import Any

import httptools

from fakekube import clock, status, store
from fakekube.call import Request, Response

HEADER_LIMIT = 64 * 1024
BODY_LIMIT = 3 * 1024 * 1024
"""What the real server takes."""
IDLE_S = 120.0
"""How long a connection may be silent, and how long a request may take to arrive, in seconds."""
SWEEP_S = 5.0
LINGER_S = 1.0
"""How long what a refused client still sends is read and thrown away, so that it sees why."""
CONNECTION_LIMIT = 4096

Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class Connection(asyncio.Protocol):
    """One connection: reads requests one after the other and writes their answers in order."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._transport: Any = None
        self._parser: Any = None
        self._source = ""
        self._certificate: bytes | None = None
        self._queue: list[tuple[Request, bool]] = []
        self._task: asyncio.Task[Response] | None = None
        self._stream: Any = None
        self._is_paused = False
        self._is_closing = False
        self._is_kept = True
        self.since: float | None = hub.loop.time()
        """Since when the connection waits for the client; None while the client waits for us."""
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._size = 0
        self._body: list[bytes] = []
        self._body_size = 0

    # asyncio calls these.

    def connection_made(self, transport: Any) -> None:
        """Take a new connection."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._source = peer[0] if peer else ""
        secure = transport.get_extra_info("ssl_object")
        if secure is not None:
            self._certificate = secure.getpeercert(binary_form=True)
        self._hub.connections.add(self)
        if len(self._hub.connections) > CONNECTION_LIMIT:
            self.close()
            return
        self._parser = httptools.HttpRequestParser(self)

    def connection_lost(self, _problem: Exception | None) -> None:
        """Let go of all that was for this client."""
        self._is_closing = True
        self._queue.clear()
        self._hub.connections.discard(self)
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """Take no more requests while the client does not read."""
        self._is_paused = True
        if self._stream is None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._is_paused = False
        self._transport.resume_reading()
        self._work()

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        if self._is_closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(status.bad_request("Upgrade request required"))
        except (httptools.HttpParserError, httptools.HttpParserCallbackError, UnicodeError):
            if self._body_size > BODY_LIMIT:
                self._refuse(status.too_large(BODY_LIMIT))
            else:
                self._refuse(status.bad_request("The request is no HTTP."))

    def close(self) -> None:
        """Hang up."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    # httptools calls these.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._begin()
        if self.since is not None:
            self.since = self._hub.loop.time()

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._grow(len(name) + len(value))
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers = self._headers
        headers[key] = f"{headers[key]}\0{text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Refuse what is too large before it is sent."""
        length = self._headers.get("content-length", "0")
        if len(length) > 15 or int(length) > BODY_LIMIT:
            self._body_size = BODY_LIMIT + 1
            raise httptools.HttpParserError("The body is too large.")
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body_size += len(part)
        if self._body_size > BODY_LIMIT:
            raise httptools.HttpParserError("The body is too large.")
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Queue the request; one for another protocol is refused when the parser says so."""
        if self._parser.should_upgrade():
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(
            self._parser.get_method().decode("latin-1"),
            self._url.decode("latin-1"),
            self._headers,
            body,
            self._source,
            self._certificate,
        )
        self._queue.append((request, self._parser.should_keep_alive()))
        self._work()

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > HEADER_LIMIT:
            raise httptools.HttpParserError("The header is too large.")

    # Answering.

    def _work(self) -> None:
        while self._queue and not self._is_busy:
            request, keep = self._queue.pop(0)
            self.since = None
            running = self._hub.answer(request)
            try:
                first = running.send(None)
            except StopIteration as done:
                self._finish(done.value, keep=keep)
                continue
            self._task = self._hub.loop.create_task(_resume(running, first))
            self._task.add_done_callback(functools.partial(self._done, keep))

    @property
    def _is_busy(self) -> bool:
        return (
            self._is_closing
            or self._is_paused
            or self._task is not None
            or self._stream is not None
        )

    def _done(self, keep: bool, task: asyncio.Task[Response]) -> None:  # noqa: FBT001 - a callback
        self._task = None
        if not task.cancelled() and not self._is_closing:
            self._finish(task.result(), keep=keep)
            self._work()

    def _finish(self, answer: Response, *, keep: bool) -> None:
        if answer.is_lost:
            self._transport.abort()
            return
        self.since = self._hub.loop.time()
        head = _head(answer.status, answer.content_type, tuple(answer.headers), keep=keep)
        if answer.stream is not None:
            self.since = None
            self._transport.write(
                b"%bDate: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % (head, self._hub.date())
            )
            self._stream = answer.stream
            self._is_kept = keep
            answer.stream.start(self)
            return
        parts = answer.parts
        size = sum(map(len, parts))
        head = b"%bDate: %b\r\nContent-Length: %d\r\n\r\n" % (head, self._hub.date(), size)
        if size < 65536:
            self._transport.write(b"".join((head, *parts)))
        else:
            self._transport.writelines([head, *parts])
        if not keep:
            self.close()

    # A stream calls these.

    def write(self, data: bytes) -> int:
        """Send a chunk, and return how many bytes still wait."""
        if self._is_closing:
            return 0
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        found: int = self._transport.get_write_buffer_size()
        return found

    def end(self) -> None:
        """End the stream; a client that does not read is cut off."""
        if self._stream is None or self._is_closing:
            return
        stream, self._stream = self._stream, None
        stream.close()
        if self._transport.get_write_buffer_size() > BODY_LIMIT:
            self._transport.abort()
            return
        self._transport.write(b"0\r\n\r\n")
        self.since = self._hub.loop.time()
        if not self._is_kept:
            self.close()
        self._work()

    def abort(self) -> None:
        """Break the connection, as a network does."""
        self._transport.abort()

    def _refuse(self, problem: status.ApiError) -> None:
        self._is_closing = True
        body = store.encode(problem.status())
        head = _head(problem.code, "application/json", (), keep=False)
        self._transport.write(
            b"%bDate: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (head, self._hub.date(), len(body), body)
        )
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._hub.loop.call_later(LINGER_S, self.close)


class _Resumed:
    """Go on with a coroutine that already waits for something."""

    def __init__(self, running: Coroutine[Any, Any, Response], first: Any) -> None:
        self._running = running
        self._first = first

    def __await__(self) -> Generator[Any, Any, Response]:
        waited = self._first
        while True:
            try:
                sent = yield waited
            except BaseException as problem:  # noqa: BLE001 - it belongs to the coroutine
                step = functools.partial(self._running.throw, problem)
            else:
                step = functools.partial(self._running.send, sent)
            try:
                waited = step()
            except StopIteration as done:
                result: Response = done.value
                return result


async def _resume(running: Coroutine[Any, Any, Response], first: Any) -> Response:
    return await _Resumed(running, first)


@functools.lru_cache(maxsize=256)
def _head(
    code: int, content_type: str, headers: tuple[tuple[str, str], ...], *, keep: bool
) -> bytes:
    reason = http.client.responses.get(code, "Unknown")
    lines = [f"HTTP/1.1 {code} {reason}", "Cache-Control: no-cache, private"]
    lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append("X-Content-Type-Options: nosniff")
    if not keep:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")


class Hub:
    """All connections of one server."""

    def __init__(self, answer: Answer, time: clock.Clock) -> None:
        self.answer = answer
        self.connections: set[Connection] = set()
        self.loop: asyncio.AbstractEventLoop = None  # type: ignore[assignment]
        self._clock = time
        self._servers: list[asyncio.Server] = []
        self._date = b""
        self._dated = 0
        self._sweeper: asyncio.TimerHandle | None = None

    async def listen(self, host: str, port: int, secure: Any = None) -> int:
        """Listen, and return the port; 0 lets the system choose one."""
        self.loop = asyncio.get_running_loop()
        make = functools.partial(Connection, self)
        server = await self.loop.create_server(make, host, port, ssl=secure, backlog=1024)
        self._servers.append(server)
        if self._sweeper is None:
            self._sweep()
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
        # Connections of TLS say goodbye in the next turns of the loop.
        for _ in range(100):
            if not self.connections:
                break
            await asyncio.sleep(0.005)
        for connection in list(self.connections):
            with contextlib.suppress(AttributeError):
                connection.abort()
        self._servers.clear()

    def date(self) -> bytes:
        """Return the Date header of now, made once a second."""
        now = int(self._clock.wall())
        if now != self._dated:
            self._dated = now
            self._date = formatdate(now, usegmt=True).encode()
        return self._date

    def _sweep(self) -> None:
        edge = self.loop.time() - IDLE_S
        for connection in list(self.connections):
            if connection.since is not None and connection.since < edge:
                connection.close()
        self._sweeper = self.loop.call_later(SWEEP_S, self._sweep)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop of uvloop, or of asyncio where uvloop does not exist."""
    with contextlib.suppress(ImportError):
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()
