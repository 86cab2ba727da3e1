"""VPN connections and their static routes: Create, Update, Delete, Read, and of VpnConnectionRoute.

No traffic flows: every tunnel is down.

https://docs.outscale.com/en/userguide/About-VPN-Connections.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.reads import Deep
from fakecloud.rows import Row, clone, public
from fakecloud.rules import addresses, tunnels
from fakecloud.store import Store


def _view(_store: Store, row: Row) -> Data:
    return {
        **public(row.data),
        "ClientGatewayConfiguration": tunnels.configuration(
            row.data, row["_Client"], row.get("VpnOptions", {})
        ),
        "Routes": row["_Routes"],
        "VgwTelemetries": [
            {
                "AcceptedRouteCount": 0,
                "LastStateChangeDate": row["_Since"],
                "OutsideIpAddress": tunnels.outside_ip(row.id),
                "State": "DOWN",
                "StateDescription": "IPSEC IS DOWN",
            }
        ],
    }


kind(
    "VpnConnection",
    id="VpnConnectionId",
    prefix="vpn",
    refs={"ClientGatewayId": "ClientGateway", "VirtualGatewayId": "VirtualGateway"},
    lifecycle={
        "pending": Then(60, "available"),
        "deleting": Then(30, "deleted"),
        "deleted": Then(3600, None),
    },
    tombstones=frozenset({"deleted"}),
    absent=5067,
    resource_type="vpn-connection",
    view=_view,
    read="ReadVpnConnections",
    answer="VpnConnections",
    filters={"BgpAsns": Deep(lambda _store, row: row["_Client"]["BgpAsn"])},
)


@action
def CreateVpnConnection(
    call: Call,
    ClientGatewayId: str,
    ConnectionType: str,
    VirtualGatewayId: str,
    StaticRoutesOnly: bool = False,
) -> Data:
    """Create a VPN connection; raise 9006 when the two gateways have one."""
    tunnels.check_type(ConnectionType)
    client, gateway = gateways(call, ClientGatewayId, VirtualGatewayId)
    others = call.find("VpnConnection", "VirtualGatewayId", gateway.id)
    for other in others:
        if other["ClientGatewayId"] == client.id and other.state != "deleting":
            raise errors.refusal(9006, client=client.id, gateway=gateway.id, connection=other.id)
    call.within("vpnc_limit", len(others) + 1)
    connection = call.create(
        "VpnConnection",
        {
            "ClientGatewayId": client.id,
            "ConnectionType": ConnectionType,
            "StaticRoutesOnly": StaticRoutesOnly,
            "VirtualGatewayId": gateway.id,
            "_Client": {name: client[name] for name in ("BgpAsn", "PublicIp")},
            "_Routes": [],
            "_Since": call.today,
        },
        state="pending",
    )
    return {"VpnConnection": connection}


def gateways(call: Call, client_id: str, gateway_id: str) -> tuple[Row, Row]:
    """Return the two ends of a connection; bad identifiers come before unknown ones."""
    check_id(KINDS["ClientGateway"], client_id)
    check_id(KINDS["VirtualGateway"], gateway_id)
    return call.own("ClientGateway", client_id), call.own("VirtualGateway", gateway_id)


@action
def UpdateVpnConnection(
    call: Call,
    VpnConnectionId: str,
    ClientGatewayId: str | None = None,
    VirtualGatewayId: str | None = None,
    VpnOptions: Data | None = None,
) -> Data:
    """Give a VPN connection other ends or options; what is not given stays."""
    if not (ClientGatewayId or VirtualGatewayId or VpnOptions):
        raise errors.refusal(
            7000, parameters="ClientGatewayId, VirtualGatewayId, VpnOptions", least="1"
        )
    connection = call.own("VpnConnection", VpnConnectionId)
    client, gateway = gateways(
        call,
        ClientGatewayId or connection["ClientGatewayId"],
        VirtualGatewayId or connection["VirtualGatewayId"],
    )
    inside = (VpnOptions or {}).get("TunnelInsideIpRange")
    if inside is not None:
        tunnels.check_inside(inside)
    data = call.edit(connection)
    data["ClientGatewayId"], data["VirtualGatewayId"] = client.id, gateway.id
    data["_Client"] = {name: client[name] for name in ("BgpAsn", "PublicIp")}
    if VpnOptions:
        data["VpnOptions"] = {**data.get("VpnOptions", {}), **clone(VpnOptions)}
    return {"VpnConnection": connection}


@action
def DeleteVpnConnection(call: Call, VpnConnectionId: str) -> Data:
    """Delete a VPN connection; it stays readable for a while."""
    connection = call.own("VpnConnection", VpnConnectionId)
    if connection.state != "deleting":
        call.delete(connection, state="deleting")
    return {}


def routed(call: Call, VpnConnectionId: str, destination: str) -> Row:
    """Return a connection with static routes; raise 9068 for one without, 4047 for a bad range."""
    connection = call.own("VpnConnection", VpnConnectionId)
    if not connection["StaticRoutesOnly"]:
        raise errors.refusal(9068, connection=connection.id)
    addresses.network(destination)
    return connection


@action
def CreateVpnConnectionRoute(call: Call, DestinationIpRange: str, VpnConnectionId: str) -> Data:
    """Add a static route to a VPN connection; raise 9052 when it has it."""
    connection = routed(call, VpnConnectionId, DestinationIpRange)
    routes = connection["_Routes"]
    if any(route["DestinationIpRange"] == DestinationIpRange for route in routes):
        raise errors.refusal(
            9052, f"The VPN connection {connection.id} has a route to {DestinationIpRange}."
        )
    call.within("static_route_limit", len(routes) + 1)
    route = {"DestinationIpRange": DestinationIpRange, "RouteType": "static", "State": "available"}
    call.edit(connection)["_Routes"] = [*routes, route]
    return {}


@action
def DeleteVpnConnectionRoute(call: Call, DestinationIpRange: str, VpnConnectionId: str) -> Data:
    """Take a static route from a VPN connection; raise 5055 when it has none such."""
    connection = routed(call, VpnConnectionId, DestinationIpRange)
    routes = connection["_Routes"]
    left = [route for route in routes if route["DestinationIpRange"] != DestinationIpRange]
    if len(left) == len(routes):
        raise errors.refusal(5055)
    call.edit(connection)["_Routes"] = left
    return {}
