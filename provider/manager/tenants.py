"""Whose credentials an object uses, and the clouds that these open.

They are looked up anew in every reconcile that calls the cloud, so that a rotated Secret needs no
restart, and only then, so that a paused object costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from provider.kube import client as kube
from provider.kube import errors, kinds
from provider.manager.cache import CLUSTER_LABEL
from provider.manager.limit import Limit, LimitedCloud
from provider.osc import credentials
from provider.osc.cloud import Cloud, Reads
from provider.osc.credentials import Credentials, CredentialsError

MOVE_LABEL = "clusterctl.cluster.x-k8s.io/move"
"""``clusterctl move`` takes an object with this label along, whoever owns it."""

T = TypeVar("T")

Object = dict[str, Any]
Bridge = Callable[[Coroutine[Any, Any, T]], T]
"""Runs a coroutine in the loop of the manager, from the thread of a reconcile."""


class Opener(Protocol):
    """What opens a cloud; in the manager this is ``osc.pool.Clients``."""

    def client(self, credentials: Credentials) -> Cloud:
        """Return the cloud of these credentials."""

    def reads(self, credentials: Credentials) -> Reads:
        """Return the Reads that all users of these credentials share."""


class Tenants:
    """Finds credentials and opens clouds; ``learn`` hears every secret, to keep it out of logs."""

    def __init__(
        self,
        client: kube.Client,
        opener: Opener,
        environment: Mapping[str, str],
        learn: Callable[[str], None],
    ) -> None:
        self._client = client
        self._opener = opener
        self._environment = environment
        self._learn = learn

    def clouds(
        self, osc_cluster: Object | None, cluster: str, bridge: Bridge[Any], limit: Limit
    ) -> TenantClouds:
        """Return the clouds of a cluster and of its machines; ``cluster`` is its name."""
        return TenantClouds(self, osc_cluster, cluster, bridge, limit)

    def open(self, found: Credentials) -> Cloud:
        """Return the cloud of credentials."""
        self._learn(found.secret_key)
        return self._opener.client(found)

    def reads(self, found: Credentials) -> Reads:
        """Return the Reads that all users of credentials share."""
        return self._opener.reads(found)

    async def find(self, wanted: Mapping[str, Any], namespace: str) -> Credentials:
        """Find what ``spec.credentials`` asks for; raises CredentialsError.

        The order is that of the Go provider: a file, then a Secret; then an identity; and when
        nothing is asked for, the credentials of the manager itself.
        """
        secret, identity = wanted.get("fromSecret"), wanted.get("identityRef")
        profile = wanted.get("profile") or ""
        if wanted.get("fromFile") or (profile and not secret and not identity):
            return credentials.of_file(wanted.get("fromFile") or credentials.FILE, profile)
        if secret:
            return credentials.of_secret(await self._secret(namespace, secret))
        if identity:
            return await self._of_identity(identity["name"], namespace)
        return credentials.of_environment(self._environment)

    async def _of_identity(self, name: str, namespace: str) -> Credentials:
        try:
            identity = await self._client.get(kinds.OSC_CLUSTER_IDENTITY, "", name)
        except errors.NotFound:
            raise CredentialsError(
                f"spec.credentials.identityRef names the OscClusterIdentity {name!r}, which does "
                "not exist. Create it, or name another one."
            ) from None
        spec = identity.get("spec") or {}
        if not await self._is_allowed(spec.get("allowedNamespaces"), namespace):
            raise CredentialsError(
                f"The OscClusterIdentity {name!r} may not be used from the namespace "
                f"{namespace!r}. Add it to spec.allowedNamespaces of the identity, or use "
                "other credentials."
            )
        reference = spec["secretRef"]
        return credentials.of_secret(await self._secret(reference["namespace"], reference["name"]))

    async def _is_allowed(self, allowed: Mapping[str, Any] | None, namespace: str) -> bool:
        """Tell whether a namespace is allowed; None allows none, ``{}`` allows all."""
        if allowed is None:
            return False
        names, selector = allowed.get("list"), allowed.get("selector")
        if names is None and selector is None:
            return True
        if namespace in (names or []):
            return True
        if selector is None:
            return False
        found = await self._client.get(kinds.NAMESPACE, "", namespace)
        return _selects(selector, found["metadata"].get("labels") or {})

    async def _secret(self, namespace: str, name: str) -> Object:
        try:
            return await self._client.get(kinds.SECRET, namespace, name)
        except errors.NotFound:
            raise CredentialsError(
                f"The Secret {namespace}/{name} with the credentials does not exist. Create it "
                "with the keys access_key, secret_key and region, and with the label "
                f"{MOVE_LABEL}, without which clusterctl move leaves it behind; or name others in "
                "spec.credentials, when nothing can be created because the namespace goes."
            ) from None


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector matches; one that is empty matches everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_agrees(each, labels) for each in selector.get("matchExpressions") or [])


def _agrees(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    values = expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False  # An operator of the future: what is not understood allows nothing.


class TenantClouds:
    """The clouds of one object, for one reconcile."""

    def __init__(
        self,
        tenants: Tenants,
        osc_cluster: Object | None,
        cluster: str,
        bridge: Bridge[Any],
        limit: Limit,
    ) -> None:
        self._tenants = tenants
        self._osc_cluster = osc_cluster
        self._cluster = cluster
        self._bridge = bridge
        self._limit = limit

    def workload(self) -> Cloud:
        """Return the cloud of the cluster; raises CredentialsError."""
        return self._open(("credentials",))

    def management(self) -> Cloud:
        """Return the cloud of the management cluster; raises CredentialsError."""
        return self._open(("network", "netPeering", "managementCredentials"))

    def shared(self) -> tuple[Cloud, Reads]:
        """Return the cloud of the cluster, and the Reads of it that its machines share."""
        found = self._find(("credentials",))
        cloud = LimitedCloud(self._tenants.open(found), self._limit)
        return cloud, self._tenants.reads(found)

    def _open(self, place: tuple[str, ...]) -> Cloud:
        return LimitedCloud(self._tenants.open(self._find(place)), self._limit)

    def _find(self, place: tuple[str, ...]) -> Credentials:
        if self._osc_cluster is None:
            raise CredentialsError(
                f"The OscCluster of the Cluster {self._cluster} does not exist, and its "
                "spec.credentials say which ones to use. Create it again, with its name, its label "
                f"{CLUSTER_LABEL} and its credentials: it finds what it had in the cloud. Delete "
                "it after its machines."
            )
        wanted: Any = self._osc_cluster.get("spec") or {}
        for each in place:
            wanted = wanted.get(each) or {}
        self._limit.check()
        namespace = self._osc_cluster["metadata"].get("namespace", "")
        found: Credentials = self._bridge(self._tenants.find(wanted, namespace))
        return found
