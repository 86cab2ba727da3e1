"""Spec 2: deleting the Cluster leaves no object and an empty cloud, whenever it is done."""

from __future__ import annotations

import pytest

from e2e.spec import Spec
from e2e.waits import need

MOMENTS = ("Nets", "NatServices", "LoadBalancers", "Vms")
"""Kinds of what a cluster has in the cloud, in the order in which it gets them."""


def test_a_deleted_cluster_leaves_nothing(spec: Spec) -> None:
    """Delete a cluster that is there."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine"):
        cluster.apply(cluster.manifest())
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
    _is_deleted(spec)


@pytest.mark.parametrize("kind", MOMENTS)
def test_a_cluster_deleted_while_it_is_made_leaves_nothing(spec: Spec, kind: str) -> None:
    """Delete a cluster as soon as the cloud has something of a kind."""
    cluster = spec.cluster
    with spec.step(f"A cluster of which the first of the {kind} has been made"):
        cluster.apply(cluster.manifest())
        spec.eventually(lambda: _has(spec, kind), within="cluster-provisioned")
    _is_deleted(spec)


def _has(spec: Spec, kind: str) -> None:
    need(spec.count(kind), saw=f"the cluster has none of the {kind}")


def _is_deleted(spec: Spec) -> None:
    with spec.step("kubectl delete cluster: no object is left"):
        spec.cluster.delete()
        spec.eventually(spec.cluster.is_gone, within="deleted")
    with spec.step("Nothing is left in the cloud"):
        # At once: an object that is gone waits for nothing any more.
        spec.nothing_is_left()
