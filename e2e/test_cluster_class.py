"""Spec 6: a cluster of a ClusterClass is made, and changed by a variable."""

from __future__ import annotations

from e2e.cluster import condition
from e2e.kube import CORE, INFRASTRUCTURE, Object
from e2e.spec import Spec
from e2e.waits import need

BIGGER = "tinav6.c4r8p2"


def test_a_cluster_of_a_class_follows_its_variables(spec: Spec) -> None:
    """Make a cluster from the topology flavour, and give it bigger VMs."""
    cluster = spec.cluster
    with spec.step("clusterctl generate cluster --flavor topology brings the class as well"):
        cluster.apply(cluster.manifest("--flavor=topology"))
    with spec.step("It is provisioned as any other"):
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        spec.eventually(lambda: _is_reconciled(spec), within="noticed")
    with spec.step("Nothing is rotated as long as nothing is changed"):
        before = _used(spec)
        spec.throughout(lambda: _is_same(spec, before), for_="quiet")
    with spec.step("Another vmType: other templates are used, and none is changed"):
        _set_variable(spec, "vmType", BIGGER)
        spec.eventually(lambda: _is_rotated(spec), within="noticed")
        both = before.keys() & _used(spec).keys()
        assert not both, f"{', '.join(both)} got another vmType, and kept their names."
        spec.eventually(lambda: _is_reconciled(spec), within="noticed")
    with spec.step("Nothing is rotated again"):
        before = _used(spec)
        spec.throughout(lambda: _is_same(spec, before), for_="quiet")


def _set_variable(spec: Spec, name: str, value: str) -> None:
    found = spec.cluster.is_provisioned()
    rows: list[Object] = found["spec"]["topology"]["variables"]
    new = [{**row, "value": value} if row["name"] == name else row for row in rows]
    patch = {"spec": {"topology": {"variables": new}}}
    spec.cluster.kube.patch(CORE, "clusters", spec.cluster.name, patch)


def _is_reconciled(spec: Spec) -> None:
    told = condition(spec.cluster.is_provisioned(), "TopologyReconciled")
    need(told.get("status") == "True", saw=f"TopologyReconciled is {told}")


def _used(spec: Spec) -> dict[str, str]:
    """Return the VM type of each template that control plane and workers are made from."""
    rows = spec.cluster.kube.items(INFRASTRUCTURE, "oscmachinetemplates")
    types = {r["metadata"]["name"]: r["spec"]["template"]["spec"]["vm"]["vmType"] for r in rows}
    workers = spec.cluster.kube.items(CORE, "machinedeployments")
    names = [row["spec"]["template"]["spec"]["infrastructureRef"]["name"] for row in workers]
    names += [
        row["spec"]["machineTemplate"]["spec"]["infrastructureRef"]["name"]
        for row in spec.cluster.objects("KubeadmControlPlane")
    ]
    # A template may be gone between the two looks.
    return {name: types.get(name, "none") for name in names}


def _is_same(spec: Spec, before: dict[str, str]) -> None:
    now = _used(spec)
    need(now == before, saw=f"templates were {before} and are {now}")
    _is_reconciled(spec)


def _is_rotated(spec: Spec) -> None:
    """Find two templates in use, both with the new type."""
    used, told = _used(spec), condition(spec.cluster.is_provisioned(), "TopologyReconciled")
    need(
        list(used.values()) == [BIGGER, BIGGER],
        saw=f"templates {used} are in use; {told.get('reason')}: {told.get('message')}",
    )
