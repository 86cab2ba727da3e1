"""OscCluster and OscClusterTemplate, as the Go provider spells them."""

from __future__ import annotations

from provider.api.common import Condition as MetaCondition
from provider.api.common import Endpoint, Object, Part, TemplateMetadata, field
from provider.api.v1beta1.network import OscCredentials, OscNetwork

Resources = dict[str, dict[str, str]]
"""Ids of the cloud, by kind and key."""


class Condition(Part):
    """A condition of Cluster API v1beta1."""

    type: str = field("", needed=True)
    """The type, in CamelCase."""
    status: str = field("", needed=True)
    """True, False or Unknown."""
    severity: str = ""
    """How bad it is that the status is False: Error, Warning or Info."""
    last_transition_time: str = field("", format="date-time")
    """When the status last changed."""
    reason: str = ""
    """The reason in one word."""
    message: str = ""
    """The reason in sentences."""


class V1Beta2Status(Part):
    """The conditions of the next version."""

    conditions: list[MetaCondition] = field([], list_type="map", list_keys=["type"], maxItems=32)
    """How things are."""


class FailureDomainSpec(Part):
    """A subregion that machines can be put into."""

    control_plane: bool = False
    """Whether control plane machines can be put there."""
    attributes: dict[str, str] = {}
    """Anything else about it."""


class OscResourceReference(Part):
    """Ids by name, as release 0.4 of the Go provider kept them."""

    resource_map: dict[str, str] = {}
    """Ids by name."""


class OscNetworkResource(Part):
    """Ids that release 0.4 of the Go provider kept. They are not set any more."""

    loadbalancer_ref: OscResourceReference = field(OscResourceReference(), alias="LoadbalancerRef")
    """Load balancers."""
    net_ref: OscResourceReference = field(OscResourceReference(), alias="netref")
    """Nets."""
    subnet_ref: OscResourceReference = field(OscResourceReference(), alias="subnetref")
    """Subnets."""
    internet_service_ref: OscResourceReference = field(
        OscResourceReference(), alias="internetserviceref"
    )
    """Internet services."""
    route_tables_ref: OscResourceReference = field(OscResourceReference(), alias="routetableref")
    """Route tables."""
    link_route_table_ref: dict[str, list[str]] = field({}, alias="linkroutetableref")
    """Links between route tables and subnets."""
    route_ref: OscResourceReference = field(OscResourceReference(), alias="routeref")
    """Routes."""
    security_groups_ref: OscResourceReference = field(
        OscResourceReference(), alias="securitygroupref"
    )
    """Security groups."""
    security_group_rule_ref: OscResourceReference = field(
        OscResourceReference(), alias="securitygroupruleref"
    )
    """Rules of security groups."""
    public_ip_ref: OscResourceReference = field(OscResourceReference(), alias="publicipref")
    """Public IPs."""
    nat_service_ref: OscResourceReference = field(OscResourceReference(), alias="natref")
    """NAT services."""
    bastion_ref: OscResourceReference = field(OscResourceReference(), alias="bastionref")
    """Bastions."""
    link_public_ip_ref: OscResourceReference = OscResourceReference()
    """Links between public IPs and VMs."""


class OscClusterSpec(Part):
    """What a cluster is to be."""

    credentials: OscCredentials = OscCredentials()
    """Where the credentials for OUTSCALE are."""
    network: OscNetwork = OscNetwork()
    """The network."""
    control_plane_endpoint: Endpoint = Endpoint()
    """Where the Kubernetes API is reached. Once set, it stays."""


class OscClusterStatus(Part):
    """What a cluster is."""

    ready: bool = False
    """Whether the infrastructure was complete at some time."""
    failure_domains: dict[str, FailureDomainSpec] = {}
    """The subregions that machines can be put into."""
    network: OscNetworkResource = OscNetworkResource()
    """Ids that release 0.4 of the Go provider kept."""
    resources: Resources = {}
    """The ids of what is there, by kind and key."""
    reconciler_generation: dict[str, int] = {}
    """What the Go provider has seen."""
    conditions: list[Condition] = []
    """How things are."""
    v1beta2: V1Beta2Status = field(V1Beta2Status(), alias="v1beta2")
    """How things are, in the form of the next version."""
    vm_state: str = ""
    """The state of the bastion."""


class OscCluster(Object):
    """The infrastructure of a cluster on OUTSCALE."""

    spec: OscClusterSpec = OscClusterSpec()
    """What it is to be."""
    status: OscClusterStatus = OscClusterStatus()
    """What it is."""


class OscClusterTemplateResource(Part):
    """What each OscCluster made from the template gets."""

    metadata: TemplateMetadata = TemplateMetadata()
    """Its labels and annotations."""
    spec: OscClusterSpec = field(OscClusterSpec(), needed=True)
    """Its spec."""


class OscClusterTemplateSpec(Part):
    """What a template is made of."""

    template: OscClusterTemplateResource = field(OscClusterTemplateResource(), needed=True)
    """What each OscCluster gets."""


class OscClusterTemplate(Object):
    """A template of OscClusters, for a ClusterClass."""

    spec: OscClusterTemplateSpec = OscClusterTemplateSpec()
    """What it is made of."""
