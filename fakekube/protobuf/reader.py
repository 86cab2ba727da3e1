"""Reads messages of protobuf as the dicts that JSON would give."""

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


def envelope(data: bytes) -> tuple[str, str, bytes]:
    """Return API version, kind and content of a ``runtime.Unknown``."""
    names = {1: "", 2: ""}
    raw = b""
    for number, value in wire.fields(data):
        if number == 1:
            names.update((at, wire.as_text(each)) for at, each in wire.fields(value) if at <= 2)
        elif number == 2:
            raw = wire.as_bytes(value)
    return names[1], names[2], raw


def listed(name: str, data: bytes) -> tuple[Object, list[Object]]:
    """Return the metadata and the items of a list."""
    metadata: Object = {}
    items: list[Object] = []
    for number, value in wire.fields(data):
        if number == 1:
            metadata = message("meta.v1.ListMeta", value)
        elif number == 2:
            items.append(message(name, value))
    return metadata, items


def message(name: str, data: wire.Value) -> Object:
    """Return the fields of a message that are on the wire; unknown ones are left out."""
    members = plan.members(name)
    found: Object = {}
    for number, value in wire.fields(data):
        member = members.get(number)
        if member is None:
            continue
        kind, key = member.kind, member.name
        if member.is_part:
            found.update(message(kind.name, value))
        elif member.is_wrapped:
            found[key] = _wrapped(kind, value)
        elif kind.code == "[" and kind.item is not None:
            found.setdefault(key, []).extend(_items(kind.item, value))
        elif kind.code == "{" and kind.item is not None:
            item_key, item = _pair(kind.item, value)
            found.setdefault(key, {})[item_key] = item
        else:
            found[key] = _value(kind, value)
    return found


def _items(kind: Kind, value: wire.Value) -> list[Json]:
    """Return what one occurrence of a list adds to it; numbers may come many at once."""
    if kind.code not in "ib" or not isinstance(value, bytes):
        return [_value(kind, value)]
    found: list[Json] = []
    at = 0
    while at < len(value):
        number, at = wire.varint(value, at)
        found.append(_value(kind, number - wire.LIMIT if number & wire.SIGN else number))
    return found


def _wrapped(kind: Kind, value: wire.Value) -> list[Json]:
    assert kind.item is not None, "Only lists are wrapped."
    found = (_items(kind.item, item) for number, item in wire.fields(value) if number == 1)
    return [item for items in found for item in items]


def _pair(kind: Kind, value: wire.Value) -> tuple[str, Json]:
    key = ""
    raw: wire.Value | None = None
    for number, item in wire.fields(value):
        if number == 1:
            key = wire.as_text(item)
        elif number == 2:
            raw = item
    if kind.code == "[":
        return key, _wrapped(kind, b"" if raw is None else raw)
    if raw is None:
        return key, {"s": "", "y": "", "i": 0, "b": False, "q": "0"}.get(kind.code, {})
    return key, _value(kind, raw)


def _value(kind: Kind, value: wire.Value) -> Json:
    code = kind.code
    if code == "s":
        return wire.as_text(value)
    if code == "@":
        return message(kind.name, value)
    if code == "i":
        return wire.as_int(value)
    if code == "b":
        return bool(wire.as_int(value))
    if code == "f":
        return float(value) if isinstance(value, int | float) else None
    if code == "y":
        return base64.b64encode(wire.as_bytes(value)).decode()
    return _special(code, dict(wire.fields(value)))


def _special(code: str, found: dict[int, wire.Value]) -> Json:
    """Return the value of a message that is not an object in JSON."""
    if code == "q":
        return wire.as_text(found.get(1, b"0"))
    if code in "tT":
        return _time(code, found)
    if code == "I":
        is_text = wire.as_int(found.get(1, 0)) == 1
        return wire.as_text(found.get(3, b"")) if is_text else wire.as_int(found.get(2, 0))
    if code in "rF":
        raw = wire.as_bytes(found.get(1, b""))
        return json.loads(raw) if raw else None
    raise ValueError("JSON without a schema has no protobuf here")


def _time(code: str, found: dict[int, wire.Value]) -> str | None:
    if not found:
        return None
    micro = wire.as_int(found.get(2, 0)) // 1000
    passed = dt.timedelta(seconds=wire.as_int(found.get(1, 0)), microseconds=micro)
    try:
        time = EPOCH + passed
    except OverflowError:
        raise ValueError("a time is out of range") from None
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if code == "T" else "%Y-%m-%dT%H:%M:%SZ")
