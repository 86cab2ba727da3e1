"""Every tag, name, token and id that the provider writes or recognises, each spelled once.

They are those of the Go provider, so that clusters made by it are recognised, and those that the
OUTSCALE cloud controller manager (CCM) and the CSI driver look for. ``uid`` is the uid of the
Cluster, kept in the label `CLUSTER_UID_LABEL`.

https://github.com/outscale/cluster-api-provider-outscale
https://github.com/outscale/cloud-provider-osc
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

# --- Kubernetes ----------------------------------------------------------------------------------

CLUSTER_UID_LABEL = "outscale.com/clusterUID"
ACCOUNT_ANNOTATION = "outscale.com/account"
"""Where an OscCluster is: ``eu-west-2/123456789012``."""
CLUSTER_FINALIZER = "oscclusters.infrastructure.cluster.x-k8s.io"
MACHINE_FINALIZER = "oscmachine.infrastructure.cluster.x-k8s.io"
CLUSTER_NAME_LABEL = "cluster.x-k8s.io/cluster-name"


def cluster_of(osc_cluster: Mapping[str, Any]) -> str:
    """Return the name of the Cluster that an OscCluster is of.

    A ClusterClass gives the OscCluster another name. Security groups, load balancer and bastion
    are named after the Cluster, everything else after the OscCluster.
    """
    metadata = osc_cluster["metadata"]
    named = [each["name"] for each in owners(metadata, "Cluster")]
    label = (metadata.get("labels") or {}).get(CLUSTER_NAME_LABEL)
    return str(next(iter(named), label or metadata.get("name", "")))


def owners(metadata: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Return the references to owners of a kind of Cluster API; others have a Cluster too."""
    return [
        each
        for each in metadata.get("ownerReferences") or ()
        if each.get("kind") == kind and str(each.get("apiVersion")).startswith(_CORE)
    ]


_CORE = "cluster.x-k8s.io/"


# --- Roles ---------------------------------------------------------------------------------------

CONTROL_PLANE = "controlplane"
WORKER = "worker"
LOAD_BALANCER = "loadbalancer"
BASTION = "bastion"
NAT = "nat"
SERVICE = "service"
INTERNAL_SERVICE = "service.internal"

ROLES = (CONTROL_PLANE, WORKER, LOAD_BALANCER, BASTION, NAT, SERVICE, INTERNAL_SERVICE)
"""What a subnet or a security group can be for."""
PUBLIC_ROLES = frozenset({LOAD_BALANCER, BASTION, NAT})
"""A subnet with one of these roles is public: its way out is the internet service."""
_OF_MACHINES = frozenset({CONTROL_PLANE, WORKER})

# --- Tags ----------------------------------------------------------------------------------------

NAME = "Name"
OWNED = "owned"
CLUSTER_PREFIX = "OscK8sClusterID/"
ROLE_PREFIX = "OscK8sRole/"
MAIN_GROUP_PREFIX = "OscK8sMainSG/"
MAIN_GROUP = "OscK8sMainSG"
"""What ``securityGroups[].tag`` says of the group into which the CCM writes its rules."""
NODE_NAME = "OscK8sNodeName"
"""On a VM: the name of its Node, by which the CCM finds it."""
MACHINE = "OscK8sMachine"
"""On what belongs to one machine: the name of the OscMachine."""
POOL = "OscK8sIPPool"
"""On a public IP: the pool it is taken from. It is never released."""
NO_DELETE = "OscK8sNoDelete"
"""On a public IP: it is never released, whatever the value."""
KEPT = "OscK8sKept"
"""On a load balancer: what people had added when it was taken over, by port or id."""
AUTO_ATTACH = "osc.fcu.eip.auto-attach"
"""On a VM, by its user data: the public IP that is linked to it when it starts."""

# What the role tags were called when the CCM was at version 0.4; later ones read them still.
_OLDER_ROLES = {
    SERVICE: "kubernetes.io/role/elb",
    INTERNAL_SERVICE: "kubernetes.io/role/internal-elb",
}


OWN_TAGS = (
    *(f"{ROLE_PREFIX}{role}" for role in (CONTROL_PLANE, WORKER, LOAD_BALANCER, BASTION, NAT)),
    MAIN_GROUP_PREFIX,
)
"""Beginnings of the keys of tags that the spec alone decides about.

People may tag a subnet for the services of the CCM on their own.
"""


def owner(uid: str) -> tuple[str, str]:
    """Return the tag, key and value, of all that belongs to a cluster."""
    return f"{CLUSTER_PREFIX}{uid}", OWNED


def role_tags(roles: Iterable[str]) -> dict[str, str]:
    """Return the tags of a subnet or security group with roles; the CCM reads their keys only."""
    tags = {}
    for role in roles:
        tags[f"{ROLE_PREFIX}{role}"] = ""
        if role in _OLDER_ROLES:
            tags[_OLDER_ROLES[role]] = ""
    return tags


def main_group_tag(uid: str) -> tuple[str, str]:
    """Return the tag, key and value, of the group into which the CCM writes its rules."""
    return f"{MAIN_GROUP_PREFIX}{uid}", "True"


def is_kept(tags: Iterable[str]) -> bool:
    """Tell from the keys of its tags whether a public IP outlives its cluster."""
    return not {POOL, NO_DELETE}.isdisjoint(tags)


def is_public(roles: Iterable[str]) -> bool:
    """Tell whether the way out of a subnet is the internet service, and not a NAT service.

    So it is for Services alone. But machines, which have no public IP, cannot go out there.
    """
    kinds = set(roles)
    return bool(kinds & PUBLIC_ROLES) or (SERVICE in kinds and not kinds & _OF_MACHINES)


# --- Names ---------------------------------------------------------------------------------------


def net(cluster: str) -> str:
    """Return the name of a Net that was given none."""
    return f"Net for {cluster}"


def subnet(cluster: str, roles: Iterable[str], subregion: str) -> str:
    """Return the name of a subnet that was given none; its route table has the same one."""
    kinds = set(roles)
    if kinds & PUBLIC_ROLES:
        kind = "Public subnet"
    elif CONTROL_PLANE in kinds:
        kind = "Controlplane subnet"
    elif WORKER in kinds:
        kind = "Worker subnet"
    else:
        kind = "Subnet"
    return f"{kind} for {cluster}/{subregion}"


def internet_service(cluster: str) -> str:
    """Return the name of an internet service that was given none."""
    return f"Internet Service for {cluster}"


def nat_service(cluster: str, subregion: str) -> str:
    """Return the name of a NAT service that was given none; its public IP has the same one."""
    return f"Nat service for {cluster}/{subregion}"


def net_peering(cluster: str) -> str:
    """Return the name of a Net peering."""
    return f"Net peering for {cluster}"


def net_access_point(cluster: str, service: str) -> str:
    """Return the name of a Net access point."""
    return f"Net access point for {cluster}/{service}"


def net_access_service(region: str, service: str) -> str:
    """Return what the API calls the service behind a Net access point."""
    return f"com.outscale.{region}.{service}"


def bastion(cluster: str) -> str:
    """Return the name of a bastion that was given none; its public IP has the same one."""
    return f"Bastion for {cluster}"


_GROUP_KINDS = {
    "lb": "LB",
    WORKER: "Worker",
    CONTROL_PLANE: "Controlplane",
    "node": "Node",
    BASTION: "Bastion",
}
GROUP_KINDS = tuple(_GROUP_KINDS)
"""The security groups that a cluster has when its spec names none."""


def group_key(cluster: str, kind: str) -> str:
    """Return the name, inside its cluster, of a group that the spec does not name."""
    return f"{cluster}-{kind}"


def group_description(cluster: str, kind: str) -> str:
    """Return the description of a group that the spec does not name."""
    return f"{_GROUP_KINDS[kind]} securityGroup for {cluster}"


def listed_group_key(cluster: str, name: str, id_: str, roles: Iterable[str]) -> str:
    """Return the name, inside its cluster, of a group that the spec lists.

    Without one it is the id of a group that exists already, or else made from the roles.
    """
    return name or id_ or "-".join([cluster, *roles])


def group(key: str, uid: str) -> str:
    """Return the SecurityGroupName of a group: unique, since a Net may hold several clusters."""
    return f"{key}-{uid}"


LOAD_BALANCER_NAME_MAX = 32
"""Letters, digits and dashes in the name of a load balancer, unique in an account and region."""


def load_balancer(cluster: str, uid: str) -> str:
    """Return the name of a load balancer that was given none.

    One that does not fit is cut, and made unique with six digits that stay the same.
    """
    wanted = f"{cluster}-k8s"
    fitting = re.sub(r"[^a-zA-Z0-9]+", "-", wanted).strip("-")
    if fitting == wanted and len(wanted) <= LOAD_BALANCER_NAME_MAX:
        return wanted
    digits = hashlib.sha256(f"{cluster}/{uid}".encode()).hexdigest()[:6]
    room = LOAD_BALANCER_NAME_MAX - len("--k8s") - len(digits)
    return f"{fitting.removesuffix('-k8s')[:room].rstrip('-')}-{digits}-k8s"


def is_load_balancer_host(host: str, name: str) -> bool:
    """Tell whether OUTSCALE gave a DNS name to a load balancer of this name, now or once."""
    given = rf"(internal-)?{re.escape(name)}-\d+\..*\.lbu\.outscale\..*"
    return bool(re.fullmatch(given, host, re.IGNORECASE))


def is_host(one: str, other: str) -> bool:
    """Tell whether two DNS names are the same one, however written."""
    return one.lower().rstrip(".") == other.lower().rstrip(".")


def load_balancer_mark(name: str, uid: str) -> str:
    """Return the ``Name`` tag by which the Go provider knows its load balancers."""
    return f"{name}-{uid}"


# --- Client tokens -------------------------------------------------------------------------------

CLIENT_TOKEN_MAX = 64


def client_token(*parts: str) -> str:
    """Return a client token: the parts and dashes, of which the last 64 characters are kept.

    The last part is the uid, so what is kept is what is unique.
    """
    return "-".join(parts)[-CLIENT_TOKEN_MAX:]


def renewed_token(token: str, dead: str) -> str:
    """Return another client token, after the one of what has this id: a token is used only once."""
    return f"{token[len(dead) + 1 - CLIENT_TOKEN_MAX :]}-{dead}"


def machine_token(machine: str, uid: str) -> str:
    """Return the client token of the VM of an OscMachine.

    A name that does not fit is cut, and made unique with eight digits that stay the same.
    """
    if len(machine) + 1 + len(uid) <= CLIENT_TOKEN_MAX:
        return client_token(machine, uid)
    return client_token(machine, hashlib.sha256(machine.encode()).hexdigest()[:8], uid)


def older_machine_token(machine: str, uid: str) -> str:
    """Return the token of the Go provider for it when that is another one, else nothing."""
    older = client_token(machine, uid)
    return older if older != machine_token(machine, uid) else ""


def bastion_token(given: str, uid: str) -> str:
    """Return the client token of a bastion, which may have been given a name."""
    return client_token(given or "bastion", uid)


def nat_service_token(given: str, subregion: str, uid: str) -> str:
    """Return the client token of a NAT service, which may have been given a name."""
    return client_token(given or subregion, uid)


# --- Ids -----------------------------------------------------------------------------------------

_PROVIDER_ID = re.compile(r"(?:aws|osc):///(?P<subregion>[^/\s]+)/(?P<vm>i-[0-9a-f]+)")


def provider_id(subregion: str, vm_id: str) -> str:
    """Return the provider id of a VM, the same to the letter as the CCM writes on the Node."""
    return f"aws:///{subregion}/{vm_id}"


def parse_provider_id(text: str) -> tuple[str, str] | None:
    """Return subregion and VM id, or None for what is no provider id of an OUTSCALE VM."""
    match = _PROVIDER_ID.fullmatch(text)
    return (match["subregion"], match["vm"]) if match else None


def region(subregion: str) -> str:
    """Return the region of a subregion: ``eu-west-2`` of ``eu-west-2a``."""
    return subregion.rstrip("abcdefghijklmnopqrstuvwxyz")


# --- What the CCM makes --------------------------------------------------------------------------

CCM_GROUP_PREFIX = "k8s-elb-"
"""How the CCM starts the names of the security groups of its load balancers."""
CCM_SERVICE = "OscK8sService"
"""On a load balancer of the CCM: the Service that it is for."""
CCM_TO_DELETE = "OscK8sToDelete"
"""On a security group that the CCM is about to delete."""


def is_ccm_group(name: str) -> bool:
    """Tell from its SecurityGroupName whether the CCM made a group."""
    return name.startswith(CCM_GROUP_PREFIX)
