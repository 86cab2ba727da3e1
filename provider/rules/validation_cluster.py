"""What is wrong with the spec of an OscCluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from provider.api import v1beta2
from provider.problem import Problem
from provider.rules import addressing, names, validation_groups
from provider.rules import validation_parts as parts

LB_PROTOCOLS = ("TCP", "HTTP", "HTTPS", "SSL")
LB_TYPES = ("internet-facing", "internal")
WITH_CERTIFICATE = ("HTTPS", "SSL")
WITH_PATH = ("HTTP", "HTTPS")
NEED_RANGES = (names.CONTROL_PLANE, names.WORKER, names.BASTION)
"""Roles of subnets whose ranges stand in the rules of security groups."""

_LB_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


def problems(spec: v1beta2.OscClusterSpec, path: str) -> Iterator[Problem]:
    """Check the spec of a cluster, which stands at ``path``."""
    endpoint, network = spec.control_plane_endpoint, spec.network
    if bool(endpoint.host) != bool(endpoint.port):
        yield Problem(
            f"{path}.controlPlaneEndpoint",
            f'host is "{endpoint.host}" and port is {endpoint.port}. Set both, or leave both out.',
        )
    yield from parts.within(f"{path}.controlPlaneEndpoint.port", endpoint.port, 0, parts.PORT_MAX)
    if spec.credentials.identity_ref and (
        spec.credentials.from_secret or spec.credentials.from_file
    ):
        yield Problem(
            f"{path}.credentials",
            f"identityRef is {spec.credentials.identity_ref.name}, and there is also a Secret or "
            "a file. Keep one of them.",
        )
    path = f"{path}.network"
    yield from parts.subregions(f"{path}.subregions", network.subregions)
    yield from parts.all_of(f"{path}.disable", network.disable, ("internet", "loadbalancer"))
    yield from _net(path, network)
    yield from _subnets(f"{path}.subnets", network)
    yield from _nat_services(path, network)
    yield from _route_tables(path, network)
    yield from validation_groups.problems(path, network)
    yield from _balancer(path, network)
    yield from _peering(f"{path}.netPeering", network)
    if network.bastion.enable:
        yield from _bastion(path, network)


def warnings(spec: v1beta2.OscClusterSpec, path: str) -> Iterator[Problem]:
    """Return what is allowed, but may not be what was meant."""
    network = spec.network
    if "loadbalancer" in network.disable and not spec.control_plane_endpoint.is_set:
        yield Problem(
            f"{path}.controlPlaneEndpoint",
            "It is not set, and the load balancer is disabled. The cluster waits until you or a "
            "control plane provider set it.",
        )
    if network.security_groups and network.additional_security_rules:
        yield Problem(
            f"{path}.network.additionalSecurityRules",
            "They are only added to automatic security groups, but securityGroups are listed. "
            "Add the rules there.",
        )
    if spec.credentials.from_file and spec.credentials.from_secret:
        yield Problem(
            f"{path}.credentials.fromSecret",
            f"It is {spec.credentials.from_secret}, but there is also a file, which is used "
            "instead. Remove one of the two.",
        )
    bastion, where = network.bastion, f"{path}.network.bastion"
    if bastion.enable and not bastion.resource_id:
        disk = bastion.root_disk
        yield from parts.image_warnings(f"{where}.image", bastion.image)
        yield from parts.volume_warnings(f"{where}.rootDisk", disk.type, disk.iops)
    if network.use_existing.net:
        for name, is_said in (
            ("routeTables", network.route_tables),
            ("bastion", network.bastion.enable),
            ("netPeering", network.net_peering.enable),
            ("netAccessPoints", network.net_access_points),
        ):
            if is_said:
                yield Problem(
                    f"{path}.network.{name}",
                    "It is ignored, because useExisting.net is true: what is in the Net is "
                    "managed elsewhere. Remove it.",
                )


# --- Addresses -----------------------------------------------------------------------------------


def _net(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    net = network.net
    yield from parts.identifier(f"{path}.net.resourceId", net.resource_id, "vpc", "a Net")
    if network.use_existing.net and not net.resource_id:
        yield Problem(
            f"{path}.net.resourceId",
            "useExisting.net is true, but no id is given. Set it to that of the Net to use.",
        )
    if (network.use_existing.net or net.resource_id) and "ip_range" not in net.model_fields_set:
        yield Problem(
            f"{path}.net.ipRange",
            "A Net that exists has an IP range, but none is given. Set it to that of "
            f"{net.resource_id or 'the Net'}: rules of security groups depend on it.",
        )
    found = addressing.net_problems(f"{path}.net.ipRange", net.ip_range)
    yield from found
    if not found and not network.subnets and not network.use_existing.net:
        try:
            addressing.automatic_subnets(net.ip_range, network.subregions or ["eu-west-2a"])
        except addressing.NoRoom as error:
            yield Problem(f"{path}.net.ipRange", str(error))


def _subnets(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    exists = network.use_existing.net
    if exists and not network.subnets:
        yield Problem(
            path,
            "useExisting.net is true, but no subnets are listed. List those to use, with "
            "resourceId, roles and ipRange.",
        )
    for index, subnet in enumerate(network.subnets):
        yield from _subnet(f"{path}[{index}]", subnet, exists=exists)
    yield from parts.unique(path, "name", [each.name for each in network.subnets])
    if not addressing.net_problems("", network.net.ip_range):
        yield from addressing.subnet_problems(
            network.net.ip_range,
            [
                (f"{path}[{index}].ipRange", each.ip_range)
                for index, each in enumerate(network.subnets)
                if each.ip_range
            ],
        )


def _subnet(path: str, subnet: v1beta2.Subnet, *, exists: bool) -> Iterator[Problem]:
    yield from parts.all_of(f"{path}.roles", subnet.roles, names.ROLES)
    yield from parts.unique(f"{path}.roles", "", subnet.roles)
    yield from parts.identifier(f"{path}.resourceId", subnet.resource_id, "subnet", "a subnet")
    if subnet.subregion:
        yield from parts.subregion(f"{path}.subregion", subnet.subregion)
    if exists and not subnet.resource_id:
        yield Problem(
            f"{path}.resourceId",
            "useExisting.net is true, but no id is given. Set it to that of the subnet to use.",
        )
    if exists and not subnet.roles:
        yield Problem(
            f"{path}.roles",
            "useExisting.net is true, but no roles are given. Say what the subnet is for.",
        )
    if not subnet.ip_range and (not exists or any(each in NEED_RANGES for each in subnet.roles)):
        yield Problem(
            f"{path}.ipRange", "The subnet has no IP range. Set it to a part of that of the Net."
        )


def _nat_services(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    services = network.nat_services
    if services and network.use_existing.net:
        yield Problem(
            f"{path}.natServices",
            "useExisting.net is true, so NAT services are managed elsewhere. Remove them.",
        )
    for index, service in enumerate(services):
        where = f"{path}.natServices[{index}]"
        yield from _reference(f"{where}.subnetName", service.subnet_name, network.subnets)
        if service.subregion:
            yield from parts.subregion(f"{where}.subregion", service.subregion)
    yield from parts.unique(f"{path}.natServices", "name", [each.name for each in services])


def _route_tables(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    for index, table in enumerate(network.route_tables):
        where = f"{path}.routeTables[{index}]"
        if not table.subnets and not table.role:
            yield Problem(where, "It applies to no subnet. Set role, or list subnets.")
        for place, name in enumerate(table.subnets):
            yield from _reference(f"{where}.subnets[{place}]", name, network.subnets)
        if table.role:
            yield from parts.one_of(f"{where}.role", table.role, names.ROLES)
        if table.subregion:
            yield from parts.subregion(f"{where}.subregion", table.subregion)
        ways = [each.destination for each in table.routes]
        yield from parts.unique(f"{where}.routes", "destination", ways)
        for place, route in enumerate(table.routes):
            yield from _route(f"{where}.routes[{place}]", route, network)


def _route(path: str, route: v1beta2.Route, network: v1beta2.Network) -> Iterator[Problem]:
    yield from parts.one_of(f"{path}.targetType", route.target_type, ("gateway", "nat"))
    yield from addressing.range_problems(f"{path}.destination", route.destination)
    if route.target_type == "nat":
        yield from _reference(f"{path}.targetName", route.target_name, network.nat_services)
    if "internet" in network.disable and route.target_type:
        yield Problem(
            path,
            f"The route leads to a {route.target_type}, but disable has internet, so there is "
            "none. Remove the route.",
        )


def _reference(
    path: str,
    name: str,
    listed: Sequence[v1beta2.Subnet | v1beta2.NatService | v1beta2.SecurityGroup],
) -> Iterator[Problem]:
    """Check a reference by name; what is not listed gets names that are not known here."""
    known = [each.name for each in listed if each.name]
    if name and listed and name not in known:
        yield Problem(
            path,
            f'"{name}" is the name of none; there is {parts.listed(known)}. Use one of these, or '
            "remove the field.",
        )


# --- Load balancer -------------------------------------------------------------------------------


def _balancer(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    balancer, where = network.load_balancer, f"{path}.loadBalancer"
    if "loadbalancer" in network.disable:
        if balancer.name or balancer.subnet_name or balancer.security_group_name:
            yield Problem(
                where,
                f'disable has loadbalancer, but the load balancer "{balancer.name}" is described. '
                "Remove one of the two.",
            )
        return
    if balancer.name and not _LB_NAME.fullmatch(balancer.name):
        yield Problem(
            f"{where}.name",
            f'"{balancer.name}" is no name of a load balancer. Use up to '
            f"{names.LOAD_BALANCER_NAME_MAX} letters, digits and dashes, with no dash at its ends.",
        )
    if network.use_existing.load_balancer and not balancer.name:
        yield Problem(
            f"{where}.name",
            "useExisting.loadBalancer is true, but no name is given. Set it to that of the load "
            "balancer to use.",
        )
    yield from _balancer_type(f"{where}.type", network)
    yield from _reference(f"{where}.subnetName", balancer.subnet_name, network.subnets)
    yield from _reference(
        f"{where}.securityGroupName", balancer.security_group_name, network.security_groups
    )
    yield from parts.public_ip(where, balancer.public_ip_id, balancer.public_ip_pool)
    yield from _listener(f"{where}.listener", balancer.listener)
    for index, listener in enumerate(balancer.additional_listeners):
        yield from _listener(f"{where}.additionalListeners[{index}]", listener)
        if listener.port in (
            balancer.listener.port,
            *(each.port for each in balancer.additional_listeners[:index]),
        ):
            yield Problem(
                f"{where}.additionalListeners[{index}].port",
                f"Another listener has port {listener.port} already. Choose another port.",
            )
    yield from _health_check(f"{where}.healthCheck", balancer.health_check)


def _balancer_type(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    balancer, uses = network.load_balancer, network.use_existing
    yield from parts.one_of(path, balancer.type, LB_TYPES)
    if balancer.type == "internal" and (balancer.public_ip_id or balancer.public_ip_pool):
        yield Problem(
            path,
            "The load balancer is internal, but has a public IP. Remove that, or set type to "
            "internet-facing.",
        )
    exists = uses.load_balancer or uses.net or network.net.resource_id
    if "internet" in network.disable and balancer.type == "internet-facing" and not exists:
        yield Problem(
            path,
            "The load balancer is internet-facing, but disable has internet, so nobody could "
            "reach it. Set type to internal, or remove internet.",
        )


def _listener(path: str, listener: v1beta2.Listener) -> Iterator[Problem]:
    yield from parts.within(f"{path}.port", listener.port, 1, parts.PORT_MAX)
    yield from parts.within(f"{path}.backendPort", listener.backend_port, 1, parts.PORT_MAX)
    for name, protocol in (
        ("protocol", listener.protocol),
        ("backendProtocol", listener.backend_protocol),
    ):
        yield from parts.one_of(f"{path}.{name}", protocol, LB_PROTOCOLS)
    if listener.protocol in WITH_CERTIFICATE:
        yield Problem(
            f"{path}.protocol",
            f"{listener.protocol} needs a certificate, which cannot be given here. Use TCP: the "
            "API server has a certificate of its own.",
        )
    elif (listener.protocol in WITH_PATH) != (listener.backend_protocol in WITH_PATH):
        yield Problem(
            f"{path}.protocol",
            f"protocol is {listener.protocol} and backendProtocol is {listener.backend_protocol}. "
            "Use HTTP or HTTPS for both, or TCP or SSL for both.",
        )


def _health_check(path: str, check: v1beta2.HealthCheck) -> Iterator[Problem]:
    yield from parts.within(f"{path}.checkInterval", check.check_interval, 5, 600)
    yield from parts.within(f"{path}.healthyThreshold", check.healthy_threshold, 2, 10)
    yield from parts.within(f"{path}.unhealthyThreshold", check.unhealthy_threshold, 2, 10)
    yield from parts.within(f"{path}.timeout", check.timeout, 2, 60)
    yield from parts.within(f"{path}.port", check.port, 1, parts.PORT_MAX)
    yield from parts.one_of(f"{path}.protocol", check.protocol, LB_PROTOCOLS)
    if check.path and check.protocol not in WITH_PATH:
        yield Problem(
            f"{path}.path",
            f'path is "{check.path}", but protocol is {check.protocol}. Set protocol to HTTPS, or '
            "remove the path.",
        )
    if check.path and not check.path.startswith("/"):
        yield Problem(f"{path}.path", f'"{check.path}" does not begin with a slash. Add one.')


# --- What stands beside the cluster --------------------------------------------------------------


def _peering(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    peering = network.net_peering
    for name, value, prefix, what in (
        ("managementNetId", peering.management_net_id, "vpc", "a Net"),
        ("managementSubnetId", peering.management_subnet_id, "subnet", "a subnet"),
    ):
        yield from parts.identifier(f"{path}.{name}", value, prefix, what)


def _bastion(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    bastion, where = network.bastion, f"{path}.bastion"
    yield from parts.identifier(f"{where}.resourceId", bastion.resource_id, "i", "a VM")
    if bastion.resource_id:
        return
    yield from parts.image(f"{where}.image", bastion.image)
    yield from parts.vm_type(f"{where}.vmType", bastion.vm_type)
    if not bastion.keypair_name:
        yield Problem(f"{where}.keypairName", "No keypair is given. Set it to the name of one.")
    disk = bastion.root_disk
    yield from parts.volume(f"{where}.rootDisk", disk.type, disk.size, disk.iops)
    yield from parts.addresses(f"{where}.privateIps", bastion.private_ips)
    yield from parts.public_ip(where, bastion.public_ip_id, bastion.public_ip_pool)
    yield from _reference(f"{where}.subnetName", bastion.subnet_name, network.subnets)
    for index, name in enumerate(bastion.security_group_names):
        yield from _reference(f"{where}.securityGroupNames[{index}]", name, network.security_groups)
    if "internet" in network.disable:
        yield Problem(
            where,
            "There is a bastion, but disable has internet, so nobody can reach it. Remove one of "
            "the two.",
        )
