"""Clusters of the Go provider v1.5 in all shapes, whole and in pieces, are taken over."""

import functools

import pytest
import yaml

from fakecloud import FakeCloud
from provider import cluster, planning
from provider.api import conversion
from tests.functional.provider import clusters, driver, go_clusters, go_shapes

ALLOWED = {
    "CreateTags",
    "CreateLoadBalancerTags",
    "CreateSecurityGroupRule",
    "DeleteSecurityGroupRule",
}
"""What may be called to take a cluster over."""
every_shape = pytest.mark.parametrize("shape", go_shapes.SHAPES)
IN_THEIR_NET = {"a Net by its id", "a subnet by its id"}
"""Shapes in whose Net nothing without a tag is taken; the Go provider deletes that Net."""
REFUSED_WHEN_NEW = {"names that are gone", "rules of no group"}
"""Shapes that are only accepted of a cluster that stands."""
UNKNOWABLE = {"used groups"}
"""Nothing tells whose a load balancer without a tag is."""
some_shapes = pytest.mark.parametrize("shape", ["bastion", "offline", "used Net", "manual"])


def ids(fake):
    """Return the ids of everything that lives, by kind."""
    found = driver.inventory(fake)
    return {
        kind: {row[key] for row in found[kind]}
        for action, key in driver.READS.items()
        if (kind := action.removeprefix("Read"))
    }


def owned(fake):
    """Return how much of each kind bears the cluster's tag."""
    found = driver.inventory(fake)
    return {
        kind: sum(clusters.OWNED in clusters.tags(row) for row in found[kind]) for kind in found
    }


@functools.cache
def _calls(shape):
    """Return the calls with which the Go provider makes a cluster, and how much of it there is."""
    go, _ = go_shapes.start(shape)
    calls = tuple(go.run().cloud.calls)
    go.taken_over().settle()
    return calls, owned(go.fake)


def _creates(shape):
    """Return the positions of the calls after which something is there."""
    calls, _ = _calls(shape)
    first = [calls.index(each) + 1 for each in dict.fromkeys(calls) if each.startswith("Create")]
    return [at for at in first if "Rule" not in calls[at - 1]]


@every_shape
def test_a_cluster_is_taken_over_as_it_is_and_goes_without_a_trace(shape):
    go, before = go_shapes.start(shape)
    there = ids(go.run().fake)
    run = go.taken_over()
    assert set(clusters.changes(run, run.settle)) <= ALLOWED
    assert run.is_ready, run.conditions
    assert ids(go.fake) == there
    assert run.object["spec"]["controlPlaneEndpoint"] == go.object["spec"]["controlPlaneEndpoint"]
    clusters.again(run)
    writes = run.writes
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    assert run.writes == writes
    run.delete().settle()
    assert run.is_gone
    assert driver.inventory(go.fake) == before


@every_shape
@pytest.mark.parametrize("is_seen", [True, False], ids=["after", "before"])
def test_a_cluster_that_is_moved_after_or_before_it_is_taken_over(shape, is_seen):
    go, before = go_shapes.start(shape)
    there = ids(go.run().fake)
    run = go.taken_over()
    if is_seen:
        run.settle()
    del run.object["status"]
    run.memory.clear()
    assert set(clusters.changes(run, run.settle)) <= (set() if is_seen else ALLOWED)
    assert run.is_ready, run.conditions
    assert ids(go.fake) == there
    run.delete().settle()
    assert driver.inventory(go.fake) == before


def test_routes_to_what_is_somebody_elses_stay():
    """As to a Net that people have peered with: the Go provider never took a route away."""
    go, _ = go_shapes.start("default")
    net = go.run().call("CreateNet", IpRange="172.20.0.0/16")["Net"]["NetId"]
    ends = {"SourceNetId": go.net, "AccepterNetId": net}
    peering = go.call("CreateNetPeering", **ends)["NetPeering"]["NetPeeringId"]
    go.call("AcceptNetPeering", NetPeeringId=peering)
    tables = go.read("ReadRouteTables", NetIds=[go.net], LinkRouteTableMain=False)
    for table in tables:
        aim = {"DestinationIpRange": "172.20.0.0/16", "NetPeeringId": peering}
        go.call("CreateRoute", RouteTableId=table["RouteTableId"], **aim)
    run = go.taken_over()
    assert set(clusters.changes(run, run.settle)) <= ALLOWED
    for subnet in go.resources["subnet"].values():
        assert clusters.routes(run, subnet)["172.20.0.0/16"] == peering
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    place = go.resources["subnet"]["10.0.3.0/24"]
    table = clusters.table_of(run, place)["RouteTableId"]
    go.call("DeleteRoute", RouteTableId=table, DestinationIpRange="0.0.0.0/0")
    clusters.again(run)
    assert set(clusters.routes(run, place)) == {"0.0.0.0/0", "172.20.0.0/16"}


def test_groups_that_people_gave_to_the_load_balancer_before_stay():
    go, before = go_shapes.start("default")
    groups = [*go.run().groups_of("loadbalancer"), _group(go, "office")]
    go.call("UpdateLoadBalancer", LoadBalancerName="demo-k8s", SecurityGroups=groups)
    run = go.taken_over()
    assert set(clusters.changes(run, run.settle)) <= ALLOWED
    assert clusters.balancer(run)["SecurityGroups"] == groups
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    later = [groups[1], _group(go, "later")]
    go.call("UpdateLoadBalancer", LoadBalancerName="demo-k8s", SecurityGroups=later)
    clusters.again(run)
    assert sorted(clusters.balancer(run)["SecurityGroups"]) == sorted(groups)
    run.delete()
    run.step()
    for id_ in later:
        run.fake.clock.advance(60)
        go.call("DeleteSecurityGroup", SecurityGroupId=id_)
    run.settle()
    assert driver.inventory(go.fake) == before


def _group(go, name):
    made = go.call(
        "CreateSecurityGroup", NetId=go.net, SecurityGroupName=name, Description="theirs"
    )
    return made["SecurityGroup"]["SecurityGroupId"]


def test_listeners_that_people_added_stay_until_the_spec_has_their_port():
    """The Go provider has no field for a further one, and never looked at those that are there."""
    go, before = go_shapes.start("default")
    more = {"LoadBalancerProtocol": "TCP", "BackendPort": 9345, "BackendProtocol": "TCP"}
    go.run().call(
        "CreateLoadBalancerListeners",
        LoadBalancerName="demo-k8s",
        Listeners=[{**more, "LoadBalancerPort": port} for port in (8132, 9345)],
    )
    go.fake.clock.advance(60)
    run = go.taken_over()
    assert set(clusters.changes(run, run.settle)) <= ALLOWED
    assert _ports(run) == {6443: 6443, 8132: 9345, 9345: 9345}
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    network = run.object["spec"]["network"]
    listeners = [{"port": 8132, "backendPort": 8132}, {"port": 50000, "backendPort": 50000}]
    balancer = {**network["loadBalancer"], "additionalListeners": listeners}
    clusters.change(run, {**network, "loadBalancer": balancer}).settle()
    assert _ports(run) == {6443: 6443, 8132: 8132, 9345: 9345, 50000: 50000}
    clusters.change(run, network).settle()
    assert _ports(run) == {6443: 6443, 9345: 9345}
    assert run.is_ready, run.conditions
    run.delete().settle()
    assert driver.inventory(go.fake) == before


def _ports(run):
    rows = clusters.balancer(run)["Listeners"]
    return {each["LoadBalancerPort"]: each["BackendPort"] for each in rows}


@every_shape
def test_a_plan_says_that_nothing_is_made_or_deleted(shape):
    go, _ = go_shapes.start(shape, name="demo-x7k2p", cluster="demo")
    text = yaml.safe_dump(go.run().object)
    run = go.taken_over()
    read = planning.load(text)
    assert read["spec"] == run.object["spec"]
    steps, _ = cluster.plan(read, run.clouds, run.clock)
    assert {each.verb.value for each in steps} <= {"update", "wait"}
    assert not [each for each in run.cloud.calls if not each.startswith("Read")]


@every_shape
def test_the_old_manifest_can_be_applied_again_and_again(shape):
    """Whoever applies it sees what the Go provider showed, and changes nothing."""
    go, _ = go_shapes.start(shape)
    manifest = driver.copied(go.object["spec"])
    run = clusters.again(go.run().taken_over().settle())
    old, new = go.object["apiVersion"], run.object["apiVersion"]
    for is_first in (True, False):
        before = driver.copied(run.object)
        shown = conversion.convert(driver.copied(before), old)
        assert shown["spec"] == go.object["spec"]
        assert shown["status"]["ready"]
        driver.merge(shown["spec"], manifest)
        run.object = conversion.convert(shown, new)
        if is_first:  # What is kept for v1beta1 is that of the new status.
            before["metadata"] = driver.copied(run.object["metadata"])
        assert run.object == before
        writes = run.writes
        assert clusters.changes(run, lambda: clusters.again(run)) == []
        assert run.writes == writes


def test_a_cluster_of_a_class_keeps_its_groups():
    """A ClusterClass names the OscCluster otherwise than the Cluster, after which groups are."""
    go, before = go_shapes.start("bastion", name="demo-x7k2p", cluster="demo")
    there = ids(go.run().fake)
    run = go.taken_over()
    assert set(clusters.changes(run, run.settle)) <= ALLOWED
    assert ids(go.fake) == there
    assert run.is_ready, run.conditions
    assert clusters.name(clusters.one(run, "Nets")) == "Net for demo-x7k2p"
    assert clusters.name(clusters.one(run, "Vms")) == "Bastion for demo"
    run.delete().settle()
    assert driver.inventory(go.fake) == before


@pytest.mark.parametrize("shape", ["manual", "bastion", "own names"])
@pytest.mark.parametrize("is_known", [True, False], ids=["taken over", "deleted at once"])
def test_a_cluster_that_version_0_4_made_is_taken_over(shape, is_known):
    """Version 1 knew it by what is in the status, and left its tags as they were."""
    go, before = go_shapes.start(shape)
    there = ids(go_shapes.age(go.run()).fake)
    run = go.taken_over()
    if is_known:
        assert set(clusters.changes(run, run.settle)) <= ALLOWED
        assert run.is_ready, run.conditions
        assert ids(go.fake) == there
        assert clusters.changes(run, lambda: clusters.again(run)) == []
    run.delete().settle()
    assert run.is_gone
    assert driver.inventory(go.fake) == before


def test_a_mark_with_the_uid_of_another_cluster_is_not_ours():
    go, _ = go_shapes.start("manual")
    go_shapes.age(go.run())
    theirs = [{"Key": f"OscK8sClusterID/other-{go_clusters.UID[:-1]}", "Value": "owned"}]
    own = [{"Key": f"OscK8sClusterID/cluster-api-{go_clusters.UID}"}]
    for action, tags in (("CreateTags", theirs), ("DeleteTags", own)):
        go.call(action, ResourceIds=[go.net], Tags=tags)
    run = go.taken_over()
    run.step()
    assert not [each for each in run.cloud.calls if each.startswith("Delete")]
    assert clusters.OWNED not in clusters.tags(go.read("ReadNets", NetIds=[go.net])[0])


def test_a_load_balancer_that_nobody_named_is_called_after_the_cluster():
    network = {"subregionName": go_shapes.HERE}
    go = go_clusters.GoCluster(
        FakeCloud(seed=1), {"network": network}, name="demo-x7k2p", cluster="demo"
    )
    run = go.run().taken_over().settle()
    assert run.is_ready, run.conditions
    assert clusters.balancer(run)["LoadBalancerName"] == "demo-k8s"


@pytest.mark.parametrize(
    "shape", sorted(go_shapes.SHAPES.keys() - IN_THEIR_NET - REFUSED_WHEN_NEW - UNKNOWABLE)
)
def test_a_cluster_whose_making_was_cut_short_is_finished(shape):
    """Nothing of a first pass is in Kubernetes when the Go provider is killed in it."""
    calls, wanted = _calls(shape)
    for at in _creates(shape):
        go, _ = go_shapes.start(shape)
        go.cloud.strike_at, go.cloud.effect = at, "die after"
        go.run()
        go.cloud.effect = ""
        run = go.taken_over()
        what = f"killed after {calls[at - 1]}, call {at}"
        run.settle()
        clusters.again(run)
        assert run.is_ready, (what, run.conditions)
        found = owned(go.fake)
        found["PublicIps"] = min(found["PublicIps"], wanted["PublicIps"])
        assert found == wanted, what
        assert clusters.changes(run, lambda: clusters.again(run)) == [], what  # noqa: B023


@some_shapes
def test_a_cluster_whose_making_was_cut_short_goes(shape):
    """What bears no tag and holds nothing stays, since nobody knows whose it is."""
    calls, _ = _calls(shape)
    for at in _creates(shape):
        go, _ = go_shapes.start(shape)
        go.cloud.strike_at, go.cloud.effect = at, "die after"
        go.run()
        go.cloud.effect = ""
        run = go.taken_over().settle().delete()
        if calls[at - 1] == "CreateRouteTable":
            continue  # It is in the way of the Net, which is told.
        run.settle()
        assert run.is_gone, calls[at - 1]
        assert not any(owned(go.fake).values()), calls[at - 1]


def test_a_load_balancer_without_a_tag_goes_with_its_cluster():
    calls, _ = _calls("default")
    go, before = go_shapes.start("default")
    go.cloud.strike_at = calls.index("CreateLoadBalancer") + 1
    go.cloud.effect = "die after"
    go.run()
    go.cloud.effect = ""
    run = go.taken_over()
    run.object["metadata"] |= {"finalizers": [go_clusters.FINALIZER]}
    run.object["metadata"]["labels"]["outscale.com/clusterUID"] = go_clusters.UID
    run.delete().settle()
    assert run.is_gone
    assert driver.inventory(go.fake) == before


@pytest.mark.parametrize("action", ["CreateNatService", "CreateVms"])
def test_a_public_ip_that_waits_for_its_user_is_used(action):
    """The Go provider keeps it in the status when what uses it is refused."""
    calls, _ = _calls("bastion")
    go, before = go_shapes.start("bastion")
    go.cloud.strike_at, go.cloud.effect = calls.index(action) + 1, "refuse"
    with pytest.raises(AssertionError):
        go.run(limit=1)
    go.cloud.effect = ""
    there = ids(go.fake)["PublicIps"]
    run = go.taken_over().settle()
    assert run.is_ready, run.conditions
    assert there <= ids(go.fake)["PublicIps"]
    assert len(clusters.live(run, "PublicIps")) == 2
    run.delete().settle()
    assert driver.inventory(go.fake) == before


@pytest.mark.parametrize("shape", sorted(go_shapes.SHAPES.keys() - IN_THEIR_NET))
def test_a_cluster_whose_deletion_was_cut_short_goes(shape):
    go, _ = go_shapes.start(shape)
    made = len(go.run().cloud.calls)
    calls = go.delete().cloud.calls
    for at in range(made, len(calls) + 1):
        if at > made and calls[at - 1].startswith("Read"):
            continue
        go, before = go_shapes.start(shape)
        go.run().cloud.strike_at = at
        go.cloud.effect = "die after"
        go.delete().cloud.effect = ""
        run = go.taken_over().settle()
        assert run.is_gone, calls[at - 1]
        assert driver.inventory(go.fake) == before, calls[at - 1]
