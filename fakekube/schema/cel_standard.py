"""The standard functions and operators of CEL."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

from fakekube.schema import causes, formats, patterns
from fakekube.schema.cel_signatures import Row
from fakekube.schema.cel_values import (
    INT_MAX,
    INT_MIN,
    NONE,
    SECOND_NS,
    UINT_MAX,
    CelError,
    Duration,
    NoOverload,
    Optional,
    Timestamp,
    TypeValue,
    UInt,
    compare,
    contains,
    equal,
    parse_timestamp,
)

# --- Arithmetic ----------------------------------------------------------------------------------


def _int(value: int) -> int:
    if not INT_MIN <= value <= INT_MAX:
        raise CelError("integer overflow")
    return value


def _uint(value: int) -> UInt:
    if not 0 <= value <= UINT_MAX:
        raise CelError("unsigned integer overflow")
    return UInt(value)


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise CelError("division by zero")
    sign = -1 if (left < 0) != (right < 0) else 1
    return sign * (abs(left) // abs(right))


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise CelError("modulus by zero")
    return int(math.copysign(1, left)) * (abs(left) % abs(right)) if left else 0


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    if not left or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


_INT_LEFT = (
    ("+", lambda a, b: _int(a + b)),
    ("-", lambda a, b: _int(a - b)),
    ("*", lambda a, b: _int(a * b)),
    ("/", lambda a, b: _int(_quotient(a, b))),
    ("%", lambda a, b: _int(_remainder(a, b))),
)
_UINT_LEFT = (
    ("+", lambda a, b: _uint(int(a) + int(b))),
    ("-", lambda a, b: _uint(int(a) - int(b))),
    ("*", lambda a, b: _uint(int(a) * int(b))),
    ("/", lambda a, b: _uint(_quotient(int(a), int(b)))),
    ("%", lambda a, b: _uint(_remainder(int(a), int(b)))),
)


def _arithmetic() -> Iterator[Row]:
    for mark, call in _INT_LEFT:
        yield f"_{mark}_(int,int) int", call
    for mark, call in _UINT_LEFT:
        yield f"_{mark}_(uint,uint) uint", call
    yield "_+_(double,double) double", lambda a, b: a + b
    yield "_-_(double,double) double", lambda a, b: a - b
    yield "_*_(double,double) double", lambda a, b: a * b
    yield "_/_(double,double) double", _divide
    yield "_+_(string,string) string", lambda a, b: a + b
    yield "_+_(bytes,bytes) bytes", lambda a, b: a + b
    yield "_+_(list<A>,list<A>) list<A>", lambda a, b: a + b
    yield "_+_(duration,duration) duration", lambda a, b: Duration(_int(a.ns + b.ns))
    yield "_+_(timestamp,duration) timestamp", lambda a, b: Timestamp(a.ns + b.ns)
    yield "_+_(duration,timestamp) timestamp", lambda a, b: Timestamp(a.ns + b.ns)
    yield "_-_(duration,duration) duration", lambda a, b: Duration(_int(a.ns - b.ns))
    yield "_-_(timestamp,timestamp) duration", lambda a, b: Duration(_int(a.ns - b.ns))
    yield "_-_(timestamp,duration) timestamp", lambda a, b: Timestamp(a.ns - b.ns)
    yield "-_(int) int", lambda a: _int(-a)
    yield "-_(double) double", lambda a: -a
    yield "!_(bool) bool", lambda a: not a


# --- Comparing -----------------------------------------------------------------------------------

_COMPARABLE = ("bool", "int", "uint", "double", "string", "bytes", "duration", "timestamp")
_NUMBERS = ("int", "uint", "double")


def _comparing() -> Iterator[Row]:
    tests: list[tuple[str, Callable[[Any, Any], bool]]] = [
        ("<", lambda a, b: compare(a, b) < 0),
        ("<=", lambda a, b: compare(a, b) <= 0),
        (">", lambda a, b: compare(a, b) > 0),
        (">=", lambda a, b: compare(a, b) >= 0),
    ]
    mixed = [pair for pair in itertools.product(_NUMBERS, repeat=2) if pair[0] != pair[1]]
    for mark, call in tests:
        for left, right in [*((kind, kind) for kind in _COMPARABLE), *mixed]:
            yield f"_{mark}_({left},{right}) bool", call
    yield "_==_(A,A) bool", equal
    yield "_!=_(A,A) bool", lambda a, b: not equal(a, b)
    yield "@in(A,list<A>) bool", lambda a, b: contains(b, a)
    yield "@in(A,map<A,B>) bool", lambda a, b: contains(b, a)


# --- Conversions ---------------------------------------------------------------------------------


def _to_int(value: Any) -> int:
    if isinstance(value, float):
        if math.isnan(value) or not -(2.0**63) < value < 2.0**63:
            raise CelError("integer overflow")
        return int(value)
    if isinstance(value, Timestamp):
        return value.ns // SECOND_NS
    if isinstance(value, str):
        return _int(_parsed(value, "int"))
    return _int(int(value))


def _to_uint(value: Any) -> UInt:
    if isinstance(value, float):
        if math.isnan(value) or not 0 <= value < 2.0**64:
            raise CelError("unsigned integer overflow")
        return UInt(value)
    return _uint(_parsed(value, "uint") if isinstance(value, str) else int(value))


def _parsed(text: str, kind: str) -> int:
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not (digits.isascii() and digits.isdigit()):
        raise CelError(f"type conversion error from 'string' to '{kind}'")
    return int(text)


def _to_double(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise CelError("type conversion error from 'string' to 'double'") from None


def to_string(value: Any) -> str:
    """Return the text of a simple value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return causes.number(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
    if isinstance(value, Timestamp):
        moment = value.at(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
        part = f"{value.ns % SECOND_NS:09d}".rstrip("0")
        return f"{moment}.{part}Z" if part else f"{moment}Z"
    if isinstance(value, Duration):
        return f"{causes.number(value.ns / SECOND_NS)}s"
    return str(value)


def _to_bool(text: str) -> bool:
    known = {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False}
    lowered = text if text in {"True", "TRUE", "T", "False", "FALSE", "F"} else None
    value = known.get(lowered.lower() if lowered else text)
    if value is None:
        raise CelError("type conversion error from 'string' to 'bool'")
    return value


def _to_duration(text: str) -> Duration:
    length = formats.go_duration(text)
    if length is None:
        raise CelError("type conversion error from 'string' to 'google.protobuf.Duration'")
    return Duration(length)


def _to_timestamp(text: str) -> Timestamp:
    moment = parse_timestamp(text)
    if moment is None:
        raise CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'")
    return moment


def _conversions() -> Iterator[Row]:
    for kind in ("int", "uint", "double", "string", "timestamp"):
        yield f"int({kind}) int", _to_int
    for kind in ("int", "uint", "double", "string"):
        yield f"uint({kind}) uint", _to_uint
        yield f"double({kind}) double", _to_double
    for kind in ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"):
        yield f"string({kind}) string", to_string
    yield "bool(bool) bool", lambda a: a
    yield "bool(string) bool", _to_bool
    yield "bytes(bytes) bytes", lambda a: a
    yield "bytes(string) bytes", lambda a: a.encode()
    yield "duration(duration) duration", lambda a: a
    yield "duration(string) duration", _to_duration
    yield "timestamp(timestamp) timestamp", lambda a: a
    yield "timestamp(string) timestamp", _to_timestamp
    yield "timestamp(int) timestamp", lambda a: Timestamp(a * SECOND_NS)
    yield "type(A) type", TypeValue
    yield "dyn(A) dyn", lambda a: a


# --- Sizes, texts and times ----------------------------------------------------------------------


def _matches(text: str, pattern: str) -> bool:
    try:
        return patterns.matcher(pattern)(text)
    except patterns.InvalidPattern as error:
        raise CelError(str(error)) from None


def _zone(name: str) -> dt.tzinfo:
    sign = -1 if name.startswith("-") else 1
    hours, colon, minutes = name.lstrip("+-").partition(":")
    if colon and hours.isdigit() and minutes.isdigit():
        away = dt.timedelta(hours=int(hours), minutes=int(minutes))
        return dt.timezone(sign * away)
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError(f"unknown time zone {name}") from None


_FIELDS: dict[str, Callable[[dt.datetime], int]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
    "getMilliseconds": lambda moment: moment.microsecond // 1000,
}


def _field(read: Callable[[dt.datetime], int]) -> Callable[..., int]:
    return lambda moment, zone="": read(moment.at(_zone(zone) if zone else dt.UTC))


def _times() -> Iterator[Row]:
    for name, read in _FIELDS.items():
        yield f"timestamp->{name}() int", _field(read)
        yield f"timestamp->{name}(string) int", _field(read)
    units = {"getHours": 3600 * SECOND_NS, "getMinutes": 60 * SECOND_NS, "getSeconds": SECOND_NS}
    for name, unit in units.items():
        yield f"duration->{name}() int", lambda length, unit=unit: _quotient(length.ns, unit)
    yield (
        "duration->getMilliseconds() int",
        lambda length: _quotient(length.ns, 10**6) % 1000,
    )


def _texts() -> Iterator[Row]:
    for kind in ("string", "bytes", "list<A>", "map<A,B>"):
        yield f"size({kind}) int", len
        yield f"{kind}->size() int", len
    yield "string->contains(string) bool", lambda a, b: b in a
    yield "string->startsWith(string) bool", lambda a, b: a.startswith(b)
    yield "string->endsWith(string) bool", lambda a, b: a.endswith(b)
    yield "string->matches(string) bool", _matches
    yield "matches(string,string) bool", _matches


# --- Values that may be missing ------------------------------------------------------------------


def _value(maybe: Optional) -> Any:
    if not maybe.has:
        raise CelError("optional.none() dereference")
    return maybe.value


def _non_zero(value: Any) -> Optional:
    if isinstance(value, Timestamp):
        return Optional(has=True, value=value)
    zero = value is None or value == Duration(0) or value in (False, 0, "", b"", [], {})
    return NONE if zero else Optional(has=True, value=value)


def _optionals() -> Iterator[Row]:
    yield "optional.of(A) optional<A>", lambda a: Optional(has=True, value=a)
    yield "optional.ofNonZeroValue(A) optional<A>", _non_zero
    yield "optional.none() optional<A>", lambda: NONE
    yield "optional<A>->hasValue() bool", lambda a: a.has
    yield "optional<A>->value() A", _value
    yield "optional<A>->or(optional<A>) optional<A>", lambda a, b: a if a.has else b
    yield "optional<A>->orValue(A) A", lambda a, b: a.value if a.has else b


ROWS: list[Row] = [
    *_arithmetic(),
    *_comparing(),
    *_conversions(),
    *_times(),
    *_texts(),
    *_optionals(),
]

__all__ = ["ROWS", "NoOverload", "to_string"]
