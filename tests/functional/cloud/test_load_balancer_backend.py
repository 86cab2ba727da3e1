"""Backends of load balancers, and their health."""

import pytest

from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import refusal

OTHER = "210987654321"
PENDING = "Instance registration is pending"


@pytest.fixture
def place():
    return balancing.build()


def register(place, *vm_ids):
    place.cloud.call("RegisterVmsInLoadBalancer", LoadBalancerName="lb", BackendVmIds=list(vm_ids))


def health(place, **request):
    answer = place.cloud.call("ReadVmsHealth", LoadBalancerName="lb", **request)
    return answer["BackendVmHealth"]


def test_backends_come_and_go_by_id(place):
    place.active()
    one, two = place.vm(), place.vm()
    register(place, one, two, one)
    register(place, two)
    assert place.read()["BackendVmIds"] == [one, two]
    place.cloud.call("DeregisterVmsInLoadBalancer", LoadBalancerName="lb", BackendVmIds=[one])
    assert place.read()["BackendVmIds"] == [two]


def test_backends_come_and_go_by_ip(place):
    place.active()
    one = place.vm()
    both = {"LoadBalancerName": "lb", "BackendIps": ["192.0.2.1", "192.0.2.1"]}
    place.cloud.call("LinkLoadBalancerBackendMachines", BackendVmIds=[one], **both)
    assert place.read()["BackendIps"] == ["192.0.2.1"]
    assert place.read()["BackendVmIds"] == [one]
    place.cloud.call("UnlinkLoadBalancerBackendMachines", BackendVmIds=[one], **both)
    assert place.read()["BackendIps"] == place.read()["BackendVmIds"] == []


def test_a_load_balancer_that_starts_takes_backends(place):
    one = place.vm()
    place.create()
    register(place, one)
    assert place.read()["BackendVmIds"] == [one]


def test_a_backend_is_down_until_it_has_answered(place):
    one = place.running_vm()
    place.active()
    register(place, one)
    pending = {"Description": PENDING, "State": "DOWN", "StateReason": "ELB", "VmId": one}
    assert health(place) == [pending]
    place.cloud.clock.advance(10)
    assert health(place, BackendVmIds=[one]) == [{"State": "UP", "VmId": one}]


def test_no_backend_is_up_before_the_load_balancer_is(place):
    one = place.running_vm()
    place.create()
    register(place, one)
    place.cloud.clock.advance(20)
    assert health(place)[0]["Description"] == PENDING


def test_a_stopped_vm_may_be_a_backend_but_is_down(place):
    one = place.running_vm()
    place.active()
    place.cloud.call("StopVms", VmIds=[one])
    place.cloud.clock.advance(300)
    register(place, one)
    place.cloud.clock.advance(300)
    assert health(place) == [
        {
            "Description": "Instance is in stopped state.",
            "State": "DOWN",
            "StateReason": "Instance",
            "VmId": one,
        }
    ]


def test_a_terminated_vm_is_no_backend_any_more(place):
    one, two = place.running_vm(), place.running_vm()
    place.active()
    register(place, one, two)
    place.cloud.call("DeleteVms", VmIds=[one])
    place.cloud.clock.advance(300)
    assert place.read()["BackendVmIds"] == [two]
    assert [each["VmId"] for each in health(place)] == [two]
    gone = {"LoadBalancerName": "lb", "BackendVmIds": [one]}
    assert refusal(place.cloud, "DeregisterVmsInLoadBalancer", **gone) == (5063, 400)
    assert refusal(place.cloud, "RegisterVmsInLoadBalancer", **gone) == (6003, 409)
    register(place, two)
    assert place.read()["BackendVmIds"] == [two]


def test_deregistering_twice_is_refused(place):
    one = place.vm()
    place.active()
    register(place, one)
    request = {"LoadBalancerName": "lb", "BackendVmIds": [one]}
    place.cloud.call("DeregisterVmsInLoadBalancer", **request)
    assert refusal(place.cloud, "DeregisterVmsInLoadBalancer", **request) == (5063, 400)


def test_a_vm_of_another_network_is_refused(place):
    public = place.vm(SubnetId=None)
    inside = place.vm()
    place.active()
    place.create("public", SubregionNames=["eu-west-2a"])
    for name, vm_id in (("lb", public), ("public", inside)):
        request = {"LoadBalancerName": name, "BackendVmIds": [vm_id]}
        assert refusal(place.cloud, "RegisterVmsInLoadBalancer", **request) == (4086, 400)
    request = {"LoadBalancerName": "public", "BackendVmIds": [public]}
    place.cloud.call("RegisterVmsInLoadBalancer", **request)


def test_there_may_be_no_backend(place):
    place.active()
    assert health(place) == []


REFUSALS = {
    "no ids": ("RegisterVmsInLoadBalancer", {"BackendVmIds": []}, 7000),
    "neither ids nor ips": ("LinkLoadBalancerBackendMachines", {}, 7000),
    "no id": ("RegisterVmsInLoadBalancer", {"BackendVmIds": ["toto"]}, 4104),
    "no id of an unknown load balancer": (
        "RegisterVmsInLoadBalancer", {"LoadBalancerName": "b", "BackendVmIds": ["toto"]}, 4104),
    "an unknown VM": ("RegisterVmsInLoadBalancer", {"BackendVmIds": ["i-12345678"]}, 5063),
    "an unknown load balancer": (
        "RegisterVmsInLoadBalancer", {"LoadBalancerName": "b", "BackendVmIds": ["i-12345678"]},
        5030),
    "no address": ("LinkLoadBalancerBackendMachines", {"BackendIps": ["toto"]}, 4047),
    "an unknown address": (
        "UnlinkLoadBalancerBackendMachines", {"BackendIps": ["192.0.2.1"]}, 5025),
    "an unknown VM to take away": (
        "DeregisterVmsInLoadBalancer", {"BackendVmIds": ["i-12345678"]}, 5063),
    "a text": ("DeregisterVmsInLoadBalancer", {"BackendVmIds": "i-12345678"}, 4110),
    "a list": (
        "DeregisterVmsInLoadBalancer",
        {"LoadBalancerName": ["lb"], "BackendVmIds": ["i-12345678"]}, 4110),
    "the health of an unknown VM": ("ReadVmsHealth", {"BackendVmIds": ["i-12345678"]}, 5063),
    "the health of nobody": ("ReadVmsHealth", {"LoadBalancerName": "b"}, 5030),
    "another account": ("ReadVmsHealth", {"account": OTHER}, 5030),
}  # fmt: skip


@pytest.mark.parametrize(("action", "request_", "code"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_is_refused(place, action, request_, code):
    place.active()
    request = {"LoadBalancerName": "lb", **request_}
    assert refusal(place.cloud, action, **request) == (code, 400)
