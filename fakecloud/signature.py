"""Signatures of requests: OSC4-HMAC-SHA256 and AWS4-HMAC-SHA256, as clients in use make them.

What is signed: the method, the path and query as sent, the headers that the client names, and the
hash of the body. Clients disagree about the host (with or without port), the region and service of
the scope, and the word that ends it, so that all of these are accepted.

https://docs.outscale.com/en/userguide/Signature-of-API-Requests.html
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

SKEW_S = 300.0
"""How far the date of a signature may lie from real time, before or after.

Five minutes is what the documentation says. The vendor's tests of 2021 show a longer past (800 s
are accepted) and a shorter future (4 s are refused); we follow the documentation both ways."""

ALGORITHMS = ("OSC4-HMAC-SHA256", "AWS4-HMAC-SHA256")
CREDENTIAL = re.compile(r"\bCredential=([^/,\s]+)/")
AUTHORIZATION = re.compile(
    r"(?P<algorithm>(?P<kind>OSC4|AWS4)-HMAC-SHA256) +"
    r"Credential=(?P<key>[^/,\s]+)/"
    r"(?P<scope>(?P<day>[^/,\s]+)/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/"
    r"(?P<end>osc4_request|aws4_request)) *, *"
    r"SignedHeaders=(?P<signed>[^,\s]+) *, *"
    r"Signature=(?P<signature>[0-9a-f]{64}) *"
)


class Request(Protocol):
    """One HTTP request as it came: the path with its query, and header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Signer:
    """A derived signing key; ``bare`` remembers that its client signs the host without port."""

    key: bytes
    bare: bool = False


@functools.lru_cache(maxsize=4096)
def signer(secret: str, kind: str, day: str, region: str, service: str, end: str) -> Signer:
    """Derive the signing key of a secret key for a credential scope."""
    key = (kind + secret).encode()
    for part in (day, region, service, end):
        key = hmac.digest(key, part.encode(), "sha256")
    return Signer(key)


def verifies(request: Request, found: re.Match[str], secret: str, now: float) -> bool:
    """Tell whether a request carries the signature of a secret key, made at about ``now``.

    The region and service of the scope may be any, as the clients in use disagree about them.
    """
    headers = request.headers
    kind, scope, signed, signature = found.group("kind", "scope", "signed", "signature")
    first, second = ("x-osc-date", "x-amz-date") if kind == "OSC4" else ("x-amz-date", "x-osc-date")
    date = headers.get(first) or headers.get(second) or headers.get("date", "")
    try:
        at, stamp = moment(date)
    except (ValueError, OverflowError):
        return False
    names = signed.split(";")
    if abs(now - at) > SKEW_S or "host" not in names:
        return False
    digest = hashlib.sha256(request.body).hexdigest()
    if headers.get("x-amz-content-sha256", digest) != digest:
        return False
    signer_ = signer(secret, *found.group("kind", "day", "region", "service", "end"))
    for host, bare in _hosts(headers.get("host", ""), first_bare=signer_.bare):
        lines = [
            f"{name}:{host if name == 'host' else _trim(headers.get(name, ''))}\n" for name in names
        ]
        rest = f"{''.join(lines)}\n{signed}\n{digest}"
        for path, query in _paths(request.path):
            canonical = f"{request.method}\n{path}\n{query}\n{rest}"
            hashed = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
            text = f"{found['algorithm']}\n{stamp}\n{scope}\n{hashed}"
            made = hmac.digest(signer_.key, text.encode("utf-8", "surrogateescape"), "sha256")
            if hmac.compare_digest(made.hex(), signature):
                signer_.bare = bare
                return True
    return False


@functools.lru_cache(maxsize=1024)
def moment(text: str) -> tuple[float, str]:
    """Read the date of a request, as seconds since the epoch and as it is signed.

    It is written as ``20260101T000000Z``; a plain ``Date`` header is read too. Raise
    ``ValueError`` for anything else.
    """
    if len(text) == 16 and text[8] == "T" and text.endswith("Z"):
        at = datetime(
            int(text[:4]), int(text[4:6]), int(text[6:8]),
            int(text[9:11]), int(text[11:13]), int(text[13:15]), tzinfo=UTC,
        )  # fmt: skip
        return at.timestamp(), text
    from email.utils import parsedate_to_datetime  # Rare, and slow to import.

    at = parsedate_to_datetime(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at.timestamp(), at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _hosts(sent: str, *, first_bare: bool) -> Iterator[tuple[str, bool]]:
    """Give the hosts that may be signed: osc-sdk-python sends a port, but signs without it."""
    name, colon, port = sent.rpartition(":")
    if not colon or not port.isdigit():
        yield sent, False
    elif first_bare:
        yield name, True
        yield sent, False
    else:
        yield sent, False
        yield name, True


def _paths(sent: str) -> Iterator[tuple[str, str]]:
    """Give the paths and queries that may be signed for a path: as sent first."""
    if "?" in sent:
        yield sent, ""  # osc-sdk-python takes the query for a part of the path.
    path, _, query = sent.partition("?")
    if query:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        quoted = sorted(
            (urllib.parse.quote(name, "-_.~"), urllib.parse.quote(value, "-_.~"))
            for name, value in pairs
        )
        query = "&".join(f"{name}={value}" for name, value in quoted)
    yield path or "/", query
    if "//" in path:
        yield re.sub("/+", "/", path), query  # botocore signs what it does not send.


def _trim(value: str) -> str:
    value = value.strip()
    return " ".join(value.split()) if "  " in value else value
