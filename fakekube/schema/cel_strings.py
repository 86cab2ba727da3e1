"""The string functions of CEL's extension library, in its second version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fakekube.schema import causes, patterns
from fakekube.schema.cel_signatures import Row
from fakekube.schema.cel_standard import to_string
from fakekube.schema.cel_values import (
    CelError,
    Duration,
    NoOverload,
    Timestamp,
    TypeValue,
    is_number,
    type_name,
)


def _at(text: str, place: int) -> str:
    if not 0 <= place <= len(text):
        raise CelError(f"index out of range: {place}")
    return text[place : place + 1]


def _find(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    return text.find(part, start)


def _find_last(text: str, part: str, start: int | None = None) -> int:
    if not part:
        return len(text) if start is None else start
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


def _part(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    for place in (start, end):
        if not 0 <= place <= len(text):
            raise CelError(f"index out of range: {place}")
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    return text[start:end]


def _split(text: str, by: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if not by:
        return list(text) if most < 0 else [*text[: most - 1], text[most - 1 :]]
    return text.split(by, most - 1 if most > 0 else -1)


def _lower(text: str) -> str:
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)


def _upper(text: str) -> str:
    return re.sub("[a-z]+", lambda found: found[0].upper(), text)


def _replace(text: str, old: str, new: str, most: int = -1) -> str:
    return text.replace(old, new, most)


# --- Formatting ----------------------------------------------------------------------------------

_DIRECTIVE = re.compile(r"%(?:%|(?:\.(\d+))?([a-zA-Z]))")


def _format(text: str, values: list[Any]) -> str:
    used = 0

    def write(found: re.Match[str]) -> str:
        nonlocal used
        if found[0] == "%%":
            return "%"
        if used >= len(values):
            raise CelError(f"index {used} out of range")
        value = values[used]
        used += 1
        return _directive(found[2], found[1], value)

    written = _DIRECTIVE.sub(write, text)
    if used < len(values):
        raise CelError(
            f"too many arguments supplied to string.format (expected {used}, got {len(values)})"
        )
    return written


def _directive(letter: str, digits: str | None, value: Any) -> str:
    precision = 6 if digits is None else int(digits)
    if letter == "s":
        return _shown(value)
    if letter == "d" and is_number(value) and isinstance(value, int):
        return str(int(value))
    if letter == "f" and is_number(value):
        return f"{float(value):.{precision}f}"
    if letter == "e" and is_number(value):
        return f"{float(value):.{precision}e}"
    if letter == "b" and isinstance(value, int):
        return f"{int(value):b}"
    if letter == "o" and isinstance(value, int) and not isinstance(value, bool):
        return f"{int(value):o}"
    if letter in "xX":
        return _hexadecimal(letter, value)
    raise CelError(
        f'could not parse formatting clause: unrecognized formatting clause "{letter}"'
        if letter not in "sdfebo"
        else f"error during formatting: {letter} clause cannot be used on {type_name(value)}"
    )


def _hexadecimal(letter: str, value: Any) -> str:
    if isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        return raw.hex() if letter == "x" else raw.hex().upper()
    if isinstance(value, bool) or not isinstance(value, int):
        raise CelError(
            "error during formatting: only integers, byte buffers, and strings can be formatted "
            f"as hex, was given {type_name(value)}"
        )
    return format(int(value), letter)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(_inner, value))}]"
    if isinstance(value, dict):
        entries = sorted((_inner(key), _inner(each)) for key, each in value.items())
        return "{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}"
    if isinstance(value, TypeValue):
        return value.name
    if isinstance(value, bool | int | float | str | bytes | Duration | Timestamp):
        return to_string(value)
    raise NoOverload


def _inner(value: Any) -> str:
    return _shown(value)


# --- Patterns ------------------------------------------------------------------------------------


def _pattern(pattern: str) -> Any:
    try:
        return patterns.compiled(pattern)
    except patterns.InvalidPattern as error:
        raise CelError(f"Illegal regex: {error}") from None


def _find_pattern(text: str, pattern: str) -> str:
    found = _pattern(pattern).search(text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    found = [each[0] for each in _pattern(pattern).finditer(text)]
    return found if most < 0 else found[:most]


def _rows() -> Iterator[Row]:
    yield "string->charAt(int) string", _at
    yield "string->indexOf(string) int", _find
    yield "string->indexOf(string,int) int", _find
    yield "string->lastIndexOf(string) int", _find_last
    yield "string->lastIndexOf(string,int) int", _find_last
    yield "string->lowerAscii() string", _lower
    yield "string->upperAscii() string", _upper
    yield "string->replace(string,string) string", _replace
    yield "string->replace(string,string,int) string", _replace
    yield "string->split(string) list<string>", _split
    yield "string->split(string,int) list<string>", _split
    yield "string->substring(int) string", _part
    yield "string->substring(int,int) string", _part
    yield "string->trim() string", lambda text: text.strip()
    yield "list<string>->join() string", "".join
    yield "list<string>->join(string) string", lambda parts, by: by.join(parts)
    yield "string->format(list<dyn>) string", _format
    yield "strings.quote(string) string", causes.quote
    yield "string->find(string) string", _find_pattern
    yield "string->findAll(string) list<string>", _find_all
    yield "string->findAll(string,int) list<string>", _find_all


ROWS: list[Row] = list(_rows())
