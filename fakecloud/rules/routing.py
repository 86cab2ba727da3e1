"""Where the traffic of a subnet goes: main route tables, targets of routes, public subnets.

https://docs.outscale.com/en/userguide/About-Route-Tables.html
"""

from __future__ import annotations

from collections.abc import Callable

from fakecloud.call import Call
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import addresses
from fakecloud.store import Store

EVERYWHERE = "0.0.0.0/0"


def new_table(call: Call, net: Row, *, main: bool = False) -> Row:
    """Create a route table with its local route; a main one is linked to the Net as a whole."""
    local = {
        "CreationMethod": "CreateRouteTable",
        "DestinationIpRange": net["IpRange"],
        "GatewayId": "local",
    }
    data: Data = {"NetId": net.id, "_Routes": [local], "_Propagating": []}
    if main:
        data["_Default"] = True
    table = call.create("RouteTable", data)
    if main:
        call.create(
            "LinkRouteTable",
            {"Main": True, "NetId": net.id, "RouteTableId": table.id, "_MainOf": net.id},
        )
    return table


def main_link(store: Store, net_id: str) -> Row:
    """Return the link between a Net and its main route table."""
    return store.rows("LinkRouteTable", "_MainOf", net_id)[0]


def table_of(store: Store, subnet: Row) -> Row:
    """Return the route table of a subnet: its own, or the main one of its Net."""
    links = store.rows("LinkRouteTable", "SubnetId", subnet.id)
    link = links[0] if links else main_link(store, subnet["NetId"])
    table = store.row("RouteTable", link["RouteTableId"])
    assert table is not None, f"{link} links a route table that is gone"
    return table


def internet_service(store: Store, net_id: str) -> Row | None:
    """Return the internet service that is linked to a Net, if any."""
    found = store.rows("InternetService", "NetId", net_id)
    return found[0] if found else None


def gateway_link(store: Store, gateway_id: str) -> Row | None:
    """Return the link between a virtual gateway and a Net that is not detached, if any."""
    for link in store.rows("NetToVirtualGatewayLink", "_VirtualGatewayId", gateway_id):
        if link.is_live:
            return link
    return None


def has_internet(store: Store, net_id: str) -> bool:
    """Tell whether an internet service is linked to a Net."""
    return internet_service(store, net_id) is not None


def is_public(store: Store, subnet: Row) -> bool:
    """Tell whether a subnet has a route to the internet service of its Net."""
    service = internet_service(store, subnet["NetId"])
    if service is None:
        return False
    return any(
        route.get("GatewayId") == service.id and route["DestinationIpRange"].endswith("/0")
        for route in table_of(store, subnet)["_Routes"]
    )


# Whether a route leads anywhere.


def _linked_gateway(store: Store, id_: str, net_id: str) -> bool:
    if id_ == "local":
        return True
    if id_.startswith("vgw-"):
        link = gateway_link(store, id_)
        return link is not None and link["NetId"] == net_id and link.state == "attached"
    row = store.row("InternetService", id_)
    return row is not None and row.get("NetId") == net_id


def _alive(kind: str) -> Callable[[Store, str, str], bool]:
    def check(store: Store, id_: str, net_id: str) -> bool:  # noqa: ARG001 - as the others
        row = store.row(kind, id_)
        return row is not None and row.is_live

    return check


def _active_peering(store: Store, id_: str, net_id: str) -> bool:  # noqa: ARG001 - as the others
    row = store.row("NetPeering", id_)
    return row is not None and row.state == "active"


TARGETS: dict[str, Callable[[Store, str, str], bool]] = {
    # Field of a route: whether what it names can still take traffic of a Net.
    "GatewayId": _linked_gateway,
    "NatServiceId": _alive("NatService"),
    "NetPeeringId": _active_peering,
    "NicId": _alive("Nic"),
    "VmId": _alive("Vm"),
}


def shown(store: Store, route: Data, net_id: str) -> Data:
    """Return a route as the API shows it, with its state and, for a NIC, the VM behind it."""
    view = dict(route)
    active = all(
        check(store, route[field], net_id) for field, check in TARGETS.items() if field in route
    )
    view["State"] = "active" if active else "blackhole"
    if "NicId" in route:
        for link in store.rows("LinkNic", "NicId", route["NicId"]):
            view["VmAccountId"], view["VmId"] = link.account, link["VmId"]
    elif "VmId" in route:
        for link in store.rows("LinkNic", "VmId", route["VmId"]):
            if link["DeviceNumber"] == 0:
                view["VmAccountId"], view["NicId"] = link.account, link["NicId"]
    return view


def routes(store: Store, table: Row) -> list[Data]:
    """Return the routes of a table in the order of their creation, as the API shows them."""
    net_id = table["NetId"]
    found = [shown(store, route, net_id) for route in table["_Routes"]]
    found += [
        {
            "CreationMethod": "CreateRoute",
            "DestinationServiceId": point["_ServiceId"],
            "NetAccessPointId": point.id,
            "State": "active",
        }
        for point in store.rows("NetAccessPoint", "RouteTableIds", table.id)
        if point.state in ("pending", "available")
    ]
    known = {route.get("DestinationIpRange") for route in found}
    for gateway_id in table["_Propagating"]:
        for destination in _propagated(store, gateway_id):
            if destination not in known:  # What was created by hand comes first.
                known.add(destination)
                route = {
                    "CreationMethod": "EnableVgwRoutePropagation",
                    "DestinationIpRange": destination,
                    "GatewayId": gateway_id,
                }
                found.append(shown(store, route, net_id))
    return found


def _propagated(store: Store, gateway_id: str) -> list[str]:
    """Return the destinations that a virtual gateway knows from its VPN connections."""
    return [
        route["DestinationIpRange"]
        for connection in store.rows("VpnConnection", "VirtualGatewayId", gateway_id)
        if connection.state == "available"
        for route in connection.get("_Routes", ())
    ]


def by_destination(route: Data) -> tuple[int, int, str]:
    """Return where a route stands in a list that is sorted by destination."""
    destination = route.get("DestinationIpRange")
    if destination is None:
        return 1 << 33, 0, route.get("DestinationServiceId", "")
    block = addresses.network(destination)
    return int(block.network_address), block.prefixlen, ""
