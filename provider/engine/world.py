"""The snapshot: what an owner has in the cloud, and how it is looked up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from provider.engine import resource as resources
from provider.engine.resource import Resource
from provider.osc import cloud as clouds


@dataclasses.dataclass(frozen=True)
class Scope:
    """Whose resources are meant."""

    owner: tuple[str, str]
    """The tag, key and value, that says a resource is the owner's."""
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Further tags that everything of the owner gets."""
    existing: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    """What is only used and not owned: kind to id to key."""
    spared: frozenset[str] = frozenset()
    """Ids of what is not the owner's even with its tag, which others may have put there."""
    about: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What kinds need to know of the owner to recognise what is its own, such as its name."""

    only: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """Filters to find something by its ids that may have lost the owner's tag."""

    @property
    def filters(self) -> dict[str, Any]:
        """The filters of a Read that finds what the owner has."""
        if self.only:
            return {name: sorted(values) for name, values in self.only.items()}
        return {"Tags": [f"{self.owner[0]}={self.owner[1]}"]}

    def spare(self, found: Resource) -> Resource:
        """Return what was found as only used, if it is to be spared."""
        return dataclasses.replace(found, is_managed=False) if found.id in self.spared else found

    def marks(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Return all tags of a resource: its own, those of the owner, and the owner's mark."""
        return {**wanted, **self.tags, self.owner[0]: self.owner[1]}


class World:
    """All that was observed of one owner, by place and by id."""

    def __init__(self, *, is_new: bool = False) -> None:
        """Take ``is_new`` for an owner of whom nothing is known, so there should be nothing."""
        self.is_new = is_new
        self.places: dict[tuple[str, str], Resource] = {}
        self.surplus: list[Resource] = []
        """Further ones in a place that is taken already: left over from a lost race."""
        self.lost: list[Resource] = []
        """Those found without the owner's tag, by their ids or tokens."""
        self.deleted: set[str] = set()
        """The ids of what was deleted, or begun to be."""
        self.keys: dict[tuple[str, str], str] = {}
        """Under which key the owner had something, by kind and id: tags that say so get lost."""
        self.claimed: dict[str, str] = {}
        """The ids of what the owner had, and the tags by which others say that it is theirs."""
        self.answers: dict[str, list[dict[str, Any]]] = {}
        """Answers that several kinds look at, by action; for the time of one snapshot."""
        self._ids: dict[str, Resource] = {}

    def add(self, found: Resource) -> None:
        """Add or replace what was observed."""
        self.surplus = [each for each in self.surplus if each.id != found.id]
        holder = self.places.get(found.place)
        if holder is not None and holder.id != found.id and holder.id in self._ids:
            if self._rank(holder) <= self._rank(found):
                self.surplus.append(found)
                self._ids[found.id] = found
                return
            self.surplus.append(holder)
        self.places[found.place] = found
        self._ids[found.id] = found

    @staticmethod
    def _rank(found: Resource) -> tuple[bool, bool, bool, str]:
        is_leaving = found.state in found.LEAVING
        return (not found.is_managed, is_leaving, not found.is_linked, found.id)

    def named(self, found: Resource) -> Resource:
        """Return something that nothing names any more under the key that the owner had it."""
        key = self.keys.get((found.KIND, found.id), found.id)
        if found.key != found.id or key == found.id:
            return found
        return dataclasses.replace(found, key=key, stays=False)

    def drop(self, kind: str) -> None:
        """Forget all of one kind, before it is observed again."""
        self.lost = [each for each in self.lost if kind != each.KIND]
        for place in [place for place in self.places if place[0] == kind]:
            del self.places[place]
        self.surplus = [each for each in self.surplus if kind != each.KIND]
        self._ids = {id_: each for id_, each in self._ids.items() if kind != each.KIND}

    def by_id(self, id_: str) -> Resource | None:
        """Return the resource with this id of the cloud, or None when the owner has none."""
        return self._ids.get(id_)

    def of(self, kind: str) -> list[Resource]:
        """Return all of one kind, surplus ones included."""
        first = [each for place, each in self.places.items() if place[0] == kind]
        return first + [each for each in self.surplus if kind == each.KIND]

    def all(self) -> list[Resource]:
        """Return everything."""
        return [*self.places.values(), *self.surplus]

    def choose(self) -> None:
        """Of two in one place, keep there the one that others are in, and let the empty one go."""
        used = {each.id for one in self.all() for each in resources.references(one)}
        for each in [each for each in self.surplus if each.id in used]:
            holder = self.places.get(each.place)
            if holder is not None and holder.is_managed and holder.id not in used:
                self.surplus[self.surplus.index(each)] = holder
                self.places[each.place] = each

    def rebind(self) -> None:
        """Let every reference point at what was observed last."""
        for each in list(self.places.values()):
            self.add(resources.bind(each, self.places))


def snapshot(
    cloud: clouds.Cloud,
    scope: Scope,
    kinds: Sequence[type[Resource]],
    world: World | None = None,
    known: Mapping[str, Mapping[str, str]] | None = None,
) -> World:
    """Read what the owner has: one Read per kind, whatever there is of it.

    Kinds come in an order in which each refers only to earlier ones. With ``world``, only these
    kinds are read again and the rest is kept. ``known`` are ids that the owner had, by kind and
    key. Those of them, and of what was in the world and not deleted, that its tag does not find any
    more are looked up, for a tag is easily removed.
    """
    world = world or World()
    world.answers.clear()
    for kind in kinds:
        for key, id_ in (known or {}).get(kind.KIND, {}).items():
            world.keys[kind.KIND, id_] = key
        found: list[Resource] = list(kind.observe(cloud, scope, world))
        there = {each.id for each in world.of(kind.KIND)} - world.deleted
        ids = there.union((known or {}).get(kind.KIND, {}).values()) - {each.id for each in found}
        if ids and kind.ID_FILTER and kind.KIND not in scope.existing:
            by_id = dataclasses.replace(scope, only={kind.ID_FILTER: sorted(ids)})
            more = list(kind.observe(cloud, by_id, world))
            taken = {each.id: tags[0] for each in more if (tags := rivals(each.tags, scope))}
            world.claimed |= taken
            found += [each for each in more if each.id not in taken]
        world.drop(kind.KIND)
        for each in map(scope.spare, map(world.named, found)):
            world.add(each)
            if kind.TAKES_TAGS and each.is_managed and scope.owner[0] not in each.tags:
                world.lost.append(each)
    world.answers.clear()
    if world.surplus:
        world.choose()
    return world


def rivals(tags: Mapping[str, str], scope: Scope) -> list[str]:
    """Return the tags like the owner's by which others say that something is theirs."""
    prefix, _, _ = scope.owner[0].rpartition("/")
    alike = [key for key in tags if key.rpartition("/")[0] == prefix]
    return sorted(key for key in alike if not is_mark(key, scope))


def is_mark(key: str, scope: Scope) -> bool:
    """Tell whether the key of a tag is the owner's, as it is or as the Go provider v0.4 wrote it.

    That had a name before the uid: ``OscK8sClusterID/cluster-api-5f1c0c5e-...``.
    """
    prefix, _, uid = scope.owner[0].rpartition("/")
    before, _, after = key.rpartition("/")
    return before == prefix and (after == uid or after.endswith(f"-{uid}"))


def mark_lost(cloud: clouds.Cloud, scope: Scope, world: World) -> None:
    """Give what was found without the owner's tag that tag."""
    if world.lost:
        key, value = scope.owner
        ids = [each.id for each in world.lost]
        cloud.call("CreateTags", ResourceIds=ids, Tags=[{"Key": key, "Value": value}])
        world.lost = []
