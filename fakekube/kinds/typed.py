"""Objects as the real server reads them into Go structs: what is unknown, what has a wrong type.

Reading also brings an object into the shape in which Go writes it: nulls and empty values vanish
or appear, times and quantities get their canonical form (``fakekube.builtin`` knows which). The
decoders are compiled when a type is first read.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable
from typing import Any, Final

from fakekube import builtin, status
from fakekube.builtin import normal
from fakekube.kinds import schemas

Json = Any
Object = dict[str, Any]
Decoder = Callable[[Json, list[str]], Json]
"""Return the value as it is stored; add the paths of unknown fields, which are removed."""

QUANTITY: Final = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
SECONDS: Final = ("2006-01-02T15:04:05Z07:00", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"))
MICROS: Final = (
    "2006-01-02T15:04:05.000000Z07:00",
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)"),
)
GO_SCALARS: Final = {"s": "string", "i": "int32", "l": "int64", "b": "bool", "f": "float64"}


class Mistyped(Exception):
    """A value has a type that its field does not take; the path grows on the way out."""

    def __init__(self, value: Json, go: str, *, text: str = "") -> None:
        super().__init__(text)
        self.value = value
        self.go = go
        self.text = text
        self.path: list[str] = []
        self.struct = ""

    def message(self) -> str:
        """Return what Go says."""
        if self.text:
            return self.text
        found = {bool: "bool", dict: "object", list: "array", str: "string"}.get(type(self.value))
        if found is None:
            shown = f" {self.value}" if self.go in {"int32", "int64"} else ""
            found = f"number{shown}"
        where = f"{self.struct}.{'.'.join(self.path)}"
        return f"json: cannot unmarshal {found} into Go struct field {where} of type {self.go}"


def decode(obj: Object, api_version: str, kind: str) -> list[str]:
    """Bring an object of a built-in kind into shape; return the paths of unknown fields.

    The metadata of the object itself is left to ``fakekube.meta``.
    """
    name = builtin.name_of(api_version, kind)
    unknown: list[str] = []
    if not name:
        return unknown
    metadata = obj.pop("metadata", None)
    try:
        _struct(name)(obj, unknown)
    except Mistyped as error:
        version = api_version.rpartition("/")[2]
        raise status.bad_request(
            f'{kind} in version "{version}" cannot be handled as a {kind}: {error.message()}'
        ) from None
    obj["metadata"] = metadata
    return unknown


@functools.cache
def _struct(name: str) -> Decoder:
    return _Struct(name).read


class _Struct:
    """Reads the values of one struct; its fields are compiled with the first of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._row = builtin.struct(name)
        self._last = name.rsplit(".", 1)[1]
        self._go = ".".join(name.rsplit(".", 2)[1:])
        self._fields: dict[str, tuple[Decoder, bool, bool]] = {}
        self._always: list[builtin.Field] = []

    def _compile(self) -> None:
        fields = self._row.fields
        is_whole = "metadata" in fields and "kind" in fields
        sizes = schemas.table().get(f"api.{self._name}", {}).get("of", {})
        for field in fields.values():
            if field.name == "metadata" and is_whole:
                self._fields[field.name] = (_anything, False, False)
                continue
            decoder = _of(field.kind, is_long=str(sizes.get(field.name, "i")).startswith("l"))
            is_nested = field.kind.code in "@[{"
            self._fields[field.name] = (decoder, field.mode == "-", is_nested)
            if field.mode in {"+", "!"}:
                self._always.append(field)

    def read(self, value: Json, unknown: list[str]) -> Json:
        """Return the value as it is stored."""
        if type(value) is not dict:
            raise Mistyped(value, self._go)
        if not self._fields:
            self._compile()
        for key in list(value):
            found = self._fields.get(key)
            if found is None:
                unknown.append(key)
                del value[key]
            elif value[key] is None:
                del value[key]
            else:
                self._member(value, key, found, unknown)
        for field in self._always:
            if field.name not in value:
                missing = None if field.mode == "!" else normal.zero(field.kind)
                value[field.name] = missing
        return value

    def _member(
        self, value: Object, key: str, found: tuple[Decoder, bool, bool], unknown: list[str]
    ) -> None:
        decoder, omits_empty, is_nested = found
        before = len(unknown)
        try:
            item = decoder(value[key], unknown)
        except Mistyped as error:
            error.path.insert(0, key)
            error.struct = error.struct or self._last
            raise
        if is_nested and len(unknown) > before:
            unknown[before:] = [_joined(key, each) for each in unknown[before:]]
        if omits_empty and not item:
            del value[key]
        else:
            value[key] = item


def _joined(key: str, path: str) -> str:
    return f"{key}{path}" if path.startswith("[") else f"{key}.{path}"


@functools.cache
def _of(kind: builtin.Kind, *, is_long: bool = False) -> Decoder:
    code = kind.code
    if code == "@":
        return _struct(kind.name)
    if code == "[":
        assert kind.item is not None, "A list has items."
        return _list(kind.item, _of(kind.item))
    if code == "{":
        assert kind.item is not None, "A map has values."
        return _map(kind.item, _of(kind.item))
    if code == "i":
        return _long if is_long else _int
    return SCALARS.get(code, _anything)


def go_type(kind: builtin.Kind) -> str:
    """Return how Go calls a type."""
    if kind.code == "@":
        return ".".join(kind.name.rsplit(".", 2)[1:])
    if kind.item is not None:
        inner = go_type(kind.item)
        return f"[]{inner}" if kind.code == "[" else f"map[string]{inner}"
    if kind.code == "y":
        return "[]uint8"
    return {"q": "resource.Quantity", "i": "int32"}.get(kind.code, GO_SCALARS.get(kind.code, ""))


def _list(kind: builtin.Kind, item: Decoder) -> Decoder:
    go = f"[]{go_type(kind)}"
    nested = kind.code in "@[{"

    def read(value: Json, unknown: list[str]) -> Json:
        if type(value) is not list:
            raise Mistyped(value, go)
        if not nested:
            return [item("" if each is None else each, unknown) for each in value]
        for number, each in enumerate(value):
            before = len(unknown)
            value[number] = item({} if each is None else each, unknown)
            if len(unknown) > before:
                unknown[before:] = [_joined(f"[{number}]", path) for path in unknown[before:]]
        return value

    return read


def _map(kind: builtin.Kind, item: Decoder) -> Decoder:
    go = f"map[string]{go_type(kind)}"

    def read(value: Json, unknown: list[str]) -> Json:
        if type(value) is not dict:
            raise Mistyped(value, go)
        return {
            key: item("" if each is None and kind.code in "sy" else each, unknown)
            for key, each in value.items()
        }

    return read


def _anything(value: Json, _: list[str]) -> Json:
    return value


def _string(value: Json, _: list[str]) -> Json:
    if type(value) is not str:
        raise Mistyped(value, "string")
    return value


def _bool(value: Json, _: list[str]) -> Json:
    if type(value) is not bool:
        raise Mistyped(value, "bool")
    return value


def _int(value: Json, _: list[str]) -> Json:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise Mistyped(value, "int32")
    return value


def _long(value: Json, _: list[str]) -> Json:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Mistyped(value, "int64")
    return value


def _float(value: Json, _: list[str]) -> Json:
    if type(value) not in (int, float):
        raise Mistyped(value, "float64")
    return value


def _bytes(value: Json, _: list[str]) -> Json:
    if type(value) is not str:
        raise Mistyped(value, "[]uint8")
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        at = re.match(r"[A-Za-z0-9+/]*", value)
        where = at.end() if at else 0
        text = f"illegal base64 data at input byte {where}"
        raise Mistyped(value, "", text=text) from None
    return value


def _quantity(value: Json, _: list[str]) -> Json:
    if isinstance(value, bool | dict | list) or not normal.QUANTITY.fullmatch(str(value).strip()):
        text = f"quantities must match the regular expression '{QUANTITY}'"
        raise Mistyped(value, "", text=text)
    return normal.quantity(value)


def _int_or_string(value: Json, unknown: list[str]) -> Json:
    if isinstance(value, str):
        return value
    return _int(value, unknown)


def _time(value: Json, _: list[str]) -> Json:
    return _moment(value, SECONDS, normal.time)


def _micro_time(value: Json, _: list[str]) -> Json:
    return _moment(value, MICROS, normal.micro_time)


def _moment(value: Json, form: tuple[str, re.Pattern[str]], spell: Callable[[Json], Json]) -> Json:
    if type(value) is not str:
        raise Mistyped(value, "string")
    layout, pattern = form
    if pattern.match(value):
        return spell(value)
    # Only the two mistakes that people make are told as Go tells them.
    rest, wanted = value, "2006"
    seconds = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value)
    if seconds:
        rest, wanted = value[seconds.end() :], ".000000"
    text = f'parsing time "{value}" as "{layout}": cannot parse "{rest}" as "{wanted}"'
    raise Mistyped(value, "", text=text)


SCALARS: Final[dict[str, Decoder]] = {
    "s": _string,
    "b": _bool,
    "f": _float,
    "y": _bytes,
    "q": _quantity,
    "I": _int_or_string,
    "t": _time,
    "T": _micro_time,
}
