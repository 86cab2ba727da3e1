"""What can be asked about two objects of one type: what differs, and what they are merged.

These are the operations of structured-merge-diff: ``compare`` and ``merge`` of two values,
``mentioned``, the fields that a value names, and ``remove`` of some of them. A value that is not
there is ``MISSING``, which is not ``None``: that is a null, and a null is there.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fakekube.patch import fields
from fakekube.patch.types import ANY, ListType, Type

Json = Any
Set = fields.Set
Path = tuple[str, ...]

MISSING: Final = object()
MAP, SCALAR, LIST = 1, 2, 3


class Unmergeable(Exception):
    """A list has an item that cannot be told apart from the others."""


class Diff:
    """What compare finds: no field stands in more than one of the three sets."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.removed: Set = {}
        self.modified: Set = {}
        self.added: Set = {}

    def __bool__(self) -> bool:
        return bool(self.removed or self.modified or self.added)


def form(type_: Type, value: Json) -> int:
    """Return which form of a type applies to a value; a null takes the first one."""
    if isinstance(value, dict):
        if type_.map is not None:
            return MAP
    elif isinstance(value, list):
        if type_.list is not None:
            return LIST
    elif value is not None and value is not MISSING and type_.scalar:
        return SCALAR
    if type_.map is not None:
        return MAP
    return SCALAR if type_.scalar else LIST


def same(one: Json, other: Json) -> bool:
    """Say whether two values are equal; true is not 1, but 1.0 is."""
    return bool(one == other) and _same(one, other)


def _same(one: Json, other: Json) -> bool:
    if isinstance(one, dict):
        return all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def element_of(list_: ListType, item: Json) -> str:
    """Return the path element of an item of a list that is a set or a map."""
    keys = list_.keys
    if not keys:
        if item is None or isinstance(item, dict | list):
            raise Unmergeable(_set_text(item))
        return fields.value_element(item)
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise Unmergeable(f"associative list with keys may not have {what}")
    if len(keys) == 1:
        value = item.get(keys[0], MISSING)
        if isinstance(value, str | int | float):
            return fields.key_element(keys[0], value)
    found = {key: item[key] for key in keys if key in item}
    for key in keys:
        if key not in found and key in list_.defaults:
            found[key] = list_.defaults[key]
    if not found:
        listed = " ".join(f'"{key}"' for key in keys)
        raise Unmergeable(
            f"associative list with keys has an element that omits all key fields [{listed}] "
            "(and doesn't have default values for any key fields)"
        )
    return fields.keys_element(found)


def _set_text(item: Json) -> str:
    if isinstance(item, dict):
        return "associative list without keys has an element that's a map type"
    if isinstance(item, list):
        return "not supported: associative list with lists as elements"
    return "associative list without keys has an element that's an explicit null"


def _indexed(list_: ListType, items: Json) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for item in items or ():
        found.setdefault(element_of(list_, item), []).append(item)
    return found


# --- Compare -------------------------------------------------------------------------------------


def compare(type_: Type, old: Json, new: Json) -> Diff:
    """Return what a new object removes, modifies and adds."""
    diff = Diff()
    _compare(type_, old, new, (), diff)
    return diff


def _compare(type_: Type, old: Json, new: Json, path: Path, diff: Diff) -> None:
    if old is new or (type_.is_exact and old == new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and type_.map is not None:
        _compare_maps(type_, old, new, path, diff)
        return
    before, after = form(type_, old), form(type_, new)
    if before != after:
        # Each side is looked at in its own form.
        _compare_as(before, type_, old, new, path, diff)
    _compare_as(after, type_, old, new, path, diff)


def _compare_as(kind: int, type_: Type, old: Json, new: Json, path: Path, diff: Diff) -> None:
    if kind == SCALAR:
        _compare_leaf(old, new, path, diff)
    elif kind == MAP:
        _compare_maps(type_, old, new, path, diff)
    else:
        _compare_lists(type_, old, new, path, diff)


def _compare_leaf(old: Json, new: Json, path: Path, diff: Diff) -> None:
    if path and not same(old, new):
        fields.put(diff.modified, path, {})


def _compare_maps(type_: Type, old: Json, new: Json, path: Path, diff: Diff) -> None:
    map_ = type_.map
    assert map_ is not None, "The form was chosen by this."
    left = old if isinstance(old, dict) else {}
    right = new if isinstance(new, dict) else {}
    if map_.is_atomic or not (left or right):
        _compare_leaf(old, new, path, diff)
        return
    known, other = map_.fields, map_.element or ANY
    for key, value in right.items():
        before = left.get(key, MISSING)
        if before is value:
            continue
        here = (*path, f"f:{key}")
        if before is MISSING:
            fields.put(diff.added, here, filled(known.get(key, other), value))
        else:
            _compare(known.get(key, other), before, value, here, diff)
    for key, value in left.items():
        if key not in right:
            fields.put(diff.removed, (*path, f"f:{key}"), filled(known.get(key, other), value))


def _compare_lists(type_: Type, old: Json, new: Json, path: Path, diff: Diff) -> None:
    list_ = type_.list
    assert list_ is not None, "The form was chosen by this."
    left = old if isinstance(old, list) else []
    right = new if isinstance(new, list) else []
    if list_.is_atomic or not (left or right):
        _compare_leaf(old, new, path, diff)
        return
    before, after = _indexed(list_, left), _indexed(list_, right)
    for key in before | after:
        _compare_items(list_, before.get(key, []), after.get(key, []), (*path, key), diff)


def _compare_items(
    list_: ListType, old: list[Json], new: list[Json], path: Path, diff: Diff
) -> None:
    if len(old) > 1 and len(new) > 1:
        # Duplicates are one atomic value together.
        _compare_leaf(old, new, path, diff)
    elif len(old) > 1:
        if new:
            fields.put(diff.added, path, filled(list_.element, new[0]))
        fields.put(diff.removed, path, {})
    elif len(new) > 1:
        if old:
            fields.put(diff.removed, path, filled(list_.element, old[0]))
        fields.put(diff.added, path, {})
    elif not old:
        fields.put(diff.added, path, filled(list_.element, new[0]))
    elif not new:
        fields.put(diff.removed, path, filled(list_.element, old[0]))
    else:
        _compare(list_.element, old[0], new[0], path, diff)


def filled(type_: Type, value: Json) -> Set:
    """Return all fields of a value that is new, or gone: itself, and what is in it."""
    if not value or not isinstance(value, dict | list):
        return {}
    found: Set = {".": {}}
    if isinstance(value, dict):
        map_ = type_.map
        if map_ is None or map_.is_atomic:
            return {}
        known, other = map_.fields, map_.element or ANY
        for key, item in value.items():
            found[f"f:{key}"] = filled(known.get(key, other), item)
        return found
    list_ = type_.list
    if list_ is None or list_.is_atomic:
        return {}
    for element, items in _indexed(list_, value).items():
        found[element] = filled(list_.element, items[0]) if len(items) == 1 else {}
    return found


# --- Fields that a value names -------------------------------------------------------------------


def mentioned(type_: Type, value: Json) -> Set:
    """Return the fields that an object names: leaves, items of lists, and keys of maps."""
    return _mentioned(type_, value) or {}


def _mentioned(type_: Type, value: Json) -> Set | None:
    """Return a node; None if there is nothing in it to own."""
    kind = form(type_, value)
    if kind == SCALAR:
        return {}
    if kind == MAP:
        map_ = type_.map
        if map_ is None or map_.is_atomic:
            return {}
        return _mentioned_in_map(type_, value) if isinstance(value, dict) else None
    list_ = type_.list
    if list_ is None or list_.is_atomic:
        return {}
    found: Set = {}
    for element, items in (_indexed(list_, value) if isinstance(value, list) else {}).items():
        inner = _mentioned(list_.element, items[0]) if len(items) == 1 else None
        found[element] = fields.member(inner) if inner else {}
    return found or None


def _mentioned_in_map(type_: Type, value: dict[str, Json]) -> Set | None:
    map_ = type_.map
    assert map_ is not None, "The form was chosen by this."
    found: Set = {}
    for key, item in value.items():
        field = map_.fields.get(key)
        node = _mentioned(field or map_.element or ANY, item)
        if item is None or item == {} or field is None:
            found[f"f:{key}"] = fields.member(node) if node else {}
        elif node is not None:
            found[f"f:{key}"] = node
    return found or None


# --- Merge ---------------------------------------------------------------------------------------


def merge(type_: Type, live: Json, applied: Json) -> Json:
    """Return a live value with an applied one merged into it; parts are shared with both."""
    if applied is MISSING or live is MISSING:
        return live if applied is MISSING else applied
    kind = form(type_, applied)
    if kind == MAP:
        map_ = type_.map
        left = live if isinstance(live, dict) else {}
        right = applied if isinstance(applied, dict) else {}
        if map_ is None or map_.is_atomic or not (left or right):
            return applied
        known, other = map_.fields, map_.element or ANY
        found = dict(left)
        for key, value in right.items():
            found[key] = merge(known.get(key, other), left.get(key, MISSING), value)
        return found
    if kind == LIST:
        list_ = type_.list
        left_items = live if isinstance(live, list) else []
        right_items = applied if isinstance(applied, list) else []
        if list_ is None or list_.is_atomic or not (left_items or right_items):
            return applied
        return _merge_lists(list_, left_items, right_items)
    return applied


def _merge_lists(list_: ListType, live: list[Json], applied: list[Json]) -> list[Json]:
    """Merge items by their keys: in the order of the applied ones, where they say anything."""
    left = [element_of(list_, item) for item in live]
    right = [element_of(list_, item) for item in applied]
    # An item that the live list has twice is not merged: the applied one takes its place.
    first: dict[str, Json] = {}
    for element, item in zip(left, live, strict=True):
        first[element] = None if element in first else item
    wanted = dict(zip(right, applied, strict=True))
    found: list[Json] = []
    for place, element in _interleaved(left, right, first):
        if place is None:
            found.append(merge(list_.element, first.get(element, MISSING), wanted[element]))
        else:
            found.append(live[place])
    return found


def _interleaved(
    left: list[str], right: list[str], first: Mapping[str, Json]
) -> Iterator[tuple[int | None, str]]:
    """Give the elements in their merged order; a place says that an item is only in the left."""
    wanted, done = set(right), set[str]()
    # The shared element that comes next on the right; the empty text ends them.
    shared = collections.deque([*(element for element in right if element in first), ""])
    i = j = 0
    while i < len(left) or j < len(right):
        ahead = left[i] if i < len(left) else ""
        if ahead and ahead not in wanted:
            yield i, ahead
            i += 1
            continue
        follows = right[j] if j < len(right) else ""
        if ahead and follows:
            if ahead != follows and shared[0] not in {"", ahead}:
                # It is not its turn: it comes where the right has it.
                i += 1
                continue
            i += ahead == follows or ahead in done
        elif ahead:
            i += 1
        if follows:
            yield None, follows
            done.add(follows)
            if shared[0] == follows:
                shared.popleft()
            j += 1


# --- Remove --------------------------------------------------------------------------------------


def remove(type_: Type, value: Json, gone: Set) -> Json:
    """Return a value without some fields; what is left empty becomes a null."""
    kind = form(type_, value)
    if kind == SCALAR:
        return value
    if kind == MAP:
        map_ = type_.map
        if map_ is None or map_.is_atomic or not isinstance(value, dict):
            return None
        known, other = map_.fields, map_.element or ANY
        pairs = ((key, item, gone.get(f"f:{key}")) for key, item in value.items())
        return {
            key: item if node is None else remove(known.get(key, other), item, node)
            for key, item, node in pairs
            if node is None or not fields.is_member(node)
        } or None
    list_ = type_.list
    if list_ is None or list_.is_atomic or not isinstance(value, list):
        return None
    items = ((item, gone.get(element_of(list_, item))) for item in value)
    return [
        item if node is None else remove(list_.element, item, node)
        for item, node in items
        if node is None or not fields.is_member(node)
    ] or None
