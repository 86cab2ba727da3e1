"""Stickiness policies of load balancers."""

import pytest

from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import WEB, refusal

OTHER = "210987654321"


@pytest.fixture
def place():
    return balancing.build()


def create(place, name, type_="load_balancer", **request):
    return place.cloud.call(
        "CreateLoadBalancerPolicy",
        LoadBalancerName="lb",
        PolicyName=name,
        PolicyType=type_,
        **request,
    )["LoadBalancer"]


def delete(name, **request):
    return {"LoadBalancerName": "lb", "PolicyName": name, **request}


def test_a_policy_of_the_application_names_its_cookie(place):
    place.create("lb", WEB)
    found = create(place, "one", "app", CookieName="session")["ApplicationStickyCookiePolicies"]
    assert found == [{"CookieName": "session", "PolicyName": "one"}]


def test_a_policy_of_the_load_balancer_lasts_for_the_session_unless_told(place):
    place.create("lb", WEB)
    create(place, "two")
    found = create(place, "one", CookieExpirationPeriod=60)["LoadBalancerStickyCookiePolicies"]
    assert found == [
        {"CookieExpirationPeriod": 1, "PolicyName": "two"},
        {"CookieExpirationPeriod": 60, "PolicyName": "one"},
    ]


def test_a_policy_in_use_is_not_deleted(place):
    place.active("lb", WEB)
    create(place, "one")
    place.update(LoadBalancerPort=80, PolicyNames=["one"])
    assert refusal(place.cloud, "DeleteLoadBalancerPolicy", **delete("one")) == (9055, 409)
    place.cloud.clock.advance(5)
    place.update(LoadBalancerPort=80, PolicyNames=[])
    left = place.cloud.call("DeleteLoadBalancerPolicy", **delete("one"))["LoadBalancer"]
    assert left["LoadBalancerStickyCookiePolicies"] == []


REFUSALS = {
    "a type": ({"PolicyType": "invalid"}, 4128, 400),
    "an empty name": ({"PolicyName": ""}, 7000, 400),
    "no cookie": ({"PolicyType": "app"}, 3002, 400),
    "a cookie": ({"CookieName": "a"}, 3002, 400),
    "a period for the application": (
        {"PolicyType": "app", "CookieName": "a", "CookieExpirationPeriod": 1}, 3002, 400),
    "a name of other letters": ({"PolicyName": "a_b"}, 4067, 400),
    "an empty cookie": ({"PolicyType": "app", "CookieName": ""}, 4065, 400),
    "no period": ({"CookieExpirationPeriod": 0}, 4066, 400),
    "a name that is taken": ({"PolicyName": "taken"}, 9021, 409),
    "an unknown load balancer": ({"LoadBalancerName": "nobody"}, 5030, 400),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "code", "status"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_with_a_policy_is_refused(place, request_, code, status):
    place.create("lb", WEB)
    create(place, "taken")
    request = {"LoadBalancerName": "lb", "PolicyName": "one", "PolicyType": "load_balancer"}
    found = refusal(place.cloud, "CreateLoadBalancerPolicy", **{**request, **request_})
    assert found == (code, status)


def test_deleting_tells_what_is_unknown(place):
    place.create("lb", WEB)
    cloud = place.cloud
    assert refusal(cloud, "DeleteLoadBalancerPolicy", **delete("nobody")) == (5056, 400)
    theirs = delete("nobody", account=OTHER)
    assert refusal(cloud, "DeleteLoadBalancerPolicy", **theirs) == (5030, 400)
