"""Spec 7: machines are where their failure domains say."""

from __future__ import annotations

from e2e.cluster import condition
from e2e.kube import CORE
from e2e.spec import Spec
from e2e.waits import need

LETTERS = ("a", "b", "c")


def test_a_cluster_in_several_subregions_says_so_to_cluster_api(spec: Spec) -> None:
    """Make a cluster of the multi-AZ flavour: failure domains reach Machines, and their VMs."""
    cluster = spec.cluster
    region = spec.cloud.environment["OSC_REGION"]
    wanted = {f"{region}{letter}" for letter in LETTERS}
    there = {row["SubregionName"] for row in spec.cloud.rows("Subregions")}
    lacking = ", ".join(sorted(wanted - there))
    spec.leave_out(lacking and f"{region} has no {lacking}, which the flavour multiaz needs.")
    with spec.step("clusterctl generate cluster --flavor multiaz, and kubectl apply"):
        flags = ("--control-plane-machine-count=3", "--worker-machine-count=1")
        cluster.apply(cluster.manifest("--flavor=multiaz", *flags))
    with spec.step(f"The Cluster has the failure domains {', '.join(sorted(wanted))}"):
        found = spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        domains = {row["name"]: row["controlPlane"] for row in found["status"]["failureDomains"]}
        assert domains == dict.fromkeys(wanted, True)
    with spec.step("The VM of the first control plane machine is in that of its Machine"):
        machine = spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        chosen = machine["spec"]["failureDomain"]
        assert chosen in wanted
        assert machine["status"]["failureDomain"] == chosen
        (vm,) = [r for r in spec.cloud.rows("Vms") if r["VmId"] in machine["spec"]["providerID"]]
        assert vm["Placement"]["SubregionName"] == chosen
    with spec.step("Each subregion has a NAT service, and the OscCluster is Ready"):
        assert spec.count("NatServices") == len(wanted)
        assert condition(cluster.osc_cluster(), "Ready")["status"] == "True"
    with spec.step("Workers are spread over all of them"):
        spec.eventually(lambda: _are_spread(spec, wanted), within="noticed")


def _are_spread(spec: Spec, wanted: set[str]) -> None:
    rows = spec.cluster.kube.items(CORE, "machines")
    workers = [
        row for row in rows if "cluster.x-k8s.io/deployment-name" in row["metadata"]["labels"]
    ]
    domains = sorted(row["spec"].get("failureDomain", "") for row in workers)
    need(domains == sorted(wanted), saw=f"workers are in {domains}")
