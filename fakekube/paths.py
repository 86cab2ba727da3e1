"""What a request is about: from method, path and query to verb, resource, namespace and name."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from urllib import parse

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_OF_NAMESPACE = {"status", "finalize"}
"""Subresources of a namespace itself; any other word there is a resource inside of it."""


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request as authorisation sees it; ``is_resource`` is false for other paths."""

    method: str
    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    rest: str = ""
    """What follows the subresource."""


@functools.lru_cache(maxsize=4096)
def parse_path(method: str, path: str) -> RequestInfo:
    """Read method and path; the verb of GET and DELETE is that of a single object or of many."""
    parts = [parse.unquote(part) for part in path.strip("/").split("/")]
    plain = RequestInfo(method, path, method.lower())
    if parts[0] == "api" and len(parts) > 2:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return plain
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _OF_NAMESPACE:
            parts = parts[2:]
    resource, name, subresource, *rest = [*parts, "", ""] if len(parts) < 3 else parts
    verb = _VERBS.get(method) or ("get" if method in {"GET", "HEAD"} else method.lower())
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return RequestInfo(
        method, path, verb, True, group, version, namespace,  # noqa: FBT003 - a field, not a flag
        resource, subresource, name, "/".join(rest).strip("/"),
    )  # fmt: skip


def as_watch(info: RequestInfo) -> RequestInfo:
    """Return the info of a list that is a watch."""
    return replace(info, verb="watch")


def as_named(info: RequestInfo, name: str) -> RequestInfo:
    """Return the info of a list that selects one name, which authorisation may allow by name."""
    return replace(info, name=name)


def parse_query(text: str) -> dict[str, str]:
    """Read a query; of a parameter that is repeated, the first value counts."""
    found: dict[str, str] = {}
    if text:
        for key, value in parse.parse_qsl(text, keep_blank_values=True):
            found.setdefault(key, value)
    return found
