"""Objects that nobody owns: nothing is done for them, and they say what they wait for."""

import pytest

from provider import telling
from provider.kube import kinds
from provider.rules import names
from tests.contract.kube.client import eventually
from tests.functional.provider import clusters, driver, machine_driver
from tests.functional.provider.stage import Replica, keys

WAITS = ("Unknown", "WaitingForOwner")
WITHIN_S = 60.0


def owned_by(kind, name="demo", version="cluster.x-k8s.io/v1beta2"):
    return [{"apiVersion": version, "kind": kind, "name": name, "uid": driver.UID}]


def ownerless(which):
    """Return an object that nobody owns, and the cloud that it would be made in."""
    if which == "OscCluster":
        run = clusters.start()
        run.cluster = None
        return run, run.cloud
    site = machine_driver.Site()
    one = site.machine()
    one.machine = None
    site.cloud.calls.clear()
    return one, site.cloud


def without_status(one):
    return {key: value for key, value in one.object.items() if key != "status"}


@pytest.mark.parametrize("which", ["OscCluster", "OscMachine"])
def test_what_nobody_owns_says_so_and_nothing_else_happens(which):
    one, cloud = ownerless(which)
    before = driver.copied(without_status(one))
    one.step()
    owner = which.removeprefix("Osc")
    message = (
        f"No {owner} owns this {which}, so nothing is done. Cluster API makes that {owner} the "
        f"owner whose spec.infrastructureRef names this {which}, but not while the Cluster is "
        f"paused. Create such a {owner}, or delete this {which}."
    )
    assert one.conditions == {
        "Ready": (*WAITS, message),
        "Paused": ("False", "NotPaused", ""),
        "Deleting": ("False", "NotDeleting", ""),
    }
    assert set(one.status) == {"conditions"}
    assert (one.last.again_s, one.last.retry) == (None, False)
    assert not one.events
    one.step()
    assert one.writes == 1
    assert not cloud.calls
    after = without_status(one)
    del after["metadata"]["resourceVersion"]
    assert after == before


@pytest.mark.parametrize("which", ["OscCluster", "OscMachine"])
def test_an_owner_that_does_not_exist_is_named(which):
    one, _ = ownerless(which)
    owner = which.removeprefix("Osc")
    others = owned_by(owner, "theirs", "example.com/v1")
    one.object["metadata"]["ownerReferences"] = [*others, *owned_by(owner)]
    one.step()
    assert one.conditions["Ready"][:2] == WAITS
    said = f"The {owner} demo, which owns this {which}, does not exist, so nothing is done."
    assert one.conditions["Ready"][2].startswith(said)


def test_a_machine_whose_cluster_does_not_exist_says_so():
    site = machine_driver.Site()
    one = site.machine("one")
    site.cluster = None
    site.cloud.calls.clear()
    one.machine["spec"]["clusterName"] = "demo"
    one.step()
    message = (
        "The Machine one is of the Cluster demo, which does not exist, so nothing is done. Create "
        "that, or delete the Machine."
    )
    assert one.conditions["Ready"] == (*WAITS, message)
    assert not site.cloud.calls
    assert "finalizers" not in one.object["metadata"]


@pytest.mark.parametrize("which", ["OscCluster", "OscMachine"])
def test_what_was_just_created_is_given_time(which):
    one, cloud = ownerless(which)
    one.object["metadata"]["creationTimestamp"] = driver.NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    one.step()
    assert one.writes == 0
    assert one.last.again_s == telling.OWNED_S
    (one.fake if which == "OscCluster" else one.site.fake).clock.advance(telling.OWNED_S)
    one.step()
    assert one.conditions["Ready"][:2] == WAITS
    assert not cloud.calls


@pytest.mark.parametrize("which", ["OscCluster", "OscMachine"])
def test_what_is_paused_says_only_that(which):
    one, _ = ownerless(which)
    one.object["metadata"]["annotations"] = {"cluster.x-k8s.io/paused": ""}
    one.step()
    assert set(one.conditions) == {"Paused"}


@pytest.mark.parametrize("which", ["OscCluster", "OscMachine"])
def test_what_somebody_else_looks_after_says_nothing(which):
    one, _ = ownerless(which)
    one.object["metadata"]["annotations"] = {"cluster.x-k8s.io/managed-by": "others"}
    one.step()
    assert one.writes == 0


@pytest.mark.parametrize("which", ["OscCluster", "OscMachine"])
def test_what_nobody_owns_can_be_deleted(which):
    one, cloud = ownerless(which)
    one.step()
    writes = one.writes
    one.object["metadata"]["deletionTimestamp"] = "2026-11-29T01:00:00Z"
    one.step()
    assert one.is_gone
    assert one.writes == writes
    assert not cloud.calls


def test_it_goes_on_when_it_is_owned():
    run, _ = ownerless("OscCluster")
    run.step()
    run.cluster = driver.owner()
    assert run.settle().is_ready
    assert names.CLUSTER_FINALIZER in run.object["metadata"]["finalizers"]


def test_a_cluster_that_loses_its_owner_keeps_all_it_says_but_ready():
    run = clusters.ready()
    before, rows = driver.copied(run.status), run.conditions
    run.cluster = None
    calls = clusters.calls(run, run.step)
    assert not calls
    assert run.conditions["Ready"][:2] == WAITS
    assert {**run.conditions, "Ready": rows["Ready"]} == rows
    assert {**run.status, "conditions": None} == {**before, "conditions": None}
    run.cluster = driver.owner()
    assert clusters.again(run).is_ready
    assert run.conditions == rows


def test_in_kubernetes_it_is_told_and_over_once_cluster_api_comes(stage, sky):
    def ready(name="demo"):
        rows = stage.status(kinds.OSC_CLUSTER, name).get("conditions", ())
        return next((each["reason"] for each in rows if each["type"] == "Ready"), "")

    with Replica(stage, environment=keys(sky), rate=10.0):
        stage.create(kinds.OSC_CLUSTER, "demo", spec={})
        eventually(lambda: ready() == "WaitingForOwner", WITHIN_S)
        alone = stage.get(kinds.OSC_CLUSTER, "demo")
        assert "finalizers" not in alone["metadata"]
        reference = {"apiGroup": kinds.INFRASTRUCTURE, "kind": "OscCluster", "name": "demo"}
        made = stage.create(kinds.CLUSTER, "demo", spec={"infrastructureRef": reference})
        owners = [{**owned_by("Cluster")[0], "uid": made["metadata"]["uid"]}]
        stage.patch(kinds.OSC_CLUSTER, "demo", metadata={"ownerReferences": owners})
        eventually(lambda: ready() == "Ready", WITHIN_S)


def test_a_cluster_of_another_api_group_is_no_owner():
    """Managers of clusters have a kind Cluster of their own, and own what they template."""
    run = clusters.start()
    theirs = owned_by("Cluster", "c-m-x7k2p", "clusters.example.com/v1")
    theirs[0]["uid"] = "another-uid"
    run.object["metadata"]["ownerReferences"] = theirs + owned_by("Cluster")
    run.settle()
    assert clusters.balancer(run)
    names = {row["SecurityGroupName"] for row in clusters.live(run, "SecurityGroups")}
    assert f"demo-node-{driver.UID}" in names
    run.cluster = None
    del run.object["metadata"]["labels"]
    run.delete().settle()
    assert run.is_gone
    assert clusters.live(run, "Nets") == []
