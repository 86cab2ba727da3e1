"""The network of an OscCluster: what ``spec.network`` may say."""

from __future__ import annotations

from typing import Annotated

import pydantic

from provider.api.common import Part, field

ROLES = ("controlplane", "worker", "loadbalancer", "bastion", "nat", "service", "service.internal")
API_PORT = 6443

FEATURES = ("internet", "loadbalancer")
SERVICES = ("api", "directlink", "eim", "kms", "lbu", "oos")

Role = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*ROLES]})]
Feature = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*FEATURES]})]
Service = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*SERVICES]})]

LB_PROTOCOLS = ["HTTP", "HTTPS", "TCP", "SSL"]
VOLUME_TYPES = ["standard", "gp2", "io1"]


class UseExisting(Part):
    """What exists already and is only used: never created, changed or deleted."""

    net: bool = False
    """The Net, its subnets, internet service, NAT services and route tables exist already."""
    security_groups: bool = False
    """The security groups exist already."""
    load_balancer: bool = False
    """The load balancer of ``loadBalancer.name`` exists already."""


class Net(Part):
    """The Net of the cluster."""

    name: str = ""
    """The name of the Net. Default: made from the name of the cluster."""
    ip_range: str = "10.0.0.0/16"
    """The IP range in CIDR notation. Default: 10.0.0.0/16."""
    resource_id: str = ""
    """The id of the Net to use, with ``useExisting.net``."""


class Subnet(Part):
    """A subnet of the Net."""

    name: str = ""
    """The name of the subnet. Default: made from its roles and subregion."""
    ip_range: str = ""
    """The IP range in CIDR notation, inside the range of the Net."""
    roles: list[Role] = []
    """What is put into this subnet. ``service`` and ``service.internal`` are for the cloud
    controller manager; taken off here, they stay as tags, which people may set themselves."""
    subregion: str = ""
    """The subregion. Default: the first of ``network.subregions``."""
    resource_id: str = ""
    """The id of the subnet to use, with ``useExisting.net``."""


class InternetService(Part):
    """The way from the Net to the internet."""

    name: str = ""
    """The name of the internet service. Default: made from the name of the cluster."""


class NatService(Part):
    """The way from private subnets to the internet."""

    name: str = ""
    """The name of the NAT service. Default: made from its subregion."""
    subnet_name: str = ""
    """The public subnet to put it into. Default: the one with the role ``nat``."""
    subregion: str = ""
    """The subregion it serves. Default: that of its subnet."""


class Route(Part):
    """A route."""

    target_type: str = field("", enum=["gateway", "nat"])
    """``gateway`` for the internet service, ``nat`` for a NAT service."""
    target_name: str = ""
    """The name of the NAT service. Default: the one in the same subregion."""
    destination: str = "0.0.0.0/0"
    """The IP range of the destination in CIDR notation. Default: 0.0.0.0/0."""


class RouteTable(Part):
    """A route table, and the subnets it applies to."""

    name: str = ""
    """Takes effect at creation only, and there only as a name here: each subnet has a route table
    of its own, with the name of the subnet."""
    subnets: list[str] = []
    """The names of the subnets. Default: those with ``role`` in ``subregion``."""
    role: str = field("", enum=[*ROLES])
    """Apply to all subnets with this role."""
    subregion: str = ""
    """Apply to subnets in this subregion. Default: all."""
    routes: list[Route] = []
    """The routes, beside the local one."""


class SecurityGroupRule(Part):
    """A rule of a security group."""

    flow: str = field("", needed=True, enum=["Inbound", "Outbound"])
    """Inbound or Outbound."""
    ip_protocol: str = field("", needed=True)
    """tcp, udp, icmp, -1 for all, or a protocol number (4 is IP-in-IP)."""
    ip_ranges: list[str] = []
    """The sources of an inbound, the destinations of an outbound rule, in CIDR notation."""
    from_port: int = field(-1, minimum=-1, maximum=65535)
    """The first port; the type, for icmp. Default: -1, which is all; tcp and udp need one."""
    to_port: int = field(-1, minimum=-1, maximum=65535)
    """The last port; the code, for icmp. Default: ``fromPort``, and -1 for icmp."""

    def model_post_init(self, _: object) -> None:
        """Let one port be a range of one."""
        if self.ip_protocol.lower() not in ("icmp", "1") and "to_port" not in self.model_fields_set:
            self.to_port = self.from_port


class SecurityGroup(Part):
    """A security group."""

    name: str = ""
    """The name of the security group. Default: made from its roles."""
    description: str = ""
    """What it is for. Takes effect at creation only."""
    resource_id: str = ""
    """The id of the security group to use, with ``useExisting.securityGroups``. Running VMs keep
    one that is taken off the list."""
    roles: list[Role] = []
    """To which VMs and load balancers it applies."""
    tag: str = ""
    """``OscK8sMainSG`` marks the group to which the cloud controller manager adds its rules."""
    authoritative: bool = False
    """Whether rules with IP ranges that are not listed here are deleted."""
    rules: list[SecurityGroupRule] = []
    """The rules."""


class AdditionalSecurityRules(Part):
    """Rules to add to automatic security groups."""

    roles: list[Role] = []
    """The roles of the security group to add to."""
    rules: list[SecurityGroupRule] = []
    """The rules to add."""


class Listener(Part):
    """A port on which a load balancer listens, and where it sends the traffic."""

    backend_port: int = field(API_PORT, suggested=True, minimum=1, maximum=65535)
    """The port of the VMs. Default: 6443."""
    backend_protocol: str = field("TCP", suggested=True, enum=LB_PROTOCOLS)
    """The protocol to the VMs. Default: TCP."""
    port: int = field(API_PORT, suggested=True, minimum=1, maximum=65535)
    """The port of the load balancer. Default: 6443."""
    protocol: str = field("TCP", suggested=True, enum=LB_PROTOCOLS)
    """The protocol of the load balancer. Default: TCP."""


class HealthCheck(Part):
    """How a load balancer finds out whether a VM works."""

    check_interval: int = field(10, suggested=True, minimum=5, maximum=600)
    """Seconds between two checks. Default: 10."""
    healthy_threshold: int = field(2, suggested=True, minimum=2, maximum=10)
    """After how many good checks a VM works again. Default: 2."""
    unhealthy_threshold: int = field(3, suggested=True, minimum=2, maximum=10)
    """After how many bad checks a VM no longer works. Default: 3."""
    timeout: int = field(10, suggested=True, minimum=2, maximum=60)
    """Seconds to wait for an answer. Default: 10."""
    port: int = field(0, minimum=1, maximum=65535)
    """The port to check. Default: ``listener.backendPort``."""
    protocol: str = field("TCP", suggested=True, enum=LB_PROTOCOLS)
    """How to check: TCP, SSL, HTTP or HTTPS. Default: TCP."""
    path: str = field("", pattern="^/")
    """The path to ask for. Default: /readyz with HTTPS, / with HTTP."""


class LoadBalancer(Part):
    """The load balancer in front of the Kubernetes API."""

    name: str = ""
    """The name, unique in the account and region. Default: made from the name of the cluster."""
    type: str = field("internet-facing", suggested=True, enum=["internet-facing", "internal"])
    """Whether it has a public address. Default: internet-facing."""
    subnet_name: str = ""
    """The subnet to put it into. Default: the one with the role ``loadbalancer``."""
    security_group_name: str = ""
    """Its security group. Default: the one with the role ``loadbalancer``."""
    public_ip_id: str = ""
    """The id of the public IP to use. Default: one that belongs to OUTSCALE."""
    public_ip_pool: str = ""
    """Take its public IP from those tagged ``OscK8sIPPool`` with this value."""
    listener: Listener = Listener()
    """Where the Kubernetes API is reached, and where it is served."""
    additional_listeners: list[Listener] = []
    """Further ports to listen on, such as that of konnectivity."""
    health_check: HealthCheck = HealthCheck()
    """How it finds out whether a control plane machine works."""

    def model_post_init(self, _: object) -> None:
        """Check the port that is served, unless told another."""
        self.health_check.port = self.health_check.port or self.listener.backend_port


class ManagementCredentials(Part):
    """Where credentials for the account of the management cluster are."""

    from_secret: str = ""
    """The name of a Secret in the namespace of this object. ``clusterctl move`` takes it along
    only with the label ``clusterctl.cluster.x-k8s.io/move``."""
    from_file: str = ""
    """The path of a profile file where the provider runs."""
    profile: str = "default"
    """The profile in that file. Default: default."""


class NetPeering(Part):
    """A peering between the Net of the cluster and that of the management cluster."""

    enable: bool = False
    """Whether there is a peering."""
    management_credentials: ManagementCredentials = ManagementCredentials()
    """How to accept it, when the management cluster is in another account."""
    management_account_id: str = ""
    """The account of the management cluster. Default: found where the provider runs."""
    management_net_id: str = ""
    """The Net of the management cluster. Default: found where the provider runs."""
    management_subnet_id: str = ""
    """Route to this subnet of the management cluster only. Default: to its whole Net."""


class Image(Part):
    """An image (OMI) to start a VM from: by ``id``, or by ``name`` and owner."""

    id: str = ""
    """The id of the image."""
    name: str = ""
    """The name of the image; its owner has to be said too."""
    account_id: str = ""
    """The account that owns the image."""
    outscale_open_source: bool = False
    """The image is owned by the open-source account of OUTSCALE in the region."""


def default_iops(size_gib: int) -> int:
    """Return the IOPS of an io1 volume for which none are given: 1500, or all that fit its size.

    The API allows at most 300 per GiB.
    """
    return min(1500, 300 * size_gib)


class RootDisk(Part):
    """The root volume of a VM."""

    size: int = field(60, suggested=True, minimum=1, maximum=14901)
    """The size in GiB. Default: 60."""
    type: str = field("io1", suggested=True, enum=VOLUME_TYPES)
    """standard, gp2 or io1. Default: io1."""
    iops: int = field(0, minimum=1, maximum=13000)
    """I/O operations per second, for io1 only. Default: 1500, at most 300 per GiB."""

    def model_post_init(self, _: object) -> None:
        """Give an io1 volume the IOPS that the API insists on."""
        if self.type == "io1":
            self.iops = self.iops or default_iops(self.size)


class BastionRootDisk(RootDisk):
    """The root volume of the bastion."""

    size: int = field(15, suggested=True, minimum=1, maximum=14901)
    """The size in GiB. Default: 15."""
    type: str = field("gp2", suggested=True, enum=VOLUME_TYPES)
    """standard, gp2 or io1. Default: gp2."""


class Bastion(Part):
    """A VM through which the machines are reached with SSH."""

    enable: bool = False
    """Whether there is a bastion."""
    name: str = ""
    """The name of the VM. Default: made from the name of the cluster."""
    image: Image = Image()
    """What it starts from."""
    keypair_name: str = ""
    """The keypair that may log in."""
    vm_type: str = field("tinav7.c1r1p2", suggested=True, minLength=1)
    """The type of the VM. Default: tinav7.c1r1p2."""
    subnet_name: str = ""
    """The subnet to put it into. Default: the one with the role ``bastion``."""
    security_group_names: list[str] = []
    """Its security groups. Default: those with the role ``bastion``."""
    root_disk: BastionRootDisk = BastionRootDisk()
    """Its root volume."""
    private_ips: list[str] = []
    """Its private addresses. Default: one that the subnet has free."""
    public_ip_pool: str = ""
    """Take its public IP from those tagged ``OscK8sIPPool`` with this value."""
    public_ip_id: str = ""
    """The id of the public IP to use. Default: a new one."""
    resource_id: str = ""
    """The id of a VM to use as it is."""


class Network(Part):
    """The network of the cluster."""

    subregions: list[str] = []
    """Where to put the cluster; the first one is the default. Default: the first of the region."""
    use_existing: UseExisting = UseExisting()
    """What exists already and is only used."""
    disable: list[Feature] = field([], list_type="set")
    """``internet``: no way to the internet; ``loadbalancer``: none for the Kubernetes API."""
    net: Net = Net()
    """The Net."""
    subnets: list[Subnet] = []
    """The subnets. Default: a public, a worker and a control plane subnet in each subregion."""
    internet_service: InternetService = InternetService()
    """The internet service."""
    nat_services: list[NatService] = []
    """The NAT services. Default: one in each subnet with the role ``nat``."""
    nat_public_ip_pool: str = ""
    """Take public IPs of NAT services from those tagged ``OscK8sIPPool`` with this value."""
    route_tables: list[RouteTable] = []
    """The route tables. Default: one for each subnet."""
    security_groups: list[SecurityGroup] = []
    """The security groups, instead of the automatic ones."""
    additional_security_rules: list[AdditionalSecurityRules] = []
    """Rules to add to the automatic security groups."""
    allow_from_ip_ranges: list[str] = field([], alias="allowFromIPRanges")
    """Who may reach the Kubernetes API and the bastion, in CIDR notation. Default: everyone."""
    allow_to_ip_ranges: list[str] = field([], alias="allowToIPRanges")
    """What machines may reach, in CIDR notation; one empty string: nothing. Default: all."""
    load_balancer: LoadBalancer = LoadBalancer()
    """The load balancer in front of the Kubernetes API."""
    net_peering: NetPeering = NetPeering()
    """The peering with the Net of the management cluster."""
    net_access_points: list[Service] = field([], list_type="set")
    """Services of OUTSCALE to reach without the internet."""
    bastion: Bastion = Bastion()
    """The bastion."""
