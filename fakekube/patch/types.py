"""Types as server-side apply sees them: what is a scalar, and how lists and maps are merged.

A type may allow several forms, as a field that takes any JSON does; the value then decides which
one applies. Types come from the table of the built-in kinds, or from the schema of a
CustomResourceDefinition; both are compiled when they are first needed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from fakekube import builtin

Json = Any

STRING: Final = "string"
NUMERIC: Final = "numeric"
BOOLEAN: Final = "boolean"
UNTYPED: Final = "untyped"


class MapType:
    """How a map or struct is merged: field by field, or as one atomic value."""

    __slots__ = ("element", "fields", "is_atomic")

    def __init__(
        self, fields: Mapping[str, Type], element: Type | None, *, is_atomic: bool = False
    ) -> None:
        self.fields = fields
        self.element = element
        """The type of what is no declared field; None says that there is nothing else."""
        self.is_atomic = is_atomic


class ListType:
    """How a list is merged: as a set, as a map by keys, or as one atomic value."""

    __slots__ = ("defaults", "element", "is_atomic", "keys")

    def __init__(
        self,
        element: Type,
        *,
        is_atomic: bool = True,
        keys: tuple[str, ...] = (),
        defaults: Mapping[str, Json] | None = None,
    ) -> None:
        self.element = element
        self.is_atomic = is_atomic
        self.keys = keys
        self.defaults = defaults or {}
        """What an item means that leaves out a key."""


class Type:
    """The forms that a value may have; at least one."""

    __slots__ = ("_lazy", "is_exact", "list", "map", "scalar")

    map: MapType | None
    """How it is merged as a map."""
    list: ListType | None
    """How it is merged as a list."""

    def __init__(
        self,
        scalar: str = "",
        map_: MapType | None = None,
        list_: ListType | None = None,
        *,
        lazy: Callable[[], MapType] | None = None,
        is_exact: bool = True,
    ) -> None:
        self.scalar = scalar
        self.list = list_
        self._lazy = lazy
        if lazy is None:
            self.map = map_
        self.is_exact = is_exact
        """Two values that are equal in Python are equal: nowhere can 1 stand for true."""

    def __getattr__(self, name: str) -> Any:
        # Types refer to each other in circles, so the fields are found when they are first used.
        if name != "map" or self._lazy is None:
            raise AttributeError(name)
        self.map = self._lazy()
        return self.map


def _any(*, is_granular: bool) -> Type:
    found = Type(UNTYPED, is_exact=False)
    atomic = ANY_ATOMIC if is_granular else found
    found.map = MapType({}, found, is_atomic=not is_granular)
    found.list = ListType(atomic)
    return found


ANY_ATOMIC: Final = _any(is_granular=False)
"""Any JSON, owned as a whole."""
ANY: Final = _any(is_granular=True)
"""Any JSON, whose maps are owned key by key, and whose lists are owned as a whole."""
ANY_MAP: Final = Type(map_=MapType({}, ANY), is_exact=False)
"""An object of which nothing is known."""

SCALARS: Final = {
    "s": Type(STRING),
    "y": Type(STRING),
    "i": Type(NUMERIC),
    "f": Type(NUMERIC),
    "b": Type(BOOLEAN),
    "t": Type(UNTYPED),
    "T": Type(UNTYPED),
    "q": Type(UNTYPED),
    "u": Type(UNTYPED),
    "I": ANY,
    "d": ANY,
    "J": ANY,
    "r": ANY_ATOMIC,
    "F": ANY_MAP,
}


# --- Built-in kinds ------------------------------------------------------------------------------


@functools.cache
def named(name: str, *, is_atomic: bool = False) -> Type:
    """Return the type of a struct of the table."""
    return Type(lazy=lambda: _struct(name, is_atomic=is_atomic))


def _struct(name: str, *, is_atomic: bool) -> MapType:
    row = builtin.struct(name)
    fields = {field.name: of_kind(field.kind) for field in row.fields.values()}
    return MapType(fields, None, is_atomic=is_atomic or row.is_atomic)


@functools.cache
def of_kind(kind: builtin.Kind) -> Type:
    """Return the type of a kind of the table."""
    if kind.code == "@":
        return named(kind.name, is_atomic=kind.is_atomic)
    if kind.item is None:
        return SCALARS[kind.code]
    item = of_kind(kind.item)
    if kind.code == "{":
        return Type(map_=MapType({}, item, is_atomic=kind.is_atomic), is_exact=item.is_exact)
    keys = () if kind.keys == ("=",) else kind.keys
    defaults = _defaults(kind.item.name, keys) if keys else {}
    found = ListType(item, is_atomic=kind.is_atomic, keys=keys, defaults=defaults)
    return Type(list_=found, is_exact=item.is_exact)


def _defaults(name: str, keys: tuple[str, ...]) -> dict[str, Json]:
    fields = builtin.struct(name).fields
    # A key that is never left out has a default too: the empty text, or the number 0.
    empty = {"s": "", "i": 0}
    found: dict[str, Json] = {}
    for key in keys:
        field = fields[key]
        if field.default:
            found[key] = field.default
        elif field.mode == "+":
            found[key] = empty[field.kind.code]
    return found


# --- Custom resources ----------------------------------------------------------------------------


def of_schema(schema: Json) -> Type:
    """Return the type of a custom resource with this schema; None is one without."""
    if schema is None:
        return ANY_MAP
    compiled = _compile(schema, keep=False)
    found = compiled.map
    if found is None:
        return ANY_MAP
    return _with_meta(found)


def _with_meta(found: MapType) -> Type:
    text = SCALARS["s"]
    more = {"apiVersion": text, "kind": text, "metadata": named(builtin.OBJECT_META)}
    return Type(
        map_=MapType({**found.fields, **more}, found.element, is_atomic=found.is_atomic),
        is_exact=False,
    )


def _compile(schema: Json, *, keep: bool) -> Type:
    # Once an object keeps unknown fields, so do all those below it.
    keep = keep or schema.get("x-kubernetes-preserve-unknown-fields") is True
    kind = schema.get("type", "")
    if kind == "string":
        return SCALARS["u" if schema.get("format", "byte") != "byte" else "s"]
    if kind in {"integer", "number"}:
        return SCALARS["i"]
    if kind == "boolean":
        return SCALARS["b"]
    map_ = _map(schema, keep=keep) if kind in {"object", ""} else None
    list_ = _list(schema, keep=keep) if kind in {"array", ""} else None
    parts = [*map_.fields.values(), map_.element] if map_ else []
    parts += [list_.element] if list_ else []
    is_exact = bool(kind) and all(part is None or part.is_exact for part in parts)
    return Type("" if kind else UNTYPED, map_, list_, is_exact=is_exact)


def _map(schema: Json, *, keep: bool) -> MapType:
    properties = schema.get("properties") or {}
    fields = {name: _compile(value, keep=keep) for name, value in properties.items()}
    if schema.get("x-kubernetes-embedded-resource"):
        text = SCALARS["s"]
        fields |= {"apiVersion": text, "kind": text, "metadata": named(builtin.OBJECT_META)}
    more = schema.get("additionalProperties")
    element: Type | None
    if isinstance(more, dict):
        element = _compile(more, keep=keep)
    elif more is None:
        element = ANY if keep or not fields else None
    else:
        element = ANY if more else None
    is_atomic = schema.get("x-kubernetes-map-type") == "atomic"
    return MapType(fields, element, is_atomic=is_atomic)


def _list(schema: Json, *, keep: bool) -> ListType:
    items = schema.get("items")
    element = ANY_ATOMIC if items is None else _compile(items, keep=keep)
    kind = schema.get("x-kubernetes-list-type")
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ()) if kind == "map" else ()
    properties = (items or {}).get("properties") or {}
    defaults = {
        key: properties[key]["default"]
        for key in keys
        if properties.get(key, {}).get("default") is not None
    }
    is_atomic = kind not in {"map", "set"}
    return ListType(element, is_atomic=is_atomic, keys=keys, defaults=defaults)
