"""The entries of ``metadata.managedFields``: read, written, and kept few."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fakekube.builtin import normal
from fakekube.patch import fields

Json = Any
Object = dict[str, Any]

APPLY: Final = "Apply"
UPDATE: Final = "Update"
MANAGERS_MAX: Final = 10
"""Of more managers that update, the oldest become one."""
ANCIENT: Final = "ancient-changes"

# Nobody owns what identifies the object, or what only the server writes.
NEVER: Final[fields.Set] = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {},
        "f:name": {},
        "f:namespace": {},
        "f:creationTimestamp": {},
        "f:selfLink": {},
        "f:uid": {},
        "f:clusterName": {},
        "f:generation": {},
        "f:managedFields": {},
        "f:resourceVersion": {},
    },
}


class Name(NamedTuple):
    """What tells one manager from another; who applies is one in all versions."""

    manager: str
    operation: str
    api_version: str
    subresource: str

    def text(self) -> str:
        """Return the name as the real server sorts it."""
        names = ("manager", "operation", "apiVersion", "subresource")
        found = {key: value for key, value in zip(names, self, strict=True) if value}
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    def printed(self) -> str:
        """Return the name as conflicts show it."""
        found = json.dumps(self.manager, ensure_ascii=False)
        found += f' with subresource "{self.subresource}"' if self.subresource else ""
        return f"{found} using {self.api_version}" if self.operation == UPDATE else found


@dataclass(slots=True)
class Entry:
    """What a manager owns; ``raw`` is the entry it was read from, while that is still true."""

    names: fields.Set
    api_version: str
    time: str | None
    raw: Object | None = None


Managed = dict[Name, Entry]


def name(manager: str, operation: str, api_version: str, subresource: str) -> Name:
    """Return the name of who makes a request."""
    version = "" if operation == APPLY else api_version
    return Name(manager or "unknown", operation, version, subresource)


def read(entries: Json, *, is_own: bool) -> Managed:
    """Return what entries say; ``ValueError`` says in words what is wrong with them.

    What the server has written itself ``is_own``, and needs no second look.
    """
    found: Managed = {}
    for place, entry in enumerate(entries or ()):
        operation = entry.get("operation", "")
        api_version = entry.get("apiVersion", "")
        if operation not in {APPLY, UPDATE}:
            raise ValueError("operation must be `Apply` or `Update`")
        if not api_version:
            raise ValueError("apiVersion must not be empty")
        if entry.get("fieldsType") != "FieldsV1":
            kind = entry.get("fieldsType")
            what = f'invalid fieldsType "{kind}"' if kind else "missing fieldsType"
            raise ValueError(f"{what} in managed fields entry {place}")
        version = "" if operation == APPLY else api_version
        key = Name(entry.get("manager", ""), operation, version, entry.get("subresource", ""))
        names, time = entry.get("fieldsV1") or {}, entry.get("time")
        if is_own:
            found[key] = Entry(names, api_version, time, entry)
        else:
            found[key] = Entry(fields.checked(names), api_version, normal.time(time))
    return found


def is_reset(entries: Json) -> bool:
    """Say whether a client asks to forget all managers: with no entry, or with an empty one."""
    if not isinstance(entries, list):
        return False
    return not entries or (len(entries) == 1 and not any(entries[0].values()))


def written(managed: Managed) -> list[Object]:
    """Return the entries, in the order of the real server."""
    found = sorted(managed.items(), key=_order)
    return [entry.raw or _written(key, entry) for key, entry in found]


def _order(item: tuple[Name, Entry]) -> tuple[str, ...]:
    key, entry = item
    return (key.operation, entry.time or "", key.manager, entry.api_version, key.subresource)


def _written(key: Name, entry: Entry) -> Object:
    found: Object = {}
    if key.manager:
        found["manager"] = key.manager
    found["operation"] = key.operation
    found["apiVersion"] = entry.api_version
    if entry.time is not None:
        found["time"] = entry.time
    found["fieldsType"] = "FieldsV1"
    found["fieldsV1"] = fields.ordered(entry.names)
    if key.subresource:
        found["subresource"] = key.subresource
    return found


def capped(managed: Managed) -> Managed:
    """Return the managers; those that updated long ago are one for each version, if need be."""
    updaters = [key for key in managed if key.operation == UPDATE]
    if len(updaters) <= MANAGERS_MAX:
        return managed
    updaters.sort(key=lambda key: (managed[key].time or "", key.text()))
    left = len(updaters)
    found = dict(managed)
    first: dict[str, Name] = {}
    for key in updaters:
        if left <= MANAGERS_MAX:
            break
        entry = found[key]
        version = entry.api_version
        if version not in first:
            first[version] = key
            continue
        bucket = Name(ANCIENT, UPDATE, version, "")
        old = found[bucket] if bucket in found else found.pop(first[version])
        found.pop(key)
        found[bucket] = Entry(fields.union(entry.names, old.names), version, entry.time)
        left -= 1
    return found


def user_agent_manager(user_agent: str) -> str:
    """Return the manager that a ``User-Agent`` stands for, if the request names none."""
    found = ""
    for character in user_agent.split("/", 1)[0]:
        if not character.isprintable():
            continue
        if len((found + character).encode()) > 128:
            break
        found += character
    return found


def settle(old: Object, new: Object) -> Object:
    """Return a new object that says the old times, if times are all that it changes.

    The real server does so after admission, right before it would store the object.
    """
    before = old.get("metadata", {}).get("managedFields") or []
    after = new.get("metadata", {}).get("managedFields") or []
    if not after or len(before) != len(after) or before == after:
        return new
    if any(_timeless(one) != _timeless(other) for one, other in zip(before, after, strict=True)):
        return new
    kept = {**new, "metadata": {**new["metadata"], "managedFields": before}}
    return kept if kept == old else new


def _timeless(entry: Object) -> Object:
    return {key: value for key, value in entry.items() if key != "time"}
