"""Clusters as users of the Go provider write them, on a core that speaks only v1beta1.

Everything goes the way that it goes in production: v1beta1 objects through conversion, defaulting
and validation, the manager, and the cloud. What is made there is what the Go provider documents:
https://github.com/outscale/cluster-api-provider-outscale
"""

import ipaddress
import types

import pytest

from provider.kube import kinds
from tests.contract.kube.client import eventually
from tests.functional.provider import clusters, driver, hooked, releases
from tests.functional.provider.stage import CLUSTER_LABEL, RATE, Replica, keys

WITHIN_S = 60.0
OLD = "v1beta1"
CORE = (OLD,)
CLUSTER, MACHINE = kinds.CLUSTER.at(OLD), kinds.MACHINE.at(OLD)
OSC_CLUSTER, OSC_MACHINE = kinds.OSC_CLUSTER.at(OLD), kinds.OSC_MACHINE.at(OLD)
OSC_MACHINE_TEMPLATE = kinds.OSC_MACHINE_TEMPLATE.at(OLD)
FLAVOURS = {"": "a", "secure": "a", "multiaz": "abc", "multiaz-secure": "abc"}
"""The subregions of each flavour."""
ANYWHERE, NET = "0.0.0.0/0", "10.0.0.0/16"
ALLOWED = [releases.VARIABLES["OSC_ALLOW_FROM"], releases.VARIABLES["OSC_ALLOW_FROM_CAPI"]]
IMAGE = "ubuntu-2204-kubernetes-v1.33.6-2025-11-17"
# What the Go provider's own templates come to: no owner, and IOPS for a disk that has none.
VALUES = {"OSC_IMAGE_NAME": IMAGE, "OSC_IMAGE_ACCOUNT_ID": "", "OSC_IOPS": "1500"}


@pytest.fixture(name="older")
def _older(bare, tmp_path):
    """Be a management cluster of that era, with our kinds and webhooks."""
    with hooked.serving(tmp_path) as hooks:
        bare.install(hooked.definitions(hooks))
        for where, configuration in hooked.configurations(hooks):
            bare.client.must("POST", where, configuration)
        yield bare


def as_published(objects, letters):
    """Write what the Go provider's own templates write in another way, or leave out."""
    for each in objects:
        if each["kind"] == "OscCluster":
            network = {"bastion": {"enable": False}, "subregionName": f"eu-west-2{letters[0]}"}
            each["spec"]["network"] |= network
        elif each["kind"] == "OscMachineTemplate":
            node = each["spec"]["template"]["spec"]["node"]
            node["image"] = {"name": node["image"]["name"]}
            if node["vm"]["role"] == "worker":
                del node["vm"]["role"]
    return objects


class Core:
    """Does what Cluster API 1.10 does with the objects of a cluster, as far as we see it."""

    def __init__(self, stage, objects):
        self.stage = stage
        self.found = {(each["kind"], each["metadata"]["name"]): each for each in objects}
        cluster = self.found["Cluster", "demo"]
        self.owner = stage.create(CLUSTER, "demo", spec=cluster["spec"])
        for (kind, name), each in self.found.items():
            if kind == "OscMachineTemplate":
                stage.create(OSC_MACHINE_TEMPLATE, name, spec=each["spec"])
        owned = stage._owned("demo", self.owner, "Cluster")
        # As after a move, so that the names in the cloud are known.
        owned["labels"]["outscale.com/clusterUID"] = driver.UID
        spec = self.found["OscCluster", "demo"]["spec"]
        stage.create(OSC_CLUSTER, "demo", metadata=owned, spec=spec)

    def provision(self):
        """Wait for the infrastructure, as the contract v1beta1 says; return the OscCluster."""
        stage = self.stage
        eventually(lambda: stage.status(OSC_CLUSTER, "demo").get("ready"), WITHIN_S)
        stage.patch(CLUSTER, "demo", "status", status={"infrastructureReady": True})
        return stage.get(OSC_CLUSTER, "demo")

    def machine(self, template, **labels):
        """Clone a machine from a template; return it once it is ready."""
        stage, name = self.stage, f"{template}-abcde"
        labels = {CLUSTER_LABEL: "demo", **labels}
        stage.secret(f"{name}-data", labels, value="#cloud-config\n")
        reference = {"apiVersion": OSC_MACHINE.api_version, "kind": "OscMachine", "name": name}
        spec = {
            "clusterName": "demo",
            "bootstrap": {"dataSecretName": f"{name}-data"},
            "infrastructureRef": reference,
        }
        made = stage.create(MACHINE, name, metadata={"labels": labels}, spec=spec)
        owned = stage._owned("demo", made, "Machine")
        owned["labels"] |= labels
        spec = stage.get(OSC_MACHINE_TEMPLATE, template)["spec"]["template"]["spec"]
        stage.create(OSC_MACHINE, name, metadata=owned, spec=spec)
        eventually(lambda: stage.status(OSC_MACHINE, name).get("ready"), WITHIN_S)
        return stage.get(OSC_MACHINE, name)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_template_of_the_go_provider_makes_what_it_documents(older, sky, flavour):
    sky.cloud.call("CreateKeypair", KeypairName=releases.VARIABLES["OSC_KEYPAIR_NAME"])
    run = types.SimpleNamespace(fake=sky.cloud)
    letters = FLAVOURS[flavour]
    with Replica(older, environment=keys(sky), rate=RATE):
        core = Core(older, as_published(releases.cluster(flavour, OLD, **VALUES), letters))
        found = core.provision()
        nats = the_network_is_documented(run, letters)
        the_groups_let_through_what_is_documented(run, letters, nats, "secure" in flavour)
        the_load_balancer_is_documented(run, found)
        domains = {f"eu-west-2{letter}": {"controlPlane": True} for letter in letters}
        assert found["status"]["failureDomains"] == domains

        control_plane = {"cluster.x-k8s.io/control-plane": ""}
        made = core.machine("demo-control-plane", **control_plane)
        the_vm_is_as_written(run, made, "controlplane", letters)
        for name, at in [("md-0", "a")] if letters == "a" else [(f"md-{x}", x) for x in letters]:
            deployment = {"cluster.x-k8s.io/deployment-name": f"demo-{name}"}
            made = core.machine(f"demo-{name}", **deployment)
            the_vm_is_as_written(run, made, "worker", at)


# --- The network ---------------------------------------------------------------------------------


def ranges(letters, role):
    """Return the ranges of the subnets with a role, one for each subregion."""
    first = {"public": 2, "worker": 3, "controlplane": 4}[role]
    return [f"10.0.{first + 3 * index}.0/24" for index in range(len(letters))]


def the_network_is_documented(run, letters):
    """Check the Net and what is in it; return the public IPs of the NAT services."""
    net = clusters.one(run, "Nets")
    assert (net["IpRange"], clusters.name(net)) == (NET, "Net for demo")
    gate = clusters.one(run, "InternetServices")
    assert clusters.name(gate) == "Internet Service for demo"
    assert gate["NetId"] == net["NetId"]
    subnets = {row["IpRange"]: row for row in clusters.live(run, "Subnets")}
    assert len(subnets) == 3 * len(letters)
    nats = {row["SubnetId"]: row for row in clusters.live(run, "NatServices")}
    assert len(nats) == len(letters)
    for index, letter in enumerate(letters):
        here = f"eu-west-2{letter}"
        public = subnets[ranges(letters, "public")[index]]
        nat = nats[public["SubnetId"]]
        assert clusters.name(nat) == f"Nat service for demo/{here}"
        for kind, role, roles, target in (
            ("Public", "public", {"loadbalancer", "bastion", "nat"}, gate["InternetServiceId"]),
            ("Worker", "worker", {"worker"}, nat["NatServiceId"]),
            ("Controlplane", "controlplane", {"controlplane"}, nat["NatServiceId"]),
        ):
            row = subnets[ranges(letters, role)[index]]
            assert (row["NetId"], row["SubregionName"]) == (net["NetId"], here)
            assert clusters.name(row) == f"{kind} subnet for demo/{here}"
            assert clusters.roles(row) == roles
            assert clusters.routes(run, row["SubnetId"]) == {ANYWHERE: target}
    return [row["PublicIps"][0]["PublicIp"] for row in nats.values()]


def the_load_balancer_is_documented(run, osc_cluster):
    (row,) = driver.inventory(run.fake)["LoadBalancers"]
    assert (row["LoadBalancerName"], row["LoadBalancerType"]) == ("demo-k8s", "internet-facing")
    endpoint = {"host": row["DnsName"], "port": 6443}
    assert osc_cluster["spec"]["controlPlaneEndpoint"] == endpoint
    ports = ("BackendPort", "BackendProtocol", "LoadBalancerPort", "LoadBalancerProtocol")
    (listener,) = row["Listeners"]
    assert tuple(listener[each] for each in ports) == (6443, "TCP", 6443, "TCP")
    assert {key: row["HealthCheck"].get(key) for key in HEALTH} == HEALTH
    assert row["SecurityGroups"] == [clusters.group(run, "demo-lb")["SecurityGroupId"]]
    (subnet,) = row["Subnets"]
    assert subnet in {each["SubnetId"] for each in clusters.with_role(run, "Subnets", "nat")}
    assert clusters.name(row) == f"demo-k8s-{driver.UID}"


HEALTH = {
    "Protocol": "TCP",
    "Port": 6443,
    "CheckInterval": 10,
    "Timeout": 10,
    "HealthyThreshold": 2,
    "UnhealthyThreshold": 3,
}

# --- Security groups -----------------------------------------------------------------------------

GROUPS = {
    "lb": {"loadbalancer"},
    "worker": {"worker"},
    "controlplane": {"controlplane"},
    "node": {"controlplane", "worker"},
}
# Where docs/firewall.md says that we differ, ours: no 2378, 10251 or 10252, Typha with tcp, and an
# echo request with code 0.
RULES = (
    ("lb", "Inbound", "tcp", 6443, 6443, "allowed"),
    ("lb", "Outbound", "tcp", 6443, 6443, "controlplane"),
    ("worker", "Inbound", "tcp", 443, 443, "controlplane"),
    ("worker", "Inbound", "tcp", 1024, 65535, "controlplane"),
    ("worker", "Inbound", "tcp", 10250, 10250, "private"),
    ("controlplane", "Inbound", "tcp", 6443, 6443, "net"),
    ("controlplane", "Inbound", "tcp", 2379, 2380, "controlplane"),
    ("controlplane", "Inbound", "tcp", 10250, 10250, "controlplane"),
    ("node", "Inbound", "tcp", 179, 179, "net"),
    ("node", "Inbound", "udp", 4789, 4789, "net"),
    ("node", "Inbound", "tcp", 5473, 5473, "net"),
    ("node", "Inbound", "udp", 8285, 8285, "net"),
    ("node", "Inbound", "udp", 51820, 51821, "net"),
    ("node", "Inbound", "4", -1, -1, "net"),
    ("node", "Inbound", "icmp", 8, 0, "net"),
    ("node", "Inbound", "tcp", 4240, 4240, "net"),
    ("node", "Inbound", "tcp", 4244, 4244, "net"),
    ("node", "Inbound", "udp", 8472, 8472, "net"),
    ("node", "Inbound", "udp", 51871, 51871, "net"),
    ("node", "Inbound", "tcp", 30000, 32767, "net"),
    ("node", "Outbound", "-1", -1, -1, "anywhere"),
)


def the_groups_let_through_what_is_documented(run, letters, nats, is_secure):
    control_planes, workers = (ranges(letters, each) for each in ("controlplane", "worker"))
    sources = {
        "allowed": [*ALLOWED, *(f"{each}/32" for each in nats)] if is_secure else [ANYWHERE],
        "controlplane": control_planes,
        "private": [*control_planes, *workers],
        "net": [NET],
        "anywhere": [ANYWHERE],
    }
    rows = {key: clusters.group(run, f"demo-{key}") for key in GROUPS}
    assert len(clusters.live(run, "SecurityGroups")) == len(rows)
    for key, row in rows.items():
        assert clusters.roles(row) == GROUPS[key]
        is_main = f"OscK8sMainSG/{driver.UID}" in clusters.tags(row)
        assert is_main == (key == "node")
    for key, flow, protocol, first, last, source in RULES:
        found = clusters.rules(rows[key], flow)
        for wanted in sources[source]:
            assert any(covers(rule, protocol, first, last, wanted) for rule in found), (
                key,
                flow,
                protocol,
                first,
                wanted,
            )
    reached = {each for *_, each in clusters.rules(rows["lb"])}
    assert reached - {NET} == set(sources["allowed"])


def covers(rule, protocol, first, last, ip_range):
    """Tell whether a rule lets all of this through; a group is born with one that lets all out."""
    its_protocol, low, high, its_range = rule
    if not ipaddress.ip_network(ip_range).subnet_of(ipaddress.ip_network(its_range)):
        return False
    if its_protocol != protocol:
        return its_protocol == "-1"
    has_ports = protocol in {"tcp", "udp"}
    return low <= first <= last <= high if has_ports else (low, high) == (first, last)


# --- Machines ------------------------------------------------------------------------------------


def the_vm_is_as_written(run, osc_machine, role, letters):
    """Check the VM of a machine in one of these subregions, and what v1beta1 says of it."""
    subregion, vm_id = osc_machine["spec"]["providerID"].removeprefix("aws:///").split("/")
    assert subregion in {f"eu-west-2{letter}" for letter in letters}
    (vm,) = [row for row in driver.inventory(run.fake)["Vms"] if row["VmId"] == vm_id]
    assert vm["Placement"]["SubregionName"] == subregion
    values = releases.VARIABLES
    assert (vm["VmType"], vm["KeypairName"]) == (values["OSC_VM_TYPE"], values["OSC_KEYPAIR_NAME"])
    cloud = driver.Direct(run.fake)
    (image,) = cloud.read("ReadImages", Filters={"ImageIds": [vm["ImageId"]]})
    assert image["ImageName"] == IMAGE
    (subnet,) = [
        row for row in clusters.with_role(run, "Subnets", role) if row["SubnetId"] == vm["SubnetId"]
    ]
    assert subnet["SubregionName"] == subregion
    groups = {each["SecurityGroupId"] for each in vm["SecurityGroups"]}
    wanted = [clusters.group(run, f"demo-{each}") for each in (role, "node")]
    assert groups == {each["SecurityGroupId"] for each in wanted}
    (disk,) = vm["BlockDeviceMappings"]
    (volume,) = cloud.read("ReadVolumes", Filters={"VolumeIds": [disk["Bsu"]["VolumeId"]]})
    size = int(values["OSC_VOLUME_SIZE"])
    assert (volume["VolumeType"], volume["Size"]) == ("gp2", size)
    status = osc_machine["status"]
    assert (status["failureDomain"], status["vmState"]) == (subregion, "running")
    assert {"type": "InternalIP", "address": vm["PrivateIp"]} in status["addresses"]
    backends = driver.inventory(run.fake)["LoadBalancers"][0].get("BackendVmIds") or []
    assert (vm_id in backends) == (role == "controlplane")
