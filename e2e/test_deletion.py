"""Spec 2: deleting the Cluster leaves no object and an empty cloud, whenever it is done."""

from __future__ import annotations

import pytest

from e2e.conftest import Spec
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
    new = spec.cloud.inventory() - spec.before
    need(any(each.startswith(f"{kind} ") for each in new), saw=f"the cloud has only {sorted(new)}")


def _is_deleted(spec: Spec) -> None:
    with spec.step("kubectl delete cluster: no object is left"):
        spec.cluster.delete()
        spec.eventually(spec.cluster.is_gone, within="deleted")
    with spec.step("The cloud is as it was before"):
        # At once: an object that is gone waits for nothing any more.
        spec.cloud_is_as_before()
