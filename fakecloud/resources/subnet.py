"""Subnets: CreateSubnet, DeleteSubnet, UpdateSubnet, ReadSubnets.

https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.rules import addresses
from fakecloud.store import Data, Row, Store, kind, public


def _view(store: Store, row: Row) -> Data:
    return {**public(row.data), "AvailableIpsCount": addresses.free(store, row)}


kind(
    "Subnet",
    id="SubnetId",
    prefix="subnet",
    refs={"NetId": "Net"},
    absent=5057,
    in_use=9095,
    resource_type="subnet",
    view=_view,
    read="ReadSubnets",
    answer="Subnets",
    quota="subnet_limit",
)


@action
def CreateSubnet(call: Call, NetId: str, IpRange: str, SubregionName: str | None = None) -> Data:
    """Create a subnet in a Net: inside its range, /29 or larger, overlapping no other."""
    net = call.get("Net", NetId)
    block = addresses.network(IpRange)
    subregion = SubregionName or call.subregion
    if not call.store.row("Subregion", subregion):
        raise errors.refusal(5009)
    if block.prefixlen > 29:
        raise errors.refusal(4014, range=IpRange)
    if not block.subnet_of(addresses.network(net["IpRange"])):
        raise errors.refusal(9044)
    for other in call.find("Subnet", "NetId", NetId):
        if block.overlaps(addresses.network(other["IpRange"])):
            raise errors.refusal(9058)
    subnet = call.create(
        "Subnet",
        {
            "IpRange": str(block),
            "MapPublicIpOnLaunch": False,
            "NetId": NetId,
            "SubregionName": subregion,
        },
        state="available",
    )
    return {"Subnet": subnet}


@action
def UpdateSubnet(call: Call, SubnetId: str, MapPublicIpOnLaunch: bool) -> Data:
    """Decide whether NICs created in a subnet get a public IP."""
    subnet = call.get("Subnet", SubnetId)
    call.edit(subnet)["MapPublicIpOnLaunch"] = MapPublicIpOnLaunch
    return {"Subnet": subnet}


@action
def DeleteSubnet(call: Call, SubnetId: str) -> Data:
    """Delete a subnet that holds no NIC, NAT service, load balancer or route table link."""
    call.delete(call.get("Subnet", SubnetId))
    return {}
