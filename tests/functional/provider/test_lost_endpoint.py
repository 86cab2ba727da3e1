"""A load balancer that was made anew has another DNS name: the endpoint is lost, and that is told.

The endpoint stays as it is, and nobody but a person can help; all else goes on as ever.
"""

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import clusters, driver, machine_driver
from tests.functional.provider.clusters import balancer

LOST = ("False", "EndpointLost")


def take(run):
    """Delete the load balancer behind the back of a cluster."""
    driver.Direct(run.fake).call("DeleteLoadBalancer", LoadBalancerName="demo-k8s")
    run.fake.clock.advance(120)
    run.memory.clear()
    run.events.clear()


def lost(**more):
    """Return a cluster whose load balancer was made anew, and the name that it had before."""
    run = clusters.ready(**more)
    before = run.object["spec"]["controlPlaneEndpoint"]["host"]
    take(run)
    run.settle()
    return run, before


def test_a_lost_endpoint_is_told_with_both_names_and_what_to_do():
    run, before = lost()
    status, reason, message = run.conditions["LoadBalancerReady"]
    assert (status, reason) == LOST
    assert message == (
        f"spec.controlPlaneEndpoint.host is {before}, where nothing answers any more: the load "
        f"balancer demo-k8s was deleted by somebody else, and made anew as "
        f"{balancer(run)['DnsName']}. The endpoint stays, because machines know it. Make another "
        "cluster."
    )
    assert run.conditions["Ready"] == (*LOST, f"LoadBalancerReady: {message}")
    assert run.is_whole
    assert run.object["spec"]["controlPlaneEndpoint"]["host"] == before
    assert run.status["initialization"] == {"provisioned": True}


def test_what_stands_is_told_once_and_costs_no_call_and_no_write():
    run, _ = lost()
    rows = driver.copied(run.status["conditions"])
    calm = clusters.ready()
    writes = run.writes
    for _ in range(3):
        run.memory.clear()
        calm.memory.clear()
        made = clusters.calls(run, run.step)
        assert made == clusters.calls(calm, calm.step)
        assert run.last.again_s == calm.last.again_s
        assert not run.last.retry
        run.fake.clock.advance(600)
    assert run.writes == writes
    assert run.status["conditions"] == rows
    assert [each.type for each in run.events if each.reason == "EndpointLost"] == ["Warning"]


def test_it_is_told_again_when_it_is_lost_to_yet_another_name():
    run, before = lost()
    second = balancer(run)["DnsName"]
    take(run)
    run.settle()
    third = balancer(run)["DnsName"]
    assert len({before, second, third}) == 3
    (told,) = [each.message for each in run.events if each.reason == "EndpointLost"]
    assert before in told
    assert third in told
    assert second not in run.conditions["LoadBalancerReady"][2]


def test_it_comes_back_after_the_status_was_lost_and_so_does_that_it_is_provisioned():
    run, _ = lost()
    before = driver.copied(run.status)
    run.object["status"] = {}
    clusters.again(run)
    for row in (*before["conditions"], *run.status["conditions"]):
        del row["lastTransitionTime"]
    assert run.status == before


def test_what_else_is_wrong_with_the_load_balancer_is_told_beside_it():
    run, before = lost()
    run.object["spec"]["network"] = {"loadBalancer": {"type": "internal"}}
    run.memory.clear()
    run.step()
    status, reason, message = run.conditions["LoadBalancerReady"]
    assert (status, reason) == LOST
    first, second = message.split("\n")
    assert before in first
    assert "cannot be changed" in second


def test_it_is_over_when_the_endpoint_is_the_name_that_the_load_balancer_has_now():
    run, _ = lost()
    run.object["spec"]["controlPlaneEndpoint"]["host"] = balancer(run)["DnsName"]
    assert clusters.again(run).is_ready, run.conditions
    assert run.conditions["LoadBalancerReady"] == ("True", "Ready", "")


def test_a_cluster_with_a_lost_endpoint_goes_and_leaves_nothing():
    fake = FakeCloud(seed=1)
    before = driver.shape(fake)
    run, _ = lost(fake=fake)
    assert run.delete().settle().is_gone
    assert driver.shape(fake) == before


@pytest.mark.parametrize(
    "host", ["api.example.com", "198.51.100.7", "demo-k8s.example.com", "other-1.lbu.outscale.com"]
)
def test_a_host_of_the_user_is_not_called_lost(host):
    run = clusters.ready(endpoint={"host": host, "port": 6443})
    take(run)
    run.settle()
    assert run.is_ready, run.conditions
    assert not [each for each in run.events if each.reason == "EndpointLost"]


def test_the_name_of_the_load_balancer_may_be_written_as_dns_allows():
    run = clusters.ready()
    name = balancer(run)["DnsName"]
    run.object["spec"]["controlPlaneEndpoint"]["host"] = f"{name.upper()}."
    assert clusters.again(run).is_ready, run.conditions
    take(run)
    run.settle()
    assert run.conditions["Ready"][:2] == LOST


def test_machines_of_a_cluster_with_a_lost_endpoint_stay_and_register_as_backends():
    site = machine_driver.Site()
    first = site.control_plane("demo-cp-1").settle()
    assert first.is_ready, first.conditions
    run = driver.ClusterDriver({}, site.fake)
    run.object = site.osc_cluster
    take(run)
    run.settle()
    assert run.conditions["Ready"][:2] == LOST
    second = site.control_plane("demo-cp-2")
    site.restart()
    site.settle()
    for each in (first, second):
        assert each.is_ready, each.conditions
    vms = {each.object["spec"]["providerID"].rpartition("/")[2] for each in (first, second)}
    assert set(balancer(run)["BackendVmIds"]) == vms
