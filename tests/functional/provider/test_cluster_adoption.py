"""Clusters that the Go provider v1.x made are taken over as they are, then deleted to nothing."""

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import clusters, driver, go_provider, worlds

NETWORK_CHANGES = ("CreateTags", "CreateLoadBalancerTags", "CreateSecurityGroupRule")
"""What may be called to take a cluster over; rules are also deleted."""


@pytest.fixture(params=[False, True], ids=["plain", "with a bastion"])
def left(request):
    fake = FakeCloud(seed=1)
    if request.param:
        worlds.keypair(fake)
    empty = driver.shape(fake)
    made = go_provider.Left(fake, has_bastion=request.param)
    made.empty = empty
    return made


def ids(fake):
    """Return the ids of everything that lives."""
    found = driver.inventory(fake)
    return {
        kind: {row[key] for row in found[kind]}
        for action, key in driver.READS.items()
        if (kind := action.removeprefix("Read"))
    }


def test_a_cluster_is_taken_over_without_making_or_deleting_anything(left):
    before = ids(left.fake)
    run = left.taken_over()
    called = clusters.changes(run, run.settle)
    assert run.is_ready, run.conditions
    assert ids(left.fake) == before
    allowed = {*NETWORK_CHANGES, "DeleteSecurityGroupRule"}
    assert set(called) <= allowed, called
    assert clusters.changes(run, lambda: clusters.again(run)) == []


def test_a_nat_service_keeps_a_tag_that_it_was_given_once():
    run = clusters.ready()
    empty = driver.shape(FakeCloud(seed=1))
    nat = clusters.one(run, "NatServices")
    assert {each["Key"] for each in nat["Tags"]} == {clusters.OWNED, "Name"}
    tag = {"Key": "OscK8sUsedBy", "Value": f"natService/{clusters.one(run, 'Nets')['IpRange']}"}
    run.cloud.call("CreateTags", ResourceIds=[nat["NatServiceId"]], Tags=[tag])
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    assert tag in clusters.one(run, "NatServices")["Tags"]
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == empty


def test_a_cluster_that_was_taken_over_is_deleted_to_nothing(left):
    run = left.taken_over().settle().delete().settle()
    assert run.is_gone
    assert driver.shape(left.fake) == left.empty


def test_a_cluster_can_be_deleted_without_being_taken_over_first(left):
    run = left.taken_over().delete().settle()
    assert run.is_gone
    assert driver.shape(left.fake) == left.empty


def test_a_cluster_that_was_moved_is_taken_over_by_its_tags_alone(left):
    before = ids(left.fake)
    run = left.taken_over()
    run.object["status"] = {}
    run.settle()
    assert run.is_ready, run.conditions
    assert ids(left.fake) == before
    run.delete().settle()
    assert driver.shape(left.fake) == left.empty


def test_the_endpoint_stays(left):
    run = left.taken_over().settle()
    assert run.object["spec"]["controlPlaneEndpoint"] == {"host": left.host, "port": 6443}


def test_what_was_provisioned_stays_so(left):
    run = left.taken_over()
    run.step()
    assert run.status["initialization"] == {"provisioned": True}
    assert run.status["failureDomains"] == [{"name": go_provider.HERE, "controlPlane": True}]


def test_conditions_of_the_go_provider_that_mean_nothing_go(left):
    run = left.taken_over().settle()
    assert "VmReady" not in run.conditions


def test_public_ips_of_machines_are_left_alone_until_the_cluster_goes(left):
    address = left.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    left._tag(address, "worker-0")
    run = left.taken_over().settle()
    found = {row["PublicIpId"] for row in driver.Direct(left.fake).read("ReadPublicIps")}
    assert address in found
    run.delete().settle()
    assert driver.shape(left.fake) == left.empty


# --- What a crash of the Go provider left --------------------------------------------------------


def test_a_load_balancer_that_was_not_tagged_yet_is_taken_over(left):
    names = ["demo-k8s"]
    left.call("DeleteLoadBalancerTags", LoadBalancerNames=names, Tags=[{"Key": "Name"}])
    before = ids(left.fake)
    run = left.taken_over().settle()
    assert run.is_ready, run.conditions
    assert ids(left.fake) == before
    run.delete().settle()
    assert driver.shape(left.fake) == left.empty


def test_a_route_table_that_was_not_linked_yet_goes(left):
    old = left.call("CreateRouteTable", NetId=left.net)["RouteTable"]["RouteTableId"]
    left._tag(old, f"Worker subnet for demo/{go_provider.HERE}")
    before = ids(left.fake)
    run = left.taken_over()
    run.settle()
    assert run.is_ready, run.conditions
    before["RouteTables"].discard(old)
    assert ids(left.fake) == before


def test_what_was_made_before_the_finalizer_was_kept_is_found(left):
    """As when the Go provider crashed in its first pass: nothing was written, all is tagged."""
    before = ids(left.fake)
    run = left.taken_over()
    run.object["status"] = {}
    run.object["metadata"].update(finalizers=[], labels={})
    run.object["spec"].pop("controlPlaneEndpoint")
    run.settle()
    assert run.is_ready, run.conditions
    assert ids(left.fake) == before
    assert run.object["spec"]["controlPlaneEndpoint"]["host"] == left.host


def test_a_cluster_that_was_moved_can_be_deleted_at_once(left):
    run = left.taken_over()
    run.object["status"] = {}
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(left.fake) == left.empty
