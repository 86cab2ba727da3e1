"""How the messages of protobuf relate to the structs of ``fakekube.builtin``."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from fakekube import builtin
from fakekube.builtin import Kind

# Go's own list types are messages with one field, which holds the list.
WRAPPED: Final = {("meta.v1.APIResource", "verbs")}
EPOCH: Final = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a message: one of the struct, or a struct whose fields are inlined in JSON."""

    name: str
    kind: Kind
    is_part: bool = False
    is_wrapped: bool = False


@functools.cache
def members(name: str) -> dict[int, Member]:
    """Return the fields of a message by their numbers, in their order."""
    struct = builtin.struct(name)
    found = {
        number: Member("", Kind("@", part.name), is_part=True)
        for number, part in struct.parts.items()
    }
    for field in (struct.fields[key] for key in struct.own):
        if field.number:
            is_wrapped = (name, field.name) in WRAPPED
            found[field.number] = Member(field.name, field.kind, is_wrapped=is_wrapped)
    return dict(sorted(found.items()))
