"""Virtual gateways: Create, Delete, Link, Unlink, Read, and UpdateRoutePropagation.

A virtual gateway is the Net's side of a VPN.

https://docs.outscale.com/en/userguide/About-Virtual-Gateways.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.rows import Row, public
from fakecloud.rules import routing, tunnels
from fakecloud.store import Store

LINK = "NetToVirtualGatewayLink"


def _view(store: Store, row: Row) -> Data:
    links = store.rows(LINK, "_VirtualGatewayId", row.id)
    return {**public(row.data), "NetToVirtualGatewayLinks": [store.view(link) for link in links]}


kind(
    "VirtualGateway",
    id="VirtualGatewayId",
    prefix="vgw",
    lifecycle={"deleting": Then(10, "deleted"), "deleted": Then(3600, None)},
    tombstones=frozenset({"deleting", "deleted"}),
    absent=5068,
    in_use=9002,
    resource_type="virtual-private-gateway",
    view=_view,
    read="ReadVirtualGateways",
    answer="VirtualGateways",
    filters={
        "LinkNetIds": "NetToVirtualGatewayLinks.NetId",
        "LinkStates": "NetToVirtualGatewayLinks.State",
    },
    quota="vpg_limit",
)

# It holds its Net until it is detached, and is shown for a while after.
kind(
    LINK,
    refs={"NetId": "Net"},
    weak={"_VirtualGatewayId": "VirtualGateway"},
    lifecycle={"detaching": Then(10, "detached"), "detached": Then(600, None)},
    tombstones=frozenset({"detached"}),
)


@action
def CreateVirtualGateway(call: Call, ConnectionType: str) -> Data:
    """Create a virtual gateway that is linked to no Net."""
    tunnels.check_type(ConnectionType)
    data = {"ConnectionType": ConnectionType}
    return {"VirtualGateway": call.create("VirtualGateway", data, state="available")}


@action
def DeleteVirtualGateway(call: Call, VirtualGatewayId: str) -> Data:
    """Delete a virtual gateway; raise 9025 while it is linked, 9002 while a VPN uses it."""
    gateway = call.own("VirtualGateway", VirtualGatewayId)
    link = routing.gateway_link(call.store, gateway.id)
    if link is not None and link.state == "attached":
        raise errors.refusal(9025, gateway=gateway.id, net=link["NetId"])
    call.delete(gateway, state="deleting")
    return {}


@action
def LinkVirtualGateway(call: Call, NetId: str, VirtualGatewayId: str) -> Data:
    """Link a virtual gateway to a Net, of which each has at most one."""
    check_id(KINDS["Net"], NetId)
    gateway = call.own("VirtualGateway", VirtualGatewayId)
    net = call.own("Net", NetId)
    link = routing.gateway_link(call.store, gateway.id)
    if link is not None:
        raise errors.refusal(9025, gateway=gateway.id, net=link["NetId"])
    for other in call.store.rows(LINK, "NetId", net.id):
        if other.is_live:
            raise errors.refusal(9065, net=net.id, gateway=other["_VirtualGatewayId"])
    for former in call.store.rows(LINK, "_VirtualGatewayId", gateway.id):
        call.delete(former)
    link = call.create(
        LINK,
        {"NetId": net.id, "_VirtualGatewayId": gateway.id},
        id_=gateway.id,
        state="attached",
    )
    return {"NetToVirtualGatewayLink": link}


@action
def UnlinkVirtualGateway(call: Call, NetId: str, VirtualGatewayId: str) -> Data:
    """Unlink a virtual gateway from a Net; raise 9026 when it is not linked to it."""
    check_id(KINDS["Net"], NetId)
    gateway = call.own("VirtualGateway", VirtualGatewayId)
    net = call.own("Net", NetId)
    link = routing.gateway_link(call.store, gateway.id)
    if link is None or link["NetId"] != net.id or link.state != "attached":
        raise errors.refusal(9026, gateway=gateway.id, net=net.id)
    call.become(link, "detaching")
    for table in call.store.rows("RouteTable", "_Propagating", gateway.id):
        data = call.edit(table)
        data["_Propagating"] = [id_ for id_ in data["_Propagating"] if id_ != gateway.id]
    return {}


@action
def UpdateRoutePropagation(
    call: Call,
    Enable: bool,
    RouteTableId: str,
    VirtualGatewayId: str,
) -> Data:
    """Let a virtual gateway add its routes to a route table of its Net, or no longer."""
    check_id(KINDS["VirtualGateway"], VirtualGatewayId)
    table = call.own("RouteTable", RouteTableId)
    gateway = call.own("VirtualGateway", VirtualGatewayId)
    link = routing.gateway_link(call.store, gateway.id)
    if Enable and (link is None or link["NetId"] != table["NetId"]):
        raise errors.refusal(9027, gateway=gateway.id, net=table["NetId"])
    kept = [id_ for id_ in table["_Propagating"] if id_ != gateway.id]
    call.edit(table)["_Propagating"] = [*kept, gateway.id] if Enable else kept
    return {"RouteTable": table}
