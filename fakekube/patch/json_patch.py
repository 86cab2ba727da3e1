"""JSON patch (RFC 6902), with the peculiarities of the library of the real server.

That library replaces what is not there, copies a missing value as a null, counts from the end with
negative indices, and ignores what stands before the first slash of a path. Clients meet it, so no
other library will do. Why a patch does not apply is known to the real server only: the client gets
one text for everything.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from fakekube import status
from fakekube.patch import golang
from fakekube.patch.copies import copied

Json = Any

OPERATIONS_MAX: Final = 10_000
COPIED_BYTES_MAX: Final = 3 * 1024 * 1024
REFUSED: Final = "the server rejected our request due to an error in our request"
INDEX = re.compile(r"[+-]?\d+")
MISSING: Final = object()


class Inapplicable(Exception):
    """The patch does not fit the document."""


def json_patch(obj: Json, operations: Json) -> Json:
    """Return the object as the operations make it; it shares nothing with the old one."""
    _check(operations)
    document = copied(obj)
    room = COPIED_BYTES_MAX
    try:
        for operation in operations:
            if operation.get("op") == "copy":
                value = _value_at(document, _path(operation, "from"))
                room = _room_after(room, value)
                _add(document, _path(operation), copied(value))
            else:
                document = _done(document, operation)
    except Inapplicable:
        raise status.ApiError(422, "Invalid", REFUSED) from None
    return document


def _room_after(room: int, value: Json) -> int:
    room -= len(json.dumps(value))
    if room < 0:
        raise Inapplicable
    return room


def _check(operations: Json) -> None:
    if not isinstance(operations, list):
        raise _undecodable(operations, "value of type []handlers.jsonPatchOp")
    for operation in operations:
        if not isinstance(operation, dict):
            raise _undecodable(operation, "value of type handlers.jsonPatchOp")
        for field in ("op", "path", "from"):
            value = operation.get(field)
            if value is not None and not isinstance(value, str):
                raise _undecodable(value, f"struct field jsonPatchOp.{field} of type string")
    if len(operations) > OPERATIONS_MAX:
        text = f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got"
        message = f"Request entity too large: {text} {len(operations)}"
        raise status.ApiError(413, "RequestEntityTooLarge", message)


def _undecodable(value: Json, into: str) -> status.ApiError:
    what = f"json: cannot unmarshal {golang.json_type(value)} into Go {into}"
    return status.bad_request(f"error decoding patch: {what}")


def _path(operation: dict[str, Json], field: str = "path") -> str:
    path = operation.get(field)
    if path is None:
        raise Inapplicable
    return str(path)


def _done(document: Json, operation: dict[str, Json]) -> Json:
    """Return the document after an operation; it is changed in place, if it can be."""
    kind, path = operation.get("op"), _path(operation)
    value = operation.get("value")
    if kind == "add":
        _add(document, path, copied(value))
    elif kind == "remove":
        _remove(document, path)
    elif kind == "replace":
        if not path:
            if not isinstance(value, dict | list):
                raise Inapplicable
            return copied(value)
        _replace(document, path, copied(value))
    elif kind == "move":
        source = _path(operation, "from")
        moved = _value_at(document, source)
        _remove(document, source)
        _add(document, path, moved)
    elif kind == "test":
        if not _equal(document if not path else _value_at(document, path), value):
            raise Inapplicable
    else:
        raise Inapplicable
    return document


def _found(document: Json, path: str) -> tuple[Json, str]:
    """Return the container that a path leads to, and the key in it."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if not parts:
        raise Inapplicable
    here = document
    for part in parts[:-1]:
        here = _item(here, part)
        if not isinstance(here, dict | list):
            raise Inapplicable
    return here, parts[-1]


def _item(container: Json, key: str) -> Json:
    if isinstance(container, dict):
        return container.get(key)
    return container[_index(container, key)]


def _index(container: list[Json], key: str, more: int = 0) -> int:
    """Return a place in a list, of ``more`` items than it has."""
    size = len(container) + more
    if not INDEX.fullmatch(key):
        raise Inapplicable
    index = int(key)
    if not -size <= index < size:
        raise Inapplicable
    return index + size if index < 0 else index


def _value_at(document: Json, path: str) -> Json:
    container, key = _found(document, path)
    return _item(container, key)


def _add(document: Json, path: str, value: Json) -> None:
    container, key = _found(document, path)
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(container, key, 1), value)


def _replace(document: Json, path: str, value: Json) -> None:
    container, key = _found(document, path)
    if isinstance(container, dict):
        container[key] = value
    else:
        container[_index(container, key)] = value


def _remove(document: Json, path: str) -> None:
    container, key = _found(document, path)
    if isinstance(container, dict):
        if container.pop(key, MISSING) is MISSING:
            raise Inapplicable
    else:
        del container[_index(container, key)]


def _equal(one: Json, other: Json) -> bool:
    """Say whether two values are written alike: 1 is neither 1.0 nor true."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
