"""Nets: CreateNet, DeleteNet, UpdateNet, ReadNets.

https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.rules import addresses
from fakecloud.store import Data, Then, kind

kind(
    "Net",
    id="NetId",
    prefix="vpc",
    weak={"DhcpOptionsSetId": "DhcpOptionsSet"},
    lifecycle={"deleting": Then(5, None)},
    tombstones=frozenset({"deleting"}),
    absent=5065,
    in_use=9097,
    resource_type="vpc",
    read="ReadNets",
    answer="Nets",
    filters={"IsDefault": lambda net: [False]},
    quota="vpc_limit",
)

TENANCIES = ("default", "dedicated")


@action
def CreateNet(call: Call, IpRange: str, Tenancy: str = "default") -> Data:
    """Create a Net with its default security group and main route table."""
    block = addresses.network(IpRange)
    if not 16 <= block.prefixlen <= 28:
        if any(block.subnet_of(reserved) for reserved in addresses.RESERVED_BLOCKS):
            raise errors.refusal(9050)
        raise errors.refusal(4014, range=IpRange)
    if any(block.overlaps(reserved) for reserved in addresses.RESERVED_BLOCKS):
        raise errors.refusal(9050)
    if Tenancy not in TENANCIES:
        raise errors.refusal(
            4047, f"The tenancy is '{Tenancy}', but must be one of {', '.join(TENANCIES)}."
        )
    options = next(row for row in call.find("DhcpOptionsSet") if row["Default"])
    net = call.create(
        "Net",
        {"DhcpOptionsSetId": options.id, "IpRange": str(block), "Tenancy": Tenancy},
        state="available",
    )
    call.run("CreateSecurityGroup", SecurityGroupName="default", Description="default security group", NetId=net.id)
    call.run("CreateRouteTable", NetId=net.id)
    return {"Net": net}


@action
def UpdateNet(call: Call, NetId: str, DhcpOptionsSetId: str) -> Data:
    """Give a Net other DHCP options; ``default`` restores the account's default set."""
    net = call.get("Net", NetId)
    if DhcpOptionsSetId == "default":
        options = next(row for row in call.find("DhcpOptionsSet") if row["Default"])
    elif not DhcpOptionsSetId.startswith("dopt-"):
        raise errors.refusal(4047, f"'{DhcpOptionsSetId}' is neither 'default' nor a dopt- ID.")
    else:
        options = call.get("DhcpOptionsSet", DhcpOptionsSetId)
    call.edit(net)["DhcpOptionsSetId"] = options.id
    return {"Net": net}


@action
def DeleteNet(call: Call, NetId: str) -> Data:
    """Delete a Net that nothing uses, with its default security group and main route table."""
    net = call.get("Net", NetId)
    for row in call.store.holders(net):
        if row.get("_Default"):
            call.delete(row)
    call.delete(net, state="deleting")
    return {}
