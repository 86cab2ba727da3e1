"""The functions that Kubernetes adds to CEL: lists, sets, amounts, versions, formats."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from fakekube import names
from fakekube.schema import cel_network, formats, kinds
from fakekube.schema.cel_signatures import Row
from fakekube.schema.cel_standard import ROWS as STANDARD
from fakekube.schema.cel_values import (
    NONE,
    CelError,
    Duration,
    Format,
    Optional,
    Quantity,
    Semver,
    UInt,
    compare,
    contains,
    equal,
)

# --- Lists and sets ------------------------------------------------------------------------------

_ADD = {signature: call for signature, call in STANDARD if signature.startswith("_+_(")}
_ZERO = {"int": 0, "uint": UInt(0), "double": 0.0, "duration": Duration(0)}


def _sum(kind: str) -> Callable[[list[Any]], Any]:
    add, zero = _ADD[f"_+_({kind},{kind}) {kind}"], _ZERO[kind]

    def total(entries: list[Any]) -> Any:
        result = zero
        for entry in entries:
            result = add(result, entry)
        return result

    return total


def _extreme(name: str, sign: int) -> Callable[[list[Any]], Any]:
    def find(entries: list[Any]) -> Any:
        if not entries:
            raise CelError(f"{name} called on empty list")
        best = entries[0]
        for entry in entries[1:]:
            best = entry if compare(entry, best) == sign else best
        return best

    return find


def _is_sorted(entries: list[Any]) -> bool:
    return all(compare(*pair) <= 0 for pair in itertools.pairwise(entries))


def _index(entries: list[Any], wanted: Any) -> int:
    return next((place for place, entry in enumerate(entries) if equal(entry, wanted)), -1)


def _last_index(entries: list[Any], wanted: Any) -> int:
    found = _index(entries[::-1], wanted)
    return -1 if found < 0 else len(entries) - 1 - found


def _holds(entries: list[Any], wanted: list[Any]) -> bool:
    return all(contains(entries, each) for each in wanted)


def _lists() -> Iterator[Row]:
    for kind in ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"):
        yield f"list<{kind}>->isSorted() bool", _is_sorted
        yield f"list<{kind}>->min() {kind}", _extreme("min", -1)
        yield f"list<{kind}>->max() {kind}", _extreme("max", 1)
    for kind in _ZERO:
        yield f"list<{kind}>->sum() {kind}", _sum(kind)
    yield "list<A>->indexOf(A) int", _index
    yield "list<A>->lastIndexOf(A) int", _last_index
    yield "sets.contains(list<A>,list<A>) bool", _holds
    yield "sets.equivalent(list<A>,list<A>) bool", lambda a, b: _holds(a, b) and _holds(b, a)
    yield (
        "sets.intersects(list<A>,list<A>) bool",
        lambda a, b: any(contains(b, each) for each in a),
    )


# --- Amounts -------------------------------------------------------------------------------------

_AMOUNT = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m||k|M|G|T|P|E|[eE][+-]?\d+)", re.ASCII
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def parse_quantity(text: str) -> Quantity | None:
    """Read an amount with its unit, or return None."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        return None
    number, unit = Decimal(found[1]), found[2]
    if unit in _BINARY:
        return Quantity(number * 1024 ** _BINARY[unit], is_binary=True)
    power = _DECIMAL[unit] if unit in _DECIMAL else int(unit[1:])
    return Quantity(number.scaleb(power))


def _quantity(text: str) -> Quantity:
    found = parse_quantity(text)
    if found is None:
        raise CelError(
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    return found


def _whole(amount: Quantity) -> int:
    if not _is_whole(amount):
        raise CelError("cannot convert value to integer")
    return int(amount.amount)


def _is_whole(amount: Quantity) -> bool:
    value = amount.amount
    return value == value.to_integral_value() and abs(value) < 2**63


def _order(left: Decimal, right: Decimal) -> int:
    return (left > right) - (left < right)


def _amounts() -> Iterator[Row]:
    yield "quantity(string) quantity", _quantity
    yield "isQuantity(string) bool", lambda text: parse_quantity(text) is not None
    yield "quantity->sign() int", lambda a: _order(a.amount, Decimal(0))
    yield "quantity->isGreaterThan(quantity) bool", lambda a, b: a.amount > b.amount
    yield "quantity->isLessThan(quantity) bool", lambda a, b: a.amount < b.amount
    yield "quantity->compareTo(quantity) int", lambda a, b: _order(a.amount, b.amount)
    yield "quantity->asApproximateFloat() double", lambda a: float(a.amount)
    yield "quantity->asInteger() int", _whole
    yield "quantity->isInteger() bool", _is_whole
    yield "quantity->add(quantity) quantity", lambda a, b: Quantity(a.amount + b.amount)
    yield "quantity->add(int) quantity", lambda a, b: Quantity(a.amount + b)
    yield "quantity->sub(quantity) quantity", lambda a, b: Quantity(a.amount - b.amount)
    yield "quantity->sub(int) quantity", lambda a, b: Quantity(a.amount - b)


# --- Versions ------------------------------------------------------------------------------------

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)


def _parse_semver(text: str, *, lenient: bool = False) -> Semver:
    if lenient:
        text = _normal_semver(text)
    found = _SEMVER.fullmatch(text)
    if not found:
        raise CelError("No Major.Minor.Patch elements found")
    before = tuple(
        # Numbers come before words.
        (0, int(part)) if part.isdigit() else (1, part)
        for part in (found[4] or "").split(".")
        if part
    )
    return Semver((int(found[1]), int(found[2]), int(found[3])), before)


def _normal_semver(text: str) -> str:
    text = text.removeprefix("v")
    head = re.match(r"[0-9.]*", text)[0]  # type: ignore[index]
    parts = [part.lstrip("0") or "0" for part in head.split(".")]
    return ".".join([*parts, "0", "0"][: max(3, len(parts))]) + text[len(head) :]


def _compare_semver(left: Semver, right: Semver) -> int:
    return (left.order > right.order) - (left.order < right.order)


def _versions() -> Iterator[Row]:
    yield "semver(string) semver", _parse_semver
    yield "semver(string,bool) semver", lambda a, b: _parse_semver(a, lenient=b)
    yield "isSemver(string) bool", cel_network.succeeds(_parse_semver)
    yield (
        "isSemver(string,bool) bool",
        lambda a, b: cel_network.succeeds(lambda text: _parse_semver(text, lenient=b))(a),
    )
    yield "semver->isGreaterThan(semver) bool", lambda a, b: a.order > b.order
    yield "semver->isLessThan(semver) bool", lambda a, b: a.order < b.order
    yield "semver->compareTo(semver) int", _compare_semver
    yield "semver->major() int", lambda a: a.parts[0]
    yield "semver->minor() int", lambda a: a.parts[1]
    yield "semver->patch() int", lambda a: a.parts[2]


# --- Named formats -------------------------------------------------------------------------------


def _prefixed(check: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    # What will be generated from a prefix may end with the dash.
    return lambda text: check(f"{text[:-1]}a" if text.endswith("-") else text)


def _fixed(form: str, message: str) -> Callable[[str], list[str]]:
    return lambda text: [] if formats.FORMATS[form](text) else [message]


_NAMED: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": names.label,
    "dns1123Subdomain": names.subdomain,
    "dns1035Label": kinds.label,
    "qualifiedName": names.qualified,
    "labelValue": names.label_value,
    "dns1123LabelPrefix": _prefixed(names.label),
    "dns1123SubdomainPrefix": _prefixed(names.subdomain),
    "dns1035LabelPrefix": _prefixed(kinds.label),
    "uri": _fixed("uri", "invalid URI"),
    "uuid": _fixed("uuid", "does not match the UUID format"),
    "byte": _fixed("byte", "invalid base64"),
    "date": _fixed("date", "invalid date"),
    "datetime": _fixed("datetime", "invalid datetime"),
}


def _named(name: str) -> Optional:
    return Optional(has=True, value=Format(name)) if name in _NAMED else NONE


def _check_format(form: Format, text: str) -> Optional:
    wrong = _NAMED[form.name](text)
    return Optional(has=True, value=wrong) if wrong else NONE


def _constant(name: str) -> Callable[[], Format]:
    return lambda: Format(name)


def _formats() -> Iterator[Row]:
    yield "format.named(string) optional<format>", _named
    yield "format->validate(string) optional<list<string>>", _check_format
    for name in _NAMED:
        yield f"format.{name}() format", _constant(name)


ROWS: list[Row] = [
    *_lists(),
    *_amounts(),
    *cel_network.ROWS,
    *_versions(),
    *_formats(),
]
