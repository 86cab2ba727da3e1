"""The kinds of Kubernetes objects that the provider reads or writes, and where they are served."""

from __future__ import annotations

import dataclasses

INFRASTRUCTURE = "infrastructure.cluster.x-k8s.io"
CORE = "cluster.x-k8s.io"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind as the API serves it."""

    group: str
    version: str
    plural: str
    name: str
    is_namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return ``group/version``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def at(self, api_version: str) -> Kind:
        """Return the same kind in another version, which is given with its group."""
        return dataclasses.replace(self, version=api_version.rpartition("/")[2])

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Return the path of the collection, of one object, or of a part of it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{namespace}" if self.is_namespaced and namespace else ""
        return "/".join(filter(None, (f"{root}{place}", self.plural, name, subresource)))


OSC_CLUSTER = Kind(INFRASTRUCTURE, "v1beta2", "oscclusters", "OscCluster")
OSC_MACHINE = Kind(INFRASTRUCTURE, "v1beta2", "oscmachines", "OscMachine")
OSC_MACHINE_TEMPLATE = Kind(INFRASTRUCTURE, "v1beta2", "oscmachinetemplates", "OscMachineTemplate")
OSC_CLUSTER_IDENTITY = Kind(
    INFRASTRUCTURE, "v1beta2", "oscclusteridentities", "OscClusterIdentity", is_namespaced=False
)
CLUSTER = Kind(CORE, "v1beta2", "clusters", "Cluster")
MACHINE = Kind(CORE, "v1beta2", "machines", "Machine")
SECRET = Kind("", "v1", "secrets", "Secret")
NAMESPACE = Kind("", "v1", "namespaces", "Namespace", is_namespaced=False)
DEFINITION = Kind(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    is_namespaced=False,
)
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")
EVENT = Kind("events.k8s.io", "v1", "events", "Event")
TOKEN_REVIEW = Kind(
    "authentication.k8s.io", "v1", "tokenreviews", "TokenReview", is_namespaced=False
)
ACCESS_REVIEW = Kind(
    "authorization.k8s.io",
    "v1",
    "subjectaccessreviews",
    "SubjectAccessReview",
    is_namespaced=False,
)
