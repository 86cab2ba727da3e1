"""What the real server knows about the types of its built-in kinds, read from ``table.json``.

A field is spelled ``NUMBER MODE KIND STRATEGY DEFAULT`` without spaces, as in
``2+[name]@core.v1.Container|merge:name``:

- the number in protobuf, if it has one; a key ``>2`` is a struct whose fields stand inlined in
  JSON, and which is message 2 in protobuf;
- the mode, when Go writes it: ``+`` always, ``-`` unless it is empty, ``!`` always, with ``null``
  for a missing pointer; nothing: a pointer, written when it is there;
- the kind: one letter of a scalar (see ``Kind``), ``@name`` of a struct, ``[...]kind`` of a list
  (``[]`` atomic, ``[=]`` a set, ``[key,key]`` a map by keys), ``{}kind`` of a map; ``!`` in
  ``{!}`` and ``@!`` makes the map or struct atomic;
- ``|strategy:key``, how a strategic merge patch treats it; ``=value``, its default.

``python -m fakekube.builtin.generate`` writes the table anew.
"""

from __future__ import annotations

import functools
import pathlib
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

Json = Any

SPELLED = re.compile(r"(\d*)([-+!]?)((?:\[=\]|[^|=])*)(?:\|([\w,]+):(\w*))?(?:=(.*))?")


class Kind(NamedTuple):
    """The type of a value; ``code`` says which, the rest is about structs, lists and maps.

    The scalars are ``s`` string, ``y`` bytes, ``i`` integer, ``f`` float, ``b`` boolean, ``t``
    time, ``T`` time with microseconds, ``q`` quantity, ``I`` integer or string; ``r`` is an object
    of any kind, ``F`` a set of fields, ``J`` and ``d`` any JSON, ``u`` any scalar.
    """

    code: str
    name: str = ""
    is_atomic: bool = False
    keys: tuple[str, ...] = ()
    """The keys that tell apart the items of a list; ``("=",)`` are the items themselves."""
    item: Kind | None = None
    """What the items of a list, or the values of a map, are."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct."""

    name: str
    number: int
    mode: str
    kind: Kind
    strategy: str
    """How a strategic merge patch treats it: ``merge``, ``retainKeys``, both, or nothing."""
    merge_key: str
    default: str


@dataclass(frozen=True, slots=True)
class Struct:
    """A type with fields, by their JSON names; ``parts`` are those that protobuf nests."""

    name: str
    fields: dict[str, Field]
    parts: dict[int, Struct]
    own: frozenset[str]
    """The fields that are not of a part."""
    is_atomic: bool


OBJECT_META: Final = "meta.v1.ObjectMeta"
# Of these there is one meaning in every group, so no group's OpenAPI document has it as its own.
MORE: Final = {
    "meta.v1.PartialObjectMetadata": {
        "apiVersion": "s",
        "kind": "s",
        "metadata": f"1+@{OBJECT_META}",
    },
}


@functools.cache
def _table() -> Json:
    path = pathlib.Path(__file__).parent / "table.json"
    found = msgspec.json.decode(path.read_bytes())
    found["types"].update(MORE)
    return found


def name_of(api_version: str, kind: str) -> str:
    """Return the name of the type of a kind; "" says it is not built in."""
    return str(_table()["kinds"].get(f"{api_version}/{kind}", ""))


def kinds() -> dict[str, str]:
    """Return the names of the types of all kinds, by API version and kind with a slash."""
    return dict(_table()["kinds"])


def has_status(api_version: str, kind: str) -> bool:
    """Say whether the kind has a status subresource."""
    return f"{api_version}/{kind}" in _table()["status"]


@functools.cache
def struct(name: str) -> Struct:
    """Return a struct, with the fields of its parts."""
    row = _table()["types"][name]
    fields: dict[str, Field] = {}
    parts: dict[int, Struct] = {}
    for key, spelled in row.items():
        if key.startswith(">"):
            parts[int(key[1:])] = part = struct(spelled[1:])
            fields.update(part.fields)
    own = [key for key in row if not key.startswith((">", "!"))]
    fields.update({key: _field(key, row[key]) for key in own})
    return Struct(name, fields, parts, frozenset(own), is_atomic="!" in row)


def _field(name: str, spelled: str) -> Field:
    match = SPELLED.fullmatch(spelled)
    assert match, f"{name} is spelled {spelled!r}, which nobody can read."
    number, mode, kind, strategy, key, default = match.groups(default="")
    return Field(name, int(number or 0), mode, parsed(kind), strategy, key, default)


@functools.cache
def parsed(spelled: str) -> Kind:
    """Return the kind that is spelled like this."""
    if spelled[0] == "@":
        return Kind("@", spelled[1:].removeprefix("!"), spelled[1] == "!")
    if spelled[0] == "[":
        keys, item = spelled[1:].split("]", 1)
        return Kind("[", "", not keys, tuple(keys.split(",")) if keys else (), parsed(item))
    if spelled[0] == "{":
        atomic, item = spelled[1:].split("}", 1)
        return Kind("{", "", atomic == "!", (), parsed(item))
    return Kind(spelled)
