"""The part of JSONPath that columns of custom resources use.

``.a.b``, ``['a.b']``, ``[0]``, ``[-1]``, ``[1:3]``, ``[*]``, ``.*``, ``..a`` and filters such as
``[?(@.type=="Ready")]``.
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

Json = Any
Find = Callable[[Json], list[Json]]

TOKEN: Final = re.compile(
    r"\.\.(?P<deep>[\w-]+)"
    r"|\.(?P<all>\*)"
    r"|\.?(?P<name>(?:[\w@/-]|\\.)+)"
    r"|\[(?P<index>-?\d+)\]"
    r"|\[(?P<start>-?\d*):(?P<end>-?\d*)\]"
    r"|\[(?P<each>\*)\]"
    r"|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]"
    r"|\[\?\(\s*(?P<test>.*?)\s*\)\]"
    r"|(?P<root>\$|@)"
    r"|\."
)
TEST: Final = re.compile(r"(?P<left>@\S*?|\S+?)\s*(?P<sign>==|!=|<=|>=|<|>)\s*(?P<right>.+)")
SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@functools.lru_cache(maxsize=1024)
def compiled(path: str) -> Find:
    """Return the function that finds the values at a path; what is missing is not found."""
    steps = list(_steps(path.strip().removeprefix("{").removesuffix("}")))

    def find(obj: Json) -> list[Json]:
        found = [obj]
        for step in steps:
            found = [inner for each in found for inner in step(each)]
        return found

    return find


def _steps(path: str) -> Iterator[Find]:
    at = 0
    while at < len(path):
        match = TOKEN.match(path, at)
        if match is None:
            # The real server refuses such a path when the definition is made.
            yield lambda _: []
            return
        at = match.end()
        part = match.groupdict()
        if part["deep"]:
            yield functools.partial(_deep, part["deep"])
        elif part["all"] or part["each"]:
            yield _each
        elif part["name"] and part["name"] != "@":
            yield functools.partial(_member, re.sub(r"\\(.)", r"\1", part["name"]))
        elif part["index"]:
            yield functools.partial(_index, int(part["index"]))
        elif part["start"] is not None:
            yield functools.partial(_slice, part["start"], part["end"])
        elif part["key"] is not None:
            yield functools.partial(_member, part["key"])
        elif part["test"]:
            yield _filter(part["test"])


def _member(name: str, value: Json) -> list[Json]:
    return [value[name]] if isinstance(value, dict) and name in value else []


def _index(number: int, value: Json) -> list[Json]:
    if not isinstance(value, list) or not -len(value) <= number < len(value):
        return []
    return [value[number]]


def _slice(start: str, end: str, value: Json) -> list[Json]:
    if not isinstance(value, list):
        return []
    return value[int(start) if start else None : int(end) if end else None]


def _each(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return list(value) if isinstance(value, list) else []


def _deep(name: str, value: Json) -> list[Json]:
    found = _member(name, value)
    for each in _each(value):
        found += _deep(name, each)
    return found


def _filter(text: str) -> Find:
    match = TEST.fullmatch(text)
    if match is None:
        find = compiled(text.removeprefix("@"))
        return lambda value: [each for each in _each(value) if find(each)]
    compare = SIGNS[match["sign"]]
    left, right = _operand(match["left"]), _operand(match["right"])

    def keep(value: Json) -> list[Json]:
        found = []
        for each in value if isinstance(value, list) else _each(value):
            ours, theirs = left(each), right(each)
            try:
                if ours and theirs and compare(ours[0], theirs[0]):
                    found.append(each)
            except TypeError:
                continue
        return found

    return keep


def _operand(text: str) -> Find:
    if text.startswith("@"):
        return compiled(text.removeprefix("@"))
    if text[:1] in {"'", '"'}:
        literal: Json = text[1:-1]
    else:
        try:
            literal = json.loads(text)
        except ValueError:
            literal = text
    return lambda _: [literal]


def shown(value: Json) -> str:
    """Return a value as the text of a cell."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), sort_keys=True)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
