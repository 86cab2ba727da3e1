"""The network of an OscCluster, as the Go provider spells it.

A field that says "Not used." was never read by a release of the Go provider since 1.0. It is kept
so that old manifests are accepted and old objects lose nothing.
"""

from __future__ import annotations

from typing import Annotated

import pydantic

from provider.api.common import Part, field
from provider.api.v1beta1.vm import OscBastion, OscImage, OscReconciliationRule

FEATURES = ("internet", "loadbalancer")
SERVICES = ("api", "directlink", "eim", "kms", "lbu", "oos")

Feature = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*FEATURES]})]
Service = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*SERVICES]})]


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

    backend_port: int = field(6443, alias="backendport", suggested=True)
    """The port of the VMs. Default: 6443."""
    backend_protocol: str = field("TCP", alias="backendprotocol", suggested=True)
    """The protocol to the VMs. Default: TCP."""
    load_balancer_port: int = field(6443, alias="loadbalancerport", suggested=True)
    """The port of the load balancer. Default: 6443."""
    load_balancer_protocol: str = field("TCP", alias="loadbalancerprotocol", suggested=True)
    """The protocol of the load balancer. Default: TCP."""


class OscLoadBalancerHealthCheck(Part):
    """How the load balancer finds out whether a VM works."""

    check_interval: int = field(10, alias="checkinterval", suggested=True)
    """Seconds between two checks. Default: 10."""
    healthy_threshold: int = field(2, alias="healthythreshold", suggested=True)
    """After how many good checks a VM works again. Default: 2."""
    port: int = 0
    """The port to check. Default: that of the listener's backend."""
    protocol: str = field("TCP", suggested=True)
    """How to check. Default: TCP."""
    timeout: int = field(10, suggested=True)
    """Seconds to wait for an answer. Default: 10."""
    unhealthy_threshold: int = field(3, alias="unhealthythreshold", suggested=True)
    """After how many bad checks a VM no longer works. Default: 3."""


class OscLoadBalancer(Part):
    """The load balancer in front of the Kubernetes API."""

    load_balancer_name: str = field("", alias="loadbalancername")
    """The name, unique in the account and region."""
    load_balancer_type: str = field("internet-facing", alias="loadbalancertype", suggested=True)
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
