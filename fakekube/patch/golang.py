"""Values as Go's format verbs print them: messages of the real server are full of them."""

from __future__ import annotations

import json
from typing import Any

Json = Any


def plain(value: Json) -> str:
    """Return a value as ``%v`` prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{plain(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(plain, value))}]"
    if value is None or isinstance(value, bool):
        return "<nil>" if value is None else str(value).lower()
    return str(value)


def syntax(value: Json) -> str:
    """Return a value as ``%#v`` prints it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)}:{syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(syntax, value))}}}"
    return "interface {}(nil)" if value is None else json.dumps(value, ensure_ascii=False)


def type_of(value: Json) -> str:
    """Return the type of a value as ``%T`` prints it."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "int64" if isinstance(value, int) else "float64"
    return "string" if isinstance(value, str) else "<nil>"


def json_type(value: Json) -> str:
    """Return what kind of JSON a value is, in the words of Go's decoder."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if value is None:
        return "null"
    return "object" if isinstance(value, dict) else "array"
