"""OscMachine and OscMachineTemplate."""

from __future__ import annotations

from provider.api.common import (
    Address,
    Condition,
    NodeInfo,
    Object,
    Part,
    Quantity,
    TemplateMetadata,
    field,
)
from provider.api.v1beta2.cluster import Initialization, Intent, Resources
from provider.api.v1beta2.network import VOLUME_TYPES, Image, RootDisk


class FlexibleGpu(Part):
    """A GPU that is attached to the VM, and released with it."""

    model: str = ""
    """The model, such as ``nvidia-h100``. Default: none."""


class Placement(Part):
    """Where a VM stands in relation to others."""

    repulse_server: str | None = None
    """Keep VMs with the same value on different servers. Default for workers: the name of their
    MachineDeployment, unless something else is set here; an empty string switches this off."""
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


class Vm(Part):
    """The VM of a machine."""

    role: str = field("worker", enum=["controlplane", "worker"])
    """controlplane or worker. Default: what Cluster API says the machine is, else worker."""
    vm_type: str = field("tinav4.c4r8p1", suggested=True, minLength=1)
    """The type of the VM. Default: tinav4.c4r8p1."""
    keypair_name: str = field("", needed=True, minLength=1)
    """The keypair that may log in."""
    image: Image = Image()
    """What it starts from."""
    root_disk: RootDisk = RootDisk()
    """Its root volume."""
    subregions: list[str] = []
    """Where to put it, unless Cluster API says. Default: the subregions of the cluster."""
    subregion_mode: str = field("leastNodes", suggested=True, enum=["leastNodes", "random"])
    """How to choose one of ``subregions``: where the fewest machines are, or by chance."""
    subnet_name: str = ""
    """The subnet to put it into. Default: the one with its role."""
    security_group_names: list[str] = []
    """Its security groups. Default: those with its role."""
    private_ips: list[str] = []
    """Its private addresses. Default: one that the subnet has free."""
    public_ip: bool = False
    """Whether it has a public IP."""
    public_ip_pool: str = ""
    """Take its public IP from those tagged ``OscK8sIPPool`` with this value."""
    flexible_gpu: FlexibleGpu = FlexibleGpu()
    """Its GPU."""
    tags: dict[str, str] = {}
    """Further tags of the VM."""
    placement: Placement = Placement()
    """Where it stands in relation to others."""
    source_dest_check: bool | None = None
    """Whether traffic that is neither from nor to the VM itself is dropped. Default: as it is set
    at the VM, which is true for a new one."""
    resource_id: str = ""
    """The id of a VM that exists already."""


class Volume(Part):
    """A further volume of a VM."""

    name: str = ""
    """The name of the volume."""
    device: str = field("", needed=True, maxLength=32)
    """The device it appears as, such as ``/dev/xvdb``."""
    size: int = field(0, minimum=1, maximum=14901)
    """The size in GiB. Default: that of ``fromSnapshot``."""
    type: str = field("standard", suggested=True, enum=VOLUME_TYPES)
    """standard, gp2 or io1. Default: standard."""
    iops: int = field(0, minimum=1, maximum=13000)
    """I/O operations per second, for io1 only."""
    from_snapshot: str = ""
    """The id of the snapshot to make it from."""


class OscMachineSpec(Part):
    """What a machine is to be."""

    provider_id: str = field("", alias="providerID", maxLength=512)
    """``aws:///<subregion>/<id of the VM>``. Set by the provider; once set, it stays."""
    vm: Vm = field(Vm(), needed=True)
    """The VM."""
    # No map by device: of two items with one key, the server would forgive none what is odd.
    volumes: list[Volume] = field([], maxItems=128)
    """Its further volumes."""


class OscMachineStatus(Part):
    """What a machine is."""

    initialization: Initialization = Initialization()
    """What was reached once."""
    addresses: list[Address] = field([], maxItems=128)
    """The addresses of the VM."""
    failure_domain: str = field("", maxLength=256)
    """The subregion of the VM."""
    vm_state: str = ""
    """The state of the VM."""
    conditions: list[Condition] = field([], list_type="map", list_keys=["type"], maxItems=32)
    """How things are."""
    resources: Resources = {}
    """The ids of what is there, by kind and key."""
    intents: list[Intent] = []
    """Creates that may have happened."""


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
    """What such a node has: cpu, memory and more. Empty for VM types whose size is published
    nowhere, such as inference7-h100.medium: there the annotations of the autoscaler have to say
    it."""
    node_info: NodeInfo = NodeInfo()
    """What such a node is like."""
    conditions: list[Condition] = field([], list_type="map", list_keys=["type"], maxItems=32)
    """How things are."""


class OscMachineTemplate(Object):
    """A template of OscMachines."""

    spec: OscMachineTemplateSpec = OscMachineTemplateSpec()
    """What it is made of."""
    status: OscMachineTemplateStatus = OscMachineTemplateStatus()
    """What machines made from it are like."""
