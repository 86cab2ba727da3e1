"""Nets: CreateNet, DeleteNet, UpdateNet, ReadNets.

https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

import ipaddress

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data, Then, kind
from fakecloud.rows import Row
from fakecloud.rules import addresses, firewall, routing

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
    filters={"IsDefault": lambda _net: [False]},
    quota="vpc_limit",
)

TENANCIES = ("default", "dedicated")
SIZES = (16, 28)
SERVICES = addresses.network("142.42.42.42/32")
"""The block of OUTSCALE's own services: refused as reserved before its size is looked at."""


def check_range(text: str) -> ipaddress.IPv4Network:
    """Return the range of a new Net; raise 4047, 4014 for its size, or 9050 for a reserved one."""
    block = addresses.network(text)
    least, most = SIZES
    if not least <= block.prefixlen <= most and not block.subnet_of(SERVICES):
        raise errors.refusal(4014, range=text, least=f"/{most}", most=f"/{least}")
    for reserved in addresses.RESERVED_BLOCKS:
        if block.overlaps(reserved):
            raise errors.refusal(9050, range=text, block=reserved)
    return block


@action
def CreateNet(call: Call, IpRange: str, Tenancy: str = "default") -> Data:
    """Create a Net with its default security group and main route table."""
    block = check_range(IpRange)
    if Tenancy.startswith("ded-"):
        call.get("DedicatedGroup", Tenancy)
    elif Tenancy not in TENANCIES:
        raise errors.refusal(
            4047,
            f"The tenancy is '{Tenancy}', but must be {', '.join(TENANCIES)} or a dedicated group.",
        )
    net = call.create(
        "Net",
        {
            "DhcpOptionsSetId": default_options(call).id,
            "IpRange": str(block),
            "Tenancy": Tenancy,
        },
        state="available",
    )
    firewall.default_group(call, net.id)
    routing.new_table(call, net, main=True)
    return {"Net": net}


def default_options(call: Call) -> Row:
    """Return the default set of DHCP options of the account."""
    return call.find("DhcpOptionsSet", "_DefaultOf", call.account)[0]


@action
def UpdateNet(call: Call, NetId: str, DhcpOptionsSetId: str) -> Data:
    """Give a Net other DHCP options; ``default`` restores the account's default set."""
    net = call.own("Net", NetId)
    if DhcpOptionsSetId == "default":
        options = default_options(call)
    elif not DhcpOptionsSetId.startswith("dopt-"):
        raise errors.refusal(
            4047, f"The DhcpOptionsSetId is '{DhcpOptionsSetId}'. Give an ID or 'default'."
        )
    else:
        options = call.own("DhcpOptionsSet", DhcpOptionsSetId)
    call.edit(net)["DhcpOptionsSetId"] = options.id
    return {"Net": net}


@action
def DeleteNet(call: Call, NetId: str) -> Data:
    """Delete a Net that nothing uses, with its default security group and main route table."""
    net = call.own("Net", NetId)
    if all(row.get("_Default") for row in call.store.holders(net)):
        call.delete(routing.main_link(call.store, net.id))
        for row in call.store.holders(net):
            call.delete(row)
    call.delete(net, state="deleting")
    return {}
