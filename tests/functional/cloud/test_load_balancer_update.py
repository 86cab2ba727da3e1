"""UpdateLoadBalancer: one attribute per call, and when each may change."""

import pytest

from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import TCP, WEB, refusal

OTHER = "210987654321"
CHECK = {
    "CheckInterval": 10,
    "HealthyThreshold": 2,
    "Port": 6443,
    "Protocol": "TCP",
    "Timeout": 5,
    "UnhealthyThreshold": 3,
}
LOGS = {"IsEnabled": True, "OsuBucketName": "bucket", "PublicationInterval": 5}


@pytest.fixture
def place():
    return balancing.build()


def with_policies(place):
    """Make a load balancer with a policy of each type, and two of one."""
    place.active("lb", WEB, TCP)
    for name, type_, cookie in (
        ("app-1", "app", {"CookieName": "a"}),
        ("app-2", "app", {"CookieName": "b"}),
        ("lb-1", "load_balancer", {}),
        ("lb-2", "load_balancer", {}),
    ):
        place.cloud.call(
            "CreateLoadBalancerPolicy",
            LoadBalancerName="lb",
            PolicyName=name,
            PolicyType=type_,
            **cookie,
        )
    return place


def test_a_health_check_may_be_set_right_after_creation(place):
    place.create()
    changed = place.update(HealthCheck=CHECK)["LoadBalancer"]
    assert changed["HealthCheck"] == CHECK
    assert changed["State"] == "provisioning"


def test_a_health_check_makes_an_active_load_balancer_reload(place):
    place.active()
    assert place.update(HealthCheck=CHECK)["LoadBalancer"]["State"] == "reloading"
    place.cloud.clock.advance(5)
    assert place.read()["State"] == "active"


def test_a_check_by_http_has_a_path(place):
    place.active()
    changed = place.update(HealthCheck={**CHECK, "Protocol": "HTTP"})["LoadBalancer"]
    assert changed["HealthCheck"]["Path"] == "/"
    changed = place.update(HealthCheck={**CHECK, "Protocol": "HTTPS", "Path": "/livez"})
    assert changed["LoadBalancer"]["HealthCheck"]["Path"] == "/livez"


def test_a_timeout_may_equal_the_interval(place):
    place.active()
    place.update(HealthCheck={**CHECK, "CheckInterval": 15, "Timeout": 15, "Port": 65535})


def test_secured_cookies_may_be_set_right_after_creation(place):
    place.create()
    assert place.update(SecuredCookies=True)["LoadBalancer"]["SecuredCookies"] is True


def test_access_logs_are_kept(place):
    place.active()
    assert place.update(AccessLog=LOGS)["LoadBalancer"]["AccessLog"] == LOGS
    place.cloud.clock.advance(5)
    off = place.update(AccessLog={"IsEnabled": False})["LoadBalancer"]["AccessLog"]
    assert off == {"IsEnabled": False, "PublicationInterval": 60}


def test_security_groups_are_replaced(place):
    default = place.active()["SecurityGroups"]
    group = place.cloud.call(
        "CreateSecurityGroup", SecurityGroupName="front", Description="front", NetId=place.net
    )["SecurityGroup"]["SecurityGroupId"]
    changed = place.update(SecurityGroups=[group])["LoadBalancer"]
    assert changed["SecurityGroups"] == [group]
    assert changed["SourceSecurityGroup"]["SecurityGroupName"] == "front"
    assert changed["State"] == "reconfiguring"
    place.cloud.clock.advance(5)
    assert place.update(SecurityGroups=[])["LoadBalancer"]["SecurityGroups"] == default
    place.cloud.call("DeleteSecurityGroup", SecurityGroupId=group)


def test_a_public_ip_of_ours_replaces_one_of_outscale(place):
    automatic = place.active()["PublicIp"]
    mine = place.cloud.call("CreatePublicIp")["PublicIp"]
    assert place.update(PublicIp=mine["PublicIp"])["LoadBalancer"]["PublicIp"] == mine["PublicIp"]
    place.cloud.clock.advance(5)
    again = place.update(PublicIp="")["LoadBalancer"]["PublicIp"]
    assert again not in (automatic, mine["PublicIp"])
    place.cloud.call("DeletePublicIp", PublicIpId=mine["PublicIpId"])


def test_another_public_ip_of_ours_frees_the_first(place):
    first, second = (place.cloud.call("CreatePublicIp")["PublicIp"] for _ in range(2))
    place.active("lb", PublicIp=first["PublicIp"])
    place.update(PublicIp=second["PublicIp"])
    assert place.read()["PublicIp"] == second["PublicIp"]
    place.cloud.call("DeletePublicIp", PublicIpId=first["PublicIpId"])


def test_a_policy_is_shown_while_it_is_enabled(place):
    with_policies(place)
    changed = place.update(LoadBalancerPort=80, PolicyNames=["app-1"])["LoadBalancer"]
    assert changed["Listeners"][0]["PolicyNames"] == ["app-1"]
    place.cloud.clock.advance(5)
    changed = place.update(LoadBalancerPort=80, PolicyNames=[])["LoadBalancer"]
    assert "PolicyNames" not in changed["Listeners"][0]


POLICY_REFUSALS = {
    "two of the application": (80, ["app-1", "app-2"], 9034, 409),
    "two of the load balancer": (80, ["lb-1", "lb-2"], 9035, 409),
    "one of each": (80, ["app-1", "lb-1"], 9036, 409),
    "on TCP": (6443, ["app-1", "lb-1"], 9056, 409),
    "unknown": (80, ["nobody"], 5056, 400),
    "on no listener": (81, ["app-1"], 5028, 400),
}


@pytest.mark.parametrize(("port", "names", "code", "status"), POLICY_REFUSALS.values(),
                         ids=POLICY_REFUSALS)  # fmt: skip
def test_policies_that_do_not_go_together_are_refused(place, port, names, code, status):
    with_policies(place)
    request = {"LoadBalancerName": "lb", "LoadBalancerPort": port, "PolicyNames": names}
    assert refusal(place.cloud, "UpdateLoadBalancer", **request) == (code, status)


@pytest.mark.parametrize(
    "request_",
    [
        {"AccessLog": LOGS},
        {"PublicIp": ""},
        {"SecurityGroups": []},
        {"LoadBalancerPort": 80, "PolicyNames": []},
    ],
    ids="-".join,
)
def test_other_changes_wait_until_it_is_active(place, request_):
    place.create("lb", WEB)
    request = {"LoadBalancerName": "lb", **request_}
    assert refusal(place.cloud, "UpdateLoadBalancer", **request) == (6031, 409)
    place.cloud.clock.advance(balancing.UNTIL_ACTIVE_S)
    place.update(**request_)
    assert refusal(place.cloud, "UpdateLoadBalancer", **request) == (6031, 409)
    place.cloud.clock.advance(5)
    place.update(**request_)


REFUSALS = {
    "nothing": ({}, 7000),
    "no values of a health check": ({"HealthCheck": {}}, 7000),
    "a port alone": ({"LoadBalancerPort": 80}, 3002),
    "policies without port": ({"PolicyNames": []}, 3002),
    "a certificate without port": ({"ServerCertificateId": "x"}, 3002),
    "two attributes of a listener": (
        {"LoadBalancerPort": 80, "PolicyNames": [], "ServerCertificateId": "x"}, 3002),
    "logs with a port": ({"AccessLog": LOGS, "LoadBalancerPort": 80, "PolicyNames": []}, 3002),
    "logs and a check": ({"AccessLog": LOGS, "HealthCheck": CHECK}, 3002),
    "an interval": ({"AccessLog": {**LOGS, "PublicationInterval": 1}}, 4047),
    "no bucket": ({"AccessLog": {"IsEnabled": True}}, 3002),
    "a threshold": ({"HealthCheck": {**CHECK, "UnhealthyThreshold": 15, "Path": "ABC"}}, 4095),
    "a port of a check": ({"HealthCheck": {**CHECK, "Port": 800000}}, 4095),
    "a protocol of a check": ({"HealthCheck": {**CHECK, "Protocol": "UDP"}}, 4095),
    "a path for TCP": ({"HealthCheck": {**CHECK, "Path": "/path"}}, 4212),
    "a path without slash": (
        {"HealthCheck": {**CHECK, "Protocol": "HTTP", "Path": "path"}}, 4095),
    "a certificate": ({"LoadBalancerPort": 80, "ServerCertificateId": "testid"}, 5070),
    "no group id": ({"SecurityGroups": ["toto"], "LoadBalancerName": "nobody"}, 4104),
    "an unknown group": ({"SecurityGroups": ["sg-12345678"]}, 5020),
    "an unknown name": ({"SecuredCookies": True, "LoadBalancerName": "nobody"}, 5030),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "code"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_with_a_change_is_refused(place, request_, code):
    before = place.active("lb", WEB)
    found = refusal(place.cloud, "UpdateLoadBalancer", **{"LoadBalancerName": "lb", **request_})
    assert found == (code, 400)
    assert place.read() == before


@pytest.mark.parametrize("request_", [{"SecurityGroups": []}])
def test_what_only_nets_have_is_refused_in_the_public_cloud(place, request_):
    place.active("lb", SubregionNames=["eu-west-2a"])
    request = {"LoadBalancerName": "lb", **request_}
    assert refusal(place.cloud, "UpdateLoadBalancer", **request) == (3002, 400)


def test_an_internal_one_takes_no_public_ip(place):
    place.active("lb", LoadBalancerType="internal")
    request = {"LoadBalancerName": "lb", "PublicIp": ""}
    assert refusal(place.cloud, "UpdateLoadBalancer", **request) == (3002, 400)


def test_the_load_balancer_of_another_account_is_unknown(place):
    place.active()
    request = {"account": OTHER, "LoadBalancerName": "lb", "SecuredCookies": True}
    assert refusal(place.cloud, "UpdateLoadBalancer", **request) == (5030, 400)
