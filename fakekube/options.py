"""Options of a request, from query or body, refused with the real server's texts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fakekube import selectors, status
from fakekube.status import Cause

Query = Mapping[str, str]
Json = Any

FIELD_VALIDATION = ("", "Ignore", "Strict", "Warn")
PROPAGATION = ("Foreground", "Background", "Orphan")
DIGITS_MAX = 19
"""Of a resource version; the real server takes twenty, up to 2^64."""
CONTINUE_VERSION = "meta.k8s.io/v1"


def number(query: Query, key: str) -> int | None:
    """Read a whole number of the query."""
    text = query.get(key, "")
    if not text:
        return None
    try:
        if abs(found := int(text)) < 1 << 63:
            return found
        problem = "value out of range"
    except ValueError:
        problem = "invalid syntax"
    raise status.bad_request(f'strconv.ParseInt: parsing "{text}": {problem}')


def flag(query: Query, key: str) -> bool:
    """Read a boolean of the query, as leniently as the real server: only these two are false."""
    return query.get(key, "false").lower() not in {"false", "0"}


@dataclass(frozen=True)
class Continue:
    """Where a paged list goes on: the first key, and the version of the whole list."""

    rv: int
    start: str

    def token(self) -> str:
        """Return the token for the client."""
        content = {"v": CONTINUE_VERSION, "rv": self.rv, "start": self.start}
        return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def parse_continue(token: str) -> Continue:
    """Read the token of a client; a version of -1 is that of now."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        content = msgspec.json.decode(raw)
        found = Continue(int(content["rv"]), str(content["start"]))
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise status.bad_request(
            "invalid continue token: continue key is not valid: "
            "invalid character 'i' looking for beginning of value"
        ) from None
    if content.get("v") != CONTINUE_VERSION:
        raise status.bad_request(
            "invalid continue token: continue key is not valid: "
            f'server does not recognize this encoded version "{content.get("v")}"'
        )
    return found


@dataclass(frozen=True)
class ListOptions:
    """What a list or watch asks for."""

    labels: selectors.LabelSelector | None = None
    fields: tuple[selectors.FieldTerm, ...] = ()
    limit: int = 0
    token: Continue | None = None
    version: str = ""
    match: str = ""
    timeout_s: int | None = None
    is_watch: bool = False
    wants_bookmarks: bool = False
    initial_events: bool | None = None

    @property
    def name(self) -> str:
        """Return the one name that the field selector leaves, or nothing."""
        for term in self.fields:
            if term.field == "metadata.name" and term.is_equal:
                return term.value
        return ""


def list_options(query: Query) -> ListOptions:
    """Read the options of a list or watch."""
    if not query:
        return NO_OPTIONS
    found = ListOptions(
        selectors.parse_labels(query.get("labelSelector", "")),
        selectors.parse_fields(query.get("fieldSelector", "")),
        max(number(query, "limit") or 0, 0),
        parse_continue(query["continue"]) if query.get("continue") else None,
        query.get("resourceVersion", ""),
        query.get("resourceVersionMatch", ""),
        number(query, "timeoutSeconds"),
        flag(query, "watch"),
        flag(query, "allowWatchBookmarks"),
        flag(query, "sendInitialEvents") if query.get("sendInitialEvents") else None,
    )
    causes = _watch_causes(found) if found.is_watch else _list_causes(found)
    if causes:
        raise status.invalid("ListOptions", "meta.k8s.io", "", causes)
    return found


NO_OPTIONS = ListOptions()


def _list_causes(found: ListOptions) -> list[Cause]:
    where = "resourceVersionMatch"
    causes = []
    if found.initial_events is not None:
        text = "sendInitialEvents is forbidden for list"
        causes.append(status.field_forbidden("sendInitialEvents", text))
    if not found.match:
        return causes
    if found.token is not None:
        text = "resourceVersionMatch is forbidden for continue"
        causes.append(status.field_forbidden(where, text))
    if not found.version:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(status.field_forbidden(where, text))
    if found.match not in {"Exact", "NotOlderThan"}:
        known = ["Exact", "NotOlderThan", ""]
        causes.append(status.field_not_supported(where, found.match, known))
    if found.match == "Exact" and found.version == "0":
        text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        causes.append(status.field_forbidden(where, text))
    return causes


def _watch_causes(found: ListOptions) -> list[Cause]:
    where = "resourceVersionMatch"
    causes = []
    if found.initial_events is not None and found.match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(status.field_forbidden(where, text))
    if found.match:
        if found.initial_events is None:
            text = (
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            )
            causes.append(status.field_forbidden(where, text))
        if found.match != "NotOlderThan":
            causes.append(status.field_not_supported(where, found.match, ["NotOlderThan"]))
    return causes


def parse_version(text: str, *, is_watch: bool = False) -> int:
    """Read a resource version; nothing is 0."""
    if not text:
        return 0
    is_number = text.isascii() and text.isdigit()
    if is_number and len(text) <= DIGITS_MAX:
        return int(text)
    problem = (
        f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: '
        f'parsing "{text}": {"value out of range" if is_number else "invalid syntax"}'
    )
    if is_watch:
        raise status.plain(500, problem)
    raise status.bad_request(f"invalid resource version: {problem}")


@dataclass(frozen=True)
class WriteOptions:
    """What a create, update or patch asks for besides the object."""

    is_dry: bool = False
    manager: str = ""
    validation: str = ""
    """``Ignore``, ``Warn`` (which is meant when it is empty) or ``Strict``."""
    force: bool = False


_PLAIN_WRITE = WriteOptions()


def write_options(query: Query, kind: str) -> WriteOptions:
    """Read the options of a write; ``kind`` is the name of the options in messages."""
    if not query:
        return _PLAIN_WRITE
    causes = []
    dry = query.get("dryRun", "")
    if dry not in {"", "All"}:
        causes.append(status.field_not_supported("dryRun", [dry], ["All"]))
    manager = query.get("fieldManager", "")
    if len(manager) > 128:
        text = "Too long: may not be more than 128 bytes"
        causes.append(Cause("fieldManager", "FieldValueTooLong", text))
    validation = query.get("fieldValidation", "")
    if validation not in FIELD_VALIDATION:
        causes.append(status.field_not_supported("fieldValidation", validation, FIELD_VALIDATION))
    if causes:
        raise status.invalid(kind, "meta.k8s.io", "", causes)
    return WriteOptions(dry == "All", manager, validation, flag(query, "force"))


@dataclass(frozen=True)
class DeleteOptions:
    """How something is to be deleted."""

    is_dry: bool = False
    grace_s: int | None = None
    propagation: str = ""
    """``Background``, ``Foreground``, ``Orphan``, or nothing for what the kind does by itself."""
    uid: str | None = None
    version: str | None = None
    raw: Json = field(default_factory=dict)
    """The options as an object, for admission."""


def _of_query(query: Query) -> Json:
    found: dict[str, Json] = {}
    if query.get("propagationPolicy"):
        found["propagationPolicy"] = query["propagationPolicy"]
    if query.get("dryRun"):
        found["dryRun"] = [query["dryRun"]]
    if query.get("orphanDependents"):
        found["orphanDependents"] = flag(query, "orphanDependents")
    if query.get("gracePeriodSeconds"):
        found["gracePeriodSeconds"] = number(query, "gracePeriodSeconds")
    return found


def delete_options(query: Query, body: Json) -> DeleteOptions:
    """Read the options of a deletion: those of the body, or else those of the query."""
    given = dict(body or _of_query(query))
    causes = []
    policy = given.get("propagationPolicy")
    orphan = given.get("orphanDependents")
    where = "propagationPolicy"
    if policy is not None and orphan is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(status.field_invalid(where, policy, text))
    elif policy is not None and policy not in PROPAGATION:
        causes.append(status.field_not_supported(where, policy, [*PROPAGATION, "nil"]))
    dry = given.get("dryRun") or []
    if any(each != "All" for each in dry):
        causes.append(status.field_not_supported("dryRun", dry, ["All"]))
    if causes:
        raise status.invalid("DeleteOptions", "meta.k8s.io", "", causes)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    grace = given.get("gracePeriodSeconds")
    conditions = given.get("preconditions") or {}
    return DeleteOptions(
        bool(dry),
        None if grace is None else max(int(grace), 0) if grace >= 0 else 1,
        policy or "",
        conditions.get("uid"),
        conditions.get("resourceVersion"),
        {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", **given},
    )
