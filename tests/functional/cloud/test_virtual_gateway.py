"""Virtual gateways: one for each Net, and the routes that they pass on."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


class Place:
    """One Net with a route table, and a virtual gateway that is not linked."""

    def __init__(self):
        self.cloud = FakeCloud()
        self.client = self.cloud.client()
        self.net_id = self.client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
        table = self.client.CreateRouteTable(NetId=self.net_id)["RouteTable"]
        self.table_id = table["RouteTableId"]
        self.id = self.make()
        self.pair = {"NetId": self.net_id, "VirtualGatewayId": self.id}

    def make(self):
        gateway = self.client.CreateVirtualGateway(ConnectionType="ipsec.1")["VirtualGateway"]
        return gateway["VirtualGatewayId"]

    def read(self, **filters):
        return self.client.ReadVirtualGateways(Filters=filters)["VirtualGateways"]

    def link_state(self):
        (gateway,) = self.read(VirtualGatewayIds=[self.id])
        return [link["State"] for link in gateway["NetToVirtualGatewayLinks"]]

    def propagate(self, *, enable):
        return self.client.UpdateRoutePropagation(
            Enable=enable, RouteTableId=self.table_id, VirtualGatewayId=self.id
        )["RouteTable"]


@pytest.fixture
def place():
    return Place()


def refused_with(action, **request):
    with pytest.raises(ApiError) as refused:
        action(**request)
    return refused.value.code


def test_a_gateway_is_available_at_once(place):
    assert place.read() == [
        {
            "ConnectionType": "ipsec.1",
            "NetToVirtualGatewayLinks": [],
            "State": "available",
            "Tags": [],
            "VirtualGatewayId": place.id,
        }
    ]


def test_a_link_goes_from_attached_to_detached(place):
    link = place.client.LinkVirtualGateway(**place.pair)["NetToVirtualGatewayLink"]
    assert link == {"NetId": place.net_id, "State": "attached"}
    assert place.link_state() == ["attached"]
    place.client.UnlinkVirtualGateway(**place.pair)
    assert place.link_state() == ["detaching"]
    place.cloud.clock.advance(10)
    assert place.link_state() == ["detached"]
    place.client.LinkVirtualGateway(**place.pair)
    assert place.link_state() == ["attached"]


def test_a_net_is_held_until_the_gateway_is_detached(place):
    place.client.LinkVirtualGateway(**place.pair)
    place.client.UnlinkVirtualGateway(**place.pair)
    place.client.DeleteRouteTable(RouteTableId=place.table_id)
    assert refused_with(place.client.DeleteNet, NetId=place.net_id) == "9097"
    place.cloud.clock.advance(10)
    place.client.DeleteNet(NetId=place.net_id)


def test_a_net_has_one_gateway(place):
    place.client.LinkVirtualGateway(**place.pair)
    assert refused_with(place.client.LinkVirtualGateway, **place.pair) == "9025"
    other = {**place.pair, "VirtualGatewayId": place.make()}
    assert refused_with(place.client.LinkVirtualGateway, **other) == "9065"
    assert refused_with(place.client.UnlinkVirtualGateway, **other) == "9026"


def test_a_linked_gateway_is_not_deleted(place):
    place.client.LinkVirtualGateway(**place.pair)
    delete = place.client.DeleteVirtualGateway
    assert refused_with(delete, VirtualGatewayId=place.id) == "9025"
    place.client.UnlinkVirtualGateway(**place.pair)
    delete(VirtualGatewayId=place.id)
    assert [gateway["State"] for gateway in place.read()] == ["deleting"]
    place.cloud.clock.advance(10)
    assert [gateway["State"] for gateway in place.read()] == ["deleted"]
    assert refused_with(delete, VirtualGatewayId=place.id) == "5068"
    place.cloud.clock.advance(3600)
    assert place.read() == []


def test_propagation_is_switched_on_and_off(place):
    place.client.LinkVirtualGateway(**place.pair)
    shown = "RoutePropagatingVirtualGateways"
    for _ in range(2):
        assert place.propagate(enable=True)[shown] == [{"VirtualGatewayId": place.id}]
    for _ in range(2):
        assert place.propagate(enable=False)[shown] == []


def test_static_routes_are_propagated(place):
    place.client.LinkVirtualGateway(**place.pair)
    place.propagate(enable=True)
    client = place.client.CreateClientGateway(
        BgpAsn=65000, ConnectionType="ipsec.1", PublicIp="192.0.2.1"
    )["ClientGateway"]["ClientGatewayId"]
    vpn = place.client.CreateVpnConnection(
        ClientGatewayId=client,
        ConnectionType="ipsec.1",
        StaticRoutesOnly=True,
        VirtualGatewayId=place.id,
    )["VpnConnection"]["VpnConnectionId"]
    place.client.CreateVpnConnectionRoute(DestinationIpRange="10.9.0.0/16", VpnConnectionId=vpn)
    place.cloud.clock.advance(60)

    def routes():
        by_gateway = {"RouteGatewayIds": [place.id]}
        found = place.client.ReadRouteTables(Filters=by_gateway)["RouteTables"]
        return [route["DestinationIpRange"] for table in found for route in table["Routes"]]

    assert routes() == ["10.0.0.0/16", "10.9.0.0/16"]
    place.client.UnlinkVirtualGateway(**place.pair)
    assert routes() == []


def test_a_gateway_that_is_not_linked_propagates_nothing(place):
    with pytest.raises(ApiError, match="9027"):
        place.propagate(enable=True)


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("CreateVirtualGateway", {"ConnectionType": "ipsec.2"}, "4047"),
        ("DeleteVirtualGateway", {"VirtualGatewayId": "vgw-12345678"}, "5068"),
        ("DeleteVirtualGateway", {"VirtualGatewayId": "tata"}, "4104"),
        (
            "LinkVirtualGateway",
            {"VirtualGatewayId": "vgw-12345678", "NetId": "vpc-12345678"},
            "5068",
        ),
        ("LinkVirtualGateway", {"VirtualGatewayId": "vgw-12345678", "NetId": "tata"}, "4104"),
        # The route table is looked up first.
        (
            "UpdateRoutePropagation",
            {
                "Enable": True,
                "RouteTableId": "rtb-12345678",
                "VirtualGatewayId": "vgw-12345678",
            },
            "5046",
        ),
    ],
)
def test_a_bad_request_is_refused(place, action, request_, code):
    assert refused_with(getattr(place.client, action), **request_) == code


def test_the_quota_of_gateways_is_kept(place):
    for _ in range(4):
        place.make()
    with pytest.raises(ApiError) as refused:
        place.make()
    assert (refused.value.code, refused.value.status) == ("10039", 400)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"ConnectionTypes": ["ipsec.1"]}, True),
        ({"ConnectionTypes": ["other"]}, False),
        ({"LinkNetIds": ["vpc-12345678"]}, False),
        ({"LinkStates": ["attached"]}, True),
        ({"LinkStates": ["detached"]}, False),
        ({"States": ["available"]}, True),
        ({"TagKeys": ["Name"]}, False),
    ],
)
def test_gateways_are_filtered(place, filters, found):
    place.client.LinkVirtualGateway(**place.pair)
    ids = [gateway["VirtualGatewayId"] for gateway in place.read(**filters)]
    assert ids == ([place.id] if found else [])


def test_a_gateway_of_another_account_is_unknown(place):
    other = place.cloud.client(account="210987654321")
    assert other.ReadVirtualGateways()["VirtualGateways"] == []
    assert refused_with(other.LinkVirtualGateway, **place.pair) == "5068"
    assert refused_with(other.UnlinkVirtualGateway, **place.pair) == "5068"
    assert refused_with(other.DeleteVirtualGateway, VirtualGatewayId=place.id) == "5068"
