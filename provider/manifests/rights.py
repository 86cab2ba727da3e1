"""What the manager may do in Kubernetes: one rule for each thing it does, and no more.

tests/functional/provider/test_rights.py runs a manager with exactly these.
"""

from __future__ import annotations

from collections.abc import Sequence

from provider.api import crd
from provider.kube import kinds
from provider.manager import election, routes
from provider.manifests import parts

API_VERSION = "rbac.authorization.k8s.io/v1"
SEE = ("get", "list", "watch")
CORE_RULES = ("create", "delete", "get", "list", "patch", "update", "watch")
TEMPLATE_RULES = ("get", "list", "patch", "update", "watch")
AGGREGATES = (
    "cluster.x-k8s.io/aggregate-to-manager",
    "kubeadm.controlplane.cluster.x-k8s.io/aggregate-to-manager",
)
"""By these labels Cluster API's core and the kubeadm control plane take over a role."""


def rule(
    group: str, resources: Sequence[str], verbs: Sequence[str], names: Sequence[str] = ()
) -> parts.Object:
    """Return one rule of a role; ``names`` limits it to objects with these names."""
    out: parts.Object = {
        "apiGroups": [group],
        "resources": [*resources],
        "verbs": [*verbs],
    }
    return {**out, "resourceNames": [*names]} if names else out


def manager_rules() -> list[parts.Object]:
    """Return what the manager does in all namespaces."""
    ours = [kind.plural for kind in routes.PRIMARIES]
    return [
        # The finalizer, the provider id and the endpoint are written into the object itself.
        rule(kinds.INFRASTRUCTURE, ours, [*SEE, "patch"]),
        rule(kinds.INFRASTRUCTURE, [f"{each}/status" for each in ours], ["patch"]),
        rule(kinds.INFRASTRUCTURE, [kinds.OSC_CLUSTER_IDENTITY.plural], SEE),
        rule(kinds.CORE, [kinds.CLUSTER.plural, kinds.MACHINE.plural], SEE),
        # Credentials and bootstrap data; they are watched so that a rotation is noticed.
        rule("", [kinds.SECRET.plural], SEE),
        # An identity may select the namespaces that use it by their labels.
        rule("", [kinds.NAMESPACE.plural], SEE),
        rule(kinds.EVENT.group, [kinds.EVENT.plural], ["create", "patch"]),
        # It is noticed when a kind is installed later than the provider, or in other versions.
        rule(kinds.DEFINITION.group, [kinds.DEFINITION.plural], ["list", "watch"]),
        # Who reads --diagnostics-address is looked up.
        rule(kinds.TOKEN_REVIEW.group, [kinds.TOKEN_REVIEW.plural], ["create"]),
        rule(kinds.ACCESS_REVIEW.group, [kinds.ACCESS_REVIEW.plural], ["create"]),
    ]


def election_rules() -> list[parts.Object]:
    """Return what the manager does in its own namespace."""
    group, plural = kinds.LEASE.group, kinds.LEASE.plural
    # A name cannot limit a create, because it is not known when that is authorized.
    return [
        rule(group, [plural], ["create"]),
        rule(group, [plural], ["get", "patch"], [election.LEASE]),
    ]


def core_rules() -> list[parts.Object]:
    """Return what Cluster API itself does with our kinds, as its contract lists it."""
    plurals = {kind.name: kind.plural for kind in crd.KINDS}
    cloned = [plurals[name] for name in ("OscCluster", "OscMachine", "OscMachineTemplate")]
    owners = [f"{each}/finalizers" for each in cloned]
    return [
        rule(kinds.INFRASTRUCTURE, cloned, CORE_RULES),
        rule(kinds.INFRASTRUCTURE, [plurals["OscClusterTemplate"]], TEMPLATE_RULES),
        rule(kinds.INFRASTRUCTURE, owners, ["update"]),
    ]


def components() -> list[parts.Object]:
    """Return the service account with its roles, and the roles for others."""
    return [
        parts.made("v1", "ServiceAccount", parts.SERVICE_ACCOUNT),
        _role("manager-role", manager_rules()),
        _binding("manager-rolebinding", "manager-role", is_namespaced=False),
        _role("leader-election-role", election_rules(), is_namespaced=True),
        _binding("leader-election-rolebinding", "leader-election-role", is_namespaced=True),
        _role("aggregated-role", core_rules(), labels=dict.fromkeys(AGGREGATES, "true")),
        _role("metrics-reader", [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]),
    ]


def _role(
    name: str,
    rules: list[parts.Object],
    *,
    is_namespaced: bool = False,
    labels: dict[str, str] | None = None,
) -> parts.Object:
    return parts.made(
        API_VERSION,
        "Role" if is_namespaced else "ClusterRole",
        f"{parts.PREFIX}-{name}",
        is_namespaced=is_namespaced,
        labels=labels,
        rules=rules,
    )


def _binding(name: str, role: str, *, is_namespaced: bool) -> parts.Object:
    account = {
        "kind": "ServiceAccount",
        "name": parts.SERVICE_ACCOUNT,
        "namespace": parts.NAMESPACE,
    }
    return parts.made(
        API_VERSION,
        "RoleBinding" if is_namespaced else "ClusterRoleBinding",
        f"{parts.PREFIX}-{name}",
        is_namespaced=is_namespaced,
        roleRef={
            "apiGroup": API_VERSION.partition("/")[0],
            "kind": "Role" if is_namespaced else "ClusterRole",
            "name": f"{parts.PREFIX}-{role}",
        },
        subjects=[account],
    )
