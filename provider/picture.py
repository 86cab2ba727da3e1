"""A picture of a cluster's network in plain characters, as people draw it on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provider.engine.resource import Resource
from provider.resources.internet_service import InternetService
from provider.resources.load_balancer import LoadBalancer
from provider.resources.nat_service import NatService
from provider.resources.net import Net
from provider.resources.net_access_point import NetAccessPoint
from provider.resources.net_peering import NetPeering
from provider.resources.security_group import SecurityGroup
from provider.resources.subnet import Subnet
from provider.resources.vm import Bastion


def draw(resources: Sequence[Resource]) -> str:
    """Return the picture: what is outside, then the Net with its subnets and what is in them."""
    lines = []
    gates = [each for each in resources if isinstance(each, InternetService)]
    peers = [each for each in resources if isinstance(each, NetPeering)]
    if gates:
        lines.append("internet")
        lines.append("  └─ internet service")
    lines += [f"Net {each.peer_net_id} ── peering" for each in peers]
    for net in (each for each in resources if isinstance(each, Net)):
        lines.append(f"Net {net.ip_range}{_id(net)}")
        branches = [*_subnets(resources), *_others(resources)]
        for number, (head, leaves) in enumerate(branches):
            last = number == len(branches) - 1
            lines.append(f"  {'└' if last else '├'}─ {head}")
            bar = " " if last else "│"
            for index, leaf in enumerate(leaves):
                lines.append(f"  {bar}   {'└' if index == len(leaves) - 1 else '├'}─ {leaf}")
    return "\n".join(lines)


def _id(each: Resource) -> str:
    return f" ({each.id})" if each.id and each.id != each.key else ""


def _subnets(resources: Sequence[Resource]) -> Iterable[tuple[str, list[str]]]:
    subnets = [each for each in resources if isinstance(each, Subnet)]
    for subnet in sorted(subnets, key=lambda each: (each.subregion, each.ip_range)):
        roles = ", ".join(sorted(subnet.roles))
        head = f"{subnet.ip_range or subnet.key}  {subnet.subregion}  {roles}{_id(subnet)}"
        yield head, list(_inside(subnet, resources))


def _inside(subnet: Subnet, resources: Sequence[Resource]) -> Iterable[str]:
    for each in resources:
        if isinstance(each, NatService) and each.subnet.key == subnet.key:
            yield f"NAT service{_id(each)}: the way out of private subnets"
        if isinstance(each, LoadBalancer) and each.subnet.key == subnet.key:
            ports = ", ".join(str(one.port) for one in sorted(each.listeners))
            yield f"load balancer {each.key}, {each.type}, port {ports}: the Kubernetes API"
        if isinstance(each, Bastion) and each.subnet.key == subnet.key:
            yield f"bastion{_id(each)}"


def _others(resources: Sequence[Resource]) -> Iterable[tuple[str, list[str]]]:
    points = [each.key for each in resources if isinstance(each, NetAccessPoint)]
    if points:
        yield f"access to {', '.join(points)} without the internet", []
    groups = [each for each in resources if isinstance(each, SecurityGroup)]
    if groups:
        some = [f"{each.key}{_id(each)}: {len(each.rules)} rules" for each in groups]
        yield "security groups", some
