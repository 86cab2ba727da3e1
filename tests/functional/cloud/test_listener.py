"""Listeners of load balancers."""

import pytest

from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import TCP, WEB, refusal

OTHER = "210987654321"


@pytest.fixture
def place():
    return balancing.build()


def ports(balancer):
    return [listener["LoadBalancerPort"] for listener in balancer["Listeners"]]


def change(place, action, **request):
    return place.cloud.call(action, LoadBalancerName="lb", **request)["LoadBalancer"]


def test_a_new_listener_makes_an_active_load_balancer_reload(place):
    place.active("lb", TCP)
    changed = change(place, "CreateLoadBalancerListeners", Listeners=[WEB])
    assert ports(changed) == [80, 6443]
    assert changed["State"] == "reloading"
    place.cloud.clock.advance(5)
    assert place.read()["State"] == "active"


def test_a_deleted_listener_makes_an_active_load_balancer_reload(place):
    place.active("lb", TCP, WEB)
    changed = change(place, "DeleteLoadBalancerListeners", LoadBalancerPorts=[80, 6443])
    assert changed["Listeners"] == []
    assert changed["State"] == "reloading"


def test_listeners_may_be_replaced_without_waiting(place):
    place.active("lb", TCP)
    change(place, "DeleteLoadBalancerListeners", LoadBalancerPorts=[6443])
    changed = change(place, "CreateLoadBalancerListeners", Listeners=[WEB])
    assert ports(changed) == [80]


def test_a_load_balancer_that_starts_takes_listeners_and_goes_on_starting(place):
    place.create("lb", TCP)
    changed = change(place, "CreateLoadBalancerListeners", Listeners=[WEB])
    assert changed["State"] == "provisioning"
    place.cloud.clock.advance(balancing.UNTIL_ACTIVE_S)
    assert place.read()["State"] == "active"


def test_the_backend_protocol_is_that_of_the_listener_unless_given(place):
    created = place.create("lb", WEB, {**TCP, "BackendProtocol": "SSL"})
    found = [listener["BackendProtocol"] for listener in created["Listeners"]]
    assert found == ["HTTP", "SSL"]


def test_an_empty_certificate_counts_as_none(place):
    created = place.create("lb", {**WEB, "ServerCertificateId": ""})
    assert "ServerCertificateId" not in created["Listeners"][0]


@pytest.mark.parametrize("port", [1, 25, 1023, 1024, 65535])
def test_no_port_is_privileged(place, port):
    assert ports(place.create("lb", {**TCP, "LoadBalancerPort": port})) == [port]


REFUSALS = {
    "no listeners": ("CreateLoadBalancerListeners", {"Listeners": []}, 7000, 400),
    "an unknown name": (
        "CreateLoadBalancerListeners",
        {"LoadBalancerName": "nobody", "Listeners": [WEB]}, 5030, 400),
    "port 0": (
        "CreateLoadBalancerListeners", {"Listeners": [{**WEB, "LoadBalancerPort": 0}]}, 4037, 400),
    "a protocol": (
        "CreateLoadBalancerListeners",
        {"Listeners": [{**WEB, "LoadBalancerProtocol": "toto"}]}, 4095, 400),
    "a port in use": ("CreateLoadBalancerListeners", {"Listeners": [TCP]}, 9012, 409),
    "no ports": (
        "DeleteLoadBalancerListeners",
        {"LoadBalancerName": "nobody", "LoadBalancerPorts": []}, 7000, 400),
    "a port without listener": (
        "DeleteLoadBalancerListeners", {"LoadBalancerPorts": [123456879]}, 5028, 400),
    "an unknown name to delete from": (
        "DeleteLoadBalancerListeners",
        {"LoadBalancerName": "nobody", "LoadBalancerPorts": [80]}, 5030, 400),
}  # fmt: skip


@pytest.mark.parametrize(("action", "request_", "code", "status"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_with_a_change_is_refused(place, action, request_, code, status):
    before = place.active("lb", TCP)
    found = refusal(place.cloud, action, **{"LoadBalancerName": "lb", **request_})
    assert found == (code, status)
    assert place.read() == before


def test_the_load_balancer_of_another_account_is_unknown(place):
    place.active("lb", TCP)
    request = {"account": OTHER, "LoadBalancerName": "lb", "LoadBalancerPorts": [6443]}
    assert refusal(place.cloud, "DeleteLoadBalancerListeners", **request) == (5030, 400)


def test_the_quota_limits_listeners(place):
    place.cloud.set_quota("lb_listeners_limit", 1)
    place.create("lb", TCP)
    request = {"LoadBalancerName": "lb", "Listeners": [WEB]}
    assert refusal(place.cloud, "CreateLoadBalancerListeners", **request)[0] == 10013
