"""Calls of webhooks: JSON over HTTPS, with the real server's words for what goes wrong.

The event loop waits, and nothing else does. Connections are kept for the next call. There is no
cluster network, so a Service is called only where whoever started the server says it listens.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import functools
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib import parse

from fakekube import codec, store

Json = Any

AGENT = "kube-apiserver-admission"
ANSWER_BYTES_MAX = 16 * 1024 * 1024
HEADS_MAX = 64 * 1024
IDLE_MAX = 8
"""How many connections to one webhook wait for the next call."""
SERVICES_HELP = (
    "fakekube has no cluster network. Start it with --service {namespace}/{name}=HOST:PORT"
)


class CallFailed(Exception):
    """A webhook could not be asked, or gave no answer that can be read."""


@dataclass(frozen=True)
class Target:
    """Where a webhook listens."""

    url: str
    """As it stands in messages, without the timeout."""
    host: str
    port: int
    server_name: str
    path: str
    authority: str
    """The certificates to trust: PEM in base64, or nothing for those of the system."""
    problem: str = ""
    """Why it cannot be called at all."""


class Services:
    """Where the Services of the cluster listen, by namespace and name."""

    def __init__(self, addresses: Mapping[str, str] | None = None) -> None:
        self._addresses = dict(addresses or {})

    def find(self, namespace: str, name: str, port: int) -> tuple[str, int] | None:
        """Return host and port of a Service."""
        key = f"{namespace}/{name}"
        found = self._addresses.get(f"{key}:{port}") or self._addresses.get(key)
        if found is None:
            return None
        host, _, number = found.rpartition(":")
        return host.strip("[]"), int(number)


def target(config: Json, services: Services, objects: store.Store) -> Target:
    """Return where the webhook of a ``clientConfig`` listens."""
    authority = config.get("caBundle") or ""
    service = config.get("service")
    if not service:
        parts = parse.urlsplit(config.get("url") or "")
        host = parts.hostname or ""
        url = f"{parts.scheme}://{parts.netloc}{parts.path}"
        return Target(url, host, parts.port or 443, host, parts.path or "/", authority)
    namespace, name = service["namespace"], service["name"]
    port = service.get("port") or 443
    path = service.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    server_name = f"{name}.{namespace}.svc"
    url = f"https://{server_name}:{port}{path}"
    found = services.find(namespace, name, port)
    problem = ""
    if found is None:
        problem = SERVICES_HELP.format(namespace=namespace, name=name)
        if objects.get("services", namespace, name) is None:
            problem = f'service "{name}" not found'
    host, number = found or ("", 0)
    return Target(url, host, number, server_name, path, authority, problem)


@functools.lru_cache(maxsize=256)
def _context(authority: str) -> ssl.SSLContext:
    unreadable = "unable to load root certificates: unable to parse bytes as PEM block"
    try:
        pem = base64.b64decode(authority, validate=True).strip()
    except binascii.Error:
        raise CallFailed(unreadable) from None
    if not pem:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # What is in the bundle is trusted as it is, also when somebody else has signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise CallFailed(unreadable) from None
    return context


class _Connection:
    """One connection to a webhook."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.is_used = False
        self.is_reusable = False

    @property
    def is_alive(self) -> bool:
        """Tell whether the other side has not closed it."""
        return not self.reader.at_eof() and not self.writer.is_closing()

    async def exchange(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return status, headers and body of the answer."""
        self.is_reusable = False
        self.writer.write(request)
        await self.writer.drain()
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        code = int(first.split(" ", 2)[1])
        pairs = (line.partition(":") for line in lines)
        headers = {key.strip().lower(): value.strip() for key, _, value in pairs}
        body, is_whole = await self._body(headers)
        wants_close = headers.get("connection", "").lower() == "close"
        self.is_reusable = is_whole and first.startswith("HTTP/1.1") and not wants_close
        self.is_used = True
        return code, headers, body

    async def _body(self, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks(), True
        length = headers.get("content-length")
        if length is None:
            return await self.reader.read(ANSWER_BYTES_MAX), False
        if int(length) > ANSWER_BYTES_MAX:
            raise CallFailed(f"the answer has {length} bytes, {ANSWER_BYTES_MAX} are the most")
        return await self.reader.readexactly(int(length)), True

    async def _chunks(self) -> bytes:
        parts = []
        left = ANSWER_BYTES_MAX
        while left > 0:
            size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
            if size > left:
                break
            parts.append(await self.reader.readexactly(size))
            left -= size
            await self.reader.readuntil(b"\n")
            if not size:
                return b"".join(parts)
        raise CallFailed(f"the answer has more than {ANSWER_BYTES_MAX} bytes")


class Caller:
    """Calls webhooks; it belongs to one event loop."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int, str, str], list[_Connection]] = {}

    async def post(
        self, where: Target, content: Json, timeout_s: float, *, shows_timeout: bool = True
    ) -> Json:
        """Return the answer of a webhook; raise ``CallFailed``, with words as of the real server.

        ``shows_timeout`` tells the webhook how long is waited for it.
        """
        query = f"?timeout={int(timeout_s)}s" if shows_timeout else ""
        label = f'Post "{where.url}{query}": '
        if where.problem:
            raise CallFailed(label + where.problem)
        body = store.encode(content)
        netloc = parse.urlsplit(where.url).netloc
        head = (
            f"POST {where.path}{query} HTTP/1.1\r\nHost: {netloc}\r\nUser-Agent: {AGENT}\r\n"
            f"Content-Length: {len(body)}\r\nAccept: application/json, */*\r\n"
            "Content-Type: application/json\r\n\r\n"
        )
        # A request begins outside of any task; after a first pause, it is in one.
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(timeout_s):
                code, headers, answer = await self._send(where, head.encode() + body)
        except TimeoutError:
            raise CallFailed(f"{label}context deadline exceeded") from None
        except (OSError, ValueError, EOFError, IndexError, asyncio.LimitOverrunError) as error:
            raise CallFailed(label + _problem(error, where)) from None
        return _read(code, headers, answer)

    async def _send(self, where: Target, request: bytes) -> tuple[int, dict[str, str], bytes]:
        key = (where.host, where.port, where.server_name, where.authority)
        idle = self._idle.setdefault(key, [])
        while idle:
            connection = idle.pop()
            if connection.is_alive:
                try:
                    return await self._exchange(connection, idle, request)
                except (ConnectionError, EOFError):
                    # The other side hung up when the connection had waited for too long.
                    continue
        reader, writer = await asyncio.open_connection(
            where.host,
            where.port,
            ssl=_context(where.authority),
            server_hostname=where.server_name,
            limit=HEADS_MAX,
        )
        return await self._exchange(_Connection(reader, writer), idle, request)

    async def _exchange(
        self, connection: _Connection, idle: list[_Connection], request: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            return await connection.exchange(request)
        finally:
            if connection.is_reusable and len(idle) < IDLE_MAX:
                idle.append(connection)
            else:
                connection.writer.close()

    async def close(self) -> None:
        """Close all connections."""
        connections = [each for idle in self._idle.values() for each in idle]
        self._idle.clear()
        for connection in connections:
            connection.writer.transport.abort()
        for connection in connections:
            with contextlib.suppress(OSError):
                await connection.writer.wait_closed()


def _problem(error: Exception, where: Target) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: {_distrust(error, where)}"
    if isinstance(error, ssl.SSLError):
        if "WRONG_VERSION_NUMBER" in str(error) or "RECORD_LAYER" in str(error):
            return "http: server gave HTTP response to HTTPS client"
        return f"remote error: tls: {error.reason}"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {where.host}: no such host"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {_address(where)}: connect: connection refused"
    if isinstance(error, ConnectionError):
        return f"read tcp {_address(where)}: read: connection reset by peer"
    if isinstance(error, EOFError):
        return "EOF"
    if isinstance(error, OSError):
        return f"dial tcp {_address(where)}: {error.strerror or error}"
    return f"net/http: HTTP/1.x transport connection broken: {error}"


def _address(where: Target) -> str:
    host = f"[{where.host}]" if ":" in where.host else where.host
    return f"{host}:{where.port}"


def _distrust(error: ssl.SSLCertVerificationError, where: Target) -> str:
    # The numbers of OpenSSL: nobody known has signed it; it is not of this time; of other names.
    if error.verify_code in {2, 7, 18, 19, 20, 21}:
        return "x509: certificate signed by unknown authority"
    if error.verify_code in {9, 10}:
        return "x509: certificate has expired or is not yet valid"
    if error.verify_code in {62, 64}:
        return f"x509: certificate is not valid for {where.server_name}"
    return f"x509: {error.verify_message}"


_TEXTS = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: (
        "the server was unable to return a response in the time allotted, "
        "but may still be processing the request"
    ),
}
_OWN_TEXTS = {403, 406, 415}
_FAILURE = ("Status", "Failure")


def _read(code: int, headers: Mapping[str, str], body: bytes) -> Json:
    if not 200 <= code <= 206:
        media = headers.get("content-type", codec.JSON).partition(";")[0].strip().lower()
        raise CallFailed(_unexpected(code, media, body))
    if not body:
        raise CallFailed(
            f"0-length response with status code: {code} and content type: "
            f"{headers.get('content-type', '')}"
        )
    prefix = "couldn't get version/kind; json parse error: "
    try:
        found = store.decode(body)
    except (ValueError, RecursionError):
        if body.lstrip().startswith(b"{"):
            raise CallFailed(prefix + codec.json_problem(body)) from None
        try:
            found = codec.unstructured(body, codec.YAML)
        except ValueError as error:
            raise CallFailed(str(error).removeprefix("error converting YAML to JSON: ")) from None
    if not isinstance(found, dict):
        kinds = {list: "array", str: "string", bool: "bool", type(None): "null"}
        raise CallFailed(
            f"{prefix}json: cannot unmarshal {kinds.get(type(found), 'number')} into Go value of "
            'type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
            'Kind string "json:\\"kind,omitempty\\"" }'
        )
    return found


def _unexpected(code: int, media: str, body: bytes) -> str:
    text = "unknown"
    if media.startswith("text/"):
        text = body[:2048].decode("utf-8", "replace").strip()
    elif media == codec.JSON:
        try:
            found = store.decode(body)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and (found.get("kind"), found.get("status")) == _FAILURE:
            return str(found.get("message", ""))
    if code in _OWN_TEXTS:
        return text
    if code in _TEXTS:
        return _TEXTS[code]
    if code >= 500:
        return f'an error on the server ("{text}") has prevented the request from succeeding'
    return f"the server responded with the status code {code} but did not return more information"


def check_kind(found: Json, api_version: str, kind: str) -> None:
    """Refuse an answer of another kind; one that names none is for the caller to judge."""
    theirs, version = found.get("kind") or "", found.get("apiVersion") or ""
    if (not theirs and not version) or (theirs, version) == (kind, api_version):
        return
    number = version.rpartition("/")[2]
    if theirs in {kind, "Status"}:
        wanted = api_version.rpartition("/")[2]
        raise CallFailed(f"converting ({number}.{theirs}) to ({wanted}.{kind}): unknown conversion")
    raise CallFailed(
        f'no kind "{theirs}" is registered for version "{version}" '
        'in scheme "pkg/runtime/scheme.go:110"'
    )
