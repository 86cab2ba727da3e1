"""Who may talk to whom: the one table of allowed traffic, and the security groups made from it.

A machine has the groups of its role and the group of all nodes. Groups are authoritative when they
are automatic: a rule with IP ranges that is not in the table goes. Rules that name a group instead
of an IP range are those of the cloud controller manager (CCM), and always stay.

https://docs.outscale.com/en/userguide/About-Security-Group-Rules.html
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from provider.api import v1beta2
from provider.rules import addressing, names

INBOUND, OUTBOUND = "Inbound", "Outbound"

TCP, UDP, ICMP = "tcp", "udp", "icmp"
IP_IN_IP = "4"
EVERYTHING = "-1"
"""The protocol that stands for all protocols."""
_NUMBERS = {"1": ICMP, "6": TCP, "17": UDP}

ANY = (-1, -1)
"""All ports, or none where the protocol has none."""
ECHO_REQUEST = (8, 0)
"""ICMP has a type where others have a first port, and a code where they have a last one."""


class Party(enum.Enum):
    """Who talks or is talked to; the value is what the documentation calls it."""

    CLIENTS = "`allowFromIPRanges`"
    OUTSIDE = "`allowToIPRanges`"
    NET = "the Net"
    NAT = "NAT services"
    NODE = "nodes"
    WORKER = "workers"
    CONTROL_PLANE = "control planes"
    LOAD_BALANCER = "load balancer"
    BASTION = "bastion"


CLIENTS, OUTSIDE, NET, NAT = Party.CLIENTS, Party.OUTSIDE, Party.NET, Party.NAT
NODE, WORKER, CONTROL_PLANE = Party.NODE, Party.WORKER, Party.CONTROL_PLANE
LOAD_BALANCER, BASTION = Party.LOAD_BALANCER, Party.BASTION


class Listening(enum.Enum):
    """Ports that the spec of the load balancer says; the value is what they are by default."""

    FRONT = "6443 (`listener.port`)"
    BACK = "6443 (`listener.backendPort`)"


FRONT, BACK = Listening.FRONT, Listening.BACK


@dataclasses.dataclass(frozen=True)
class Allow:
    """One row of the table: traffic that a cluster needs."""

    source: Party
    target: Party
    protocol: str
    ports: int | tuple[int, int] | Listening
    why: str
    link: str


KUBERNETES = "https://kubernetes.io/docs/reference/networking/ports-and-protocols/"
WEBHOOKS = (
    "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"
)
KONNECTIVITY = "https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity/"
RKE2 = "https://docs.rke2.io/install/requirements#inbound-network-rules"
CALICO = (
    "https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements"
    "#network-requirements"
)
CILIUM = "https://docs.cilium.io/en/stable/operations/system_requirements/#firewall-rules"
FLANNEL = "https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md"
KUBE_ROUTER = "https://www.kube-router.io/docs/tunnels/"
BFD = "https://datatracker.ietf.org/doc/html/rfc5881#section-4"
OUTSCALE = "https://docs.outscale.com/en/userguide/About-Load-Balancers.html"
GROUPS_GUIDE = "https://docs.outscale.com/en/userguide/About-Security-Groups.html"

TABLE = (
    # From, to, protocol, ports, why, source.
    Allow(CLIENTS, LOAD_BALANCER, TCP, FRONT, "Kubernetes API, for its users", OUTSCALE),
    Allow(NAT, LOAD_BALANCER, TCP, FRONT, "Kubernetes API, for machines behind a NAT", OUTSCALE),
    Allow(NET, LOAD_BALANCER, TCP, FRONT, "Kubernetes API, when it is internal", OUTSCALE),
    Allow(LOAD_BALANCER, CONTROL_PLANE, TCP, BACK, "Kubernetes API, and its health", OUTSCALE),
    Allow(NET, CONTROL_PLANE, TCP, BACK, "Kubernetes API, for machines and pods", KUBERNETES),
    Allow(CONTROL_PLANE, CONTROL_PLANE, TCP, (2379, 2380), "etcd clients and peers", KUBERNETES),
    Allow(CONTROL_PLANE, CONTROL_PLANE, TCP, 10250, "kubelet: logs, exec, metrics", KUBERNETES),
    Allow(CONTROL_PLANE, WORKER, TCP, 10250, "kubelet: logs, exec, metrics", KUBERNETES),
    Allow(WORKER, WORKER, TCP, 10250, "kubelet, for metrics-server", KUBERNETES),
    Allow(WORKER, CONTROL_PLANE, TCP, 10250, "kubelet, for metrics-server", KUBERNETES),
    Allow(CONTROL_PLANE, WORKER, TCP, 443, "webhooks and aggregated APIs", WEBHOOKS),
    Allow(CONTROL_PLANE, WORKER, TCP, (1024, 65535), "webhooks on any port", WEBHOOKS),
    Allow(NODE, CONTROL_PLANE, TCP, 8132, "konnectivity agents", KONNECTIVITY),
    Allow(NODE, CONTROL_PLANE, TCP, 9345, "RKE2 supervisor: nodes join here", RKE2),
    Allow(NODE, NODE, TCP, (30000, 32767), "NodePorts", KUBERNETES),
    Allow(NODE, NODE, UDP, (30000, 32767), "NodePorts", KUBERNETES),
    Allow(NODE, NODE, TCP, 179, "Calico and kube-router BGP mesh", CALICO),
    Allow(NODE, NODE, IP_IN_IP, ANY, "Calico and kube-router IP-in-IP, the default", CALICO),
    Allow(NODE, NODE, UDP, 4789, "Calico VXLAN", CALICO),
    Allow(NODE, NODE, TCP, 5473, "Calico Typha", CALICO),
    Allow(NODE, NODE, UDP, (51820, 51821), "Calico and Flannel WireGuard, IPv4 and IPv6", CALICO),
    Allow(NODE, NODE, UDP, 5555, "kube-router, IP-in-IP over UDP (FoU)", KUBE_ROUTER),
    Allow(NODE, NODE, UDP, 3784, "BFD, which watches BGP sessions", BFD),
    Allow(NODE, NODE, UDP, 8472, "Cilium and Flannel VXLAN", CILIUM),
    Allow(NODE, NODE, UDP, 6081, "Cilium Geneve", CILIUM),
    Allow(NODE, NODE, UDP, 51871, "Cilium WireGuard", CILIUM),
    Allow(NODE, NODE, TCP, 4240, "Cilium health", CILIUM),
    Allow(NODE, NODE, ICMP, ECHO_REQUEST, "Cilium health", CILIUM),
    Allow(NODE, NODE, TCP, 4244, "Cilium Hubble", CILIUM),
    Allow(NODE, NODE, UDP, 8285, "Flannel UDP", FLANNEL),
    Allow(NODE, NET, EVERYTHING, ANY, "to each other, whatever it is", GROUPS_GUIDE),
    Allow(NODE, OUTSIDE, EVERYTHING, ANY, "images, packages, the OUTSCALE API", GROUPS_GUIDE),
    Allow(CLIENTS, BASTION, TCP, 22, "SSH to the bastion", GROUPS_GUIDE),
    Allow(BASTION, NODE, TCP, 22, "SSH to machines", GROUPS_GUIDE),
    Allow(BASTION, OUTSIDE, EVERYTHING, ANY, "packages", GROUPS_GUIDE),
)

GROUPS = {
    LOAD_BALANCER: ("lb", (names.LOAD_BALANCER,)),
    WORKER: (names.WORKER, (names.WORKER,)),
    CONTROL_PLANE: (names.CONTROL_PLANE, (names.CONTROL_PLANE,)),
    NODE: ("node", (names.CONTROL_PLANE, names.WORKER)),
    BASTION: (names.BASTION, (names.BASTION,)),
}
"""The automatic groups: their kind and roles."""

_ROWS = {party: [row for row in TABLE if party in (row.source, row.target)] for party in GROUPS}
"""The rows that say something of each group."""

_WAYS_OUT = frozenset({LOAD_BALANCER, BASTION})
"""Groups that reach other groups only where a row says so; nodes reach the whole Net."""


# --- Rules ---------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, order=True)
class Rule:
    """One rule with one range, in the words in which the API answers; made by `rule`."""

    flow: str
    protocol: str
    from_port: int
    to_port: int
    ip_range: str

    def __str__(self) -> str:
        way = "from" if self.flow == INBOUND else "to"
        return f"{self.protocol} {self.from_port}-{self.to_port} {way} {self.ip_range}"

    def covers(self, other: Rule) -> bool:
        """Tell whether another rule allows nothing that this one does not."""
        return (
            self.flow == other.flow
            and self.protocol in (EVERYTHING, other.protocol)
            and self._spans(other)
            and addressing.contains(self.ip_range, other.ip_range)
        )

    def _spans(self, other: Rule) -> bool:
        if self.protocol == ICMP:
            return self.from_port in (-1, other.from_port) and self.to_port in (-1, other.to_port)
        if self.protocol in (TCP, UDP):
            return self.from_port <= other.from_port and other.to_port <= self.to_port
        return True


@functools.lru_cache(maxsize=4096)
def rule(flow: str, protocol: str, ports: tuple[int, int], ip_range: str) -> Rule:
    """Make a rule in the words of the API: what it was told, it may answer in others.

    ``TCP`` and ``6`` are ``tcp``; protocols without ports have -1 for both; a range has no bits
    after its prefix. Raise ``ValueError`` for what is no IP range.
    """
    protocol = _NUMBERS.get(protocol, protocol.lower())
    first, last = ports if protocol in (TCP, UDP, ICMP) else ANY
    return Rule(flow.capitalize(), protocol, first, last, str(addressing.network(ip_range)))


def _rules(
    flow: str, protocol: str, spans: Iterable[tuple[int, int]], ranges: Iterable[str]
) -> set[Rule]:
    ranges = tuple(ranges)
    return {rule(flow, protocol, span, each) for span in spans for each in ranges if each}


def _written(rules: Iterable[v1beta2.SecurityGroupRule]) -> set[Rule]:
    return {
        each
        for one in rules
        for each in _rules(one.flow, one.ip_protocol, [(one.from_port, one.to_port)], one.ip_ranges)
    }


BORN_WITH = frozenset({Rule(OUTBOUND, EVERYTHING, *ANY, addressing.EVERYWHERE)})
"""What every group lets out when it is created."""


@functools.lru_cache(maxsize=1024)
def _without_covered(rules: frozenset[Rule]) -> frozenset[Rule]:
    return frozenset(
        each
        for each in rules
        if not any(other.covers(each) for other in rules if other is not each)
    )


# --- Groups --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Group:
    """A security group as it is wanted; its SecurityGroupName is ``names.group(key, uid)``."""

    key: str
    """Its name inside its cluster."""
    description: str
    roles: tuple[str, ...]
    is_main: bool
    """Whether the CCM writes its rules into it."""
    authoritative: bool
    """Whether further rules with IP ranges go."""
    rules: frozenset[Rule]
    resource_id: str = ""
    """The id of a group that exists already and is used as it is."""


class Subnet(Protocol):
    """What has to be known of a subnet."""

    @property
    def roles(self) -> Collection[str]:
        """What is put into it."""

    @property
    def ip_range(self) -> str:
        """Its range."""


@dataclasses.dataclass(frozen=True)
class _Cluster:
    network: v1beta2.Network
    net_range: str
    subnets: Sequence[Subnet]
    nat_ips: Sequence[str]

    def has(self, party: Party) -> bool:
        """Tell whether a cluster has this party at all."""
        if party is BASTION:
            return self.network.bastion.enable
        return party is not LOAD_BALANCER or "loadbalancer" not in self.network.disable

    def ranges(self, party: Party) -> Iterable[str]:
        """Return the addresses of a party."""
        if not self.has(party):
            return ()
        if party is CLIENTS:
            return self.network.allow_from_ip_ranges or (addressing.EVERYWHERE,)
        if party is OUTSIDE:
            return self.network.allow_to_ip_ranges or (addressing.EVERYWHERE,)
        if party is NAT:
            return self.nat_ips
        # Nodes are allowed by the range of the Net, so that the rules of a network plugin do not
        # multiply with subnets. So is a bastion in a subnet that need not have its role.
        if party in (NET, NODE) or (party is BASTION and self.network.bastion.subnet_name):
            return (self.net_range,)
        _, (role,) = GROUPS[party]
        return [each.ip_range for each in self.subnets if role in each.roles]

    def spans(self, ports: int | tuple[int, int] | Listening) -> Iterable[tuple[int, int]]:
        """Return ranges of ports."""
        if isinstance(ports, int):
            return [(ports, ports)]
        if isinstance(ports, tuple):
            return [ports]
        balancer = self.network.load_balancer
        listeners = [balancer.listener, *balancer.additional_listeners]
        if ports is FRONT:
            found = {each.port for each in listeners}
        else:
            found = {each.backend_port for each in listeners} | {balancer.health_check.port}
        return [(port, port) for port in sorted(found)]


def groups(
    network: v1beta2.Network,
    cluster: str,
    net_range: str,
    subnets: Sequence[Subnet],
    nat_ips: Sequence[str] = (),
) -> tuple[Group, ...]:
    """Return the security groups of a cluster: those of its spec, or else the automatic ones.

    ``subnets`` are all subnets of the cluster, ``nat_ips`` the public IPs of its NAT services.
    Raise ``ValueError`` for what is no IP range, which validation has refused before.
    """
    facts = _Cluster(network, net_range, subnets, nat_ips)
    made = _manual(facts, cluster) if network.security_groups else _automatic(facts, cluster)
    return tuple(made)


def _automatic(facts: _Cluster, cluster: str) -> Iterator[Group]:
    lets_out = addressing.EVERYWHERE in facts.ranges(OUTSIDE)
    for party, (kind, roles) in GROUPS.items():
        if not facts.has(party):
            continue
        rules = {each for row in _ROWS[party] for each in _of_row(row, party, facts)}
        if lets_out and party is not LOAD_BALANCER:
            # Every group is born with this rule, which need not be deleted here: machines have it
            # by their other group, and the bastion has it anyway.
            rules |= BORN_WITH
        for more in facts.network.additional_security_rules:
            if set(more.roles) == set(roles):
                rules |= _written(more.rules)
        yield Group(
            key=names.group_key(cluster, kind),
            description=names.group_description(cluster, kind),
            roles=roles,
            is_main=party is NODE,
            authoritative=True,
            rules=_without_covered(frozenset(rules)),
        )


def _of_row(row: Allow, party: Party, facts: _Cluster) -> set[Rule]:
    found = set()
    if row.target is party:
        found |= _rules(INBOUND, row.protocol, facts.spans(row.ports), facts.ranges(row.source))
    if row.source is party and (party in _WAYS_OUT or row.target not in GROUPS):
        found |= _rules(OUTBOUND, row.protocol, facts.spans(row.ports), facts.ranges(row.target))
    return found


def _manual(facts: _Cluster, cluster: str) -> Iterator[Group]:
    existing = facts.network.use_existing.security_groups
    for group in facts.network.security_groups:
        yield Group(
            key=names.listed_group_key(cluster, group.name, group.resource_id, group.roles),
            description=group.description or f"securityGroup for {cluster}",
            roles=tuple(group.roles),
            is_main=group.tag == names.MAIN_GROUP,
            authoritative=group.authoritative and not existing,
            rules=frozenset()
            if existing
            else frozenset(_written(group.rules) | _for(group, facts)),
            resource_id=group.resource_id,
        )


def _for(group: v1beta2.SecurityGroup, facts: _Cluster) -> set[Rule]:
    """Return the rules that ``allowFromIPRanges`` and ``allowToIPRanges`` add to a manual group."""
    network, roles = facts.network, set(group.roles)
    rules: set[Rule] = set()
    if network.allow_from_ip_ranges:
        if names.LOAD_BALANCER in roles:
            sources = [*network.allow_from_ip_ranges, *facts.nat_ips]
            rules |= _rules(INBOUND, TCP, facts.spans(FRONT), sources)
        if names.BASTION in roles:
            rules |= _rules(INBOUND, TCP, facts.spans(22), network.allow_from_ip_ranges)
    if names.BASTION in roles or {names.CONTROL_PLANE, names.WORKER} <= roles:
        rules |= _rules(OUTBOUND, EVERYTHING, [ANY], network.allow_to_ip_ranges)
    return rules
