"""The blueprint of a cluster: its spec read and checked, and all that follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from provider.api import reading, v1beta2
from provider.conditions import Condition
from provider.engine import world
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds_
from provider.osc import metadata
from provider.problem import Problem
from provider.reasons import Reason
from provider.resources import net_peering, public_ip
from provider.resources.internet_service import InternetService
from provider.resources.load_balancer import LoadBalancer
from provider.resources.nat_service import NatService
from provider.resources.net import Net
from provider.resources.net_access_point import NetAccessPoint
from provider.resources.net_peering import NetPeering, PeerRoutes
from provider.resources.public_ip import PublicIp
from provider.resources.route_table import RouteTable
from provider.resources.security_group import SecurityGroup
from provider.resources.subnet import Subnet
from provider.resources.vm import Bastion
from provider.resources.want import Want
from provider.rules import names, validation, validation_change

KINDS: tuple[type[Resource], ...] = (
    # Each refers only to kinds before it, or to later ones by a name alone.
    Net,
    Subnet,
    InternetService,
    NatService,
    NetPeering,
    PeerRoutes,
    RouteTable,
    NetAccessPoint,
    SecurityGroup,
    LoadBalancer,
    Bastion,
    PublicIp,
)

Here = Callable[[], metadata.Place | None]
"""Tells where the provider itself runs."""

_ONLY_TO_CREATE = re.compile(
    r"spec\.network\.(bastion|loadBalancer|additionalSecurityRules\[\d+\]\.roles"
    r"|natServices\[\d+\]\.subnetName|routeTables\[\d+\]\.routes\[\d+\]\.targetName"
    r"|subnets\[\d+\]\.roles\[\d+\])"
)
"""Parts that the Go provider checked less, and that do no harm once what they describe is there."""


# --- The spec ------------------------------------------------------------------------------------


def read(osc_cluster: Mapping[str, Any]) -> v1beta2.OscClusterSpec:
    """Return the spec of an OscCluster; raise ``Refusal`` for one that cannot be read."""
    spec, problems = reading.read(v1beta2.OscClusterSpec, osc_cluster.get("spec"))
    if problems:
        raise Refusal("\n".join(problems))
    return spec


def problems(spec: v1beta2.OscClusterSpec, status: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with a spec, but what does no harm to a cluster that stands.

    A move keeps no status of it, but the endpoint.
    """
    initialization = status.get("initialization") or {}
    stands = initialization.get("provisioned") or spec.control_plane_endpoint.is_set
    found = validation.problems(spec)
    return [each for each in found if not (stands and _ONLY_TO_CREATE.match(each.path))]


def check(spec: v1beta2.OscClusterSpec, status: Mapping[str, Any]) -> None:
    """Raise ``Refusal`` for a spec that no cluster can be made from."""
    if lines := [str(each) for each in problems(spec, status)]:
        raise Refusal("\n".join(lines))


def check_endpoint(spec: v1beta2.OscClusterSpec, seen: world.World, name: str, uid: str) -> None:
    """Raise ``Refusal`` for a load balancer that would leave the endpoint, which is fixed."""
    point, spec_lb = spec.control_plane_endpoint, spec.network.load_balancer
    wanted, where = load_balancer(spec, name, uid), "spec.network.loadBalancer"
    for each in seen.of(LoadBalancer.KIND):
        assert isinstance(each, LoadBalancer)
        if not point.is_set or not names.is_host(each.dns_name, point.host):
            continue
        if "loadbalancer" in spec.network.disable:
            if each.is_managed:
                raise Refusal(validation_change.way_to_the_api(point.host))
            continue
        if each.id != wanted:
            raise Refusal(
                f"{where}.name is {wanted}, but spec.controlPlaneEndpoint is the load balancer "
                f"{each.id}. Put the old name back."
            )
        ports = [spec_lb.listener.port, *(more.port for more in spec_lb.additional_listeners)]
        if point.port not in ports:
            raise Refusal(
                f"{where}.listener.port is {ports[0]}, but spec.controlPlaneEndpoint.port is "
                f"{point.port}, on which nothing would listen. Put the old port back, or add it to "
                f"{where}.additionalListeners."
            )


# --- What is looked at ---------------------------------------------------------------------------


def scope(uid: str, name: str, spec: v1beta2.OscClusterSpec) -> world.Scope:
    """Return whose resources are looked at."""
    bastion, balancer = spec.network.bastion, spec.network.load_balancer
    addresses = {
        "bastionAddress": public_ip.title(bastion.public_ip_id, bastion.public_ip_pool),
        "balancerAddress": public_ip.title(balancer.public_ip_id, balancer.public_ip_pool),
    }
    return world.Scope(
        names.owner(uid),
        existing=_existing(spec.network, name),
        about={
            "uid": uid,
            "peerSubnet": spec.network.net_peering.management_subnet_id,
            "loadBalancer": load_balancer(spec, name, uid),
            "bastionToken": _token(bastion, uid),
            # Whose public IPs these are, a tag does not tell.
            "publicIps": "all" if any(addresses.values()) else "",
            **addresses,
        },
    )


def scope_of_going(uid: str, osc_cluster: Mapping[str, Any]) -> world.Scope:
    """Return whose resources are looked at when a cluster goes: what bears its tag.

    The bastion of the Go provider bears none, nor does its load balancer at first. Token and name
    are in a spec that may be unreadable in part by now. What was only used may bear one as well.
    """
    spec, _ = reading.read(v1beta2.OscClusterSpec, osc_cluster.get("spec"))
    about = {"uid": uid, "isGoing": "true", "bastionToken": _token(spec.network.bastion, uid)}
    spared = set(named_ids(osc_cluster.get("spec")))
    if spec.network.use_existing.load_balancer:
        spared.add(spec.network.load_balancer.name)
    elif "loadbalancer" not in spec.network.disable:
        about["loadBalancer"] = load_balancer(spec, names.cluster_of(osc_cluster), uid)
    return world.Scope(names.owner(uid), spared=frozenset(spared), about=about)


def _token(bastion: v1beta2.Bastion, uid: str) -> str:
    is_ours = bastion.enable and not bastion.resource_id
    return names.bastion_token(bastion.name, uid) if is_ours else ""


def _existing(network: v1beta2.Network, name: str) -> dict[str, dict[str, str]]:
    groups = {
        each.resource_id: names.listed_group_key(name, each.name, each.resource_id, each.roles)
        for each in network.security_groups
        if each.resource_id
    }
    subnets = {
        each.resource_id: each.ip_range or each.resource_id
        for each in network.subnets
        if each.resource_id
    }
    balancer = network.load_balancer.name if network.use_existing.load_balancer else ""
    found = {
        Net.KIND: _default(network.net.resource_id),
        Subnet.KIND: subnets,
        SecurityGroup.KIND: groups,
        Bastion.KIND: _default(network.bastion.resource_id),
        LoadBalancer.KIND: {balancer: balancer} if balancer else {},
    }
    return {kind: ids for kind, ids in found.items() if ids}


def _default(id_: str) -> dict[str, str]:
    return {id_: "default"} if id_ else {}


def known(
    osc_cluster: Mapping[str, Any],
    resources: Mapping[str, Mapping[str, str]],
    wanted: Iterable[Resource],
) -> dict[str, dict[str, str]]:
    """Return the ids of what was ours; what the spec names is only used, whoever wrote it.

    The Go provider kept the public IPs of NAT services by the tokens of those.
    """
    used = set(named_ids(osc_cluster.get("spec")))
    users = {each.token: str(each) for each in wanted if isinstance(each, NatService)}
    keys = {PublicIp.KIND: users}
    return {
        kind: {keys.get(kind, {}).get(key, key): id_ for key, id_ in ids.items() if id_ not in used}
        for kind, ids in resources.items()
    }


def named_ids(spec: Any) -> Iterator[str]:
    """Return every id that a spec names, however odd the rest of it is: none of it is ours."""
    if isinstance(spec, Mapping):
        for key, value in spec.items():
            if key in ("resourceId", "publicIpId") and isinstance(value, str):
                yield value
            yield from named_ids(value)
    elif isinstance(spec, list):
        for each in spec:
            yield from named_ids(each)


# --- What is wanted ------------------------------------------------------------------------------


def desired(
    spec: v1beta2.OscClusterSpec,
    osc_cluster: Mapping[str, Any],
    *,
    uid: str,
    region: str,
    seen: world.World | None = None,
    peer: net_peering.Peer | None = None,
) -> list[Resource]:
    """Return all that is wanted; raise ``Refusal`` for what cannot be."""
    want = Want(
        uid=uid,
        name=str(osc_cluster["metadata"]["name"]),
        cluster=names.cluster_of(osc_cluster),
        region=region,
        network=spec.network,
        subregions=_subregions(spec.network, region),
        nat_ips=nat_addresses(seen) if seen else (),
        peer=peer,
        kinds={kind.KIND: kind for kind in KINDS},
    )
    try:
        return [each for kind in KINDS for each in want.of(kind)]
    except ValueError as error:
        # An IP range that is none, or a Net in which there is no room.
        raise Refusal(f"spec.network: {error}") from error


def nat_addresses(seen: world.World) -> tuple[str, ...]:
    """Return the public addresses of NAT services, from which machines reach the load balancer."""
    found = [each for each in seen.of(NatService.KIND) if isinstance(each, NatService)]
    return tuple(sorted({address for each in found for address in each.addresses}))


def peer(
    network: v1beta2.Network, clouds: clouds_.Clouds, seen: world.World, here: Here
) -> net_peering.Peer | None:
    """Return the other side of the peering, or None without one; raise ``Refusal``.

    Unless the spec names it, it is that of the peering that exists, or else ``here``, where the
    provider runs: that may change when the management cluster does.
    """
    spec = network.net_peering
    if not spec.enable or network.use_existing.net:
        return None
    net_id, account_id = spec.management_net_id, spec.management_account_id
    for each in seen.of(NetPeering.KIND):
        assert isinstance(each, NetPeering)
        net_id = net_id or each.peer_net_id
    if not net_id and (place := here()):
        net_id, account_id = place.net_id, account_id or place.account_id
    if not net_id:
        raise Refusal(
            "spec.network.netPeering.managementNetId is not set, and the provider does not run on "
            "a VM of OUTSCALE, whose Net would be taken. Set it to the Net of the management "
            "cluster."
        )
    subnet_id = spec.management_subnet_id
    found = net_peering.find_peer(clouds, net_id, account_id, subnet_id)
    if found is None:
        name, value = ("Subnet", subnet_id) if subnet_id else ("Net", net_id)
        raise Refusal(
            f"spec.network.netPeering.management{name}Id is {value}, which the management "
            "credentials do not find. Set it to that of the management cluster."
        )
    return found


def load_balancer(spec: v1beta2.OscClusterSpec, name: str, uid: str) -> str:
    """Return the name of the load balancer of the Kubernetes API, if there is to be one."""
    return spec.network.load_balancer.name or names.load_balancer(name, uid)


def _subregions(network: v1beta2.Network, region: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(network.subregions))
    given = tuple(dict.fromkeys(each.subregion for each in network.subnets if each.subregion))
    strange = [each for each in (*named, *given) if names.region(each) != region]
    if strange:
        raise Refusal(
            f"spec.network has the subregion {strange[0]}, but the credentials are for {region}. "
            f"Use subregions of {region}, or credentials for {names.region(strange[0])}."
        )
    return named or given or (f"{region}a",)


# --- What it came to -----------------------------------------------------------------------------


def failure_domains(seen: world.World, spec: v1beta2.OscClusterSpec) -> list[dict[str, Any]]:
    """Return the subregions in which control planes, or at least workers, can be put."""
    roles = {each.resource_id: set(each.roles) for each in spec.network.subnets}
    domains: dict[str, bool] = {}
    for each in seen.of(Subnet.KIND):
        assert isinstance(each, Subnet)
        has = each.roles | roles.get(each.id, set())
        if has & {names.CONTROL_PLANE, names.WORKER}:
            holds = names.CONTROL_PLANE in has
            domains[each.subregion] = domains.get(each.subregion, False) or holds
    return [{"name": name, "controlPlane": holds} for name, holds in sorted(domains.items())]


def endpoint(
    seen: world.World, spec: v1beta2.OscClusterSpec, name: str, uid: str
) -> v1beta2.Endpoint:
    """Return where the Kubernetes API is: what the spec says of it, else the load balancer."""
    given = spec.control_plane_endpoint
    found = seen.places.get((LoadBalancer.KIND, load_balancer(spec, name, uid)))
    if given.is_set or not isinstance(found, LoadBalancer):
        return given
    if not (found.dns_name and found.is_ready) or found.refusal:
        return given
    port = spec.network.load_balancer.listener.port
    return v1beta2.Endpoint(host=given.host or found.dns_name, port=given.port or port)


NO_ENDPOINT = Condition(
    "EndpointReady",
    "False",
    Reason.ENDPOINT_MISSING,
    "spec.network.disable has loadbalancer, so spec.controlPlaneEndpoint has to be set. Set host "
    "and port to where the Kubernetes API is reached.",
)


def lost_endpoint(
    seen: world.World, spec: v1beta2.OscClusterSpec, name: str, uid: str
) -> Condition | None:
    """Tell that the load balancer was made anew: it has another name, but the endpoint stays.

    A host that OUTSCALE did not give to it, such as a DNS record of the user, is never lost.
    """
    host = spec.control_plane_endpoint.host
    found = seen.places.get((LoadBalancer.KIND, load_balancer(spec, name, uid)))
    if not isinstance(found, LoadBalancer) or found.refusal or not found.dns_name:
        return None
    if not names.is_load_balancer_host(host, found.key) or names.is_host(host, found.dns_name):
        return None
    message = (
        f"spec.controlPlaneEndpoint.host is {host}, where nothing answers any more: the load "
        f"balancer {found.key} was deleted by somebody else, and made anew as {found.dns_name}. "
        "The endpoint stays, because machines know it. Make another cluster."
    )
    return Condition(LoadBalancer.CONDITION, "False", Reason.ENDPOINT_LOST, message)


def bastion_state(seen: world.World) -> str:
    """Return the state of the bastion; nothing without one."""
    return next((each.state for each in seen.of(Bastion.KIND)), "")
