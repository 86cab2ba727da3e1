"""Where a VM can be put: the subnets of its cluster that are for its role.

They are found by the ids in the status of the OscCluster, whoever made them; their roles are tags,
or stand in the spec of the OscCluster for those that are only used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from provider.api import v1beta2
from provider.engine.resource import Refusal
from provider.osc import cloud as clouds
from provider.resources import want as wants
from provider.rules import names


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What has to be known of a cluster to place its machines."""

    name: str
    uid: str
    network: v1beta2.Network
    resources: Mapping[str, Mapping[str, str]]
    """The ids in the status of the OscCluster, by kind and key."""

    def filters(self, kind: str, id_: str, used: Iterable[str]) -> dict[str, Any]:
        """Return the filters that find all of a kind; ``used`` are the ids in the spec."""
        ids = {*self.resources.get(kind, {}).values(), *used} - {""}
        if ids:
            return {f"{id_}s": sorted(ids)}
        key, value = names.owner(self.uid)
        return {"Tags": [f"{key}={value}"]}


@dataclasses.dataclass(frozen=True)
class Subnet:
    """A subnet that is for a role."""

    id: str
    name: str
    ip_range: str
    subregion: str


def subnets(cloud: clouds.Cloud, cluster: Cluster, role: str, name: str) -> list[Subnet]:
    """Return the subnets that a machine may be put into: those with its role, or with a name.

    Raise ``Refusal`` when there is none.
    """
    known = cluster.resources.get("subnet", {})
    roles = {
        each.resource_id or known.get(each.ip_range or each.name or ""): set(each.roles)
        for each in cluster.network.subnets
    }
    titles = {
        each.resource_id or known.get(each.ip_range or each.name or ""): each.name
        for each in cluster.network.subnets
    }
    used = [each.resource_id for each in cluster.network.subnets if each.resource_id]
    rows = cloud.read("ReadSubnets", Filters=cluster.filters("subnet", "SubnetId", used))
    found = []
    for row in rows:
        tags = wants.tags_of(row)
        title = titles.get(row["SubnetId"]) or tags.get(names.NAME, "")
        has = wants.roles_of(tags) | roles.get(row["SubnetId"], set())
        if name in (title, row["IpRange"]) if name else role in has:
            found.append(Subnet(row["SubnetId"], title, row["IpRange"], row["SubregionName"]))
    if found:
        return sorted(found, key=lambda each: (each.subregion, each.ip_range))
    there = ", ".join(sorted(f"{row['IpRange']} in {row['SubregionName']}" for row in rows))
    if name:
        raise Refusal(
            f"spec.vm.subnetName is {name}, but the cluster has {there or 'no subnets'}. Use the "
            "name of one of them."
        )
    raise Refusal(
        f"No subnet of the cluster has the role {role}; there is {there or 'none'}. Give one of "
        "them that role in the OscCluster."
    )
