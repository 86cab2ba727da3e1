"""The wire format of protobuf: numbers and blocks of bytes, each with the number of its field."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

Value = int | float | bytes

SIGN: Final = 1 << 63
LIMIT: Final = 1 << 64
SHORT: Final = ValueError("unexpected EOF")


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of 64 bits, and where the next thing starts."""
    found = shift = 0
    while True:
        if at >= len(data):
            raise SHORT
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found % LIMIT, at
        shift += 7
        if shift >= 64:
            raise ValueError("proto: integer overflow")


def fields(data: Value) -> Iterator[tuple[int, Value]]:
    """Give number and value of every field of a message."""
    if not isinstance(data, bytes):
        raise ValueError("proto: wrong wireType")  # noqa: TRY004
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise ValueError(f"proto: illegal tag 0 (wire type {kind})")
        if kind == 0:
            value, at = varint(data, at)
            yield number, value - LIMIT if value & SIGN else value
            continue
        if kind == 2:
            size, at = varint(data, at)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"proto: illegal wireType {kind}")
        block = data[at : at + size]
        if len(block) != size:
            raise SHORT
        at += size
        yield number, float(struct.unpack("<d", block)[0]) if kind == 1 else block


def as_bytes(value: Value) -> bytes:
    """Return a value that has to be a block."""
    if not isinstance(value, bytes):
        raise ValueError("proto: wrong wireType")  # noqa: TRY004
    return value


def as_text(value: Value) -> str:
    """Return a value that has to be text."""
    return as_bytes(value).decode()


def as_int(value: Value) -> int:
    """Return a value that has to be a number."""
    if not isinstance(value, int):
        raise ValueError("proto: wrong wireType")  # noqa: TRY004
    return value


def number(value: int) -> bytes:
    """Return a number as a varint; a negative one takes ten bytes."""
    value %= LIMIT
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def integer(field: int, value: int) -> bytes:
    """Return a field with a number."""
    return number(field << 3) + number(value)


def double(field: int, value: float) -> bytes:
    """Return a field with a floating-point number."""
    return number(field << 3 | 1) + struct.pack("<d", value)


def block(field: int, value: bytes) -> bytes:
    """Return a field with bytes, or with a message."""
    return number(field << 3 | 2) + number(len(value)) + value


def text(field: int, value: str) -> bytes:
    """Return a field with text."""
    return block(field, value.encode())
