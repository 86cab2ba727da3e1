"""Objects as Go writes them: what is never left out, what always is, and how values are spelled.

The real server reads every object into a Go struct and writes it again. A Deployment without a
strategy gets ``strategy: {}`` by that, ``paused: false`` vanishes, and ``0.5`` of a CPU becomes
``500m``. Managed fields tell of it, because the server compares what it would write.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import ROUND_UP, Decimal, localcontext
from typing import Any, Final

from fakekube import builtin
from fakekube.builtin import Field, Kind

Json = Any
Object = dict[str, Any]

ZERO: Final = {"s": "", "y": "", "u": "", "i": 0, "f": 0, "b": False, "q": "0", "I": 0}
BINARY: Final = {f"{prefix}i": 1024**power for power, prefix in enumerate("KMGTPE", 1)}
DECIMAL: Final = {
    suffix: Decimal(10) ** (3 * power)
    for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
}
QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i|[numkMGTPE]?)|[eE]([+-]?\d+))")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def complete(obj: Object, name: str) -> None:
    """Spell an object of a type in place, as Go would."""
    for field in builtin.struct(name).fields.values():
        value = obj.get(field.name)
        if field.name == "managedFields" and value == []:
            # An empty list is a wish of the client, which the field manager has to see.
            continue
        if value is None:
            _missing(obj, field)
        elif field.mode == "-" and not value and isinstance(value, str | int | list | dict):
            del obj[field.name]
        else:
            obj[field.name] = spelled(field.kind, value)


def _missing(obj: Object, field: Field) -> None:
    if field.mode == "+":
        obj[field.name] = zero(field.kind)
    elif field.mode == "!":
        obj[field.name] = None
    else:
        obj.pop(field.name, None)


def zero(kind: Kind) -> Json:
    """Return what Go writes for a value that nobody set."""
    if kind.code == "@":
        found: Object = {}
        complete(found, kind.name)
        return found
    return ZERO.get(kind.code)


def spelled(kind: Kind, value: Json) -> Json:
    """Return a value as Go would write it; structs are changed in place."""
    code = kind.code
    if code == "@":
        if isinstance(value, dict):
            complete(value, kind.name)
    elif code == "[" and isinstance(value, list):
        if kind.item is not None and kind.item.code in "@tTq[":
            return [spelled(kind.item, item) for item in value]
    elif code == "{" and isinstance(value, dict):
        if kind.item is not None and kind.item.code in "@q[":
            return {key: spelled(kind.item, item) for key, item in value.items()}
    elif code in SPELLED:
        return SPELLED[code](value)
    return value


def time(value: Json) -> Json:
    """Return a time in seconds, in UTC; what is no time stays."""
    if not isinstance(value, str) or TIME.fullmatch(value):
        return value
    found = _parsed(value)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") if found else value


def micro_time(value: Json) -> Json:
    """Return a time in microseconds, in UTC; what is no time stays."""
    found = _parsed(value) if isinstance(value, str) else None
    return found.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if found else value


def _parsed(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(dt.UTC) if found.tzinfo else None


def quantity(value: Json) -> Json:
    """Return a quantity in its canonical form; what is none stays."""
    text = str(value)
    match = QUANTITY.fullmatch(text.strip())
    if match is None or isinstance(value, bool):
        return value
    digits, suffix, exponent = match.groups()
    with localcontext(prec=60):
        number = Decimal(digits)
        if exponent is not None:
            return _decimal(number.scaleb(int(exponent)), is_exponent=True)
        if suffix in BINARY:
            number *= BINARY[suffix]
            if abs(number) >= 1024 and number == number.to_integral_value():
                return _binary(int(number))
            return _decimal(number)
        return _decimal(number * DECIMAL[suffix])


def _binary(number: int) -> str:
    power = 0
    while number % 1024 == 0 and power < len(BINARY):
        number, power = number // 1024, power + 1
    return f"{number}{['', *BINARY][power]}"


def _decimal(number: Decimal, *, is_exponent: bool = False) -> str:
    # Nothing is smaller than a billionth; what is cut off is rounded away from zero.
    nano = int((number / DECIMAL["n"]).to_integral_value(rounding=ROUND_UP))
    if not nano:
        return "0"
    power = -3
    while nano % 1000 == 0 and (power < 6 or is_exponent):
        nano, power = nano // 1000, power + 1
    if is_exponent:
        return f"{nano}e{3 * power}" if power else f"{nano}"
    return f"{nano}{list(DECIMAL)[power + 3]}"


SPELLED: Final[dict[str, Callable[[Json], Json]]] = {
    "t": time,
    "T": micro_time,
    "q": quantity,
}
