"""DirectLinks: at a site, with interfaces to virtual gateways."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

DAY_S = 24 * 3600
GOOD = {"Bandwidth": "1Gbps", "DirectLinkName": "office", "Location": "PAR1"}


class Place:
    """A DirectLink and a virtual gateway."""

    def __init__(self):
        self.cloud = FakeCloud()
        self.client = self.cloud.client()
        self.link = self.client.CreateDirectLink(**GOOD)["DirectLink"]
        self.id = self.link["DirectLinkId"]
        gateway = self.client.CreateVirtualGateway(ConnectionType="ipsec.1")["VirtualGateway"]
        self.gateway_id = gateway["VirtualGatewayId"]

    def connect(self, link_id="", **changed):
        interface = {
            "BgpAsn": 65000,
            "BgpKey": "for-nobody-to-see",
            "ClientPrivateIp": "172.16.0.5/30",
            "DirectLinkInterfaceName": "office-1",
            "OutscalePrivateIp": "172.16.0.4/30",
            "VirtualGatewayId": self.gateway_id,
            "Vlan": 101,
            **changed,
        }
        return self.client.CreateDirectLinkInterface(
            DirectLinkId=link_id or self.id, DirectLinkInterface=interface
        )["DirectLinkInterface"]

    def links(self, **filters):
        return self.client.ReadDirectLinks(Filters=filters)["DirectLinks"]

    def interfaces(self, **filters):
        return self.client.ReadDirectLinkInterfaces(Filters=filters)["DirectLinkInterfaces"]


@pytest.fixture
def place():
    return Place()


def refused_with(action, *arguments, **request):
    with pytest.raises(ApiError) as refused:
        action(*arguments, **request)
    return refused.value.code


def test_a_link_takes_a_day(place):
    assert place.link == {
        **GOOD,
        "AccountId": "123456789012",
        "DirectLinkId": place.id,
        "RegionName": "eu-west-2",
        "State": "pending",
    }
    place.cloud.clock.advance(DAY_S)
    assert place.links(DirectLinkIds=[place.id]) == [{**place.link, "State": "available"}]
    assert place.links(DirectLinkIds=["dxcon-12345678"]) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Location": "NJ1"}, "5052"),
        ({"Bandwidth": "alpha1Gbps"}, "4045"),
        ({"Bandwidth": "1"}, "4045"),
    ],
)
def test_a_bad_link_is_refused(place, changed, code):
    assert refused_with(place.client.CreateDirectLink, **{**GOOD, **changed}) == code


def test_an_interface_becomes_available(place):
    made = place.connect()
    assert made == {
        "AccountId": "123456789012",
        "BgpAsn": 65000,
        "ClientPrivateIp": "172.16.0.5/30",
        "DirectLinkId": place.id,
        "DirectLinkInterfaceId": made["DirectLinkInterfaceId"],
        "DirectLinkInterfaceName": "office-1",
        "InterfaceType": "private",
        "Location": "PAR1",
        "Mtu": 1500,
        "OutscalePrivateIp": "172.16.0.4/30",
        "State": "pending",
        "VirtualGatewayId": place.gateway_id,
        "Vlan": 101,
    }
    place.cloud.clock.advance(60)
    assert place.interfaces(DirectLinkIds=[place.id]) == [{**made, "State": "available"}]
    assert place.interfaces(DirectLinkInterfaceIds=["dxvif-12345678"]) == []


@pytest.mark.parametrize(
    ("link_id", "changed", "code"),
    [
        ("tests", {}, "4104"),
        ("dxcon-1234567", {}, "4105"),
        ("dxcon-12345678", {}, "5072"),
        ("dxcon-12345678", {"VirtualGatewayId": "vgw-1234567"}, "4105"),
        ("", {"VirtualGatewayId": "vgw-12345678"}, "5068"),
        ("", {"Vlan": 1}, "4047"),
        ("", {"Vlan": 4095}, "4047"),
        ("", {"BgpAsn": -1}, "4010"),
        ("", {"Vlan": 100}, "9023"),
    ],
)
def test_a_bad_interface_is_refused(place, link_id, changed, code):
    place.connect(Vlan=100)
    assert refused_with(place.connect, link_id, **changed) == code


def test_an_interface_holds_its_link(place):
    id_ = place.connect()["DirectLinkInterfaceId"]
    assert refused_with(place.client.DeleteDirectLink, DirectLinkId=place.id) == "9002"
    delete = place.client.DeleteVirtualGateway
    assert refused_with(delete, VirtualGatewayId=place.gateway_id) == "9002"
    place.client.DeleteDirectLinkInterface(DirectLinkInterfaceId=id_)
    assert [each["State"] for each in place.interfaces()] == ["deleting"]
    place.client.DeleteDirectLink(DirectLinkId=place.id)
    assert [link["State"] for link in place.links()] == ["deleted"]
    assert refused_with(place.client.DeleteDirectLink, DirectLinkId=place.id) == "5072"
    place.cloud.clock.advance(3600)
    assert place.links() == []


def test_an_interface_is_updated(place):
    id_ = place.connect()["DirectLinkInterfaceId"]
    update = place.client.UpdateDirectLinkInterface
    changed = update(DirectLinkInterfaceId=id_, Mtu=1500)["DirectLinkInterface"]
    assert changed["Mtu"] == 1500
    assert refused_with(update, DirectLinkInterfaceId=id_, Mtu=9000) == "4047"
    assert refused_with(update, DirectLinkInterfaceId="dxvif-12345678", Mtu=1500) == "5073"


def test_the_quotas_of_links_are_kept(place):
    place.cloud.set_quota("dl_connection_limit", 1)
    place.cloud.set_quota("dl_interface_limit", 0)
    assert refused_with(place.client.CreateDirectLink, **GOOD) == "10028"
    assert refused_with(place.connect) == "10031"


def test_a_link_of_another_account_is_unknown(place):
    other = place.cloud.client(account="210987654321")
    assert other.ReadDirectLinks()["DirectLinks"] == []
    assert refused_with(other.DeleteDirectLink, DirectLinkId=place.id) == "5072"
