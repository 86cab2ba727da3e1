"""Sets of fields made to fit a type: with the structs above the fields, and with atomic values."""

from __future__ import annotations

from collections.abc import Mapping

from fakekube.patch import fields
from fakekube.patch.types import Type

Set = fields.Set


def with_parents(type_: Type | None, names: Set) -> Set:
    """Return a set in which every struct field that has members below it is a member itself."""
    found: Set = {}
    map_ = type_.map if type_ is not None else None
    list_ = type_.list if type_ is not None else None
    for key, node in names.items():
        if not node:
            found[key] = node
            continue
        inner: Type | None = None
        is_declared = False
        if key[:2] == "f:" and map_ is not None:
            inner = map_.fields.get(key[2:])
            is_declared = inner is not None
            inner = inner or map_.element
        elif key[:2] == "k:" and list_ is not None:
            inner = list_.element
        below = with_parents(inner, node)
        found[key] = fields.member(below) if is_declared else below
    return found


def reconciled(type_: Type, names: Set) -> Set:
    """Return a set that was written for another schema: what has become atomic is one member.

    A set that fits is returned itself. Every write asks for every manager, so this is quick.
    """
    found: Set | None = None
    map_, list_ = type_.map, type_.list
    known: Mapping[str, Type] = map_.fields if map_ is not None else {}
    other = map_.element if map_ is not None else None
    item = list_.element if list_ is not None else None
    for key, node in names.items():
        if not node:
            continue
        inner = known.get(key[2:], other) if key[0] == "f" else item
        if inner is None:
            # Of an unknown field nothing is known that could have changed.
            continue
        below = inner.map or inner.list
        if below is None:
            continue
        fitting: Set = {} if below.is_atomic else reconciled(inner, node)
        if fitting is not node:
            found = dict(names) if found is None else found
            found[key] = fitting
    return names if found is None else found
