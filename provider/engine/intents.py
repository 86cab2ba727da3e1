"""Intents: what was kept before a create that cannot be recognised by its answer alone.

Most creates of OUTSCALE take neither tags nor a token. Between such a create and the tag that says
whose it is, a crash or a lost answer leaves a resource that nobody owns. So an intent is kept in
Kubernetes first, with the ids of what looked alike before; what is there afterwards and was not
there before is ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from provider.engine.resource import Resource
from provider.engine.world import World
from provider.osc import cloud as clouds


@dataclasses.dataclass(frozen=True)
class Intent:
    """That something is about to be created."""

    kind: str
    key: str
    filters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The filters of a Read that finds what looks alike: no spec is needed to look again."""
    before: tuple[str, ...] = ()
    """The ids of what looked alike before."""
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The tags that it gets, so that whoever finds it can finish it at one go."""
    suspects: tuple[str, ...] = ()
    """The ids of which one may be what was made, once there were too many: a person decides."""

    @property
    def place(self) -> tuple[str, str]:
        """Where the new resource will be found."""
        return self.kind, self.key


Intents = dict[tuple[str, str], Intent]


def born(alike: Sequence[Intent], kind: type[Resource], cloud: clouds.Cloud) -> list[Resource]:
    """Return what looks alike now and was not there before, whoever has it.

    ``alike`` are intents of one kind with the same filters.
    """
    before = {id_ for intent in alike for id_ in intent.before}
    found = kind.lookalikes(cloud, alike[0].filters, alike[0].key)
    return [each for each in found if each.id not in before]


def is_open(intent: Intent, kind: type[Resource], world: World) -> bool:
    """Tell whether others may make what looks alike: not with its token, nor in what is ours."""
    ids = {id_ for each in intent.filters.values() if isinstance(each, list) for id_ in each}
    holders = [world.by_id(each) for each in ids]
    return not kind.HAS_TOKEN and not any(each and each.is_managed for each in holders)


class NotNewError(Exception):
    """An owner of whom nothing was known has something already."""


def form(
    wanted: Resource, cloud: clouds.Cloud, *, is_first: bool, new_owner: str | None = None
) -> Intent:
    """Return an intent for what is about to be created.

    With ``is_first``, what it would be part of was made a moment ago, so nothing can look alike.
    Nor does anything look like what has a fresh token. ``new_owner`` is the key of the tag of an
    owner who should have nothing: raise ``NotNewError`` for one of what looks alike that bears it.
    """
    wanted = wanted if is_first else wanted.fresh(cloud)
    filters = wanted.likeness()
    is_first |= wanted.HAS_TOKEN
    alike = [] if is_first else wanted.lookalikes(cloud, filters, wanted.key)
    if any(new_owner in each.tags for each in alike):
        raise NotNewError
    before = tuple(sorted(each.id for each in alike))
    return Intent(wanted.KIND, wanted.key, filters, before, wanted.tags)


def load(status: Mapping[str, Any]) -> Intents:
    """Return the open intents of a status."""
    rows = [
        Intent(
            row["kind"],
            row["key"],
            row.get("filters") or {},
            tuple(row.get("before") or ()),
            row.get("tags") or {},
            tuple(row.get("suspects") or ()),
        )
        for row in status.get("intents") or []
    ]
    return {each.place: each for each in rows}


def dump(intents: Intents) -> list[dict[str, Any]]:
    """Return intents as a status keeps them."""
    return [
        {
            "kind": each.kind,
            "key": each.key,
            "filters": dict(each.filters),
            "before": list(each.before),
            "tags": dict(each.tags),
            **({"suspects": list(each.suspects)} if each.suspects else {}),
        }
        for _, each in sorted(intents.items())
    ]
