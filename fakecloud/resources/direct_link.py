"""DirectLinks and their interfaces: Create, Delete, Read, UpdateDirectLink(Interface).

https://docs.outscale.com/en/userguide/About-DirectLink.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.rules import regions, tunnels

# The physical link takes people and days: here one day.
kind(
    "DirectLink",
    id="DirectLinkId",
    prefix="dxcon",
    lifecycle={"pending": Then(24 * 3600, "available"), "deleted": Then(3600, None)},
    tombstones=frozenset({"deleted"}),
    absent=5072,
    in_use=9002,
    read="ReadDirectLinks",
    answer="DirectLinks",
    quota="dl_connection_limit",
)

kind(
    "DirectLinkInterface",
    id="DirectLinkInterfaceId",
    prefix="dxvif",
    schema="DirectLinkInterfaces",
    refs={"DirectLinkId": "DirectLink", "VirtualGatewayId": "VirtualGateway"},
    lifecycle={
        "pending": Then(60, "available"),
        "deleting": Then(30, "deleted"),
        "deleted": Then(3600, None),
    },
    tombstones=frozenset({"deleting", "deleted"}),
    absent=5073,
    read="ReadDirectLinkInterfaces",
    answer="DirectLinkInterfaces",
)

BANDWIDTHS = ("1Gbps", "10Gbps")
VLANS = (2, 4094)
MTU = 1500


@action
def CreateDirectLink(call: Call, Bandwidth: str, DirectLinkName: str, Location: str) -> Data:
    """Ask for a DirectLink at a site; raise 5052 for an unknown site, 4045 for the bandwidth."""
    if Bandwidth not in BANDWIDTHS:
        raise errors.refusal(
            4045, f"The Bandwidth is '{Bandwidth}', but must be {' or '.join(BANDWIDTHS)}."
        )
    if Location not in {site["Code"] for site in regions.locations(call.region)}:
        raise errors.refusal(5052)
    link = call.create(
        "DirectLink",
        {
            "AccountId": call.account,
            "Bandwidth": Bandwidth,
            "DirectLinkName": DirectLinkName,
            "Location": Location,
            "RegionName": call.region,
        },
        state="pending",
    )
    return {"DirectLink": link}


@action
def DeleteDirectLink(call: Call, DirectLinkId: str) -> Data:
    """Delete a DirectLink that has no interface."""
    call.delete(call.own("DirectLink", DirectLinkId), state="deleted")
    return {}


@action
def CreateDirectLinkInterface(call: Call, DirectLinkId: str, DirectLinkInterface: Data) -> Data:
    """Connect a DirectLink with a virtual gateway over a VLAN that no other interface has."""
    check_id(KINDS["DirectLink"], DirectLinkId)
    check_id(KINDS["VirtualGateway"], DirectLinkInterface["VirtualGatewayId"])
    link = call.own("DirectLink", DirectLinkId)
    gateway = call.own("VirtualGateway", DirectLinkInterface["VirtualGatewayId"])
    tunnels.check_asn(DirectLinkInterface["BgpAsn"])
    vlan = DirectLinkInterface["Vlan"]
    least, most = VLANS
    if not least <= vlan <= most:
        raise errors.refusal(4047, f"The Vlan is {vlan}, but must be between {least} and {most}.")
    others = call.find("DirectLinkInterface", "DirectLinkId", link.id)
    for other in others:
        if other["Vlan"] == vlan:
            raise errors.refusal(9023, f"The VLAN {vlan} of {link.id} is used by {other.id}.")
    call.within("dl_interface_limit", len(others) + 1)
    given = {key: value for key, value in DirectLinkInterface.items() if key != "BgpKey"}
    interface = call.create(
        "DirectLinkInterface",
        {
            "AccountId": call.account,
            "DirectLinkId": link.id,
            "InterfaceType": "private",
            "Location": link["Location"],
            "Mtu": MTU,
            **given,
            "VirtualGatewayId": gateway.id,
        },
        state="pending",
    )
    return {"DirectLinkInterface": interface}


@action
def UpdateDirectLinkInterface(call: Call, DirectLinkInterfaceId: str, Mtu: int) -> Data:
    """Set the MTU of an interface, for which the document knows one value."""
    interface = call.own("DirectLinkInterface", DirectLinkInterfaceId)
    call.edit(interface)["Mtu"] = Mtu
    return {"DirectLinkInterface": interface}


@action
def DeleteDirectLinkInterface(call: Call, DirectLinkInterfaceId: str) -> Data:
    """Delete an interface of a DirectLink."""
    call.delete(call.own("DirectLinkInterface", DirectLinkInterfaceId), state="deleting")
    return {}
