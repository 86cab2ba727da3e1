"""OscClusterIdentity: credentials that clusters of other namespaces may use."""

from __future__ import annotations

from provider.api.common import Object, Part, field


class SecretReference(Part):
    """A reference to a Secret."""

    name: str = field("", needed=True, minLength=1, maxLength=253)
    """The name of the Secret."""
    namespace: str = field("", needed=True, minLength=1, maxLength=63)
    """The namespace of the Secret."""


class Requirement(Part):
    """What a label has to be."""

    key: str = field("", needed=True)
    """The key of the label."""
    operator: str = field("", needed=True, enum=["In", "NotIn", "Exists", "DoesNotExist"])
    """In, NotIn, Exists or DoesNotExist."""
    values: list[str] = []
    """The values, for In and NotIn."""


class LabelSelector(Part):
    """A selector of labels; an empty one selects everything."""

    match_labels: dict[str, str] = {}
    """Labels with these values."""
    match_expressions: list[Requirement] = []
    """Labels that meet all of these."""


class AllowedNamespaces(Part):
    """The namespaces that may use an identity: those listed and those selected; {} is all."""

    names: list[str] = field([], alias="list", list_type="set")
    """The names of namespaces."""
    selector: LabelSelector | None = None
    """A selector of the labels of namespaces."""


class OscClusterIdentitySpec(Part):
    """What an identity is."""

    secret_ref: SecretReference = field(SecretReference(), needed=True)
    """The Secret with the credentials. ``clusterctl move`` takes it along only with the label
    ``clusterctl.cluster.x-k8s.io/move``, and only from the namespace of the provider or the one
    that is moved."""
    allowed_namespaces: AllowedNamespaces | None = None
    """The namespaces that may use it. Default: none."""


class OscClusterIdentity(Object):
    """Credentials for OUTSCALE that clusters of the allowed namespaces may use."""

    spec: OscClusterIdentitySpec = OscClusterIdentitySpec()
    """What it is."""
