"""Internet services: one for each Net, and not unlinked while something needs it."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

ACCOUNT = "123456789012"


class Place:
    """One Net with an internet service that is linked to it."""

    def __init__(self):
        self.cloud = FakeCloud()
        self.client = self.cloud.client()
        self.net_id = self.client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
        self.id = self.make()
        self.pair = {"InternetServiceId": self.id, "NetId": self.net_id}
        self.client.LinkInternetService(**self.pair)

    def make(self):
        return self.client.CreateInternetService()["InternetService"]["InternetServiceId"]

    def read(self, **filters):
        return self.client.ReadInternetServices(Filters=filters)["InternetServices"]

    def refused(self, action, **request):
        with pytest.raises(ApiError) as refused:
            getattr(self.client, action)(**request)
        return refused.value.code, refused.value.status


@pytest.fixture
def place():
    return Place()


def test_an_unlinked_service_has_neither_net_nor_state(place):
    id_ = place.make()
    assert place.read(InternetServiceIds=[id_]) == [{"InternetServiceId": id_, "Tags": []}]


def test_a_linked_service_has_both(place):
    linked = {**place.pair, "State": "available", "Tags": []}
    assert place.read() == [linked]
    place.client.UnlinkInternetService(**place.pair)
    assert place.read() == [{"InternetServiceId": place.id, "Tags": []}]


def test_a_linked_service_is_not_deleted(place):
    request = {"InternetServiceId": place.id}
    assert place.refused("DeleteInternetService", **request) == ("9024", 409)
    place.client.UnlinkInternetService(**place.pair)
    place.client.DeleteInternetService(**request)
    assert place.refused("DeleteInternetService", **request) == ("5001", 400)


def test_a_net_has_one_service(place):
    request = {"InternetServiceId": place.make(), "NetId": place.net_id}
    assert place.refused("LinkInternetService", **request) == ("9065", 409)
    assert place.refused("LinkInternetService", **place.pair) == ("9024", 409)


def test_what_is_not_linked_is_not_unlinked(place):
    place.client.UnlinkInternetService(**place.pair)
    assert place.refused("UnlinkInternetService", **place.pair) == ("1007", 424)


def fill(place, kind, data, id_):
    store = place.cloud.store("eu-west-2")
    with store.transaction():
        return store.create(kind, data, ACCOUNT, id_)


def test_a_net_with_public_ips_keeps_its_service(place):
    subnet = place.client.CreateSubnet(NetId=place.net_id, IpRange="10.0.1.0/24")["Subnet"]
    nic = place.client.CreateNic(SubnetId=subnet["SubnetId"])["Nic"]
    ip = place.client.CreatePublicIp()["PublicIp"]
    link = place.client.LinkPublicIp(PublicIpId=ip["PublicIpId"], NicId=nic["NicId"])
    assert place.refused("UnlinkInternetService", **place.pair) == ("1004", 409)
    place.client.UnlinkPublicIp(LinkPublicIpId=link["LinkPublicIpId"])
    place.client.UnlinkInternetService(**place.pair)


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("LoadBalancer", {"LoadBalancerName": "lb", "State": "active"}, "1005"),
        ("NatService", {"State": "available"}, "1018"),
    ],
)
def test_a_net_with_a_way_out_keeps_its_service(place, kind, data, code):
    row = fill(place, kind, {**data, "NetId": place.net_id}, "nat-0badcafe")
    assert place.refused("UnlinkInternetService", **place.pair) == (code, 409)
    store = place.cloud.store("eu-west-2")
    with store.transaction():
        store.remove(row)
    place.client.UnlinkInternetService(**place.pair)


def test_an_internal_load_balancer_does_not_need_the_service(place):
    data = {"LoadBalancerName": "lb", "LoadBalancerType": "internal", "NetId": place.net_id}
    fill(place, "LoadBalancer", {**data, "State": "active"}, "lb")
    place.client.UnlinkInternetService(**place.pair)


@pytest.mark.parametrize("action", ["LinkInternetService", "UnlinkInternetService"])
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        # Of two unknown ones, the internet service is reported.
        ({"InternetServiceId": "igw-12345678", "NetId": "vpc-12345678"}, "5001"),
        ({"InternetServiceId": "toto"}, "4104"),
        ({"NetId": "vpc-12345678"}, "5065"),
        ({"NetId": "vpc-1234567"}, "4105"),
    ],
)
def test_a_bad_request_is_refused(place, action, changed, code):
    assert place.refused(action, **{**place.pair, **changed})[0] == code


def test_a_service_of_another_account_is_unknown(place):
    other = place.cloud.client(account="210987654321")
    assert other.ReadInternetServices()["InternetServices"] == []
    for action in (other.LinkInternetService, other.UnlinkInternetService):
        with pytest.raises(ApiError, match="5001"):
            action(**place.pair)


def test_the_quota_of_services_is_kept():
    client = FakeCloud(quota={"igw_limit": 1}).client()
    client.CreateInternetService()
    with pytest.raises(ApiError) as refused:
        client.CreateInternetService()
    assert (refused.value.code, refused.value.type) == ("10023", "TooManyResources (QuotaExceded)")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 2),
        ({"LinkStates": ["available"]}, 1),
        ({"LinkNetIds": ["vpc-12345678"]}, 0),
        ({"InternetServiceIds": ["igw-12345678"]}, 0),
        ({"TagKeys": ["Name"]}, 0),
    ],
)
def test_services_are_filtered(place, filters, count):
    place.make()
    assert len(place.read(**filters)) == count
