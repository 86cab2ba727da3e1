"""Writes the dicts of JSON as messages of protobuf."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

from fakekube.builtin import Kind
from fakekube.protobuf import plan, wire

Json = Any
Object = dict[str, Any]

EPOCH = dt.datetime.fromisoformat(plan.EPOCH)


def message(name: str, obj: Object) -> bytes:
    """Return the message for an object; fields it does not have are left out."""
    found: list[bytes] = []
    for number, member in plan.members(name).items():
        kind = member.kind
        if member.is_part:
            found.append(wire.block(number, message(kind.name, obj)))
            continue
        value = obj.get(member.name)
        if value is None:
            continue
        if member.is_wrapped:
            found.append(wire.block(number, _items(1, kind, value)))
        elif kind.code == "[":
            found.append(_items(number, kind, value))
        elif kind.code == "{":
            found.append(_pairs(number, kind, value))
        else:
            found.append(_value(number, kind, value))
    return b"".join(found)


def listed(name: str, obj: Object) -> bytes:
    """Return the message for a list."""
    metadata = wire.block(1, message("meta.v1.ListMeta", obj.get("metadata") or {}))
    items = (wire.block(2, message(name, item)) for item in obj.get("items") or ())
    return metadata + b"".join(items)


def _items(number: int, kind: Kind, values: list[Json]) -> bytes:
    assert kind.item is not None, "A list has items."
    return b"".join(_value(number, kind.item, value) for value in values)


def _pairs(number: int, kind: Kind, values: Object) -> bytes:
    item = kind.item
    assert item is not None, "A map has values."
    found: list[bytes] = []
    for key, value in sorted(values.items()):
        if item.code == "[":
            inner = wire.block(2, _items(1, item, value))
        else:
            inner = _value(2, item, value)
        found.append(wire.block(number, wire.text(1, key) + inner))
    return b"".join(found)


def _value(number: int, kind: Kind, value: Json) -> bytes:
    code = kind.code
    if code == "s":
        return wire.text(number, value)
    if code == "@":
        return wire.block(number, message(kind.name, value or {}))
    if code in "ib":
        return wire.integer(number, int(value))
    if code == "f":
        return wire.double(number, value)
    if code == "y":
        return wire.block(number, base64.b64decode(value))
    return wire.block(number, _special(code, value))


def _special(code: str, value: Json) -> bytes:
    """Return the message for a value that is not an object in JSON."""
    if code == "q":
        return wire.text(1, str(value))
    if code in "tT":
        return _time(value)
    if code == "I":
        if isinstance(value, str):
            return wire.integer(1, 1) + wire.integer(2, 0) + wire.text(3, value)
        return wire.integer(1, 0) + wire.integer(2, value) + wire.text(3, "")
    if code in "rF":
        return wire.block(1, json.dumps(value, separators=(",", ":")).encode())
    raise LookupError("JSON without a schema has no protobuf here")


def _time(value: str) -> bytes:
    passed = dt.datetime.fromisoformat(value) - EPOCH
    seconds = passed.days * 86400 + passed.seconds
    return wire.integer(1, seconds) + wire.integer(2, passed.microseconds * 1000)
