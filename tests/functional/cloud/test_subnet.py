"""Subnets: inside their Net, apart from each other, and gone at once."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


@pytest.fixture
def client():
    return FakeCloud().client()


@pytest.fixture
def net_id(client):
    return client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]


@pytest.fixture
def subnet(client, net_id):
    return client.CreateSubnet(NetId=net_id, IpRange="10.0.1.0/24")["Subnet"]


def test_a_subnet_keeps_five_addresses_for_itself(subnet, net_id):
    assert subnet == {
        "AvailableIpsCount": 251,
        "IpRange": "10.0.1.0/24",
        "MapPublicIpOnLaunch": False,
        "NetId": net_id,
        "State": "available",
        "SubnetId": subnet["SubnetId"],
        "SubregionName": "eu-west-2a",
        "Tags": [],
    }


def test_a_subnet_is_put_into_a_subregion(client, net_id):
    subnet = client.CreateSubnet(NetId=net_id, IpRange="10.0.2.0/29", SubregionName="eu-west-2b")[
        "Subnet"
    ]
    assert (subnet["SubregionName"], subnet["AvailableIpsCount"]) == ("eu-west-2b", 3)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"IpRange": "10.0.1.0/24"}, "9058"),
        ({"IpRange": "10.0.0.0/17"}, "9058"),
        ({"IpRange": "10.1.0.0/24"}, "9044"),
        ({"IpRange": "10.0.0.0/15"}, "9044"),
        ({"IpRange": "10.0.2.0/30"}, "4014"),
        ({"IpRange": "10.0.2.0/42"}, "4047"),
        ({"NetId": "vpc-12345678"}, "5065"),
        ({"NetId": "net-12345678"}, "4104"),
        ({"SubregionName": "eu-west-9a"}, "5009"),
    ],
)
def test_a_bad_subnet_is_refused(client, net_id, subnet, changed, code):
    request = {"NetId": net_id, "IpRange": "10.0.9.0/24", **changed}
    with pytest.raises(ApiError) as refused:
        client.CreateSubnet(**request)
    assert refused.value.code == code
    assert client.ReadSubnets()["Subnets"] == [subnet]


@pytest.mark.parametrize(
    ("id_", "code"),
    [
        ("subnet-12345678", "5057"),
        ("subnet-toto", "4105"),
        ("subnet-123456789", "4105"),
        ("toto", "4104"),
    ],
)
@pytest.mark.parametrize("action", ["DeleteSubnet", "UpdateSubnet"])
def test_an_unknown_subnet_is_refused(client, action, id_, code):
    more = {"MapPublicIpOnLaunch": True} if action == "UpdateSubnet" else {}
    with pytest.raises(ApiError) as refused:
        getattr(client, action)(SubnetId=id_, **more)
    assert refused.value.code == code


def test_a_subnet_learns_to_map_public_ips(client, subnet):
    id_ = subnet["SubnetId"]
    changed = client.UpdateSubnet(SubnetId=id_, MapPublicIpOnLaunch=True)["Subnet"]
    assert changed == {**subnet, "MapPublicIpOnLaunch": True}


def test_a_deleted_subnet_is_gone_at_once(client, subnet):
    client.DeleteSubnet(SubnetId=subnet["SubnetId"])
    assert client.ReadSubnets()["Subnets"] == []


def test_a_subnet_with_a_route_table_link_is_not_deleted(client, net_id, subnet):
    table = client.CreateRouteTable(NetId=net_id)["RouteTable"]
    client.LinkRouteTable(RouteTableId=table["RouteTableId"], SubnetId=subnet["SubnetId"])
    with pytest.raises(ApiError) as refused:
        client.DeleteSubnet(SubnetId=subnet["SubnetId"])
    assert (refused.value.code, refused.value.status) == ("9095", 409)


def test_a_subnet_with_a_nic_is_not_deleted(client, subnet):
    nic = client.CreateNic(SubnetId=subnet["SubnetId"])["Nic"]
    (read,) = client.ReadSubnets()["Subnets"]
    assert read["AvailableIpsCount"] == subnet["AvailableIpsCount"] - 1
    with pytest.raises(ApiError, match="9095"):
        client.DeleteSubnet(SubnetId=subnet["SubnetId"])
    client.DeleteNic(NicId=nic["NicId"])
    client.DeleteSubnet(SubnetId=subnet["SubnetId"])


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"AvailableIpsCounts": [251]}, True),
        ({"AvailableIpsCounts": [250]}, False),
        ({"IpRanges": ["10.0.1.*"]}, True),
        ({"NetIds": ["vpc-12345678"]}, False),
        ({"States": ["available", "pending"]}, True),
        ({"SubregionNames": ["eu-west-2b"]}, False),
        ({"TagKeys": ["Name"]}, False),
    ],
)
def test_subnets_are_filtered(client, subnet, filters, found):
    assert client.ReadSubnets(Filters=filters)["Subnets"] == ([subnet] if found else [])


def test_another_account_has_no_place_in_a_net(client, net_id):
    other = client.cloud.client(account="210987654321")
    with pytest.raises(ApiError, match="5065"):
        other.CreateSubnet(NetId=net_id, IpRange="10.0.3.0/24")
