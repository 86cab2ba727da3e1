"""Spec 4: of a paused cluster nothing is changed, and it goes on when it is unpaused."""

from __future__ import annotations

import functools

import yaml

from e2e.cluster import PAIR
from e2e.kube import INFRASTRUCTURE
from e2e.spec import Spec
from e2e.waits import need

ANYWHERE = "0.0.0.0/0"


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
    """Pause a cluster, take something away, unpause it; pause it again, and delete all of it."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine"):
        cluster.apply(cluster.manifest())
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        machine = spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
    _is_paused(spec)
    with spec.step("Somebody deletes a route: nobody makes another, though the object is touched"):
        table = _routed(spec)[0]
        spec.cloud.call("DeleteRoute", RouteTableId=table, DestinationIpRange=ANYWHERE)
        is_untouched = spec.untouched()
        touched = {"metadata": {"annotations": {"e2e/look": "now"}}}
        name = cluster.osc_cluster()["metadata"]["name"]
        cluster.kube.patch(INFRASTRUCTURE, "oscclusters", name, touched)
        spec.throughout(is_untouched, for_="quiet")
    with spec.step("Unpaused, it has the route again"):
        cluster.pause(paused=False)
        spec.eventually(lambda: _has_route(spec, table), within="noticed")
    _is_paused(spec)
    with spec.step("Deleted, and each of its objects too, it keeps all that it has"):
        is_untouched = spec.untouched()
        cluster.delete()
        # While it is paused, Cluster API does not ask for this.
        cluster.kube.delete(INFRASTRUCTURE, "oscclusters", name)
        of_machine = cluster.osc_machine(machine)["metadata"]["name"]
        cluster.kube.delete(INFRASTRUCTURE, "oscmachines", of_machine)
        spec.throughout(is_untouched, for_="quiet")
    with spec.step("Unpaused, it goes, and leaves nothing"):
        cluster.pause(paused=False)
        spec.eventually(cluster.is_gone, within="deleted")
        spec.nothing_is_left()


def _is_paused(spec: Spec) -> None:
    with spec.step("Paused, all of its objects say so"):
        spec.cluster.pause(paused=True)
        for kind in PAIR:
            probe = functools.partial(spec.cluster.says, kind, "Paused", "True")
            spec.eventually(probe, within="noticed")


def _routed(spec: Spec) -> list[str]:
    """Return the route tables from which there is a way to anywhere."""
    return [
        row["RouteTableId"]
        for row in spec.footprint.rows("RouteTables")
        if ANYWHERE in {route["DestinationIpRange"] for route in row["Routes"]}
    ]


def _has_route(spec: Spec, table: str) -> None:
    routed = _routed(spec)
    need(table in routed, saw=f"of the route tables, {routed} lead anywhere, and {table} does not")
