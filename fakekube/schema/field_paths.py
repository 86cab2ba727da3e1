"""Paths to fields, as rules and selectable fields name them: `.spec.hosts['a.b']`."""

from __future__ import annotations

import re
from typing import Any

Schema = dict[str, Any]

_TOKEN = re.compile(r"\[|\]|\.|'(?:[^'\\]|\\.)*'|[^.\[\]]+")
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "'": "'",
    "\\": "\\",
}


class InvalidPath(ValueError):
    """The path leads nowhere in its schema; the message is that of the real server."""


def follow(schema: Schema, path: str, *, brackets: bool = True) -> tuple[str, Schema]:
    """Return the path as causes write it, and the schema where it leads."""
    tokens = _TOKEN.findall(path)
    written, place = "", 0
    while place < len(tokens):
        word = tokens[place]
        if word == "[":
            if not brackets:
                raise InvalidPath("array notation is not allowed")
            name = _quoted(tokens[place + 1 : place + 3])
            place += 3
        elif word == ".":
            if place + 1 == len(tokens):
                raise InvalidPath("unexpected end of JSON path")
            name = tokens[place + 1]
            place += 2
        else:
            raise InvalidPath(f"expected [ or . but got: {word}")
        written, schema = _step(schema, name, written)
    return written, schema


def _step(schema: Schema, name: str, written: str) -> tuple[str, Schema]:
    properties, rest = schema.get("properties"), schema.get("additionalProperties")
    if properties is not None:
        if name not in properties:
            raise InvalidPath("does not refer to a valid field")
        return f"{written}.{name}", properties[name]
    if not isinstance(rest, dict):
        raise InvalidPath("does not refer to a valid field")
    return f"{written}[{name}]", rest


def _quoted(tokens: list[str]) -> str:
    if not tokens:
        raise InvalidPath("unexpected end of JSON path")
    text = tokens[0]
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise InvalidPath(f"expected single quoted string but got {text}")
    if len(tokens) < 2:
        raise InvalidPath("unexpected end of JSON path")
    if tokens[1] != "]":
        raise InvalidPath(f"expected ] but got {tokens[1]}")

    def plain(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPES:
            raise InvalidPath(f"invalid string literal: invalid escape char {found[0]}")
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", plain, text[1:-1])


def normal(schema: Schema, path: str) -> str:
    """Return a path as causes write it, or nothing if it leads nowhere."""
    try:
        return follow(schema, path)[0]
    except InvalidPath:
        return ""
