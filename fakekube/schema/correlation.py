"""Which old value belongs to a new one, and whether the two are equal.

The real server forgives the mistakes of what an update leaves as it was (ratcheting). Entries of a
list belong together when their keys are equal; entries of other lists never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]

NOTHING: Any = object()
"""There is no old value; `None` would be an old null."""


def same(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal; unlike Python, 1, 1.0 and true differ."""
    if left.__class__ is not right.__class__:
        return False
    if isinstance(left, dict):
        if left.keys() != right.keys():
            return False
        return all(same(value, right[name]) for name, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def key_of(entry: Any, keys: Sequence[str]) -> tuple[Any, ...] | None:
    """Return the key of an entry of a list-type map, or None if it lacks a part of it."""
    if not isinstance(entry, dict):
        return None
    parts = [entry.get(name) for name in keys]
    if any(part is None or isinstance(part, dict | list) for part in parts):
        return None
    return tuple((part.__class__, part) for part in parts)


def correlated(schema: Schema, old: Any) -> dict[Any, Any]:
    """Return the old entries of a list by their keys; empty if the list has none."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys or schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return {}
    # Of two with the same key, the first counts.
    entries = {key_of(entry, keys): entry for entry in reversed(old)}
    entries.pop(None, None)
    return entries


def unchanged(schema: Schema, new: Any, old: Any) -> bool:
    """Tell whether a value is as it was; the order in a list-type map does not matter."""
    if new.__class__ is not old.__class__:
        return False
    if isinstance(new, dict):
        return new.keys() == old.keys() and _members_unchanged(schema, new, old)
    if not isinstance(new, list):
        return same(new, old)
    if len(new) != len(old):
        return False
    if schema.get("x-kubernetes-list-type") != "map":
        return same(new, old)
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    entries = correlated(schema, old)
    items = schema.get("items") or {}
    return all(
        (key := key_of(entry, keys)) in entries and unchanged(items, entry, entries[key])
        for entry in new
    )


def _members_unchanged(schema: Schema, new: dict[str, Any], old: dict[str, Any]) -> bool:
    properties = schema.get("properties") or {}
    rest = schema.get("additionalProperties")
    for name, value in new.items():
        member = properties.get(name) or rest
        # A field without a schema cannot be followed, and counts as changed.
        if not isinstance(member, dict) or not unchanged(member, value, old[name]):
            return False
    return True
