"""The OpenAPI schemas of the built-in types, spelled out from ``schemas.json`` when they are asked.

A type is ``of`` (its fields), ``need`` (those that are required), ``kind`` (group, version, kind),
``more`` (whatever else the schema says); or ``is``, a schema as it stands. A field is spelled

- ``s`` a string, ``y`` bytes, ``t`` a time, ``i`` and ``l`` integers of 32 and 64 bits, ``b`` a
  boolean; with ``+`` behind it, the default is the empty value;
- ``&name`` one type in ``allOf``, ``@name`` a plain reference; doubled, the default is ``{}``;
- ``["[]", item, marks]`` a list, ``["{}", item]`` a map, anything else a schema as it stands.

``python -m fakekube.generate`` writes the file anew.
"""

from __future__ import annotations

import functools
import pathlib
from typing import Any, Final

import msgspec

Json = Any

PREFIX: Final = "io.k8s."
REFERENCE: Final = "#/components/schemas/"
SCALARS: Final[dict[str, tuple[Json, Json]]] = {
    "s": ({"type": "string"}, ""),
    "y": ({"type": "string", "format": "byte"}, ""),
    "t": ({"type": "string", "format": "date-time"}, ""),
    "i": ({"type": "integer", "format": "int32"}, 0),
    "l": ({"type": "integer", "format": "int64"}, 0),
    "b": ({"type": "boolean"}, False),
}
MARKS: Final = {
    "l": "x-kubernetes-list-type",
    "k": "x-kubernetes-list-map-keys",
    "m": "x-kubernetes-patch-merge-key",
    "p": "x-kubernetes-patch-strategy",
}


@functools.cache
def table() -> dict[str, Json]:
    """Return all types, in short spelling, by name without ``io.k8s.``."""
    path = pathlib.Path(__file__).parent / "schemas.json"
    found: dict[str, Json] = msgspec.json.decode(path.read_bytes())
    return found


@functools.cache
def of_kind() -> dict[tuple[str, str, str], str]:
    """Return the name of the type of each group, version and kind."""
    return {tuple(row["kind"]): name for name, row in table().items() if "kind" in row}


def spelled_out(name: str) -> Json:
    """Return the schema of a type."""
    row = table()[name]
    if "is" in row:
        return row["is"]
    found: Json = {"type": "object", **row.get("more", {})}
    found["properties"] = {key: _spell(value) for key, value in row["of"].items()}
    if "need" in row:
        found["required"] = row["need"]
    if "kind" in row:
        group, version, kind = row["kind"]
        found["x-kubernetes-group-version-kind"] = [
            {"group": group, "kind": kind, "version": version}
        ]
    return found


def _spell(value: Json) -> Json:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        inner = _spell(value[1])
        if value[0] == "{}":
            return {"type": "object", "additionalProperties": inner}
        marks = value[2] if len(value) > 2 else {}
        more = {MARKS[key]: mark for key, mark in marks.items()}
        return {"type": "array", "items": inner, **more}
    if value[0] in "&@":
        return _reference(value)
    schema, empty = SCALARS[value[0]]
    return {**schema, "default": empty} if value.endswith("+") else dict(schema)


def _reference(value: str) -> Json:
    name = value.lstrip("&@")
    reference = {"$ref": f"{REFERENCE}{PREFIX}{name}"}
    found: Json = {"allOf": [reference]} if value[0] == "&" else reference
    if len(value) - len(name) > 1:
        found = {"default": {}, **found}
    return found


def referred(schema: Json) -> set[str]:
    """Return the names of the types that a schema refers to, without ``io.k8s.``."""
    if isinstance(schema, list):
        return set().union(*(referred(each) for each in schema))
    if not isinstance(schema, dict):
        return set()
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return {reference.removeprefix(REFERENCE).removeprefix(PREFIX)}
    return set().union(*(referred(each) for each in schema.values()))
