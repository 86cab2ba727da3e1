"""What is wanted of a cluster: the spec, who asks, and what follows from it kind by kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Mapping
from typing import Any, TypeVar

from provider.api import v1beta2
from provider.engine import world as worlds
from provider.engine.resource import Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.rules import names

R = TypeVar("R", bound=Resource)


@dataclasses.dataclass
class Want:
    """The one argument of every ``desired``; everything in it is plain data."""

    uid: str
    """The identity of the cluster in tags and names; it survives ``clusterctl move``."""
    name: str
    """The name of the OscCluster."""
    cluster: str
    """The name of its Cluster, which is another one when a ClusterClass made it."""
    region: str
    network: v1beta2.Network
    subregions: tuple[str, ...]
    """At least one; the first is the default."""
    peer: Any = None
    """The ``net_peering.Peer`` that the Net is peered with, or None."""
    nat_ips: tuple[str, ...] = ()
    """Public addresses of NAT services that exist already, which may reach the load balancer."""
    kinds: Mapping[str, type[Resource]] = dataclasses.field(default_factory=dict)
    """All kinds by name, for modules that cannot import each other."""
    _made: dict[str, tuple[Resource, ...]] = dataclasses.field(default_factory=dict)

    def of(self, kind: type[R]) -> tuple[R, ...]:
        """Return all of a kind that are wanted; asked for twice, they are the same objects."""
        if kind.KIND not in self._made:
            self._made[kind.KIND] = tuple(kind.desired(self))
        found = self._made[kind.KIND]
        return tuple(each for each in found if isinstance(each, kind))

    def named(self, kind: str) -> tuple[Resource, ...]:
        """Return all of a kind that are wanted; none of a kind that is not in use."""
        return self.of(self.kinds[kind]) if kind in self.kinds else ()

    @property
    def has_internet(self) -> bool:
        """Whether the Net is connected to the internet by us."""
        return "internet" not in self.network.disable and not self.uses_net

    @property
    def uses_net(self) -> bool:
        """Whether the Net and its subnets exist already and are only used."""
        return self.network.use_existing.net


def tags_of(row: Mapping[str, object]) -> dict[str, str]:
    """Return the tags of an answer as a mapping."""
    tags = row.get("Tags") or []
    assert isinstance(tags, list)
    return {each["Key"]: each["Value"] for each in tags}


def is_main(table: Mapping[str, Any]) -> bool:
    """Tell whether a route table is that of its Net, which comes and goes with it."""
    return any(link.get("Main") for link in table["LinkRouteTables"])


def filters(
    scope: worlds.Scope, world: worlds.World, used: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return the filters of a Read that finds what the owner has in its Net, and what it uses."""
    if not used:
        return scope.filters
    net = world.places.get(("net", "default"))
    return {"NetIds": [net.id if net else ""]}


def roles_of(tags: Mapping[str, str]) -> frozenset[str]:
    """Return the roles that tags give to a resource."""
    prefix = names.ROLE_PREFIX
    return frozenset(key.removeprefix(prefix) for key in tags if key.startswith(prefix))


def alike(found: Iterable[R], used: Container[str] = ()) -> list[R]:
    """Return lookalikes that say whether somebody has them: by a tag, or they are ``used`` by id.

    What a create has left behind bears no tag at all, except a VM, which may tag itself. None is
    left out: what somebody lets go of later was there before all the same.
    """
    return [
        dataclasses.replace(each, is_taken=each.id in used or _is_claimed(each)) for each in found
    ]


def left_there(wanted: R, cloud: clouds.Cloud, error: errors.ApiError) -> R | None:
    """Return what is in the way of a create and bears no tag at all, if the cloud allows one only.

    The Go provider, which keeps no intent, leaves such things when it is cut short, and takes them
    up again by what they look like.
    """
    if error.cause is not errors.Cause.TAKEN:
        return None
    found = wanted.lookalikes(cloud, wanted.likeness(), wanted.key)
    return next((each for each in found if not each.is_taken), None)


def _is_claimed(found: Resource) -> bool:
    if not found.HAS_TOKEN:
        return bool(found.tags)
    return any(key.startswith(names.CLUSTER_PREFIX) for key in found.tags)
