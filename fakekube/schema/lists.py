"""What lists of type set and map must hold: no entry and no key twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakekube.schema import causes
from fakekube.status import Cause

Schema = dict[str, Any]
Walk = Callable[[Any, str, list[Cause]], None]


def compile_lists(schema: Schema) -> Walk | None:  # noqa: C901 - One closure for each shape.
    """Compile the check of all sets and maps in a schema; None if there are none."""
    kind = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or []
    members = {
        name: below
        for name, member in (schema.get("properties") or {}).items()
        if (below := compile_lists(member)) is not None
    }
    rest = schema.get("additionalProperties")
    others = compile_lists(rest) if isinstance(rest, dict) else None
    items = compile_lists(schema["items"]) if schema.get("items") else None
    if kind not in {"set", "map"} and not members and not others and not items:
        return None

    def walk(value: Any, path: str, found: list[Cause]) -> None:
        if value.__class__ is dict:
            for name, member in value.items():
                if others:
                    others(member, f"{path}[{name}]", found)
                if name in members:
                    members[name](member, f"{path}.{name}" if path else name, found)
        elif value.__class__ is list:
            if kind == "set":
                found += [causes.duplicate(f"{path}[{at}]", value[at]) for at in _repeats(value)]
            elif kind == "map":
                found += _check_map(value, keys, path)
            if items:
                for index, entry in enumerate(value):
                    items(entry, f"{path}[{index}]", found)

    return walk


def _repeats(entries: list[Any]) -> list[int]:
    """Return where an entry stands for the second time; the third and later are not reported."""
    seen: dict[Any, int] = {}
    found = []
    for index, entry in enumerate(entries):
        key = _frozen(entry)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:
            found.append(index)
    return found


def _frozen(value: Any) -> Any:
    if isinstance(value, dict | list):
        return (dict, causes.encode(value))
    return (value.__class__, value)


def _check_map(entries: list[Any], keys: list[str], path: str) -> list[Cause]:
    for index, entry in enumerate(entries):
        if entry is not None and not isinstance(entry, dict):
            detail = "must be an object for an array of list-type map"
            return [causes.invalid(f"{path}[{index}]", entry, detail)]
    found = [{name: entry[name] for name in keys if name in (entry or {})} for entry in entries]
    return [causes.duplicate(f"{path}[{index}]", found[index]) for index in _repeats(found)]
