"""The network of an OscCluster, as the Go provider spells it.

A field that says "Not used." was never read by a release of the Go provider since 1.0. It is kept
so that old manifests are accepted and old objects lose nothing.
"""

from __future__ import annotations

from typing import Annotated

import pydantic

from provider.api.common import Part, field

FEATURES = ("internet", "loadbalancer")
SERVICES = ("api", "directlink", "eim", "kms", "lbu", "oos")
RECONCILERS = (
    "bastion",
    "net",
    "netPeering",
    "netPeering/routes",
    "subnet",
    "internetService",
    "netAccessPoint",
    "natService",
    "routeTable",
    "securityGroup",
    "loadbalancer",
    "vm",
    "*",
)

Feature = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*FEATURES]})]
Service = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*SERVICES]})]
Reconciler = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*RECONCILERS]})]


class OscCredentials(Part):
    """Where credentials are."""

    from_secret: str = ""
    """The name of a Secret in the namespace of this object."""
    from_file: str = ""
    """The path of a profile file where the provider runs."""
    profile: str = ""
    """The profile in that file. Default: default."""


class OscReuse(Part):
    """What exists already and is only used."""

    net: bool = False
    """The Net, its subnets, internet service, NAT services and route tables exist already."""
    security_groups: bool = False
    """The security groups exist already."""


class OscNet(Part):
    """The Net of the cluster."""

    name: str = ""
    """The name of the Net."""
    ip_range: str = ""
    """The IP range in CIDR notation. Default: 10.0.0.0/16."""
    cluster_name: str = ""
    """Not used."""
    resource_id: str = ""
    """The id of the Net to use, with useExisting.net."""


class OscSubnet(Part):
    """A subnet."""

    name: str = ""
    """The name of the subnet."""
    roles: list[str] = []
    """controlplane, worker, loadbalancer, bastion, nat, service or service.internal."""
    ip_subnet_range: str = ""
    """The IP range in CIDR notation."""
    subregion_name: str = ""
    """The subregion."""
    resource_id: str = ""
    """The id of the subnet to use, with useExisting.net."""


class OscInternetService(Part):
    """The internet service."""

    name: str = ""
    """The name of the internet service."""
    cluster_name: str = ""
    """Not used."""
    resource_id: str = ""
    """Not used."""


class OscNatService(Part):
    """A NAT service."""

    name: str = ""
    """The name of the NAT service."""
    public_ip_name: str = field("", alias="publicipname")
    """Not used."""
    subnet_name: str = field("", alias="subnetname")
    """The subnet to put it into. Deprecated: give a subnet the role nat."""
    subregion_name: str = ""
    """The subregion."""
    cluster_name: str = ""
    """Not used."""
    resource_id: str = ""
    """Not used."""


class OscRoute(Part):
    """A route."""

    name: str = ""
    """Not used."""
    target_name: str = ""
    """The name of the NAT service."""
    target_type: str = ""
    """gateway or nat."""
    destination: str = ""
    """The IP range of the destination in CIDR notation."""
    resource_id: str = ""
    """Not used."""


class OscRouteTable(Part):
    """A route table."""

    name: str = ""
    """The name of the route table."""
    subnets: list[str] = []
    """The names of the subnets. Deprecated: use role."""
    role: str = ""
    """Apply to all subnets with this role."""
    subregion_name: str = ""
    """Apply to subnets in this subregion."""
    routes: list[OscRoute] = []
    """The routes."""
    resource_id: str = ""
    """Not used."""


class OscSecurityGroupRule(Part):
    """A rule of a security group."""

    name: str = ""
    """Not used."""
    flow: str = ""
    """Inbound or Outbound."""
    ip_protocol: str = ""
    """tcp, udp, icmp, -1 for all, or a protocol number."""
    ip_range: str = ""
    """An IP range in CIDR notation. Deprecated: use ipRanges."""
    ip_ranges: list[str] = []
    """The IP ranges in CIDR notation."""
    from_port_range: int = 0
    """The first port."""
    to_port_range: int = 0
    """The last port."""
    resource_id: str = ""
    """Not used."""


class OscSecurityGroup(Part):
    """A security group."""

    name: str = ""
    """The name of the security group."""
    description: str = ""
    """What it is for."""
    security_group_rules: list[OscSecurityGroupRule] = []
    """The rules."""
    resource_id: str = ""
    """The id of the security group to use, with useExisting.securityGroups."""
    tag: str = ""
    """OscK8sMainSG marks the group to which the cloud controller manager adds its rules."""
    roles: list[str] = []
    """To which VMs and load balancers it applies."""
    authoritative: bool = False
    """Whether rules with IP ranges that are not listed here are deleted."""


class OscAdditionalSecurityRules(Part):
    """Rules to add to automatic security groups."""

    roles: list[str] = []
    """The roles of the security group to add to."""
    rules: list[OscSecurityGroupRule] = []
    """The rules to add."""


class OscLoadBalancerListener(Part):
    """Where the load balancer listens, and where it sends the traffic."""

    backend_port: int = field(0, alias="backendport")
    """The port of the VMs. Default: 6443."""
    backend_protocol: str = field("", alias="backendprotocol")
    """The protocol to the VMs. Default: TCP."""
    load_balancer_port: int = field(0, alias="loadbalancerport")
    """The port of the load balancer. Default: 6443."""
    load_balancer_protocol: str = field("", alias="loadbalancerprotocol")
    """The protocol of the load balancer. Default: TCP."""


class OscLoadBalancerHealthCheck(Part):
    """How the load balancer finds out whether a VM works."""

    check_interval: int = field(0, alias="checkinterval")
    """Seconds between two checks. Default: 10."""
    healthy_threshold: int = field(0, alias="healthythreshold")
    """After how many good checks a VM works again. Default: 2."""
    port: int = 0
    """The port to check. Default: that of the listener's backend."""
    protocol: str = ""
    """How to check. Default: TCP."""
    timeout: int = 0
    """Seconds to wait for an answer. Default: 10."""
    unhealthy_threshold: int = field(0, alias="unhealthythreshold")
    """After how many bad checks a VM no longer works. Default: 3."""


class OscLoadBalancer(Part):
    """The load balancer in front of the Kubernetes API."""

    load_balancer_name: str = field("", alias="loadbalancername")
    """The name, unique in the account and region."""
    load_balancer_type: str = field("", alias="loadbalancertype")
    """internet-facing or internal. Default: internet-facing."""
    subnet_name: str = field("", alias="subnetname")
    """The subnet to put it into. Deprecated: give a subnet the role loadbalancer."""
    security_group_name: str = field("", alias="securitygroupname")
    """Its security group. Deprecated: give a security group the role loadbalancer."""
    listener: OscLoadBalancerListener = OscLoadBalancerListener()
    """Where it listens."""
    health_check: OscLoadBalancerHealthCheck = OscLoadBalancerHealthCheck()
    """How it finds out whether a VM works."""
    cluster_name: str = ""
    """Not used."""


class OscNetPeering(Part):
    """A peering with the Net of the management cluster."""

    enable: bool = False
    """Whether there is a peering."""
    management_credentials: OscCredentials = OscCredentials()
    """How to accept it, when the management cluster is in another account."""
    management_account_id: str = ""
    """The account of the management cluster. Default: found where the provider runs."""
    management_net_id: str = ""
    """The Net of the management cluster. Default: found where the provider runs."""
    management_subnet_id: str = ""
    """Route to this subnet of the management cluster only."""


class OscPublicIp(Part):
    """Not used."""

    name: str = ""
    """Not used."""
    resource_id: str = ""
    """Not used."""
    cluster_name: str = ""
    """Not used."""


class OscImage(Part):
    """An image (OMI) by name."""

    name: str = ""
    """The name of the image."""
    account_id: str = ""
    """The account that owns the image."""
    outscale_open_source: bool = False
    """The image is owned by the open-source account of OUTSCALE in the region."""
    resource_id: str = ""
    """Not used."""


class OscRootDisk(Part):
    """The root volume of a VM."""

    root_disk_iops: int = 0
    """I/O operations per second, for io1 only."""
    root_disk_size: int = 0
    """The size in GiB."""
    root_disk_type: str = ""
    """standard, gp2 or io1."""


class OscPrivateIpElement(Part):
    """A private address."""

    name: str = ""
    """Not used."""
    private_ip: str = ""
    """The address."""


class OscSecurityGroupElement(Part):
    """A reference to a security group."""

    name: str = ""
    """The name of the security group."""


class OscBastion(Part):
    """A VM through which the machines are reached with SSH."""

    name: str = ""
    """The name of the VM."""
    image_id: str = ""
    """The id of the image; imageName wins."""
    image_name: str = ""
    """The name of the image."""
    image_account_id: str = ""
    """The account that owns the image."""
    keypair_name: str = ""
    """The keypair that may log in."""
    vm_type: str = ""
    """The type of the VM. Default: tinav7.c1r1p2."""
    device_name: str = ""
    """Not used."""
    subnet_name: str = ""
    """The subnet to put it into. Deprecated: give a subnet the role bastion."""
    root_disk: OscRootDisk = OscRootDisk()
    """Its root volume. Default: 15 GiB of gp2."""
    public_ip_name: str = ""
    """Not used."""
    public_ip_id: str = field("", alias="PublicIpId")
    """The id of the public IP to use."""
    subregion_name: str = ""
    """Not used."""
    private_ips: list[OscPrivateIpElement] = []
    """Its private addresses."""
    security_group_names: list[OscSecurityGroupElement] = []
    """Its security groups. Deprecated: give security groups the role bastion."""
    resource_id: str = ""
    """The id of a VM to use as it is."""
    cluster_name: str = ""
    """Not used."""
    enable: bool = False
    """Whether there is a bastion."""


class OscReconciliationRule(Part):
    """When the Go provider looks again. This provider looks at everything on every pass."""

    applies_to: list[Reconciler] = []
    """To what it applies."""
    mode: str = field("", enum=["onChange", "always", "random"])
    """When to look again."""
    reconciliation_chance: int = 0
    """The chance in percent, for random."""


class OscNetwork(Part):
    """The network of the cluster."""

    use_existing: OscReuse = OscReuse()
    """What exists already and is only used."""
    disable: list[Feature] = []
    """internet: no way to the internet; loadbalancer: none for the Kubernetes API."""
    load_balancer: OscLoadBalancer = OscLoadBalancer()
    """The load balancer in front of the Kubernetes API."""
    net: OscNet = OscNet()
    """The Net."""
    net_peering: OscNetPeering = OscNetPeering()
    """The peering with the Net of the management cluster."""
    net_access_points: list[Service] = []
    """Services of OUTSCALE to reach without the internet."""
    control_plane_subnets: list[str] = []
    """The subnets of control planes. Deprecated: give subnets the role controlplane."""
    subnets: list[OscSubnet] = []
    """The subnets."""
    internet_service: OscInternetService = OscInternetService()
    """The internet service."""
    nat_service: OscNatService = OscNatService()
    """The NAT service. Deprecated: use natServices."""
    nat_services: list[OscNatService] = []
    """The NAT services."""
    nat_public_ip_pool: str = ""
    """Take public IPs of NAT services from those tagged OscK8sIPPool with this value."""
    route_tables: list[OscRouteTable] = []
    """The route tables."""
    security_groups: list[OscSecurityGroup] = []
    """The security groups, instead of the automatic ones."""
    additional_security_rules: list[OscAdditionalSecurityRules] = []
    """Rules to add to the automatic security groups."""
    public_ips: list[OscPublicIp] = []
    """Not used."""
    cluster_name: str = ""
    """Not used."""
    image: OscImage = OscImage()
    """Not used."""
    bastion: OscBastion = OscBastion()
    """The bastion."""
    subregion_name: str = ""
    """The default subregion. Deprecated: use subregions."""
    subregions: list[str] = []
    """Where to put the cluster."""
    extra_security_group_rule: bool = False
    """Not used."""
    allow_from_ip_ranges: list[str] = field([], alias="allowFromIPRanges")
    """Who may reach the Kubernetes API and the bastion."""
    allow_to_ip_ranges: list[str] = field([], alias="allowToIPRanges")
    """What machines may reach; one empty string: nothing."""
    reconciliation_rules: list[OscReconciliationRule] = []
    """When the Go provider looks again. Not used: everything is looked at on every pass."""
