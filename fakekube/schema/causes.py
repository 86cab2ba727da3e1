"""What is wrong with a field, in the words of kube-apiserver.

A cause has the text that the real server puts into `Status.details.causes`: the kind of mistake,
the value as Go prints it, and the detail.
"""

from __future__ import annotations

import decimal
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from fakekube.status import Cause

INVALID = "FieldValueInvalid"
REQUIRED = "FieldValueRequired"
DUPLICATE = "FieldValueDuplicate"
FORBIDDEN = "FieldValueForbidden"
NOT_SUPPORTED = "FieldValueNotSupported"
TOO_LONG = "FieldValueTooLong"
TOO_MANY = "FieldValueTooMany"
TYPE_INVALID = "FieldValueTypeInvalid"
INTERNAL = "InternalError"

_INT64 = range(-(2**63), 2**63)
EXPONENT_FROM = 6
_ESCAPES = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    "\\": r"\\",
    '"': r"\"",
}


def quote(text: str) -> str:
    """Quote a text as Go does (`%q`)."""
    if text.isprintable() and "\\" not in text and '"' not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def number(value: float) -> str:
    """Print a number as Go does (`%v`): the shortest text, with an exponent from a million on."""
    if isinstance(value, int) and value in _INT64:
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    exact = decimal.Decimal(repr(float(value)))
    sign, digits, _ = exact.normalize().as_tuple()
    power = exact.adjusted()
    if -4 <= power < EXPONENT_FROM:
        return f"{exact.normalize():f}"
    head = "".join(map(str, digits))
    mantissa = f"{head[0]}.{head[1:]}" if len(head) > 1 else head
    return f"{'-' * sign}{mantissa}e{power:+03d}"


def encode(value: Any) -> str:
    """Print a value as Go's JSON encoder does: sorted keys, no spaces, `<`, `>` and `&` escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def printed(value: Any) -> str:
    """Print the value of a field as an error does."""
    if isinstance(value, str):
        return quote(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float) or (isinstance(value, int) and value not in _INT64):
        return number(float(value))
    return encode(value)


def invalid(field: str, value: Any, detail: str) -> Cause:
    """Say that a value breaks a rule."""
    return Cause(field, INVALID, f"Invalid value: {printed(value)}: {detail}")


def type_invalid(field: str, value: Any, detail: str) -> Cause:
    """Say that a value has another type than the schema wants."""
    return Cause(field, TYPE_INVALID, f"Invalid value: {printed(value)}: {detail}")


def required(field: str, detail: str = "") -> Cause:
    """Say that a field is missing."""
    return Cause(field, REQUIRED, f"Required value: {detail}" if detail else "Required value")


def forbidden(field: str, detail: str) -> Cause:
    """Say that a field must not be there."""
    return Cause(field, FORBIDDEN, f"Forbidden: {detail}" if detail else "Forbidden")


def duplicate(field: str, value: Any) -> Cause:
    """Say that a value is there twice."""
    return Cause(field, DUPLICATE, f"Duplicate value: {printed(value)}")


def not_supported(field: str, value: Any, supported: Iterable[Any]) -> Cause:
    """Say that a value is not one of those that may be chosen."""
    texts = [quote(item if isinstance(item, str) else encode(item)) for item in supported]
    detail = f": supported values: {', '.join(texts)}" if texts else ""
    return Cause(field, NOT_SUPPORTED, f"Unsupported value: {printed(value)}{detail}")


def too_long(field: str, most: int) -> Cause:
    """Say that a text is too long; the real server says bytes, and counts characters."""
    unit = "byte" if most == 1 else "bytes"
    return Cause(field, TOO_LONG, f"Too long: may not be more than {most} {unit}")


def too_many(field: str, actual: int, most: int) -> Cause:
    """Say that a list or a map has too many entries."""
    unit = "item" if most == 1 else "items"
    return Cause(field, TOO_MANY, f"Too many: {actual}: must have at most {most} {unit}")


def internal(field: str, detail: str) -> Cause:
    """Say that the server itself failed at a field."""
    return Cause(field, INTERNAL, f"Internal error: {detail}")


def without_repeats(found: Sequence[Cause]) -> list[Cause]:
    """Leave out causes that say the same again; the order stays."""
    return list(dict.fromkeys(found))
