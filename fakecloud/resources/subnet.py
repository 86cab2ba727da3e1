"""Subnets: CreateSubnet, DeleteSubnet, UpdateSubnet, ReadSubnets.

https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row, public
from fakecloud.rules import addresses
from fakecloud.store import Store


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
)

SMALLEST = 29


@action
def CreateSubnet(call: Call, IpRange: str, NetId: str, SubregionName: str | None = None) -> Data:
    """Create a subnet in a Net: inside its range, /29 or larger, overlapping no other."""
    net = call.own("Net", NetId)
    block = addresses.network(IpRange)
    subregion = SubregionName or call.subregion
    if not call.store.row("Subregion", subregion):
        raise errors.refusal(5009)
    if block.prefixlen > SMALLEST:
        raise errors.refusal(4014, range=IpRange, least=f"/{SMALLEST}", most="/16")
    if not block.subnet_of(addresses.network(net["IpRange"])):
        raise errors.refusal(9044, range=IpRange, net=net["IpRange"])
    others = call.store.rows("Subnet", "NetId", net.id)
    for other in others:
        if block.overlaps(addresses.network(other["IpRange"])):
            raise errors.refusal(9058, range=IpRange, other=other["IpRange"])
    call.within("subnet_limit", len(others) + 1)
    subnet = call.create(
        "Subnet",
        {
            "IpRange": str(block),
            "MapPublicIpOnLaunch": False,
            "NetId": net.id,
            "SubregionName": subregion,
        },
        state="available",
    )
    return {"Subnet": subnet}


@action
def UpdateSubnet(call: Call, MapPublicIpOnLaunch: bool, SubnetId: str) -> Data:
    """Decide whether NICs created in a subnet get a public IP."""
    subnet = call.own("Subnet", SubnetId)
    call.edit(subnet)["MapPublicIpOnLaunch"] = MapPublicIpOnLaunch
    return {"Subnet": subnet}


@action
def DeleteSubnet(call: Call, SubnetId: str) -> Data:
    """Delete a subnet that holds no NIC, NAT service, load balancer or route table link."""
    call.delete(call.own("Subnet", SubnetId))
    return {}
