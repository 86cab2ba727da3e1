"""Route tables, their links and routes: Create, Delete, Link, Unlink, UpdateRouteTable(Link), Read.

https://docs.outscale.com/en/userguide/About-Route-Tables.html
"""

from __future__ import annotations

from typing import Any

from fakecloud import errors
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row, public
from fakecloud.rules import addresses, routing
from fakecloud.store import Store


def _view(store: Store, row: Row) -> Data:
    return {
        **public(row.data),
        "LinkRouteTables": [
            store.view(link) for link in store.rows("LinkRouteTable", "RouteTableId", row.id)
        ],
        "RoutePropagatingVirtualGateways": [
            {"VirtualGatewayId": id_} for id_ in row["_Propagating"]
        ],
        "Routes": sorted(routing.routes(store, row), key=routing.by_destination),
    }


kind(
    "RouteTable",
    id="RouteTableId",
    prefix="rtb",
    refs={"NetId": "Net"},
    weak={
        "_Routes.NatServiceId": "NatService",
        "_Routes.NetPeeringId": "NetPeering",
        "_Routes.NicId": "Nic",
        "_Routes.VmId": "Vm",
    },
    index=("_Routes.GatewayId", "_Propagating"),
    absent=5046,
    in_use=9059,
    resource_type="route-table",
    view=_view,
    read="ReadRouteTables",
    answer="RouteTables",
    filters={
        "LinkRouteTableIds": "LinkRouteTables.RouteTableId",
        "LinkRouteTableLinkRouteTableIds": "LinkRouteTables.LinkRouteTableId",
        "LinkRouteTableMain": "LinkRouteTables.Main",
        "LinkSubnetIds": "LinkRouteTables.SubnetId",
    },
)

kind(
    "LinkRouteTable",
    id="LinkRouteTableId",
    prefix="rtbassoc",
    refs={"SubnetId": "Subnet"},
    weak={"RouteTableId": "RouteTable", "NetId": "Net"},
    index=("_MainOf",),
    absent=5047,
)

TARGETS = {
    # Parameter: the kinds that it may name.
    "GatewayId": ("InternetService", "VirtualGateway"),
    "NatServiceId": ("NatService",),
    "NetPeeringId": ("NetPeering",),
    "NicId": ("Nic",),
    "VmId": ("Vm",),
}


def answered(call: Call, table: Row) -> Data:
    """Answer with a table whose routes stand in the order of their creation."""
    view = call.view(table)
    return {"RouteTable": {**view, "Routes": routing.routes(call.store, table)}}


# Tables.


@action
def CreateRouteTable(call: Call, NetId: str) -> Data:
    """Create a route table that holds only the local route of its Net."""
    net = call.own("Net", NetId)
    call.within("rtb_limit", call.store.count("RouteTable", "NetId", net.id) + 1)
    return {"RouteTable": routing.new_table(call, net)}


@action
def DeleteRouteTable(call: Call, RouteTableId: str) -> Data:
    """Delete a route table that is linked to no subnet and is not the main one of its Net."""
    table = call.own("RouteTable", RouteTableId)
    if table.get("_Default"):
        raise errors.refusal(9066, table=table.id, net=table["NetId"])
    if call.store.rows("LinkRouteTable", "RouteTableId", table.id):
        raise errors.refusal(9059, f"The route table {table.id} is linked to a subnet. Unlink it.")
    for point in call.store.rows("NetAccessPoint", "RouteTableIds", table.id):
        kept = [id_ for id_ in point["RouteTableIds"] if id_ != table.id]
        call.edit(point)["RouteTableIds"] = kept
    call.delete(table)
    return {}


# Links.


def same_net(table: Row, other: Row) -> None:
    """Refuse to bring a route table together with something of another Net."""
    if table["NetId"] != other["NetId"]:
        raise errors.refusal(
            4086,
            f"The route table {table.id} is in the Net {table['NetId']}, "
            f"but {other.id} is in the Net {other['NetId']}. Use one Net.",
        )


@action
def LinkRouteTable(call: Call, RouteTableId: str, SubnetId: str) -> Data:
    """Link a subnet to a route table of its Net, instead of the main one."""
    check_id(KINDS["Subnet"], SubnetId)
    table = call.own("RouteTable", RouteTableId)
    subnet = call.own("Subnet", SubnetId)
    same_net(table, subnet)
    for link in call.store.rows("LinkRouteTable", "SubnetId", subnet.id):
        raise errors.refusal(
            9059, f"The subnet {subnet.id} is linked to the route table {link['RouteTableId']}."
        )
    link = call.create(
        "LinkRouteTable",
        {"Main": False, "NetId": table["NetId"], "RouteTableId": table.id, "SubnetId": subnet.id},
    )
    return {"LinkRouteTableId": link.id}


@action
def UnlinkRouteTable(call: Call, LinkRouteTableId: str) -> Data:
    """Let a subnet use the main route table of its Net again."""
    link = call.own("LinkRouteTable", LinkRouteTableId)
    if link["Main"]:
        raise errors.refusal(9066, table=link["RouteTableId"], net=link["NetId"])
    call.delete(link)
    return {}


@action
def UpdateRouteTableLink(call: Call, LinkRouteTableId: str, RouteTableId: str) -> Data:
    """Give a subnet, or a Net as a whole, another route table; the link keeps its identifier."""
    check_id(KINDS["LinkRouteTable"], LinkRouteTableId)
    table = call.own("RouteTable", RouteTableId)
    link = call.own("LinkRouteTable", LinkRouteTableId)
    same_net(table, link)
    if link["Main"]:
        former = call.get("RouteTable", link["RouteTableId"])
        call.edit(former).pop("_Default", None)
        call.edit(table)["_Default"] = True
    call.edit(link)["RouteTableId"] = table.id
    return {"LinkRouteTableId": link.id}


# Routes.


def target_of(**targets: str | None) -> tuple[str, str]:
    """Return the one target of a request as field and identifier.

    Raise 7000 for none, 3002 for several, and 4104 or 4105 for what is no identifier.
    """
    named = {field: id_ for field, id_ in targets.items() if id_}
    for field, id_ in named.items():
        kinds = [KINDS[name] for name in TARGETS[field]]
        fitting = [each for each in kinds if id_.startswith(f"{each.prefix}-")]
        if not fitting:
            prefixes = ", ".join(f"{each.prefix}-" for each in kinds)
            raise errors.refusal(4104, id=id_, prefix=prefixes)
        check_id(fitting[0], id_)
    if not named:
        raise errors.refusal(7000, parameters=", ".join(TARGETS), least="1")
    if len(named) > 1:
        raise errors.refusal(
            3002, f"A route has one target, but {', '.join(named)} are given. Keep one of them."
        )
    return next(iter(named.items()))


def check_target(call: Call, table: Row, field: str, id_: str) -> None:
    """Refuse a target that does not exist, or that is not of the Net of the table."""
    if id_.startswith("vgw-"):
        call.own("VirtualGateway", id_)
        link = routing.gateway_link(call.store, id_)
        if link is None or link["NetId"] != table["NetId"]:
            raise errors.refusal(9027, gateway=id_, net=table["NetId"])
    elif field == "GatewayId":
        if call.own("InternetService", id_).get("NetId") != table["NetId"]:
            raise errors.refusal(9027, gateway=id_, net=table["NetId"])
    elif field == "NetPeeringId":
        peering = call.get("NetPeering", id_)
        nets = peering["SourceNet"]["NetId"], peering["AccepterNet"]["NetId"]
        if table["NetId"] not in nets:
            raise errors.refusal(5035, param="NetPeeringId", id=id_)
        if peering.state != "active":
            raise errors.refusal(
                6004, f"The Net peering {id_} is {peering.state}, but must be active."
            )
    else:
        target = call.own(TARGETS[field][0], id_)
        if target.get("NetId") != table["NetId"]:
            raise errors.refusal(
                4086,
                f"The route table {table.id} is in the Net {table['NetId']}, but {id_} is not.",
            )


def check_destination(call: Call, table: Row, text: str) -> str:
    """Return the destination of a route; raise 4047 for one inside the Net of the table."""
    block = addresses.network(text)
    local = addresses.network(call.get("Net", table["NetId"])["IpRange"])
    if block.subnet_of(local):
        raise errors.refusal(
            4047,
            f"The destination {block} is inside {local}, the range of the Net {table['NetId']}. "
            "Its traffic always stays inside.",
        )
    return str(block)


@action
def CreateRoute(
    call: Call,
    DestinationIpRange: str,
    RouteTableId: str,
    GatewayId: str | None = None,
    NatServiceId: str | None = None,
    NetPeeringId: str | None = None,
    NicId: str | None = None,
    VmId: str | None = None,
) -> Data:
    """Add a route to a table; the same route again is accepted and changes nothing."""
    check_id(KINDS["RouteTable"], RouteTableId)
    field, id_ = target_of(
        GatewayId=GatewayId,
        NatServiceId=NatServiceId,
        NetPeeringId=NetPeeringId,
        NicId=NicId,
        VmId=VmId,
    )
    table = call.own("RouteTable", RouteTableId)
    destination = check_destination(call, table, DestinationIpRange)
    check_target(call, table, field, id_)
    held = route_to(table, destination)
    if held is not None:
        if held.get(field) != id_:
            raise errors.refusal(9052, destination=destination, table=table.id)
        return answered(call, table)
    call.within("rtb_rule_limit", len(table["_Routes"]) + 1)
    route = {"CreationMethod": "CreateRoute", "DestinationIpRange": destination, field: id_}
    data = call.edit(table)
    data["_Routes"] = [*data["_Routes"], route]
    return answered(call, table)


def route_to(table: Row, destination: str) -> Any:
    """Return the route of a table to a destination, if there is one."""
    routes = table["_Routes"]
    return next((each for each in routes if each["DestinationIpRange"] == destination), None)


@action
def UpdateRoute(
    call: Call,
    DestinationIpRange: str,
    RouteTableId: str,
    GatewayId: str | None = None,
    NatServiceId: str | None = None,
    NetPeeringId: str | None = None,
    NicId: str | None = None,
    VmId: str | None = None,
) -> Data:
    """Give a route of a table another target; raise 9053 when there is no such route."""
    check_id(KINDS["RouteTable"], RouteTableId)
    field, id_ = target_of(
        GatewayId=GatewayId,
        NatServiceId=NatServiceId,
        NetPeeringId=NetPeeringId,
        NicId=NicId,
        VmId=VmId,
    )
    table = call.own("RouteTable", RouteTableId)
    destination = str(addresses.network(DestinationIpRange))
    held = route_to(table, destination)
    if held is None or held["CreationMethod"] != "CreateRoute":
        raise errors.refusal(9053, destination=destination, table=table.id)
    check_target(call, table, field, id_)
    fresh = {"CreationMethod": "CreateRoute", "DestinationIpRange": destination, field: id_}
    data = call.edit(table)
    data["_Routes"] = [fresh if each is held else each for each in data["_Routes"]]
    return answered(call, table)


@action
def DeleteRoute(call: Call, DestinationIpRange: str, RouteTableId: str) -> Data:
    """Take a route from a table; the local route stays."""
    table = call.own("RouteTable", RouteTableId)
    destination = str(addresses.network(DestinationIpRange))
    held = route_to(table, destination)
    if held is None or held["CreationMethod"] != "CreateRoute":
        raise errors.refusal(9053, destination=destination, table=table.id)
    data = call.edit(table)
    data["_Routes"] = [each for each in data["_Routes"] if each is not held]
    return answered(call, table)
