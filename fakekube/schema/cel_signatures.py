"""Signatures of CEL functions, written as text: `string.find(string) string`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from fakekube.schema import cel_types
from fakekube.schema.cel_types import Type

Row = tuple[str, Callable[..., Any]]

_NAMES: dict[str, Type] = {
    "dyn": cel_types.DYN,
    "bool": cel_types.BOOL,
    "int": cel_types.INT,
    "uint": cel_types.UINT,
    "double": cel_types.DOUBLE,
    "string": cel_types.STRING,
    "bytes": cel_types.BYTES,
    "duration": cel_types.DURATION,
    "timestamp": cel_types.TIMESTAMP,
    "quantity": cel_types.QUANTITY,
    "url": cel_types.URL,
    "ip": cel_types.IP,
    "cidr": cel_types.CIDR,
    "format": cel_types.FORMAT,
    "semver": cel_types.SEMVER,
    "type": cel_types.type_of(cel_types.DYN),
    "A": cel_types.A,
    "B": cel_types.B,
}
_TOKEN = re.compile(r"[A-Za-z]+|<|>|,")


class Signature(NamedTuple):
    """What a line says."""

    name: str
    member: bool
    takes: tuple[Type, ...]
    gives: Type

    @staticmethod
    def read(text: str) -> Signature:
        """Read a line: `receiver->name(types) result`, or without the receiver."""
        head, _, rest = text.partition("(")
        receiver, arrow, name = head.rpartition("->")
        inside, _, result = rest.rpartition(")")
        takes = _types(inside) if inside.strip() else []
        if arrow:
            takes = [*_types(receiver), *takes]
        return Signature(name, bool(arrow), tuple(takes), _types(result)[0])


def _types(text: str) -> list[Type]:
    tokens = _TOKEN.findall(text)
    found, place = _read(tokens, 0)
    assert place == len(tokens), f"It is a signature: {text}"
    return found


def _read(tokens: list[str], place: int) -> tuple[list[Type], int]:
    found = []
    while place < len(tokens):
        name = tokens[place]
        place += 1
        if place < len(tokens) and tokens[place] == "<":
            inner, place = _read(tokens, place + 1)
            found.append(Type(name, tuple(inner)))
            place += 1
        else:
            found.append(_NAMES[name])
        if place >= len(tokens) or tokens[place] != ",":
            break
        place += 1
    return found, place
