"""The security groups of a VM: those of its cluster that are for its role, or that it names.

What the spec of the OscCluster says now decides. Its groups are known by the ids in its status,
and those that are only used by the ids in its spec. Groups of others are not touched.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provider.engine.resource import Refusal
from provider.osc import cloud as clouds
from provider.resources import want as wants
from provider.resources.machine_site import Cluster
from provider.rules import firewall, names

Row = Mapping[str, Any]
KIND = "securityGroup"


@dataclasses.dataclass(frozen=True)
class Group:
    """A security group that the spec of a cluster asks for; ``id`` is empty before it exists."""

    key: str
    roles: frozenset[str]
    id: str


def _known(cluster: Cluster) -> dict[str, str]:
    """Return the ids in the status by key; the Go provider wrote the uid after the key."""
    known = cluster.resources.get(KIND, {})
    return {key.removesuffix(f"-{cluster.uid}"): id_ for key, id_ in known.items()}


def _listed(cluster: Cluster) -> list[Group]:
    known = _known(cluster)
    if not cluster.network.security_groups:
        keys = [(names.group_key(cluster.name, kind), of) for kind, of in firewall.GROUPS.values()]
        return [Group(key, frozenset(roles), known.get(key, "")) for key, roles in keys]
    found = []
    for each in cluster.network.security_groups:
        key = names.listed_group_key(cluster.name, each.name, each.resource_id, each.roles)
        found.append(Group(key, frozenset(each.roles), each.resource_id or known.get(key, "")))
    return found


def of_new(
    cloud: clouds.Cloud, cluster: Cluster, role: str, wanted: Sequence[str]
) -> frozenset[str]:
    """Return the ids of the security groups that a VM is made with.

    Raise ``Refusal`` when there is none, or one of the names is nobody's, or one with its role was
    deleted.
    """
    listed = _listed(cluster)
    rows = _rows(cloud, cluster)
    if wanted:
        return _named(rows, cluster, wanted)
    there = {row["SecurityGroupId"] for row in rows}
    for each in listed:
        if each.id and each.id not in there and role in each.roles:
            raise Refusal(
                f"The security group {each.key} of the cluster was {each.id}, which does not exist "
                "any more. This goes on once the OscCluster has made another one."
            )
    roles = {each.key: each.roles for each in listed}
    key_of = _keys(cluster)
    found = {
        row["SecurityGroupId"]
        for row in rows
        if (key := key_of(row)) in roles
        and role in (roles[key] or wants.roles_of(wants.tags_of(row)))
    }
    if not found:
        raise _none(role)
    return frozenset(found)


def of_running(
    cloud: clouds.Cloud,
    cluster: Cluster,
    role: str,
    wanted: Sequence[str],
    there: frozenset[str],
) -> frozenset[str]:
    """Return the ids of the groups that a VM is to have which has those of ``there``.

    Groups of the cluster that are not for it go, and groups of others stay. Raise ``Refusal`` when
    that cannot be told before the OscCluster has changed: until then the VM keeps what it has.
    """
    listed = _listed(cluster)
    known = _known(cluster)
    ours = {id_ for key, id_ in known.items() if not names.is_ccm_group(key)}
    ours |= {each.id for each in listed}
    if wanted:
        return (there - ours) | _named(_rows(cloud, cluster), cluster, wanted)
    # What has no role is only for those that name it.
    ours -= {each.id for each in listed if not each.roles}
    groups = [each for each in listed if role in each.roles]
    missing = ", ".join(each.key for each in groups if not each.id)
    if missing:
        raise Refusal(
            f"The OscCluster has not made the security groups {missing} yet. The VM keeps those "
            "that it has until then."
        )
    if not groups:
        raise _none(role)
    return (there - ours) | {each.id for each in groups}


def _none(role: str) -> Refusal:
    return Refusal(
        f"No security group of the cluster has the role {role}. Give one of them that role in the "
        "OscCluster."
    )


def _rows(cloud: clouds.Cloud, cluster: Cluster) -> list[Any]:
    used = [each.resource_id for each in cluster.network.security_groups if each.resource_id]
    filters = cluster.filters(KIND, "SecurityGroupId", used)
    return cloud.read("ReadSecurityGroups", Filters=filters)


def _keys(cluster: Cluster) -> Callable[[Row], str]:
    """Return what tells the key of a group; the name tells it where no status does."""
    keys = {id_: key for key, id_ in _known(cluster).items()}
    keys |= {each.id: each.key for each in _listed(cluster)}
    return lambda row: keys.get(
        row["SecurityGroupId"], row["SecurityGroupName"].removesuffix(f"-{cluster.uid}")
    )


def _named(rows: Sequence[Row], cluster: Cluster, wanted: Sequence[str]) -> frozenset[str]:
    key_of = _keys(cluster)
    ids: dict[str, str] = {}
    for row in rows:
        id_ = row["SecurityGroupId"]
        title = wants.tags_of(row).get(names.NAME, "")
        for name in (title, row["SecurityGroupName"], key_of(row)):
            ids[name] = id_
    unknown = [name for name in wanted if name not in ids]
    if unknown:
        there = ", ".join(sorted(key_of(row) for row in rows))
        raise Refusal(
            f"spec.vm.securityGroupNames has {', '.join(unknown)}, but the cluster has "
            f"{there or 'no security groups'}. Use these names."
        )
    return frozenset(ids[name] for name in wanted)
