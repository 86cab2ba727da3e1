"""What holds something that is to be deleted, looked for once the cloud has refused to delete it.

That is somebody else's: what is ours went before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import want as wants
from provider.rules import names

_READS = {
    "Net": (
        ("ReadSubnets", "NetIds", "SubnetId"),
        ("ReadSecurityGroups", "NetIds", "SecurityGroupId"),
        ("ReadRouteTables", "NetIds", "RouteTableId"),
        ("ReadNetAccessPoints", "NetIds", "NetAccessPointId"),
        ("ReadNetPeerings", "AccepterNetNetIds", "NetPeeringId"),
        ("ReadNetPeerings", "SourceNetNetIds", "NetPeeringId"),
        ("ReadVirtualGateways", "LinkNetIds", "VirtualGatewayId"),
    ),
    "subnet": (
        ("ReadVms", "NicSubnetIds", "VmId"),
        ("ReadLoadBalancers", "Subnets", "LoadBalancerName"),
        ("ReadNatServices", "SubnetIds", "NatServiceId"),
        ("ReadNics", "SubnetIds", "NicId"),
    ),
    "security group": (
        ("ReadVms", "NicSecurityGroupIds", "VmId"),
        ("ReadLoadBalancers", "SecurityGroups", "LoadBalancerName"),
        ("ReadNics", "SecurityGroupIds", "NicId"),
        ("ReadSecurityGroups", "InboundRuleSecurityGroupIds", "SecurityGroupId"),
        ("ReadSecurityGroups", "OutboundRuleSecurityGroupIds", "SecurityGroupId"),
    ),
}
"""What can be in something: the Read, the filter that takes its id, and the field with the id."""
_TEXTS = {
    "Net": "In the Net {} there is still {}. Delete what does not go by itself.",
    "subnet": "In the subnet {} there is still {}. Delete what does not go by itself.",
    "security group": "The group {} is still used by {}. Take it from what does not go by itself.",
}
_OVER = {"terminated", "deleted", "expired", "rejected", "failed", "in-use"}
"""States of what is no more, or, of a NIC, at a VM, which is told instead."""


def explain(error: errors.ApiError, cloud: clouds.Cloud, what: str, id_: str) -> list[str]:
    """Add to a refusal what is in the way, and return the ids of that."""
    found: list[str] = []
    if error.cause is errors.Cause.BUSY:
        for action, place, key in _READS[what]:
            # A policy may not allow to look; that it is in use is so all the same.
            with contextlib.suppress(errors.ApiError):
                found += _found(cloud, action, place, key, id_)
        found = list(dict.fromkeys(each for each in found if each != id_))
    if found:
        error.explain(_TEXTS[what].format(id_, ", ".join(found)))
    return found


def explain_link(error: errors.ApiError, cloud: clouds.Cloud, id_: str) -> None:
    """Add to a refusal to what people have linked a public IP."""
    rows = []
    with contextlib.suppress(errors.ApiError):
        rows = cloud.read("ReadPublicIps", Filters={"PublicIpIds": [id_]})
    for row in rows:
        if user := row.get("NatServiceId") or row.get("VmId") or row.get("NicId"):
            error.explain(
                f"{row['PublicIp']} ({id_}) is linked to {user}. Unlink it, or tag it "
                f"{names.NO_DELETE} to keep it."
            )


def _found(cloud: clouds.Cloud, action: str, place: str, key: str, id_: str) -> Iterator[str]:
    if action == "ReadLoadBalancers":  # This Read takes no such filter.
        rows = [row for row in cloud.read(action) if id_ in (row.get(place) or ())]
    else:
        rows = cloud.read(action, Filters={place: [id_]})
    for row in rows:
        if not _is_over(row) and not _is_default(row):
            yield str(row[key])


def _is_over(row: Mapping[str, Any]) -> bool:
    state = row.get("State", "")
    return (state["Name"] if isinstance(state, Mapping) else state) in _OVER


def _is_default(row: Mapping[str, Any]) -> bool:
    """Tell whether this is a group or a route table that comes and goes with its Net."""
    is_table = "LinkRouteTables" in row
    return wants.is_main(row) if is_table else row.get("SecurityGroupName") == "default"
