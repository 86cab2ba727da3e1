"""Sets of fields, in the very shape in which ``fieldsV1`` holds them.

A set is a tree of dicts whose keys are path elements: ``f:name`` a field, ``k:{"name":"a"}`` an
item of a list by its keys, ``v:"a"`` an item by its value, ``i:0`` by its place. An empty dict is
a member; a dict with children is a member too if it has the key ``.``. The root is never a member:
an empty root is the empty set. No function here changes what it is given; results share parts.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

Json = Any
Set = dict[str, Any]

HTML = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
SHORT = re.compile(r"\\[bf]")


def union(one: Set, other: Set) -> Set:
    """Return the members of both sets."""
    if one is other or not other:
        return one
    found = dict(one)
    for key, right in other.items():
        left = found.get(key)
        if left is None:
            found[key] = right
        elif left is not right and key != ".":
            found[key] = _both(left, right)
    return found


def _both(left: Set, right: Set) -> Set:
    if not left:
        return member(right)
    return union(left, right) if right else member(left)


def member(node: Set) -> Set:
    """Return a node of a tree, made a member."""
    return {".": {}, **node} if node and "." not in node else node


def is_member(node: Set) -> bool:
    """Say whether a node of a tree is a member."""
    return not node or "." in node


def difference(one: Set, other: Set) -> Set:
    """Return the members of the first set that are not in the second one.

    A set that loses nothing is returned itself, so it is cheap to ask whether it changed.
    """
    found: Set | None = None
    for key, right in other.items():
        left = one.get(key)
        if left is None:
            continue
        rest = _minus(left, right)
        if rest is left:
            continue
        if found is None:
            found = dict(one)
        if rest is None:
            del found[key]
        else:
            found[key] = rest
    return one if found is None else found


def _minus(left: Set, right: Set) -> Set | None:
    if not left:
        return None if is_member(right) else left
    rest = difference(left, right or {".": {}})
    if not rest:
        return None
    return {} if rest.keys() == {"."} else rest


def without(one: Set, other: Set) -> Set:
    """Return the members of the first set that are neither in the second one nor below it."""
    found: Set = {}
    for key, left in one.items():
        right = other.get(key)
        if right is None:
            found[key] = left
        elif not is_member(right):
            rest = without(left, right)
            if rest or not left:
                found[key] = {} if rest.keys() == {"."} else rest
    return found


def only(one: Set, other: Set) -> Set:
    """Return the members of the first set that a pattern leads to, or that are below its ends.

    A pattern is a set in which ``*`` stands for every path element.
    """
    found: Set = {}
    for key, left in one.items():
        right = other.get(key, other.get("*"))
        if key == ".":
            found[key] = left
        elif right is not None:
            rest = only(left, right) if right else left
            if rest or not left:
                found[key] = {} if rest.keys() == {"."} else rest
    return found


def intersection(one: Set, other: Set) -> Set:
    """Return the members that are in both sets."""
    if not one or not other:
        return {}
    found: Set = {}
    for key, left in one.items():
        right = other.get(key)
        if right is None or key == ".":
            continue
        children = intersection(left, right)
        if is_member(left) and is_member(right):
            found[key] = member(children)
        elif children:
            found[key] = children
    return found


def put(into: Set, path: Sequence[str], node: Set) -> None:
    """Put a node into a set that nobody else has yet."""
    for key in path[:-1]:
        below = into.get(key)
        if not below:
            # A new dict gets a child at once; one that was empty was a member, and stays it.
            below = into[key] = {} if below is None else {".": {}}
        into = below
    key = path[-1]
    into[key] = _both(into[key], node) if key in into else node


def has(fields: Set, path: Sequence[str]) -> bool:
    """Say whether a path is a member of a set."""
    node: Set | None = fields
    for key in path:
        node = node.get(key) if node is not None else None
    return node is not None and bool(path) and is_member(node)


def paths(fields: Set, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the paths of all members, in the order of the real server: members, then children."""
    keys = sorted((key for key in fields if key != "."), key=order)
    for key in keys:
        if is_member(fields[key]):
            yield (*before, key)
    for key in keys:
        if fields[key]:
            yield from paths(fields[key], (*before, key))


def ordered(fields: Set) -> Set:
    """Return the set with its keys in the order of the real server."""
    keys = sorted(fields, key=order)
    return {key: ordered(fields[key]) if fields[key] else {} for key in keys}


@functools.lru_cache(4096)
def order(element: str) -> tuple[int, Json]:
    """Return what path elements are sorted by."""
    if element == ".":
        return (0, "")
    kind, text = element[:2], element[2:]
    if kind == "f:":
        return (1, text)
    if kind == "k:":
        items = sorted(json.loads(text).items())
        return (2, [(name, _rank(value)) for name, value in items])
    return (3, _rank(json.loads(text))) if kind == "v:" else (4, int(text))


def _rank(value: Json) -> tuple[int, Json]:
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (0, value)
    return (1, value) if isinstance(value, str) else (3, str(value))


def text(path: Sequence[str]) -> str:
    """Return a path as messages show it: ``.spec.ports[port=80,protocol="TCP"].name``."""
    return "".join(_text(element) for element in path)


def _text(element: str) -> str:
    kind, rest = element[:2], element[2:]
    if kind == "f:":
        return f".{rest}"
    if kind == "k:":
        items = sorted(json.loads(rest).items())
        return f"[{','.join(f'{name}={_quoted(value)}' for name, value in items)}]"
    return f"[={_quoted(json.loads(rest))}]" if kind == "v:" else f"[{rest}]"


def _quoted(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


@functools.lru_cache(8192, typed=True)
def value_element(value: Json) -> str:
    """Return the path element of an item of a set."""
    return f"v:{dumped(value)}"


@functools.lru_cache(8192, typed=True)
def key_element(name: str, value: Json) -> str:
    """Return the path element of an item with one key."""
    return f"k:{{{dumped(name)}:{dumped(value)}}}"


def keys_element(values: dict[str, Json]) -> str:
    """Return the path element of an item with several keys, or with less usual ones."""
    inner = ",".join(f"{dumped(name)}:{dumped(values[name])}" for name in sorted(values))
    return f"k:{{{inner}}}"


def dumped(value: Json) -> str:
    """Return JSON as Go writes it: without spaces, with ``<``, ``>`` and ``&`` escaped."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    found = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if "\\" in found:
        found = SHORT.sub(lambda match: {"b": "\\u0008", "f": "\\u000c"}[match[0][1]], found)
    return found.translate(HTML)


def element(text_: str) -> str | None:
    """Return a path element as the server itself would write it; None if it is unknown.

    Clients may send sets of their own making; one that cannot be read raises ``ValueError``.
    """
    kind, rest = text_[:2], text_[2:]
    if len(text_) < 2 or text_[1] != ":":
        raise ValueError(f"missing colon: {text_}")
    if kind == "f:":
        return text_
    if kind == "v:":
        return f"v:{dumped(json.loads(rest))}"
    if kind == "k:":
        found = json.loads(rest)
        if not isinstance(found, dict):
            raise ValueError(f"no keys: {text_}")
        return keys_element(found)
    return f"i:{int(rest)}" if kind == "i:" else None


def checked(fields: Json) -> Set:
    """Return a set that a client sent, in the server's own spelling."""
    if not isinstance(fields, dict):
        raise ValueError("a set of fields is an object")  # noqa: TRY004
    found: Set = {}
    for key, node in fields.items():
        name = "." if key == "." else element(key)
        if name is not None:
            below = checked(node or {})
            found[name] = {} if below.keys() == {"."} else below
    return found
