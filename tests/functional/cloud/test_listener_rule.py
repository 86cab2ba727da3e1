"""Rules of listeners."""

import pytest

from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import TCP, WEB, refusal

OTHER = "210987654321"


@pytest.fixture
def place():
    place = balancing.build()
    place.active("lb", WEB, TCP)
    return place


def request(vm_id, name="rule", priority=10, port=80, **rule):
    rule = rule or {"HostNamePattern": "*.example.com"}
    return {
        "VmIds": [vm_id],
        "Listener": {"LoadBalancerName": "lb", "LoadBalancerPort": port},
        "ListenerRule": {"ListenerRuleName": name, "Priority": priority, **rule},
    }


def create(place, *args, **kwargs):
    made = place.cloud.call("CreateListenerRule", **request(place.vm(), *args, **kwargs))
    return made["ListenerRule"]


def names(place, **filters):
    rows = place.cloud.call("ReadListenerRules", Filters=filters)["ListenerRules"]
    return [row["ListenerRuleName"] for row in rows]


def test_a_rule_shows_the_pattern_that_it_has(place):
    vm_id = place.vm()
    made = place.cloud.call("CreateListenerRule", **request(vm_id, PathPattern="/docs/*"))
    rule = made["ListenerRule"]
    assert isinstance(rule.pop("ListenerId"), int)
    assert isinstance(rule.pop("ListenerRuleId"), int)
    assert rule == {
        "Action": "forward",
        "ListenerRuleName": "rule",
        "PathPattern": "/docs/*",
        "Priority": 10,
        "VmIds": [vm_id],
    }


def test_rules_of_one_listener_share_its_id(place):
    one = create(place, "one", 1)
    two = create(place, "two", 2)
    other = create(place, "other", 1, port=6443)
    assert one["ListenerId"] == two["ListenerId"] != other["ListenerId"]


def test_names_are_a_filter(place):
    create(place, "one", 1)
    create(place, "two", 2)
    assert names(place) == ["one", "two"]
    assert names(place, ListenerRuleNames=["two", "nobody"]) == ["two"]
    assert place.cloud.call("ReadListenerRules", account=OTHER)["ListenerRules"] == []


def test_a_pattern_may_change(place):
    create(place)
    changed = place.cloud.call("UpdateListenerRule", ListenerRuleName="rule", HostPattern="a.b")
    assert changed["ListenerRule"]["HostNamePattern"] == "a.b"


def test_a_deleted_rule_frees_its_priority(place):
    create(place, "one")
    place.cloud.call("DeleteListenerRule", ListenerRuleName="one")
    create(place, "two")
    assert names(place) == ["two"]


def test_rules_go_with_their_listener(place):
    create(place, "web")
    create(place, "tcp", port=6443)
    gone = {"LoadBalancerName": "lb", "LoadBalancerPorts": [80]}
    place.cloud.call("DeleteLoadBalancerListeners", **gone)
    assert names(place) == ["tcp"]
    place.cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    assert names(place) == []


def test_the_quota_limits_rules(place):
    place.cloud.set_quota("lb_rules_limit", 1)
    create(place, "one", 1)
    found = refusal(place.cloud, "CreateListenerRule", **request(place.vm(), "two", 2))
    assert found == (10012, 400)


@pytest.mark.parametrize("pattern", ["*.a-b.?*", "a" * 128])
def test_a_host_may_have_three_wildcards(place, pattern):
    assert create(place, HostNamePattern=pattern)["HostNamePattern"] == pattern


@pytest.mark.parametrize("pattern", ["/_-.$~\"'@:+?", "*/*/*"])
def test_a_path_may_have_more_characters(place, pattern):
    assert create(place, PathPattern=pattern)["PathPattern"] == pattern


REFUSALS = {
    "priority 0": ({"priority": 0}, 4047, 400),
    "priority 20000": ({"priority": 20000}, 4047, 400),
    "a priority in use": ({"priority": 5}, 9047, 409),
    "a name in use": ({"name": "taken"}, 9054, 409),
    "no listener": ({"port": 81}, 5028, 400),
    "no pattern": ({"Action": "forward"}, 7000, 400),
    "another action": ({"PathPattern": "/", "Action": "xxx"}, 4058, 400),
    "a long host": ({"HostNamePattern": "a" * 130}, 4047, 400),
    "four wildcards": ({"HostNamePattern": "????"}, 4047, 400),
    "a path": ({"PathPattern": ";.com"}, 4047, 400),
    "an unknown field": ({"RuleId": 1}, 3001, 400),
} | {f"a host with {letter}": ({"HostNamePattern": f"a{letter}"}, 4047, 400)
     for letter in "_$/~\\\"'@:+,"}  # fmt: skip


@pytest.mark.parametrize(("rule", "code", "status"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_with_a_rule_is_refused(place, rule, code, status):
    create(place, "taken", 5)
    rule = {"name": "rule", "priority": 10, **rule}
    found = refusal(place.cloud, "CreateListenerRule", **request(place.vm(), **rule))
    assert found == (code, status)
    assert names(place) == ["taken"]


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("UpdateListenerRule", {"ListenerRuleName": "rule"}, 7000),
        ("UpdateListenerRule", {"ListenerRuleName": "rule", "PathPattern": "/"}, 5029),
        ("UpdateListenerRule", {"ListenerRuleName": "rule", "PathPattern": ["/"]}, 4110),
        ("DeleteListenerRule", {"ListenerRuleName": "rule"}, 5029),
        ("DeleteListenerRule", {}, 7000),
        ("CreateListenerRule", request("i-12345678"), 5063),
        ("CreateListenerRule", request("toto"), 4104),
        ("CreateListenerRule", {**request("toto"), "VmIds": []}, 7000),
    ],
)
def test_what_is_unknown_is_refused(place, action, request_, code):
    assert refusal(place.cloud, action, **request_) == (code, 400)
