"""Clusters as users of the Go provider have them in their repositories, on the core of today.

All objects are of v1beta1, those of Cluster API too. The templates are those of a release for older
cores, with what the Go provider's say: an image without an owner, and IOPS for disks of type gp2.
"""

from __future__ import annotations

from pathlib import Path

from e2e.cluster import Cluster
from e2e.kube import Object
from e2e.spec import Spec
from e2e.waits import need

TEMPLATES = Path(__file__).parents[1] / "templates" / "v1beta1"
OLD = "infrastructure.cluster.x-k8s.io/v1beta1"
FLAVOURS = ("", "-secure", "-multiaz", "-multiaz-secure")
ALLOWED = ["192.0.2.0/24", "198.51.100.7/32"]
VARIABLES = {
    "OSC_IMAGE_OPENSOURCE": "false",
    "OSC_IOPS": "1500",
    "OSC_VOLUME_TYPE": "gp2",
    "OSC_ALLOW_FROM": ALLOWED[0],
    "OSC_ALLOW_FROM_CAPI": ALLOWED[1],
}


def test_clusters_written_for_the_go_provider_are_provisioned(spec: Spec) -> None:
    """Apply one cluster of each flavour, all at once, and follow them to their first VMs."""
    wide = len(spec.cloud.rows("Subregions")) >= len("abc")
    flavours = [each for each in FLAVOURS if wide or "multiaz" not in each]
    names = {flavour: f"{spec.cluster.name}{flavour}" for flavour in flavours}
    clusters = {
        flavour: Cluster(spec.management, spec.cluster.namespace, name, spec.footprint)
        for flavour, name in names.items()
    }
    with spec.step("clusterctl generate cluster --from the templates, and kubectl apply"):
        for flavour, cluster in clusters.items():
            place = TEMPLATES / f"cluster-template{flavour}.yaml"
            counts = ("--control-plane-machine-count=1", "--worker-machine-count=1")
            cluster.apply(cluster.manifest(f"--from={place}", *counts, **VARIABLES))
    for flavour, cluster in clusters.items():
        with spec.step(f"{cluster.name} is Provisioned, and v1beta1 shows what it has"):
            spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
            _shows_what_there_is(spec, cluster, "abc" if "multiaz" in flavour else "a")
            _is_open_for(spec, cluster, ALLOWED if "secure" in flavour else ["0.0.0.0/0"])
    for cluster in clusters.values():
        with spec.step(f"The control plane of {cluster.name} has a VM as it was written"):
            machine = spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
            _is_as_written(spec, machine)


def _shows_what_there_is(spec: Spec, cluster: Cluster, letters: str) -> None:
    found = cluster.kube.get(OLD, "oscclusters", cluster.name)
    need(found, saw=f"there is no OscCluster {cluster.name} in {OLD}")
    assert found is not None, "It is needed."
    status, spec_ = found["status"], found["spec"]
    region = spec.ground.variables["OSC_REGION"]
    domains = {f"{region}{letter}": {"controlPlane": True} for letter in letters}
    assert (status["ready"], status["failureDomains"]) == (True, domains), status
    balancers = {row["LoadBalancerName"]: row for row in spec.cloud.rows("LoadBalancers")}
    host = balancers[spec_["network"]["loadBalancer"]["loadbalancername"]]["DnsName"]
    assert spec_["controlPlaneEndpoint"] == {"host": host, "port": 6443}


def _is_open_for(spec: Spec, cluster: Cluster, ranges: list[str]) -> None:
    """Find that all these ranges may reach the Kubernetes API, and otherwise only our own NATs."""
    found = cluster.osc_cluster()
    groups = found["status"]["resources"]["securityGroup"]
    (group,) = [id_ for name, id_ in groups.items() if name.startswith(f"{cluster.name}-lb")]
    (row,) = [row for row in spec.cloud.rows("SecurityGroups") if row["SecurityGroupId"] == group]
    open_for = {each for rule in row["InboundRules"] for each in rule.get("IpRanges", ())}
    own = {f"{each['PublicIp']}/32" for each in spec.footprint.rows("PublicIps")}
    assert set(ranges) <= open_for <= {*ranges, *own, "10.0.0.0/16"}, open_for


def _is_as_written(spec: Spec, machine: Object) -> None:
    (vm,) = [row for row in spec.cloud.rows("Vms") if row["VmId"] in machine["spec"]["providerID"]]
    image = {row["ImageId"]: row for row in spec.cloud.rows("Images")}[vm["ImageId"]]
    assert image["ImageName"].startswith("ubuntu-2204-kubernetes"), image
    (disk,) = vm["BlockDeviceMappings"]
    volumes = {row["VolumeId"]: row for row in spec.cloud.rows("Volumes")}
    volume = volumes[disk["Bsu"]["VolumeId"]]
    assert (volume["VolumeType"], volume["Size"]) == ("gp2", 30), volume
