"""The order of the items of a list that a strategic merge patch has merged.

What the patch names stands in the order of the patch; what only the server has keeps its order,
and goes before the first named item that it stood in front of.
"""

from __future__ import annotations

from typing import Any

from fakekube import status
from fakekube.patch import golang

Json = Any


def element_kind(*lists: list[Json]) -> type:
    """Return the type of all items; ``ApiError`` if they are not all of one."""
    found: type | None = None
    for value in (item for each in lists for item in each):
        kind = type(value)
        if found is None:
            if kind is list:
                raise status.ApiError(
                    422,
                    "Invalid",
                    "the server rejected our request due to an error in our request",
                )
            found = kind
        elif kind is not found:
            shown = " ".join(golang.plain(each) for each in lists)
            raise _broken(f"list element types are not identical: [{shown}]")
    if found is None:
        raise _broken("no elements in any of the given slices")
    return found


def keyed(items: list[Json], key: str, value: Json) -> int | None:
    """Return the place of the item with this key; None if there is none."""
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise _broken(f"value for key {place} is not a map")
        if key in item and item[key] == value:
            return place
    return None


def partitioned(items: list[Json], named: list[Json], key: str) -> tuple[list[Json], list[Json]]:
    """Return the items that another list names, and the others."""
    if not key:
        return [i for i in items if i in named], [i for i in items if i not in named]
    wanted: list[Json] = []
    others: list[Json] = []
    for item in items:
        if not isinstance(item, dict):
            raise _bad_type(item)
        if key not in item:
            raise _no_key(item, key)
        is_named = keyed(named, key, item[key]) is not None
        (wanted if is_named else others).append(item)
    return wanted, others


def in_order(
    wanted: list[Json], others: list[Json], order: list[Json], old: list[Json], key: str
) -> list[Json]:
    """Return all items: the wanted ones in an order, the others where they were."""

    def identity(item: Json) -> Json:
        return item.get(key) if key and isinstance(item, dict) else item

    def place(of: list[Json], item: Json) -> int:
        return next((at for at, each in enumerate(of) if identity(each) == identity(item)), -1)

    right = sorted(wanted, key=lambda item: place(order, item))
    left = sorted(others, key=lambda item: place(old, item))
    found: list[Json] = []
    while left and right:
        here, there = place(old, left[0]), place(old, right[0])
        is_before = 0 <= here < there
        found.append((left if is_before else right).pop(0))
    return found + left + right


def checked_order(items: list[Json], order: list[Json], merge_key: str, key: str) -> None:
    """Refuse items that an order does not name, or names in another order."""
    if not order or not items:
        return
    left = list(items)
    if merge_key:
        for item in items:
            if not isinstance(item, dict):
                raise _bad_type(item)
        left = [item for item in items if item.get("$patch") != "delete"]
    at = 0
    for wanted in order:
        while at < len(left) and isinstance(left[at], dict) and "$patch" in left[at]:
            at += 1
        if at < len(left) and _alike(left[at], wanted, merge_key):
            at += 1
    if at < len(left):
        raise _broken(
            f"The order in patch list:\n{golang.plain(items)}\n "
            f"doesn't match {key} list:\n{golang.plain(order)}\n"
        )


def _alike(one: Json, other: Json, key: str) -> bool:
    if not key:
        return bool(one == other)
    for value in (one, other):
        if not isinstance(value, dict):
            raise _bad_type(value)
        if key not in value:
            raise _no_key(value, key)
    return bool(one[key] == other[key])


def _bad_type(value: Json) -> status.ApiError:
    return _broken(f"expected a map[string]interface {{}}, but received a {golang.type_of(value)}")


def _no_key(value: Json, key: str) -> status.ApiError:
    return _broken(f"map: {golang.plain(value)} does not contain declared merge key: {key}")


def _broken(message: str) -> status.ApiError:
    return status.ApiError(500, "", message)
