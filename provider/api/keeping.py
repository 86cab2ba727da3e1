"""What a version cannot say is kept beside it, and comes back where nobody changed the rest.

A document that goes through another version and back loses something: ``kept`` is what it said,
``through`` is what it would say after that way. Both are stored, without what they have in common.
When the document comes back, it is merged with the two: where it still says what came through,
it gets what was kept; where it says something else, somebody meant that.
"""

from __future__ import annotations

from typing import Any

Json = Any

IDENTITIES = ("name", "device", "type", "ipRange", "ipSubnetRange", "resourceId")
"""The fields by which an item of a list is recognised after a change, the first that is said."""

MISSING = object()


def difference(kept: Json, through: Json) -> tuple[Json, Json]:
    """Return both documents without what they have in common; objects stay, however empty."""
    if not (isinstance(kept, dict) and isinstance(through, dict)):
        return kept, through
    left: dict[str, Json] = {}
    right: dict[str, Json] = {}
    for name in kept.keys() | through.keys():
        before, after = kept.get(name, MISSING), through.get(name, MISSING)
        if before == after:
            continue
        before, after = difference(before, after)
        if before is not MISSING:
            left[name] = before
        if after is not MISSING:
            right[name] = after
    return left, right


def restore(now: Json, kept: Json, through: Json) -> Json:
    """Return what a document says now, and what was kept of it where it still says the same.

    ``kept`` and ``through`` may be whole or without what they have in common.
    """
    if isinstance(now, dict) and isinstance(kept, dict) and isinstance(through, dict):
        return _object(now, kept, through)
    if now == through:
        return kept
    if isinstance(now, list) and isinstance(kept, list) and isinstance(through, list):
        return _list(now, kept, through)
    return now


def _object(now: dict[str, Json], kept: dict[str, Json], through: dict[str, Json]) -> Json:
    out: dict[str, Json] = {}
    for name, value in now.items():
        if name not in kept and name not in through:
            out[name] = value
        elif name not in kept:
            if value != through[name]:
                out[name] = value
        elif name not in through:
            out[name] = value
        else:
            out[name] = restore(value, kept[name], through[name])
    lost = {name: kept[name] for name in kept if name not in now and name not in through}
    return out | lost


def _list(now: list[Json], kept: list[Json], through: list[Json]) -> list[Json]:
    """Restore items: those that say the same, those with the same identity, those in place."""
    if len(kept) != len(through):
        return now
    free = list(range(len(kept)))
    partners: dict[int, int] = {}

    def pair(is_partner: Any) -> None:
        for index, item in enumerate(now):
            found = next((each for each in free if is_partner(index, item, each)), None)
            if index not in partners and found is not None:
                partners[index] = found
                free.remove(found)

    pair(lambda index, item, each: item == through[each])
    pair(lambda index, item, each: _identity(item) and _identity(item) == _identity(through[each]))
    if len(now) == len(kept):
        pair(lambda index, item, each: index == each)
    return [
        restore(item, kept[partners[index]], through[partners[index]])
        if index in partners
        else item
        for index, item in enumerate(now)
    ]


def _identity(item: Json) -> tuple[str, Json] | None:
    if not isinstance(item, dict):
        return None
    return next(((name, item[name]) for name in IDENTITIES if item.get(name)), None)
