"""OscCluster and OscClusterTemplate."""

from __future__ import annotations

from typing import Any

from provider.api.common import Condition, Endpoint, Object, Part, TemplateMetadata, field
from provider.api.v1beta2.network import Network

Resources = dict[str, dict[str, str]]
"""Ids of the cloud, by kind and key."""


class IdentityRef(Part):
    """A reference to an identity."""

    kind: str = field("OscClusterIdentity", enum=["OscClusterIdentity"], suggested=True)
    """Always OscClusterIdentity."""
    name: str = field("", needed=True, minLength=1, maxLength=253)
    """The name of the OscClusterIdentity."""


class Credentials(Part):
    """Where the credentials for the account of the cluster are. Default: those of the provider."""

    from_secret: str = ""
    """The name of a Secret in the namespace of this object. ``clusterctl move`` takes it along
    only with the label ``clusterctl.cluster.x-k8s.io/move``."""
    from_file: str = ""
    """The path of a profile file where the provider runs."""
    profile: str = "default"
    """The profile in that file. Default: default."""
    identity_ref: IdentityRef | None = None
    """An identity that allows the namespace of this object."""


class OscClusterSpec(Part):
    """What a cluster is to be."""

    control_plane_endpoint: Endpoint = Endpoint()
    """Where the Kubernetes API is reached. Set by the provider, unless the load balancer is
    disabled; once set, it stays."""
    credentials: Credentials = Credentials()
    """Where the credentials for OUTSCALE are."""
    network: Network = Network()
    """The network."""


class Initialization(Part):
    """What was reached once."""

    provisioned: bool = False
    """Whether the infrastructure was complete at some time. It stays true from then on."""


class FailureDomain(Part):
    """A subregion that machines can be put into."""

    name: str = field("", needed=True, minLength=1, maxLength=256)
    """The name of the subregion."""
    control_plane: bool = False
    """Whether control plane machines can be put there."""
    attributes: dict[str, str] = {}
    """Anything else about it."""


class Intent(Part):
    """A create that may have happened, although its outcome is not known."""

    kind: str = ""
    """The kind of the resource."""
    key: str = ""
    """Its name inside its owner."""
    filters: dict[str, Any] = field({}, open=True)
    """The filters of a Read that finds it."""
    before: list[str] = []
    """The ids that this Read found before."""
    tags: dict[str, str] = {}
    """The tags that it gets."""
    suspects: list[str] = []
    """The ids of which one may be what was made, once there were too many: a person decides."""


class OscClusterStatus(Part):
    """What a cluster is."""

    initialization: Initialization = Initialization()
    """What was reached once."""
    failure_domains: list[FailureDomain] = field(
        [], list_type="map", list_keys=["name"], maxItems=100
    )
    """The subregions that machines can be put into."""
    conditions: list[Condition] = field([], list_type="map", list_keys=["type"], maxItems=32)
    """How things are."""
    resources: Resources = {}
    """The ids of what is there, by kind and key."""
    intents: list[Intent] = []
    """Creates that may have happened."""
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
