"""Tags of load balancers."""

import pytest

from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import refusal

ONE = {"Key": "a", "Value": "1"}
TWO = {"Key": "b", "Value": ""}


@pytest.fixture
def place():
    place = balancing.build()
    place.create("one")
    place.create("two")
    return place


def read(place, *names):
    return place.cloud.call("ReadLoadBalancerTags", LoadBalancerNames=list(names))["Tags"]


def create(place, names, *tags):
    place.cloud.call("CreateLoadBalancerTags", LoadBalancerNames=names, Tags=list(tags))


def test_every_load_balancer_gets_every_tag(place):
    create(place, ["one", "two", "one"], ONE, TWO)
    assert read(place, "one", "two") == [
        {"Key": "a", "LoadBalancerName": "one", "Value": "1"},
        {"Key": "b", "LoadBalancerName": "one", "Value": ""},
        {"Key": "a", "LoadBalancerName": "two", "Value": "1"},
        {"Key": "b", "LoadBalancerName": "two", "Value": ""},
    ]
    assert place.read("one")["Tags"] == [ONE, TWO]


def test_a_known_key_gets_the_new_value(place):
    create(place, ["one"], ONE)
    create(place, ["one"], {"Key": "a", "Value": "2"}, {"Key": "a", "Value": "3"})
    assert place.read("one")["Tags"] == [{"Key": "a", "Value": "3"}]


def test_deleting_passes_over_unknown_keys(place):
    create(place, ["one", "two"], ONE, TWO)
    gone = [{"Key": "a"}, {"Key": "a"}, {"Key": "z"}]
    place.cloud.call("DeleteLoadBalancerTags", LoadBalancerNames=["one"], Tags=gone)
    assert place.read("one")["Tags"] == [TWO]
    assert place.read("two")["Tags"] == [ONE, TWO]


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("CreateLoadBalancerTags", {"LoadBalancerNames": ["one", "nobody"], "Tags": [ONE]}, 5030),
        ("CreateLoadBalancerTags", {"LoadBalancerNames": ["a_b"], "Tags": [ONE]}, 5030),
        ("CreateLoadBalancerTags", {"LoadBalancerNames": [], "Tags": [ONE]}, 7000),
        ("CreateLoadBalancerTags", {"LoadBalancerNames": ["one"], "Tags": []}, 7000),
        (
            "CreateLoadBalancerTags",
            {"LoadBalancerNames": ["one"], "Tags": [{"Key": "a" * 300, "Value": ""}]},
            4106,
        ),
        ("DeleteLoadBalancerTags", {"LoadBalancerNames": ["one"], "Tags": [{"Key": ""}]}, 4108),
        ("DeleteLoadBalancerTags", {"LoadBalancerNames": ["one"], "Tags": [{"Toto": ""}]}, 3001),
        ("DeleteLoadBalancerTags", {"LoadBalancerNames": ["nobody"], "Tags": [{"Key": "a"}]}, 5030),
        ("ReadLoadBalancerTags", {"LoadBalancerNames": ["nobody"]}, 5030),
        ("ReadLoadBalancerTags", {"LoadBalancerNames": "one"}, 4110),
    ],
)
def test_what_is_wrong_is_refused(place, action, request_, code):
    assert refusal(place.cloud, action, **request_) == (code, 400)
    assert read(place, "one") == []
