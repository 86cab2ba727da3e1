"""Servers that do nothing but answer: what the layers below a simulator allow at most.

    python echo.py LAYER SIZE

Listens on a free port of loopback, prints the port, and answers every request with SIZE bytes of
body. Each layer is one function; `http_layer.py` compares them, and `run.py` takes the fastest as
the ceiling of its own load generator.
"""

from __future__ import annotations

import asyncio
import http.server
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Serve = Callable[[bytes], Awaitable[int]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Raw(asyncio.Protocol):
    """Answer whatever arrives, without looking at it: one read is taken for one request."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, _: bytes) -> None:
        self._transport.write(self._answer)


class Parsed(asyncio.Protocol):
    """Read requests with httptools, as fakecloud does."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        import httptools

        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", b""
        self._headers: dict[str, str] = {}

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        self._transport.write(self._answer)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)


class ByHand(asyncio.Protocol):
    """Read requests with Python's own bytes methods."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._rest = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            headers = {}
            for line in self._rest[:end].decode("latin-1").split("\r\n")[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            size = end + 4 + int(headers.get("content-length", "0"))
            if len(self._rest) < size:
                return
            self._rest = self._rest[size:]
            self._transport.write(self._answer)


def protocol(kind: type[asyncio.Protocol]) -> Serve:
    """Return a server on a protocol class."""

    async def serve(body: bytes) -> int:
        answer = HEAD % len(body) + body
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: kind(answer), "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    return serve


async def streams(body: bytes) -> int:
    """Serve with asyncio's streams, one task for each connection."""
    answer = HEAD % len(body) + body

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            headers = {}
            for line in head.decode("latin-1").split("\r\n")[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            await reader.readexactly(int(headers.get("content-length", "0")))
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def aiohttp_server(body: bytes) -> int:
    """Serve with aiohttp."""
    from aiohttp import web

    async def talk(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{path:.*}", talk)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: int = runner.addresses[0][1]
    return port


async def uvicorn_server(body: bytes) -> int:
    """Serve an ASGI application with uvicorn."""
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(asgi(body), log_level="error", access_log=False, lifespan="off")
    BACKGROUND.append(asyncio.ensure_future(uvicorn.Server(config).serve([listener])))
    port: int = listener.getsockname()[1]
    return port


async def granian_server(body: bytes) -> int:
    """Serve an ASGI application with granian, whose HTTP is written in Rust."""
    from granian.server.embed import Server

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    server = Server(asgi(body), address="127.0.0.1", port=port, interface="asgi")
    BACKGROUND.append(asyncio.ensure_future(server.serve()))
    await asyncio.sleep(1)  # It does not tell when it listens.
    return port


BACKGROUND: list[asyncio.Future[None]] = []


def asgi(body: bytes) -> Any:
    """Return an ASGI application that answers everything with the same bytes."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def talk(_: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            continue
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return talk


def threads(body: bytes) -> None:
    """Serve with the standard library, one thread for each connection; this never returns."""

    class Talk(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Talk)
    print(server.server_port, flush=True)
    server.serve_forever()


LAYERS: dict[str, tuple[str, Serve]] = {
    # name: (event loop, server).
    "raw-uvloop": ("uvloop", protocol(Raw)),
    "raw-asyncio": ("asyncio", protocol(Raw)),
    "httptools-uvloop": ("uvloop", protocol(Parsed)),
    "httptools-asyncio": ("asyncio", protocol(Parsed)),
    "by-hand-uvloop": ("uvloop", protocol(ByHand)),
    "by-hand-asyncio": ("asyncio", protocol(ByHand)),
    "streams-uvloop": ("uvloop", streams),
    "streams-asyncio": ("asyncio", streams),
    "aiohttp-uvloop": ("uvloop", aiohttp_server),
    "aiohttp-asyncio": ("asyncio", aiohttp_server),
    "uvicorn-uvloop": ("uvloop", uvicorn_server),
    "granian-uvloop": ("uvloop", granian_server),
}


async def forever(serve: Serve, body: bytes) -> None:
    """Serve until the process is ended."""
    print(await serve(body), flush=True)
    await asyncio.Event().wait()


def run(layer: str, body: bytes) -> None:
    """Serve with one layer until the process is ended."""
    if layer == "threads":
        threads(body)
        return
    loop, serve = LAYERS[layer]
    work: Coroutine[Any, Any, None] = forever(serve, body)
    if loop == "uvloop":
        import uvloop

        uvloop.run(work)
    else:
        asyncio.run(work)


if __name__ == "__main__":
    run(sys.argv[1], b"x" * int(sys.argv[2]))
