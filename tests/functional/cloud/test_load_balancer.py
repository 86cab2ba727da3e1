"""Load balancers: what they look like, how they come and go, and what is refused."""

import re

import pytest

from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import TCP, WEB, refusal

OTHER = "210987654321"


@pytest.fixture
def place():
    return balancing.build()


def test_a_load_balancer_of_a_net_shows_what_the_real_one_shows(place):
    created = place.create("lb", WEB)
    dns_name = created.pop("DnsName")
    groups = created.pop("SecurityGroups")
    assert re.fullmatch(r"lb-[0-9]{9}\.eu-west-2\.lbu\.outscale\.com", dns_name)
    assert len(groups) == 1
    assert created == {
        "AccessLog": {"IsEnabled": False, "PublicationInterval": 60},
        "ApplicationStickyCookiePolicies": [],
        "BackendIps": [],
        "BackendVmIds": [],
        "HealthCheck": {
            "CheckInterval": 30,
            "HealthyThreshold": 10,
            "Port": 8080,
            "Protocol": "TCP",
            "Timeout": 5,
            "UnhealthyThreshold": 2,
        },
        "Listeners": [
            {
                "BackendPort": 8080,
                "BackendProtocol": "HTTP",
                "LoadBalancerPort": 80,
                "LoadBalancerProtocol": "HTTP",
            }
        ],
        "LoadBalancerName": "lb",
        "LoadBalancerStickyCookiePolicies": [],
        "LoadBalancerType": "internet-facing",
        "NetId": place.net,
        "SecuredCookies": False,
        "SourceSecurityGroup": {
            "SecurityGroupAccountId": place.cloud.account,
            "SecurityGroupName": "default",
        },
        "State": "provisioning",
        "Subnets": [place.subnet],
        "SubregionNames": ["eu-west-2a"],
        "Tags": [],
    }


def test_a_load_balancer_of_the_public_cloud_has_neither_net_nor_groups(place):
    created = place.create("lb", SubregionNames=["eu-west-2a"])
    assert created["Subnets"] == []
    assert created["SubregionNames"] == ["eu-west-2a"]
    assert created["SourceSecurityGroup"] == {
        "SecurityGroupAccountId": "outscale-elb",
        "SecurityGroupName": "outscale-elb-sg",
    }
    assert not {"NetId", "SecurityGroups", "PublicIp", "PrivateIp"} & set(created)


def test_an_internal_load_balancer_has_no_public_ip(place):
    created = place.active("lb", LoadBalancerType="internal")
    assert created["DnsName"].startswith("internal-lb-")
    assert "PublicIp" not in created


def test_a_load_balancer_becomes_active_by_way_of_starting(place):
    states = [place.create()["State"]]
    for _ in range(30):
        place.cloud.clock.advance(1)
        state = place.read()["State"]
        if state != states[-1]:
            states.append(state)
    assert states == ["provisioning", "starting", "active"]


def test_addresses_appear_with_time(place):
    assert not {"PrivateIp", "PublicIp"} & set(place.create())
    place.cloud.clock.advance(15)
    starting = place.read()
    assert starting["PrivateIp"] == "10.0.0.4"
    assert "PublicIp" not in starting
    place.cloud.clock.advance(15)
    assert place.read()["PublicIp"]


def test_two_automatic_public_ips_differ(place):
    assert place.active("one")["PublicIp"] != place.active("two")["PublicIp"]


def test_a_load_balancer_takes_an_address_of_its_subnet(place):
    def free():
        return place.cloud.call("ReadSubnets")["Subnets"][0]["AvailableIpsCount"]

    before = free()
    place.create()
    assert free() == before - 1
    place.cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    assert free() == before


def test_an_own_public_ip_is_shown_at_once_and_given_back(place):
    cloud = place.cloud
    mine = cloud.call("CreatePublicIp")["PublicIp"]
    assert place.create("lb", PublicIp=mine["PublicIp"])["PublicIp"] == mine["PublicIp"]
    again = {"LoadBalancerName": "two", "Listeners": [TCP], "Subnets": [place.subnet]}
    assert refusal(cloud, "CreateLoadBalancer", PublicIp=mine["PublicIp"], **again) == (9031, 409)
    cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    cloud.call("DeletePublicIp", PublicIpId=mine["PublicIpId"])


def test_the_public_ip_of_a_load_balancer_is_shown_as_linked(place):
    # Clients that draw from a pool take the public IPs without a link for the free ones.
    cloud = place.cloud
    mine = cloud.call("CreatePublicIp")["PublicIp"]
    place.create("lb", PublicIp=mine["PublicIp"])
    (shown,) = cloud.call("ReadPublicIps")["PublicIps"]
    assert shown["LinkPublicIpId"].startswith("eipassoc-")
    found = refusal(cloud, "UnlinkPublicIp", LinkPublicIpId=shown["LinkPublicIpId"])
    assert found == (9029, 409)
    assert refusal(cloud, "DeletePublicIp", PublicIpId=mine["PublicIpId"]) == (9029, 409)
    cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    assert cloud.call("ReadPublicIps")["PublicIps"] == [mine]


def test_an_empty_public_ip_counts_as_none(place):
    assert "PublicIp" not in place.create("lb", PublicIp="")


def test_tags_are_kept_once_per_key(place):
    tags = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert place.create("lb", Tags=tags)["Tags"] == [{"Key": "a", "Value": "2"}]


def test_a_dry_run_creates_nothing(place):
    answer = place.cloud.call(
        "CreateLoadBalancer",
        LoadBalancerName="lb",
        Listeners=[TCP],
        Subnets=[place.subnet],
        DryRun=True,
    )
    assert list(answer) == ["ResponseContext"]
    assert place.read() is None


CREATE_REFUSALS = {
    "no listener": ({"Listeners": []}, 7000, 400),
    "no place": ({"Subnets": []}, 7000, 400),
    "two subnets": ({"Subnets": ["subnet-00000001", "toto"]}, 8010, 400),
    "two subregions": (
        {"Subnets": [], "SubregionNames": ["eu-west-2a", "eu-west-2a"]}, 8010, 400),
    "no subnet id": ({"Subnets": ["toto"]}, 4104, 400),
    "an absent subnet": ({"Subnets": ["subnet-12345678"]}, 5057, 400),
    "no group id": ({"SecurityGroups": ["sg1"], "LoadBalancerType": "toto"}, 4104, 400),
    "an absent group": ({"SecurityGroups": ["sg-12345678"]}, 5020, 400),
    "groups in the public cloud": (
        {"Subnets": [], "SubregionNames": ["eu-west-2a"], "SecurityGroups": ["sg-12345678"]},
        3002, 400),
    "both places": ({"SubregionNames": ["eu-west-2a"]}, 3002, 400),
    "an absent subregion": ({"Subnets": [], "SubregionNames": ["toto"]}, 4095, 400),
    "another type": ({"LoadBalancerType": "toto"}, 4060, 400),
    "internal in the public cloud": (
        {"Subnets": [], "SubregionNames": ["eu-west-2a"], "LoadBalancerType": "internal"},
        3002, 400),
    "internal with a public IP": (
        {"LoadBalancerType": "internal", "PublicIp": "192.0.2.1"}, 3002, 400),
    "a long name": ({"LoadBalancerName": "a" * 33}, 4106, 400),
    "a name with an underscore": ({"LoadBalancerName": "a_b"}, 4036, 400),
    "a name that starts with a dash": ({"LoadBalancerName": "-a"}, 4036, 400),
    "a name that ends with a dash": ({"LoadBalancerName": "a-"}, 4036, 400),
    "port 0": ({"Listeners": [{**TCP, "LoadBalancerPort": 0}]}, 4037, 400),
    "port 65536": ({"Listeners": [{**TCP, "LoadBalancerPort": 65536}]}, 4037, 400),
    "backend port 0": ({"Listeners": [{**TCP, "BackendPort": 0}]}, 4095, 400),
    "backend port 65536": ({"Listeners": [{**TCP, "BackendPort": 65536}]}, 4095, 400),
    "a protocol": ({"Listeners": [{**TCP, "LoadBalancerProtocol": "toto"}]}, 4095, 400),
    "a backend protocol": ({"Listeners": [{**TCP, "BackendProtocol": "toto"}]}, 4095, 400),
    "protocols of two layers": ({"Listeners": [{**TCP, "BackendProtocol": "HTTP"}]}, 4054, 400),
    "no certificate": ({"Listeners": [{**WEB, "LoadBalancerProtocol": "HTTPS"}]}, 3002, 400),
    "an absent certificate": (
        {"Listeners": [{**WEB, "LoadBalancerProtocol": "HTTPS", "ServerCertificateId": "orn"}]},
        5070, 400),
    "a port twice": ({"Listeners": [TCP, TCP]}, 9012, 409),
    "a public IP of letters": ({"PublicIp": "toto"}, 4047, 400),
    "a public IP of nobody": ({"PublicIp": "192.0.2.1"}, 5025, 400),
    "an empty tag key": ({"Tags": [{"Key": "", "Value": ""}]}, 4108, 400),
    "a long tag value": ({"Tags": [{"Key": "a", "Value": "b" * 300}]}, 4106, 400),
    "an unknown parameter": ({"Foo": 1}, 3001, 400),
    "a wrong type": ({"PublicIp": 1}, 4110, 400),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "code", "status"), CREATE_REFUSALS.values(),
                         ids=CREATE_REFUSALS)  # fmt: skip
def test_what_is_wrong_with_a_new_one_is_refused(place, request_, code, status):
    request = {"LoadBalancerName": "lb", "Listeners": [TCP], "Subnets": [place.subnet]}
    found = refusal(place.cloud, "CreateLoadBalancer", **{**request, **request_})
    assert found == (code, status)
    assert place.cloud.call("ReadLoadBalancers")["LoadBalancers"] == []


def test_a_group_of_another_net_is_refused(place):
    cloud = place.cloud
    groups = cloud.call("ReadSecurityGroups")["SecurityGroups"]
    public = next(group for group in groups if "NetId" not in group)
    found = refusal(
        cloud,
        "CreateLoadBalancer",
        LoadBalancerName="lb",
        Listeners=[TCP],
        Subnets=[place.subnet],
        SecurityGroups=[public["SecurityGroupId"]],
    )
    assert found == (5020, 400)


def test_facing_the_internet_requires_an_internet_service(place):
    cloud = place.cloud
    cloud.call("UnlinkInternetService", InternetServiceId=place.gateway, NetId=place.net)
    request = {"LoadBalancerName": "lb", "Listeners": [TCP], "Subnets": [place.subnet]}
    assert refusal(cloud, "CreateLoadBalancer", **request) == (1003, 424)
    place.create("lb", LoadBalancerType="internal")


def test_a_name_is_taken_until_the_deleted_one_is_gone(place):
    request = {"LoadBalancerName": "lb", "Listeners": [TCP], "Subnets": [place.subnet]}
    place.create()
    assert refusal(place.cloud, "CreateLoadBalancer", **request) == (9013, 409)
    place.cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    assert refusal(place.cloud, "CreateLoadBalancer", **request) == (9013, 409)
    place.cloud.clock.advance(60)
    place.create()


def test_two_accounts_may_use_one_name(place):
    place.create("lb", SubregionNames=["eu-west-2a"])
    place.cloud.call(
        "CreateLoadBalancer",
        account=OTHER,
        LoadBalancerName="lb",
        Listeners=[WEB],
        SubregionNames=["eu-west-2b"],
    )
    mine = place.cloud.call("ReadLoadBalancers")["LoadBalancers"]
    theirs = place.cloud.call("ReadLoadBalancers", account=OTHER)["LoadBalancers"]
    assert [row["SubregionNames"] for row in mine] == [["eu-west-2a"]]
    assert [row["SubregionNames"] for row in theirs] == [["eu-west-2b"]]
    place.cloud.call("DeleteLoadBalancer", account=OTHER, LoadBalancerName="lb")
    assert place.read()["State"] == "provisioning"


def test_the_quota_limits_load_balancers(place):
    place.cloud.set_quota("lb_limit", 1)
    place.create("one")
    request = {"LoadBalancerName": "two", "Listeners": [TCP], "Subnets": [place.subnet]}
    assert refusal(place.cloud, "CreateLoadBalancer", **request)[0] == 10014
    place.cloud.call("DeleteLoadBalancer", LoadBalancerName="one")
    place.create("two")


def test_deleting_is_repeated_until_the_deleted_one_is_gone(place):
    place.active()
    for _ in range(3):
        deleted = place.cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
        assert deleted["LoadBalancer"]["State"] == "deleted"
        assert place.read()["State"] == "deleted"
        place.cloud.clock.advance(10)
    place.cloud.clock.advance(30)
    assert refusal(place.cloud, "DeleteLoadBalancer", LoadBalancerName="lb") == (5030, 400)
    assert place.read() is None


def test_a_deleted_one_can_be_read_but_not_used(place):
    place.active()
    place.cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    for action, request in {
        "CreateLoadBalancerListeners": {"Listeners": [WEB]},
        "RegisterVmsInLoadBalancer": {"BackendVmIds": ["i-12345678"]},
        "UpdateLoadBalancer": {"SecuredCookies": True},
    }.items():
        assert refusal(place.cloud, action, LoadBalancerName="lb", **request) == (5030, 400)


@pytest.mark.parametrize("name", ["nobody", ""])
def test_one_that_nobody_made_is_not_deleted(place, name):
    assert refusal(place.cloud, "DeleteLoadBalancer", LoadBalancerName=name)[0] in (5030, 7000)


def test_what_it_uses_is_held_until_it_is_deleted(place):
    cloud = place.cloud
    group = cloud.call(
        "CreateSecurityGroup", SecurityGroupName="lb", Description="lb", NetId=place.net
    )["SecurityGroup"]["SecurityGroupId"]
    place.create("lb", SecurityGroups=[group])
    assert refusal(cloud, "DeleteSecurityGroup", SecurityGroupId=group) == (9085, 409)
    assert refusal(cloud, "DeleteSubnet", SubnetId=place.subnet) == (9095, 409)
    assert refusal(cloud, "DeleteNet", NetId=place.net)[1] == 409
    cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    cloud.call("DeleteSecurityGroup", SecurityGroupId=group)
    cloud.call("DeleteSubnet", SubnetId=place.subnet)
    assert place.read()["State"] == "deleted"


def test_names_and_states_are_filters(place):
    place.active("private-one")
    place.create("private-two")
    place.create("public")

    def names(**filters):
        rows = place.cloud.call("ReadLoadBalancers", Filters=filters)["LoadBalancers"]
        return [row["LoadBalancerName"] for row in rows]

    assert names(LoadBalancerNames=["private*"]) == ["private-one", "private-two"]
    assert names(LoadBalancerNames=["public", "nobody"]) == ["public"]
    assert names(States=["active"]) == ["private-one"]
    assert names(States=["active", "provisioning"], LoadBalancerNames=["private-two"]) == [
        "private-two"
    ]


def test_a_saved_cloud_goes_on_where_it_was(place):
    place.create()
    place.cloud.load(place.cloud.save())
    place.cloud.clock.advance(30)
    assert place.read()["State"] == "active"
