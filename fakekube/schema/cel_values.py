"""The values that CEL has and JSON has not, and how values are compared."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SECOND_NS = 10**9


class CelError(Exception):
    """An expression has no value; the message is that of the real server."""


class OutOfBudget(CelError):
    """Raised when an expression goes through more entries than it may."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


class Budget:
    """How many entries of lists and maps may still be gone through."""

    KEY = "#budget"
    """Where it stands among the values of an expression, which has no such name."""
    ENTRIES = 700_000
    """Near to what the real server's limit comes to for a small condition; it takes a second."""

    def __init__(self) -> None:
        self.left = self.ENTRIES

    def spend(self, entries: int) -> None:
        """Pay for going through entries."""
        self.left -= entries
        if self.left < 0:
            raise OutOfBudget


class NoOverload(CelError):
    """A function was given values that it does not know."""

    def __init__(self) -> None:
        """Say what the real server says."""
        super().__init__("no such overload")


class UInt(int):
    """An integer without a sign."""


@dataclass(frozen=True, order=True, slots=True)
class Duration:
    """A length of time."""

    ns: int


@dataclass(frozen=True, order=True, slots=True)
class Timestamp:
    """A moment, since 1970."""

    ns: int

    def at(self, zone: dt.tzinfo) -> dt.datetime:
        """Return the moment on the clocks of a zone; the nanoseconds get lost."""
        moment = _EPOCH + dt.timedelta(microseconds=self.ns // 1000)
        return moment.astimezone(zone)


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be missing."""

    has: bool
    value: Any = None


NONE = Optional(has=False)


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount with a unit, such as 100Mi."""

    amount: Decimal
    is_binary: bool = False


@dataclass(frozen=True, slots=True)
class Semver:
    """A semantic version; what stands behind the plus sign does not count."""

    parts: tuple[int, int, int]
    before: tuple[tuple[int, int | str], ...]

    @property
    def order(self) -> tuple[Any, ...]:
        """Return a key to sort by: a version comes after its pre-releases."""
        return (*self.parts, not self.before, self.before)


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL."""

    scheme: str
    host: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class Format:
    """A named format of texts."""

    name: str


_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?"
    r"(?:[Zz]|([+-])(\d{2}):(\d{2}))\Z",
    re.ASCII,
)


def parse_timestamp(text: str) -> Timestamp | None:
    """Read a moment in RFC 3339, or return None."""
    found = _MOMENT.match(text)
    if not found:
        return None
    try:
        moment = dt.datetime(*map(int, found.groups()[:6]), tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    seconds = (moment - _EPOCH) // dt.timedelta(seconds=1)
    if found[8]:
        away = int(found[9]) * 3600 + int(found[10]) * 60
        seconds -= away if found[8] == "+" else -away
    return Timestamp(seconds * SECOND_NS + int((found[7] or "").ljust(9, "0")))


def type_name(value: Any) -> str:
    """Return the name of the type of a value."""
    if value is None:
        return "null_type"
    name = _NAMES.get(value.__class__)
    if name is None:
        raise NoOverload
    return name


_NAMES = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
    TypeValue: "type",
    Optional: "optional_type",
    Quantity: "kubernetes.Quantity",
    Url: "kubernetes.URL",
    Semver: "kubernetes.Semver",
    Format: "kubernetes.NamedFormat",
    ipaddress.IPv4Address: "net.IP",
    ipaddress.IPv6Address: "net.IP",
    ipaddress.IPv4Interface: "net.CIDR",
    ipaddress.IPv6Interface: "net.CIDR",
}


def is_number(value: Any) -> bool:
    """Tell whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are equal; numbers of different kinds may be."""
    kind = left.__class__
    if kind is str or right is None or left is None:
        return bool(left == right)
    if kind is not right.__class__:
        return is_number(left) and is_number(right) and bool(left == right)
    if kind is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if kind is dict:
        return left.keys() == right.keys() and all(
            equal(value, right[name]) for name, value in left.items()
        )
    if kind is Optional:
        return left.has == right.has and equal(left.value, right.value)
    return bool(left == right)


def same_set(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Tell whether two lists hold the same, in any order."""
    if len(left) != len(right):
        return False
    return all(contains(right, each) for each in left)


def contains(entries: Any, value: Any) -> bool:
    """Tell whether a value is in a list, or a key in a map."""
    if value.__class__ is str:
        return value in entries
    return any(equal(each, value) for each in entries)


def compare(left: Any, right: Any) -> int:
    """Return -1, 0 or 1 for less, equal and more; only like things can be compared."""
    alike = left.__class__ is right.__class__ and left.__class__ in _ORDERED
    if not alike and not (is_number(left) and is_number(right)):
        raise NoOverload
    return int(left > right) - int(left < right)


_ORDERED = {bool, int, UInt, float, str, bytes, Duration, Timestamp}
