"""One request on its way through the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fakekube import codec, paths
from fakekube.resource import Resource

Json = Any


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names are in lower case; the values of one that is repeated are joined with a NUL."""
    body: bytes = b""
    source: str = ""
    certificate: Json = None
    """The certificate of the client, in DER; None when it showed none."""


@dataclass
class Response:
    """An answer; ``stream`` takes the place of the body for a watch."""

    status: int
    parts: list[bytes] = field(default_factory=list)
    content_type: str = codec.JSON
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Any = None
    is_lost: bool = False
    """The connection breaks in place of the answer."""


@dataclass
class Call:
    """A request for a resource: what, who, how, and the warnings that gather on the way."""

    info: paths.RequestInfo
    resource: Resource
    query: Mapping[str, str]
    user: Any
    agent: str = ""
    content_type: str = ""
    body: bytes = b""
    media: codec.Media = codec.PLAIN
    warnings: list[str] = field(default_factory=list)

    @property
    def manager(self) -> str:
        """Return the field manager: the one named in the query, or the name of the client."""
        named = self.query.get("fieldManager")
        if named:
            return named
        name = self.agent.partition("/")[0][:128]
        return "".join(each for each in name if each.isprintable()) or "unknown"
