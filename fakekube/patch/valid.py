"""What is wrong with an applied object, before anybody merges it; in the real server's words."""

from __future__ import annotations

from typing import Any

from fakekube.patch import fields, golang, typed, types
from fakekube.patch.types import Type

Json = Any
Found = list[tuple[str, str]]


def errors(type_: Type, value: Json) -> Found:
    """Return pairs of path and text; none, if the value fits its type."""
    found: Found = []
    _check(type_, value, "", found)
    return found


def listed(found: Found) -> str:
    """Return errors as one text."""
    lines = [f"{path}: {text}" if path else text for path, text in found]
    return lines[0] if len(lines) == 1 else "\n".join(["errors:", *(f"  {line}" for line in lines)])


def _check(type_: Type, value: Json, path: str, found: Found) -> None:
    kind = typed.form(type_, value)
    if kind == typed.SCALAR:
        if text := _scalar(type_.scalar, value):
            found.append((path, text))
    elif value is None:
        return
    elif kind == typed.MAP:
        if isinstance(value, dict):
            _check_map(type_, value, path, found)
        else:
            found.append((path, f"expected map, got &{{{golang.plain(value)}}}"))
    elif isinstance(value, list):
        _check_list(type_, value, path, found)
    else:
        found.append((path, f"expected list, got &{{{golang.plain(value)}}}"))


def _check_map(type_: Type, value: dict[str, Json], path: str, found: Found) -> None:
    map_ = type_.map
    assert map_ is not None, "The form was chosen by this."
    unknown = ""
    for key, item in value.items():
        inner = map_.fields.get(key, map_.element)
        if inner is None:
            # The real server stops here, and meets the keys in no order.
            unknown = unknown or f"{path}.{key}"
        elif inner is not types.ANY:
            _check(inner, item, f"{path}.{key}", found)
    if unknown:
        found.append((unknown, "field not declared in schema"))


def _check_list(type_: Type, value: list[Json], path: str, found: Found) -> None:
    list_ = type_.list
    assert list_ is not None, "The form was chosen by this."
    seen: set[str] = set()
    for place, item in enumerate(value):
        if list_.is_atomic:
            here = f"{path}[{place}]"
        else:
            try:
                element = typed.element_of(list_, item)
            except typed.Unmergeable as error:
                found.append((path, f"element {place}: {error}"))
                return
            here = f"{path}{fields.text([element])}"
            if element in seen:
                text = f"duplicate entries for key {fields.text([element])}"
                found.append((path, text))
            seen.add(element)
        _check(list_.element, item, here, found)


def _scalar(scalar: str, value: Json) -> str:
    if value is None:
        return ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if scalar == types.STRING:
        shown = f"&value.valueUnstructured{{Value:{golang.syntax(value)}}}"
        return "" if isinstance(value, str) else f"expected string, got {shown}"
    if scalar == types.NUMERIC:
        return "" if is_number else f"expected numeric (int or float), got {golang.type_of(value)}"
    if scalar == types.BOOLEAN:
        return (
            "" if isinstance(value, bool) else f"expected boolean, got &{{{golang.plain(value)}}}"
        )
    is_scalar = is_number or isinstance(value, str | bool)
    return "" if is_scalar else f"expected any scalar, got &{{{golang.plain(value)}}}"
