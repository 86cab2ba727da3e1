"""Spec 4: of a paused cluster nothing is changed, and it goes on when it is unpaused."""

from __future__ import annotations

import functools

import yaml

from e2e.spec import Spec


def test_a_cluster_that_is_born_paused_waits_until_it_is_unpaused(spec: Spec) -> None:
    """Apply a paused cluster, unpause it, and let it come."""
    cluster = spec.cluster
    documents = list(yaml.safe_load_all(cluster.manifest()))
    for each in documents:
        if each["kind"] == "Cluster":
            each["spec"]["paused"] = True
    with spec.step(
        "A paused Cluster: Cluster API does not even make it the owner of its OscCluster"
    ):
        cluster.apply(yaml.safe_dump_all(documents))
        spec.eventually(lambda: cluster.says("Cluster", "Paused", "True"), within="noticed")
    with spec.step("Nothing is made in the cloud"):
        spec.throughout(spec.nothing_is_left, for_="quiet")
    with spec.step("Unpaused, it is provisioned"):
        cluster.pause(paused=False)
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        cluster.says("OscCluster", "Paused", "False")


def test_a_paused_cluster_is_left_alone_even_when_it_is_deleted(spec: Spec) -> None:
    """Pause a cluster, take something away, delete the cluster, and unpause it."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine"):
        cluster.apply(cluster.manifest())
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
    with spec.step("Paused, all of its objects say so"):
        cluster.pause(paused=True)
        for kind in ("OscCluster", "OscMachine"):
            probe = functools.partial(cluster.says, kind, "Paused", "True")
            spec.eventually(probe, within="noticed")
    with spec.step("Deleted, it keeps all that it has"):
        is_untouched = spec.untouched()
        cluster.delete()
        spec.throughout(is_untouched, for_="quiet")
    with spec.step("Unpaused, it goes, and leaves nothing"):
        cluster.pause(paused=False)
        spec.eventually(cluster.is_gone, within="deleted")
        spec.nothing_is_left()
