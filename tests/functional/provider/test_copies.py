"""Objects that were copied with the label that says what in the cloud is theirs.

``kubectl get -o yaml | kubectl apply -n`` copies the label, the finalizer and the references to
owners, which are not in the other namespace: the garbage collector deletes the copy at once.
"""

import asyncio
import random

import pytest

from provider.kube import client, kinds
from provider.manager import gather
from provider.manager.cache import Cache
from provider.rules import names
from tests.contract.kube.client import eventually
from tests.functional.provider import clusters, driver, machine_driver
from tests.functional.provider.stage import RATE, Replica, keys

WITHIN_S = 60.0


def copy_of(obj, **metadata):
    """Return an object as it is after a copy: a new place, and no status."""
    copied = driver.copied(obj)
    copied.pop("status", None)
    copied["metadata"] |= {"namespace": "there", **metadata}
    return copied


def beside(run):
    """Return the driver of a copy of a cluster, which has a Cluster of its own."""
    other = driver.ClusterDriver(fake=run.fake, uid="another-uid")
    other.object = copy_of(run.object)
    other.elder = run.object
    return other


def test_a_copy_of_a_cluster_takes_nothing_over_and_says_whose_it_is():
    run = clusters.ready()
    other = beside(run)
    assert clusters.calls(other, other.step) == []
    status, reason, message = other.conditions["SpecReady"]
    assert (status, reason) == ("False", "Refused")
    assert f"The label {names.CLUSTER_UID_LABEL} is {driver.UID}" in message
    assert "default/demo" in message
    assert not other.is_ready


def test_a_copy_of_a_cluster_goes_and_leaves_everything():
    run = clusters.ready({"bastion": clusters.bastion(fake := driver.FakeCloud(seed=1))}, fake)
    other = beside(run).delete()
    assert clusters.calls(other, other.step) == []
    assert other.is_gone
    assert "Nothing in the cloud was touched" in other.events[-1].message
    assert clusters.changes(run, lambda: clusters.again(run)) == []


def test_a_copy_of_a_machine_takes_nothing_over_and_goes_alone():
    site = machine_driver.Site()
    run = site.machine().settle()
    other = machine_driver.MachineDriver(site, run.name)
    other.object, other.elder = copy_of(run.object), run.object
    before = len(site.cloud.calls)
    other.step()
    assert "default/demo-md-0-abcde" in other.conditions["SpecReady"][2]
    other.delete().step()
    assert other.is_gone
    assert site.cloud.calls[before:] == []
    assert run.settle().is_ready
    assert run.vm["State"] == "running"


def test_a_copy_is_known_among_all_clusters(stage, sky):
    with Replica(stage, environment=keys(sky), rate=RATE):
        first = stage.cluster()
        eventually(
            lambda: (stage.status(kinds.OSC_CLUSTER, "demo")).get("initialization"), WITHIN_S
        )
        first = stage.get(kinds.OSC_CLUSTER, "demo")
        metadata = {each: first["metadata"][each] for each in ("labels", "finalizers")}
        stage.create(kinds.OSC_CLUSTER, "demo-copy", metadata=metadata, spec=first["spec"])
        stage.delete(kinds.OSC_CLUSTER, "demo-copy")
        eventually(lambda: stage.get(kinds.OSC_CLUSTER, "demo-copy") is None, WITHIN_S)
    assert sky.cloud.call("ReadLoadBalancers")["LoadBalancers"]
    assert sky.cloud.call("ReadNets")["Nets"]


@pytest.mark.parametrize("name", ["demo", "other"])
def test_nothing_is_a_copy_of_what_is_gone(plain, name):
    """Somebody restores what was deleted, under its name or another, and the watch is late."""
    labels = {names.CLUSTER_UID_LABEL: driver.UID}
    old = plain.create(kinds.OSC_CLUSTER, "demo", metadata={"labels": labels}, spec={})
    old["metadata"]["creationTimestamp"] = "2026-11-28T00:00:00Z"
    cache = Cache()
    cache.osc_clusters.put(old)
    plain.delete(kinds.OSC_CLUSTER, "demo")
    new = plain.create(kinds.OSC_CLUSTER, name, metadata={"labels": labels}, spec={})

    async def scene():
        async with client.Client(plain.source, random.Random(1)) as made:
            return await gather.Gatherer(made, cache).of(kinds.OSC_CLUSTER, new)

    assert asyncio.run(scene()).elder is None


def test_what_is_restored_takes_the_cloud_away_when_it_goes():
    """The restored object is the same to the cloud: its label says what is its own."""
    run = clusters.ready()
    again = driver.ClusterDriver(fake=run.fake, uid="another-uid")
    again.object = copy_of(run.object, namespace="default")
    again.delete().settle()
    assert again.is_gone
    assert clusters.live(run, "Nets") == clusters.live(run, "LoadBalancers") == []
