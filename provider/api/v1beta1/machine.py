"""OscMachine and OscMachineTemplate, as the Go provider spells them."""

from __future__ import annotations

from provider.api.common import NodeInfo, Object, Part, Quantity, TemplateMetadata, field
from provider.api.v1beta1.cluster import (
    Condition,
    OscResourceReference,
    Resources,
    V1Beta2Status,
)
from provider.api.v1beta1.vm import (
    OscImage,
    OscPrivateIpElement,
    OscReconciliationRule,
    OscRootDisk,
    OscSecurityGroupElement,
)


class Address(Part):
    """An address of a machine."""

    type: str = field("", needed=True)
    """Hostname, ExternalIP, InternalIP, ExternalDNS or InternalDNS."""
    address: str = field("", needed=True)
    """The address."""


class OscFGPU(Part):
    """A GPU that is attached to the VM, and released with it."""

    model: str = ""
    """The model, such as nvidia-h100."""


class OscPlacement(Part):
    """Where a VM stands in relation to others."""

    repulse_server: str | None = None
    """Keep VMs with the same value on different servers. Default for workers: the name of their
    MachineDeployment; an empty string switches this off."""
    attract_server: str = ""
    """Keep VMs with the same value on the same server."""
    server_strict: bool = False
    """Rather have no VM than one on a server that these two rule out."""
    repulse_cluster: str = ""
    """Keep VMs with the same value in different clusters of servers."""
    attract_cluster: str = ""
    """Keep VMs with the same value in the same cluster of servers."""
    cluster_strict: bool = False
    """Rather have no VM than one in a cluster of servers that these two rule out."""


class OscVm(Part):
    """The VM of a machine."""

    name: str = ""
    """Not used: a VM has the name of its OscMachine."""
    image_id: str = ""
    """The id of the image; image.name wins."""
    keypair_name: str = field("", needed=True)
    """The keypair that may log in."""
    vm_type: str = field("tinav4.c4r8p1", suggested=True)
    """The type of the VM. Default: tinav4.c4r8p1."""
    volume_name: str = ""
    """Not used."""
    volume_device_name: str = ""
    """Not used."""
    device_name: str = ""
    """Not used."""
    subnet_name: str = ""
    """The subnet to put it into. Deprecated: give a subnet its role."""
    root_disk: OscRootDisk = OscRootDisk()
    """Its root volume. Default: 60 GiB of io1 with 1500 IOPS."""
    load_balancer_name: str = ""
    """Not used."""
    public_ip_name: str = ""
    """Not used."""
    public_ip: bool = False
    """Whether it has a public IP."""
    public_ip_pool: str = ""
    """Take its public IP from those tagged OscK8sIPPool with this value."""
    subregion_name: str = ""
    """The subregion. Deprecated: use subregionNames."""
    subregion_names: list[str] = []
    """Where to put it, unless Cluster API says. Default: the subregions of the cluster."""
    subregion_mode: str = field("leastNodes", suggested=True, enum=["leastNodes", "random"])
    """How to choose one of subregionNames. Default: leastNodes."""
    private_ips: list[OscPrivateIpElement] = []
    """Its private addresses."""
    security_group_names: list[OscSecurityGroupElement] = []
    """Its security groups. Deprecated: give security groups its role."""
    resource_id: str = ""
    """The id of a VM that exists already."""
    role: str = ""
    """controlplane or worker. Default: worker."""
    cluster_name: str = ""
    """Not used."""
    replica: int = 0
    """Not used."""
    tags: dict[str, str] = {}
    """Further tags of the VM."""
    fgpu: OscFGPU = field(OscFGPU(), alias="fGPU")
    """Its GPU."""
    placement: OscPlacement = OscPlacement()
    """Where it stands in relation to others."""


class OscVolume(Part):
    """A further volume of a VM."""

    name: str = ""
    """The name of the volume."""
    device: str = field("", needed=True)
    """The device it appears as, such as /dev/xvdb."""
    iops: int = 0
    """I/O operations per second, for io1 only."""
    size: int = 0
    """The size in GiB."""
    subregion_name: str = ""
    """Not used."""
    volume_type: str = field("standard", suggested=True)
    """standard, gp2 or io1. Default: standard."""
    resource_id: str = ""
    """Not used."""
    from_snapshot: str = ""
    """The id of the snapshot to make it from."""


class OscKeypair(Part):
    """Not used: say vm.keypairName."""

    name: str = ""
    """Not used."""
    public_key: str = ""
    """Not used."""
    resource_id: str = ""
    """Not used."""
    cluster_name: str = ""
    """Not used."""
    delete_keypair: bool = False
    """Not used."""


class OscNode(Part):
    """A VM and what belongs to it."""

    vm: OscVm = OscVm()
    """The VM."""
    image: OscImage = OscImage()
    """What it starts from."""
    volumes: list[OscVolume] = []
    """Its further volumes."""
    keypair: OscKeypair = OscKeypair()
    """Not used: say vm.keypairName."""
    cluster_name: str = ""
    """Not used."""
    reconciliation_rule: OscReconciliationRule = OscReconciliationRule()
    """When the Go provider looks again. Not used: everything is looked at on every pass."""


class OscMachineSpec(Part):
    """What a machine is to be."""

    provider_id: str = field("", alias="providerID")
    """aws:///<subregion>/<id of the VM>. Once set, it stays."""
    node: OscNode = OscNode()
    """The VM and what belongs to it."""


class OscNodeResource(Part):
    """Ids that release 0.4 of the Go provider kept. They are not set any more."""

    volume_ref: OscResourceReference = OscResourceReference()
    """Volumes."""
    image_ref: OscResourceReference = OscResourceReference()
    """Images."""
    keypair_ref: OscResourceReference = OscResourceReference()
    """Keypairs."""
    vm_ref: OscResourceReference = OscResourceReference()
    """VMs."""
    link_public_ip_ref: OscResourceReference = OscResourceReference()
    """Links between public IPs and VMs."""
    public_ip_id_ref: OscResourceReference = OscResourceReference()
    """Public IPs."""


class OscMachineStatus(Part):
    """What a machine is."""

    ready: bool = False
    """Whether the VM has been running."""
    addresses: list[Address] = []
    """The addresses of the VM."""
    failure_domain: str = ""
    """The subregion of the VM."""
    failure_reason: str = ""
    """Why the machine cannot work any more, in one word."""
    failure_message: str = ""
    """Why the machine cannot work any more, in sentences."""
    vm_state: str = ""
    """The state of the VM."""
    node: OscNodeResource = OscNodeResource()
    """Ids that release 0.4 of the Go provider kept."""
    resources: Resources = {}
    """The ids of what is there, by kind and key."""
    reconciler_generation: dict[str, int] = {}
    """What the Go provider has seen."""
    conditions: list[Condition] = []
    """How things are."""
    v1beta2: V1Beta2Status = field(V1Beta2Status(), alias="v1beta2")
    """How things are, in the form of the next version."""


class OscMachine(Object):
    """A machine of a cluster: a VM on OUTSCALE."""

    spec: OscMachineSpec = OscMachineSpec()
    """What it is to be."""
    status: OscMachineStatus = OscMachineStatus()
    """What it is."""


class OscMachineTemplateResource(Part):
    """What each OscMachine made from the template gets."""

    metadata: TemplateMetadata = TemplateMetadata()
    """Its labels and annotations."""
    spec: OscMachineSpec = field(OscMachineSpec(), needed=True)
    """Its spec."""


class OscMachineTemplateSpec(Part):
    """What a template is made of."""

    template: OscMachineTemplateResource = field(OscMachineTemplateResource(), needed=True)
    """What each OscMachine gets."""


class OscMachineTemplateStatus(Part):
    """What machines made from a template are like, for scaling up from none."""

    capacity: dict[str, Quantity] = {}
    """What such a node has: cpu, memory and more."""
    node_info: NodeInfo = NodeInfo()
    """What such a node is like."""
    conditions: list[Condition] = []
    """How things are."""
    v1beta2: V1Beta2Status = field(V1Beta2Status(), alias="v1beta2")
    """How things are, in the form of the next version."""


class OscMachineTemplate(Object):
    """A template of OscMachines."""

    spec: OscMachineTemplateSpec = OscMachineTemplateSpec()
    """What it is made of."""
    status: OscMachineTemplateStatus = OscMachineTemplateStatus()
    """What machines made from it are like."""
