"""What an HTTP request means: path, method, credentials, body; and how an answer is written.

Every HTTP door (server, ``requests`` adapter, ``mock_outscale``) hands its requests to
:class:`Door`, so all of them behave the same.
"""

from __future__ import annotations

import re
import traceback
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fakecloud import auth, errors, faults, lbu
from fakecloud.cloud import Caller, FakeCloud

Json = Any
BODY_LIMIT = 8 * 1024 * 1024
"""The largest body that is read, in bytes: ten times the largest valid CreateVms."""

# Some clients append what is in the configured endpoint already.
PREFIX = re.compile(r"(?:/(?:api|oapi|v\d+|latest)(?=/|$))*", re.IGNORECASE)
HOST = re.compile(r"(api|lbu)\.([a-z0-9-]+)\.outscale\.(?:com|hk)")
JSON = ("Content-Type", "application/json")
ORIGIN = ("Access-Control-Allow-Origin", "*")
# A success carries these as well; an error does not (recorded).
SUCCESS = [
    JSON,
    ORIGIN,
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains; preload"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Xss-Protection", "1; mode=block"),
]
FAILURE = [JSON, ORIGIN]
PREFLIGHT = [
    ("Access-Control-Allow-Methods", "OPTIONS,POST"),
    ORIGIN,
    ("Access-Control-Max-Age", "86400"),
]
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Request:
    """One HTTP request; the names of ``headers`` are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    source: str = ""


@dataclass(slots=True)
class Response:
    """One HTTP answer. ``lost``: hang up instead; ``delay_s``: wait that long first."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=lambda: FAILURE)
    lost: bool = False
    delay_s: float = 0.0


class Door:
    """Answer the HTTP requests of one cloud. ``mode`` is none, known-key or verify."""

    def __init__(self, cloud: FakeCloud, mode: str = "none") -> None:
        self.cloud = cloud
        self.guard = auth.Guard(cloud, mode)
        cloud.auth = mode
        self._regions = set(cloud.document.regions)
        self._actions: dict[str, str] = {}

    def answer(self, request: Request) -> Response:
        """Answer a request; whatever goes wrong, the client gets a documented error."""
        try:
            return self._answer(request)
        except errors.ApiError as error:
            return self.refuse(error)
        except faults.ConnectionLost:
            return Response(0, b"", lost=True)
        except Exception:  # noqa: BLE001 - a mistake of ours is a 500 with its trace on our side
            traceback.print_exc()
            return self.refuse(errors.refusal(2000))

    def refuse(self, error: errors.ApiError) -> Response:
        """Write a refusal."""
        request_id = error.request_id or self.cloud.stray_id()
        body = {"Errors": error.body(), "ResponseContext": {"RequestId": request_id}}
        return Response(error.status, _encode(body), FAILURE)

    def _answer(self, request: Request) -> Response:
        region = self.region_of(request)
        if self._wants_lbu(request):
            return self._answer_lbu(request, region)
        if request.method == "OPTIONS":
            return Response(204, b"", PREFLIGHT)
        if request.method != "POST":
            raise errors.refusal(2)
        name = self._actions.get(request.path) or self._action(request.path)
        spec = self.cloud.document.actions.get(name)
        if spec is None:
            return self._answer_index(request, name)
        if len(request.body) > BODY_LIMIT:
            raise too_large(len(request.body))
        caller = Caller(
            self.cloud.account,
            region,
            source=request.source,
            agent=request.headers.get("user-agent", ""),
        )
        self.guard.admit(request, spec, caller)
        body = self.cloud.perform(name, parse(request.body), caller)
        return Response(200, body, SUCCESS, delay_s=caller.delay_s)

    def region_of(self, request: Request) -> str:
        """Return the region that the Host header names, or the cloud's own."""
        found = HOST.match(request.headers.get("host", ""))
        if found and found[2] in self._regions:
            return found[2]
        return self.cloud.region

    def _action(self, path: str) -> str:
        plain = re.sub("/+", "/", urllib.parse.urlsplit("//host" + path).path)
        found = PREFIX.match(plain)
        name = plain[found.end() if found else 0 :].strip("/")
        if name in self.cloud.document.actions:
            self._actions[path] = name
        return name

    def _answer_index(self, request: Request, name: str) -> Response:
        plain = request.path.rstrip("/").lower()
        if name == "" and plain.endswith("/api"):
            return Response(200, _encode({"Versions": ["v1"]}), SUCCESS)
        if name == "" and plain.endswith("/v1"):
            book = self.cloud.document
            index = {"Version": book.version, "Calls": list(book.actions)}
            return Response(200, _encode(index), SUCCESS)
        raise errors.refusal(12000, action=name)

    def _wants_lbu(self, request: Request) -> bool:
        kind = request.headers.get("content-type", "")
        return kind.startswith("application/x-www-form-urlencoded") and b"Action=" in request.body

    def _answer_lbu(self, request: Request, region: str) -> Response:
        form = dict(urllib.parse.parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
        caller = Caller(self.cloud.account, region, source=request.source)
        try:
            self.guard.identify(request, caller, f"elasticloadbalancing:{form.get('Action', '')}")
        except errors.ApiError as error:
            is_signed = bool(request.headers.get("authorization"))
            status, xml = lbu.refuse(self.cloud, error, is_signed=is_signed)
        else:
            status, xml = lbu.answer(self.cloud, form, caller)
        headers = [("Content-Type", "text/xml"), ORIGIN]
        return Response(status, xml, headers, delay_s=caller.delay_s)


def parse(body: bytes) -> dict[str, Json]:
    """Read the JSON object of a request; an empty body is an empty object.

    Raise 4095 for what is no JSON, and 4110 for JSON that is no object.
    """
    if not body:
        return {}
    try:
        request = _decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise errors.refusal(4095, f"The body of the request is no JSON: {error}.") from None
    if not isinstance(request, dict):
        raise errors.refusal(4110, parameter="(body)", type="object")
    return request


def too_large(size: int) -> errors.ApiError:
    """Make the refusal of a body that is too large to be read."""
    error = errors.refusal(
        4106, parameter="(body)", length=size, expected=f"at most {BODY_LIMIT} bytes"
    )
    error.status = 413
    return error
