"""The types of CEL expressions, and the type that a schema gives to its values."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakekube.schema import cel_syntax, formats
from fakekube.schema.cel_values import CelError, Duration, Timestamp, parse_timestamp

Schema = dict[str, Any]
Convert = Callable[[Any], Any]


@dataclass(eq=False)
class Type:
    """A type; two types with members are the same only if they are one object."""

    kind: str
    of: tuple[Type, ...] = ()
    fields: dict[str, tuple[str, Type]] | None = None
    """Of an object: the real name and the type of each field, by the name in expressions."""
    keys: tuple[str, ...] | None = None
    """Of a list whose order does not matter: the keys of its entries; none for a set."""
    is_resource: bool = field(default=False)

    def __str__(self) -> str:
        """Write the type as the real server does."""
        name = {"optional": "optional_type", "null_type": "null"}.get(self.kind, self.kind)
        return f"{name}({', '.join(map(str, self.of))})" if self.of else name


Values = dict[str, Any]
"""The values of variables, by their slots."""
Code = Callable[[Values], Any]
Scope = Mapping[str, tuple[str, Type]]
"""The slot and the type of each variable, by its name."""


@dataclass(slots=True)
class Compiled:
    """The type of an expression, and what computes it."""

    type: Type
    code: Code


DYN, NULL, BOOL, INT, UINT, DOUBLE, STRING, BYTES = (
    Type(kind) for kind in ("dyn", "null_type", "bool", "int", "uint", "double", "string", "bytes")
)
DURATION = Type("google.protobuf.Duration")
TIMESTAMP = Type("google.protobuf.Timestamp")
A, B = Type("<A>"), Type("<B>")
QUANTITY, URL = Type("kubernetes.Quantity"), Type("kubernetes.URL")
FORMAT, SEMVER = Type("kubernetes.NamedFormat"), Type("kubernetes.Semver")
IP, CIDR = Type("net.IP"), Type("net.CIDR")
_OPAQUE = {each.kind for each in (QUANTITY, URL, FORMAT, SEMVER, IP, CIDR)}


def list_of(item: Type, keys: Iterable[str] | None = None) -> Type:
    """Return the type of a list."""
    return Type("list", (item,), keys=None if keys is None else tuple(keys))


def map_of(key: Type, value: Type) -> Type:
    """Return the type of a map."""
    return Type("map", (key, value))


def optional_of(item: Type) -> Type:
    """Return the type of a value that may be missing."""
    return Type("optional", (item,))


def type_of(item: Type) -> Type:
    """Return the type of a type."""
    return Type("type", (item,))


Bound = dict[str, Type]


def fits(wanted: Type, actual: Type, bound: Bound) -> bool:
    """Tell whether a value of the actual type may stand where another is wanted.

    A type with a name in angle brackets is a placeholder; what it stands for is noted in `bound`.
    """
    if wanted is A or wanted is B:
        known = bound.get(wanted.kind)
        if known is None or known.kind == "dyn" or _is_open(known):
            bound[wanted.kind] = actual if known is None or actual.kind != "dyn" else known
            return known is None or fits(known, actual, {}) or fits(actual, known, {})
        return fits(known, actual, bound) or fits(actual, known, bound)
    if wanted is actual or "dyn" in (wanted.kind, actual.kind):
        for inner in wanted.of if actual.kind == "dyn" else ():
            fits(inner, DYN, bound)
        return True
    if "null_type" in (wanted.kind, actual.kind):
        other = actual if wanted.kind == "null_type" else wanted
        nullable = {"object", DURATION.kind, TIMESTAMP.kind, "null_type"} | _OPAQUE
        return other.kind in nullable
    if wanted.kind != actual.kind or wanted.kind == "object":
        return False
    if wanted.kind == "type":
        # Any two types may be compared.
        return True
    return all(fits(*pair, bound) for pair in zip(wanted.of, actual.of, strict=True))


def _is_open(known: Type) -> bool:
    return any(inner.kind == "dyn" or _is_open(inner) for inner in known.of)


def filled(result: Type, bound: Bound) -> Type:
    """Put what placeholders stand for into a result type."""
    if result is A or result is B:
        return bound.get(result.kind, DYN)
    if not result.of:
        return result
    return Type(result.kind, tuple(filled(inner, bound) for inner in result.of), keys=result.keys)


def joined(left: Type, right: Type) -> Type | None:
    """Return the type that holds both, or None if there is none."""
    if left.kind == "dyn" or right.kind == "dyn":
        return DYN
    if fits(left, right, {}):
        return right if left.kind == "null_type" or _is_open(left) else left
    return right if fits(right, left, {}) else None


# --- Types of schemas ----------------------------------------------------------------------------

_RESERVED = cel_syntax.RESERVED | {"true", "false", "null", "in"}
_PARTS = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}


def escaped(name: str) -> str | None:
    """Return how an expression writes the name of a field; None if it cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if not re.fullmatch(r"[A-Za-z_./-][A-Za-z0-9_./-]*", name):
        return None
    return re.sub(r"__|[./-]", lambda found: _PARTS[found[0]], name)


def of_schema(schema: Schema, *, resource: bool = False) -> Type | None:
    """Return the type of a schema's values, or None if expressions cannot see them."""
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        item = of_schema(items) if items else None
        return None if item is None else list_of(item, _keys(schema))
    if kind == "object":
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict):
            value = of_schema(rest)
            return None if value is None else map_of(STRING, value)
        return _object(schema, resource=resource)
    if kind == "string":
        by_format = {
            "byte": BYTES,
            "duration": DURATION,
            "date": TIMESTAMP,
            "date-time": TIMESTAMP,
        }
        return by_format.get(schema.get("format", ""), STRING)
    return {"boolean": BOOL, "number": DOUBLE, "integer": INT}.get(kind or "")


def _keys(schema: Schema) -> tuple[str, ...] | None:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in {"set", "map"}:
        return None
    return tuple(schema.get("x-kubernetes-list-map-keys") or ()) if kind == "map" else ()


def _object(schema: Schema, *, resource: bool) -> Type:
    resource = resource or bool(schema.get("x-kubernetes-embedded-resource"))
    found: dict[str, tuple[str, Type]] = {}
    for name, member in (schema.get("properties") or {}).items():
        known = of_schema(member)
        word = escaped(name)
        if known is not None and word is not None:
            found[word] = (name, known)
    if resource:
        # The rest of the metadata cannot be seen, whatever the schema says of it.
        inner = {"name": ("name", STRING), "generateName": ("generateName", STRING)}
        found["kind"] = ("kind", STRING)
        found["apiVersion"] = ("apiVersion", STRING)
        found["metadata"] = ("metadata", Type("object", fields=inner))
    return Type("object", fields=found)


# --- From JSON to values -------------------------------------------------------------------------


def converter(known: Type) -> Convert | None:
    """Return what turns JSON into a value of a type; None if JSON is the value already.

    Fields of objects are converted when they are read.
    """
    simple: dict[str, Convert] = {
        "double": float,
        "bytes": _bytes,
        DURATION.kind: _duration,
        TIMESTAMP.kind: _timestamp,
    }
    if known.kind in simple:
        change = simple[known.kind]
        return lambda value: None if value is None else change(value)
    inner = converter(known.of[-1]) if known.kind in {"list", "map"} else None
    if inner is None:
        return None
    every: Convert = inner
    if known.kind == "list":
        return lambda value: None if value is None else [every(each) for each in value]
    return lambda value: value and {name: every(each) for name, each in value.items()}


def _bytes(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise CelError(f"Invalid byte formatted string {value}: illegal base64 data") from None


def _duration(value: str) -> Duration:
    length = formats.parse_duration(value)
    if length is None:
        raise CelError(f"Invalid duration {value}: unable to parse {value} as duration")
    return Duration(length)


def _timestamp(value: str) -> Timestamp:
    moment = parse_timestamp(value if "T" in value.upper() else f"{value}T00:00:00Z")
    if moment is None:
        raise CelError(f"Invalid date formatted string {value}")
    return moment


# --- Values that are not what the schema says ----------------------------------------------------

CLASSES: dict[str, type] = {"string": str, "int": int, "object": dict, "list": list}
"""The Python type that JSON of a type must have; nothing else needs a look."""
_GO_TYPES = {str: "string", bool: "bool", int: "int64", float: "float64"}


def refuse(value: Any, known: Type) -> None:
    """Refuse a value of a wrong type, which only an update can leave in an object."""
    if value is None:
        return
    if known.kind in {"string", "int"}:
        wide = "map[string]interface {}" if isinstance(value, dict) else "[]interface {}"
        actual = _GO_TYPES.get(value.__class__, wide)
        raise CelError(f"invalid data, expected {known.kind}, got {actual}")
    what = "a map" if known.kind == "object" else "an array"
    name = "object" if known.kind == "object" else "array"
    raise CelError(f"invalid data, expected {what} for the provided schema with type={name}")
