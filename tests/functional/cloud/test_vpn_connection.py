"""VPN connections: between two gateways, with static routes and options."""

import json

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


class Place:
    """A client gateway and a virtual gateway."""

    def __init__(self):
        self.cloud = FakeCloud()
        self.client = self.cloud.client()
        self.near = self.client.CreateVirtualGateway(ConnectionType="ipsec.1")["VirtualGateway"][
            "VirtualGatewayId"
        ]
        self.far = self.client.CreateClientGateway(
            BgpAsn=65000, ConnectionType="ipsec.1", PublicIp="192.0.2.1"
        )["ClientGateway"]["ClientGatewayId"]

    def make(self, **changed):
        request = {
            "ClientGatewayId": self.far,
            "ConnectionType": "ipsec.1",
            "StaticRoutesOnly": True,
            "VirtualGatewayId": self.near,
            **changed,
        }
        return self.client.CreateVpnConnection(**request)["VpnConnection"]

    def read(self, **filters):
        return self.client.ReadVpnConnections(Filters=filters)["VpnConnections"]


@pytest.fixture
def place():
    return Place()


def refused_with(action, **request):
    with pytest.raises(ApiError) as refused:
        action(**request)
    return refused.value.code


def test_a_connection_becomes_available(place):
    made = place.make()
    configuration = json.loads(made.pop("ClientGatewayConfiguration"))
    assert configuration["ClientGatewayId"] == place.far
    (tunnel,) = configuration["Tunnels"]
    assert tunnel["ClientGateway"]["TunnelOutside"] == {"IpAddress": "192.0.2.1"}
    assert tunnel["ClientGateway"]["TunnelInside"] == {"IpRange": "169.254.254.2/30"}
    assert tunnel["VirtualGateway"]["TunnelInside"] == {"IpRange": "169.254.254.1/30"}
    assert len(tunnel["Ike"]["PreSharedKey"]) == 26
    (telemetry,) = made.pop("VgwTelemetries")
    assert (telemetry["State"], telemetry["StateDescription"]) == ("DOWN", "IPSEC IS DOWN")
    assert made == {
        "ClientGatewayId": place.far,
        "ConnectionType": "ipsec.1",
        "Routes": [],
        "State": "pending",
        "StaticRoutesOnly": True,
        "Tags": [],
        "VirtualGatewayId": place.near,
        "VpnConnectionId": made["VpnConnectionId"],
    }
    place.cloud.clock.advance(60)
    assert place.read()[0]["State"] == "available"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ConnectionType": "tata"}, "4047"),
        ({"ClientGatewayId": "tata"}, "4104"),
        ({"ClientGatewayId": "cgw-1234567"}, "4105"),
        ({"ClientGatewayId": "cgw-12345678"}, "5015"),
        ({"ClientGatewayId": "cgw-12345678", "VirtualGatewayId": "tata"}, "4104"),
        ({"VirtualGatewayId": "vgw-12345678"}, "5068"),
    ],
)
def test_a_bad_connection_is_refused(place, changed, code):
    assert refused_with(place.make, **changed) == code


def test_two_gateways_have_one_connection(place):
    id_ = place.make()["VpnConnectionId"]
    assert refused_with(place.make) == "9006"
    place.client.DeleteVpnConnection(VpnConnectionId=id_)
    place.make()


def test_a_deleted_connection_stays_readable(place):
    id_ = place.make()["VpnConnectionId"]
    place.client.DeleteVpnConnection(VpnConnectionId=id_)
    assert [vpn["State"] for vpn in place.read()] == ["deleting"]
    assert refused_with(place.client.DeleteVirtualGateway, VirtualGatewayId=place.near) == "9002"
    place.cloud.clock.advance(30)
    assert [vpn["VpnConnectionId"] for vpn in place.read(States=["deleted"])] == [id_]
    place.client.DeleteVirtualGateway(VirtualGatewayId=place.near)
    place.client.DeleteClientGateway(ClientGatewayId=place.far)
    place.cloud.clock.advance(3600)
    assert place.read() == []


# Routes.


def test_a_route_is_kept_as_it_was_written(place):
    id_ = place.make()["VpnConnectionId"]
    route = {"DestinationIpRange": "172.13.1.4/24", "VpnConnectionId": id_}
    place.client.CreateVpnConnectionRoute(**route)
    assert place.read()[0]["Routes"] == [
        {"DestinationIpRange": "172.13.1.4/24", "RouteType": "static", "State": "available"}
    ]
    assert refused_with(place.client.CreateVpnConnectionRoute, **route) == "9052"
    place.client.DeleteVpnConnectionRoute(**route)
    assert place.read()[0]["Routes"] == []
    assert refused_with(place.client.DeleteVpnConnectionRoute, **route) == "5055"


@pytest.mark.parametrize("action", ["CreateVpnConnectionRoute", "DeleteVpnConnectionRoute"])
def test_bad_routes_are_refused(place, action):
    act = getattr(place.client, action)
    id_ = place.make()["VpnConnectionId"]
    assert refused_with(act, DestinationIpRange="tata", VpnConnectionId=id_) == "4047"
    assert refused_with(act, DestinationIpRange="10.0.0.0/8", VpnConnectionId="tata") == "4104"
    unknown = "vpn-12345678"
    assert refused_with(act, DestinationIpRange="10.0.0.0/8", VpnConnectionId=unknown) == "5067"


@pytest.mark.parametrize("action", ["CreateVpnConnectionRoute", "DeleteVpnConnectionRoute"])
def test_a_dynamic_connection_has_no_routes(place, action):
    id_ = place.make(StaticRoutesOnly=False)["VpnConnectionId"]
    act = getattr(place.client, action)
    # This comes before the range is looked at.
    assert refused_with(act, DestinationIpRange="tata", VpnConnectionId=id_) == "9068"


def test_the_quotas_of_connections_are_kept(place):
    place.cloud.set_quota("static_route_limit", 0)
    place.cloud.set_quota("vpnc_limit", 1)
    id_ = place.make()["VpnConnectionId"]
    route = {"DestinationIpRange": "10.0.0.0/8", "VpnConnectionId": id_}
    assert refused_with(place.client.CreateVpnConnectionRoute, **route) == "10040"
    other = place.client.CreateClientGateway(
        BgpAsn=65001, ConnectionType="ipsec.1", PublicIp="192.0.2.2"
    )["ClientGateway"]["ClientGatewayId"]
    assert refused_with(place.make, ClientGatewayId=other) == "10028"


# Options.


def test_options_add_up(place):
    id_ = place.make()["VpnConnectionId"]
    update = place.client.UpdateVpnConnection
    update(VpnConnectionId=id_, VpnOptions={"Phase2Options": {"PreSharedKey": "secret"}})
    vpn = update(VpnConnectionId=id_, VpnOptions={"TunnelInsideIpRange": "169.254.254.20/30"})[
        "VpnConnection"
    ]
    assert vpn["VpnOptions"] == {
        "Phase2Options": {"PreSharedKey": "secret"},
        "TunnelInsideIpRange": "169.254.254.20/30",
    }
    (tunnel,) = json.loads(vpn["ClientGatewayConfiguration"])["Tunnels"]
    assert tunnel["Ike"]["PreSharedKey"] == "secret"
    assert tunnel["VirtualGateway"]["TunnelInside"] == {"IpRange": "169.254.254.21/30"}


def test_a_connection_gets_another_gateway(place):
    id_ = place.make()["VpnConnectionId"]
    other = place.client.CreateVirtualGateway(ConnectionType="ipsec.1")["VirtualGateway"]
    other_id = other["VirtualGatewayId"]
    vpn = place.client.UpdateVpnConnection(VpnConnectionId=id_, VirtualGatewayId=other_id)
    assert vpn["VpnConnection"]["VirtualGatewayId"] == other_id
    place.client.DeleteVirtualGateway(VirtualGatewayId=place.near)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, "7000"),
        ({"ClientGatewayId": "cgw-12345678"}, "5015"),
        ({"VpnConnectionId": "vpn-12345678", "ClientGatewayId": "cgw-12345678"}, "5067"),
        ({"VpnOptions": {"TunnelInsideIpRange": "10.0.0.0/30"}}, "4047"),
        ({"VpnOptions": {"TunnelInsideIpRange": "169.254.254.0/29"}}, "4047"),
    ],
)
def test_a_bad_update_is_refused(place, changed, code):
    id_ = place.make()["VpnConnectionId"]
    request = {"VpnConnectionId": id_, **changed}
    assert refused_with(place.client.UpdateVpnConnection, **request) == code


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"BgpAsns": [65000]}, True),
        ({"BgpAsns": [65001]}, False),
        ({"ConnectionTypes": ["ipsec.1"]}, True),
        ({"RouteDestinationIpRanges": ["10.9.0.0/16"]}, True),
        ({"RouteDestinationIpRanges": ["foo"]}, False),
        ({"StaticRoutesOnly": True}, True),
        ({"StaticRoutesOnly": False}, False),
        ({"States": ["pending"]}, True),
        ({"ClientGatewayIds": ["cgw-12345678"]}, False),
        ({"VirtualGatewayIds": ["vgw-12345678"]}, False),
        ({"VpnConnectionIds": ["vpn-12345678"]}, False),
        ({"Tags": ["a=b"]}, False),
    ],
)
def test_connections_are_filtered(place, filters, found):
    id_ = place.make()["VpnConnectionId"]
    place.client.CreateVpnConnectionRoute(DestinationIpRange="10.9.0.0/16", VpnConnectionId=id_)
    assert len(place.read(**filters)) == int(found)


def test_a_connection_of_another_account_is_unknown(place):
    id_ = place.make()["VpnConnectionId"]
    other = place.cloud.client(account="210987654321")
    assert other.ReadVpnConnections()["VpnConnections"] == []
    assert refused_with(other.DeleteVpnConnection, VpnConnectionId=id_) == "5067"
