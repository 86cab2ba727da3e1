"""Nets: what they are born with, which ranges they may have, and what they go with."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


@pytest.fixture
def client():
    return FakeCloud(quota={"vpc_limit": 50}).client()


@pytest.fixture
def net(client):
    return client.CreateNet(IpRange="10.0.0.0/16")["Net"]


def test_a_net_is_available_at_once(client, net):
    options = client.ReadDhcpOptions(Filters={"Default": True})["DhcpOptionsSets"][0]
    assert net == {
        "DhcpOptionsSetId": options["DhcpOptionsSetId"],
        "IpRange": "10.0.0.0/16",
        "NetId": net["NetId"],
        "State": "available",
        "Tags": [],
        "Tenancy": "default",
    }


def test_a_net_is_born_with_a_default_security_group(client, net):
    (group,) = client.ReadSecurityGroups(Filters={"NetIds": [net["NetId"]]})["SecurityGroups"]
    assert group["SecurityGroupName"] == "default"
    (inbound,), (outbound,) = group["InboundRules"], group["OutboundRules"]
    everything = {"FromPortRange": -1, "IpProtocol": "-1", "ToPortRange": -1}
    assert everything.items() <= inbound.items()
    assert inbound["SecurityGroupsMembers"] == [
        {"AccountId": group["AccountId"], "SecurityGroupId": group["SecurityGroupId"]}
    ]
    assert "IpRanges" not in inbound
    assert everything.items() <= outbound.items()
    assert outbound["IpRanges"] == ["0.0.0.0/0"]


def test_a_net_is_born_with_a_main_route_table(client, net):
    (table,) = client.ReadRouteTables(Filters={"NetIds": [net["NetId"]]})["RouteTables"]
    (link,) = table["LinkRouteTables"]
    assert link["Main"] is True
    assert "SubnetId" not in link
    assert table["Routes"] == [
        {
            "CreationMethod": "CreateRouteTable",
            "DestinationIpRange": "10.0.0.0/16",
            "GatewayId": "local",
            "State": "active",
        }
    ]


@pytest.mark.parametrize(
    ("ip_range", "code"),
    [
        ("10.0.0.0/8", "4014"),
        ("158.8.4.21/29", "4014"),
        ("255.255.255.0/15", "4014"),
        ("142.42.42.42/32", "9050"),
        ("0.0.0.0/17", "9050"),
        ("10.0.0.0/42", "4047"),
        ("255.255.0.256/16", "4047"),
        ("10.0.0.0", "4047"),
        ("net", "4047"),
    ],
)
def test_a_bad_range_is_refused(client, ip_range, code):
    with pytest.raises(ApiError) as refused:
        client.CreateNet(IpRange=ip_range)
    assert refused.value.code == code
    assert client.ReadNets()["Nets"] == []


def test_the_text_for_a_wrong_size_is_the_recorded_one(client):
    with pytest.raises(ApiError) as refused:
        client.CreateNet(IpRange="10.0.0.0/8")
    assert refused.value.details == (
        "The provided value ('10.0.0.0/8') for the parameter 'IpRange' is invalid. "
        "The block size has to be between /28 and /16."
    )


@pytest.mark.parametrize("ip_range", ["1.0.0.0/16", "172.16.0.0/16", "192.168.0.0/28"])
def test_other_ranges_are_accepted(client, ip_range):
    assert client.CreateNet(IpRange=ip_range, Tenancy="dedicated")["Net"]["IpRange"] == ip_range


def test_nets_may_overlap(client, net):
    assert client.CreateNet(IpRange=net["IpRange"])["Net"]["NetId"] != net["NetId"]


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("CreateNet", {"IpRange": "10.0.0.0/16", "Tenancy": "shared"}, "4047"),
        ("UpdateNet", {"NetId": "vpc-12345678", "DhcpOptionsSetId": "default"}, "5065"),
        ("UpdateNet", {"NetId": "own", "DhcpOptionsSetId": "options"}, "4047"),
        ("UpdateNet", {"NetId": "own", "DhcpOptionsSetId": "dopt-12345678"}, "5018"),
        ("UpdateNet", {"NetId": "net", "DhcpOptionsSetId": "default"}, "4104"),
        ("DeleteNet", {"NetId": "vpc-12345678"}, "5065"),
        ("DeleteNet", {"NetId": "net"}, "4104"),
        ("DeleteNet", {"NetId": "vpc-1234567"}, "4105"),
    ],
)
def test_a_bad_request_is_refused(client, net, action, request_, code):
    if request_.get("NetId") == "own":
        request_ = {**request_, "NetId": net["NetId"]}
    with pytest.raises(ApiError) as refused:
        getattr(client, action)(**request_)
    assert refused.value.code == code


def test_a_net_gets_other_options_and_the_default_again(client, net):
    fresh = client.CreateDhcpOptions(DomainName="example.com")["DhcpOptionsSet"]
    id_ = fresh["DhcpOptionsSetId"]
    changed = client.UpdateNet(NetId=net["NetId"], DhcpOptionsSetId=id_)["Net"]
    assert changed["DhcpOptionsSetId"] == id_
    assert client.UpdateNet(NetId=net["NetId"], DhcpOptionsSetId="default")["Net"] == net


def test_a_deleted_net_takes_its_default_group_with_it(client, net):
    client.DeleteNet(NetId=net["NetId"])
    by_net = {"NetIds": [net["NetId"]]}
    assert client.ReadSecurityGroups(Filters=by_net)["SecurityGroups"] == []
    assert client.ReadRouteTables(Filters=by_net)["RouteTables"] == []


def test_a_deleted_net_is_seen_deleting_for_a_moment():
    cloud = FakeCloud()
    id_ = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    cloud.call("DeleteNet", NetId=id_)
    assert [net["State"] for net in cloud.call("ReadNets")["Nets"]] == ["deleting"]
    with pytest.raises(ApiError, match="5065"):
        cloud.call("DeleteNet", NetId=id_)
    cloud.clock.advance(5)
    assert cloud.call("ReadNets")["Nets"] == []


def hold_subnet(client, net_id):
    return client.CreateSubnet(NetId=net_id, IpRange="10.0.1.0/24")


def hold_group(client, net_id):
    return client.CreateSecurityGroup(NetId=net_id, SecurityGroupName="n", Description="d")


def hold_table(client, net_id):
    return client.CreateRouteTable(NetId=net_id)


def hold_service(client, net_id):
    id_ = client.CreateInternetService()["InternetService"]["InternetServiceId"]
    return client.LinkInternetService(InternetServiceId=id_, NetId=net_id)


def hold_gateway(client, net_id):
    gateway = client.CreateVirtualGateway(ConnectionType="ipsec.1")["VirtualGateway"]
    return client.LinkVirtualGateway(NetId=net_id, VirtualGatewayId=gateway["VirtualGatewayId"])


def hold_point(client, net_id):
    return client.CreateNetAccessPoint(NetId=net_id, ServiceName="com.outscale.eu-west-2.oos")


def hold_peering(client, net_id):
    other = client.CreateNet(IpRange="172.16.0.0/16")["Net"]["NetId"]
    return client.CreateNetPeering(SourceNetId=net_id, AccepterNetId=other)


@pytest.mark.parametrize(
    "hold",
    [
        hold_subnet,
        hold_group,
        hold_table,
        hold_service,
        hold_gateway,
        hold_point,
        hold_peering,
    ],
)
def test_a_net_in_use_is_not_deleted(client, net, hold):
    hold(client, net["NetId"])
    tables, groups = client.ReadRouteTables, client.ReadSecurityGroups
    before = tables()["RouteTables"], groups()["SecurityGroups"]
    with pytest.raises(ApiError) as refused:
        client.DeleteNet(NetId=net["NetId"])
    assert (refused.value.code, refused.value.status) == ("9097", 409)
    assert (tables()["RouteTables"], groups()["SecurityGroups"]) == before


def test_a_net_of_another_account_is_unknown(net, client):
    other = client.cloud.client(account="210987654321")
    assert other.ReadNets()["Nets"] == []
    with pytest.raises(ApiError) as refused:
        other.DeleteNet(NetId=net["NetId"])
    assert refused.value.details == f"The NetId '{net['NetId']}' doesn't exist."


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"IpRanges": ["10.0.0.0/16"]}, True),
        ({"IpRanges": ["10.0.0.0/24"]}, False),
        ({"IsDefault": False}, True),
        ({"IsDefault": True}, False),
        ({"NetIds": ["vpc-12345678"]}, False),
        ({"States": ["available"]}, True),
        ({"TagKeys": ["Name"]}, False),
    ],
)
def test_nets_are_filtered(client, net, filters, found):
    assert client.ReadNets(Filters=filters)["Nets"] == ([net] if found else [])


def test_a_dry_run_creates_nothing(client):
    assert set(client.CreateNet(IpRange="10.0.0.0/16", DryRun=True)) == {"ResponseContext"}
    assert client.ReadNets()["Nets"] == []
