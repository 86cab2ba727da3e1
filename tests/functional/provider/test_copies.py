"""Objects that were copied with the label that says what in the cloud is theirs.

``kubectl get -o yaml | kubectl apply -n`` copies the label, the finalizer and the references to
owners, which are not in the other namespace: the garbage collector deletes the copy at once.
"""

from provider.kube import kinds
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
