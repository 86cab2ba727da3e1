"""Client gateways: what describes one, and how it goes."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

GOOD = {"BgpAsn": 65000, "ConnectionType": "ipsec.1", "PublicIp": "192.0.2.1"}


@pytest.fixture
def client():
    return FakeCloud().client()


@pytest.fixture
def gateway(client):
    return client.CreateClientGateway(**GOOD)["ClientGateway"]


def states(client):
    return [each["State"] for each in client.ReadClientGateways()["ClientGateways"]]


def test_a_gateway_is_available_at_once(client, gateway):
    id_ = gateway["ClientGatewayId"]
    assert gateway == {**GOOD, "ClientGatewayId": id_, "State": "available", "Tags": []}
    assert client.ReadClientGateways()["ClientGateways"] == [gateway]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ConnectionType": "tata"}, "4047"),
        ({"BgpAsn": -1}, "4010"),
        ({"BgpAsn": 4294967296}, "4010"),
        ({"BgpAsn": 50624}, "4009"),
        ({"PublicIp": "tata"}, "4047"),
        ({"PublicIp": "::1"}, "4047"),
        ({"PublicIp": "241.491.144.2"}, "4047"),
    ],
)
def test_a_bad_gateway_is_refused(client, changed, code):
    with pytest.raises(ApiError) as refused:
        client.CreateClientGateway(**{**GOOD, **changed})
    assert refused.value.code == code


def test_a_long_number_is_accepted(client):
    made = client.CreateClientGateway(**{**GOOD, "BgpAsn": 4294967295})["ClientGateway"]
    assert made["BgpAsn"] == 4294967295


def test_a_deleted_gateway_stays_readable():
    cloud = FakeCloud()
    client = cloud.client()
    id_ = client.CreateClientGateway(**GOOD)["ClientGateway"]["ClientGatewayId"]
    client.DeleteClientGateway(ClientGatewayId=id_)
    assert states(client) == ["deleting"]
    cloud.clock.advance(10)
    assert states(client) == ["deleted"]
    cloud.clock.advance(3600)
    assert states(client) == []


def test_a_gateway_of_a_vpn_is_not_deleted(client, gateway):
    id_ = gateway["ClientGatewayId"]
    other = client.CreateVirtualGateway(ConnectionType="ipsec.1")["VirtualGateway"]
    vpn = client.CreateVpnConnection(
        ClientGatewayId=id_,
        ConnectionType="ipsec.1",
        VirtualGatewayId=other["VirtualGatewayId"],
    )["VpnConnection"]
    with pytest.raises(ApiError) as refused:
        client.DeleteClientGateway(ClientGatewayId=id_)
    assert (refused.value.code, refused.value.status) == ("1001", 424)
    client.DeleteVpnConnection(VpnConnectionId=vpn["VpnConnectionId"])
    client.cloud.clock.advance(30)
    client.DeleteClientGateway(ClientGatewayId=id_)
    client.DeleteVirtualGateway(VirtualGatewayId=other["VirtualGatewayId"])


@pytest.mark.parametrize(
    ("id_", "code"),
    [
        ("tata", "4104"),
        ("cgw-1234567", "4105"),
        ("cgw-123456789", "4105"),
        ("cgw-12345678", "5015"),
    ],
)
def test_an_unknown_gateway_is_refused(client, id_, code):
    with pytest.raises(ApiError) as refused:
        client.DeleteClientGateway(ClientGatewayId=id_)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"BgpAsns": [65000, 1]}, True),
        ({"BgpAsns": [1]}, False),
        ({"ConnectionTypes": ["ipsec.1"]}, True),
        ({"PublicIps": ["192.0.2.2"]}, False),
        ({"States": ["available"]}, True),
        ({"ClientGatewayIds": ["cgw-12345678"]}, False),
    ],
)
def test_gateways_are_filtered(client, gateway, filters, found):
    read = client.ReadClientGateways(Filters=filters)["ClientGateways"]
    assert read == ([gateway] if found else [])


def test_a_gateway_of_another_account_is_unknown(client, gateway):
    other = client.cloud.client(account="210987654321")
    assert other.ReadClientGateways()["ClientGateways"] == []
    with pytest.raises(ApiError, match="5015"):
        other.DeleteClientGateway(ClientGatewayId=gateway["ClientGatewayId"])
