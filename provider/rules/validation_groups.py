"""What is wrong with security groups and their rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provider.api import v1beta2
from provider.problem import Problem
from provider.rules import addressing, firewall, names
from provider.rules import validation_parts as parts

ICMP_MAX = 255
PROTOCOL_MAX = 255
DESCRIPTION_MAX = 255


def ranges(path: str, values: Sequence[str]) -> Iterator[Problem]:
    """Check a list of IP ranges."""
    for index, value in enumerate(values):
        yield from addressing.range_problems(f"{path}[{index}]", value)


def problems(path: str, network: v1beta2.Network) -> Iterator[Problem]:
    """Check all security groups of a network, which stands at ``path``."""
    groups = network.security_groups
    if network.use_existing.security_groups and not groups:
        yield Problem(
            f"{path}.securityGroups",
            "useExisting.securityGroups is true, but no security groups are listed. List them, "
            "with resourceId and roles.",
        )
    for index, group in enumerate(groups):
        exists = network.use_existing.security_groups
        yield from _group(f"{path}.securityGroups[{index}]", group, exists=exists)
    yield from parts.unique(f"{path}.securityGroups", "name", [each.name for each in groups])
    for index, more in enumerate(network.additional_security_rules):
        yield from _more(f"{path}.additionalSecurityRules[{index}]", more)
    yield from ranges(f"{path}.allowFromIPRanges", network.allow_from_ip_ranges)
    if network.allow_to_ip_ranges != [""]:
        yield from ranges(f"{path}.allowToIPRanges", network.allow_to_ip_ranges)


def _group(path: str, group: v1beta2.SecurityGroup, *, exists: bool) -> Iterator[Problem]:
    yield from parts.identifier(f"{path}.resourceId", group.resource_id, "sg", "a security group")
    yield from parts.all_of(f"{path}.roles", group.roles, names.ROLES)
    if exists:
        if not group.resource_id:
            yield Problem(
                f"{path}.resourceId",
                "useExisting.securityGroups is true, but no id is given. Set it to that of the "
                "security group to use.",
            )
        if not group.roles:
            yield Problem(
                f"{path}.roles",
                "useExisting.securityGroups is true, but no roles are given. Say what the "
                "security group is for.",
            )
        if group.rules:
            yield Problem(
                f"{path}.rules",
                "useExisting.securityGroups is true, so rules are not changed here. Remove them.",
            )
    elif not group.name and not group.roles:
        yield Problem(path, "Nothing refers to a security group without name and roles. Set one.")
    if group.name.startswith("sg-"):
        yield Problem(
            f"{path}.name", f'"{group.name}" starts with sg-, as ids do. Choose another name.'
        )
    if len(group.description) > DESCRIPTION_MAX:
        yield Problem(
            f"{path}.description",
            f"It has {len(group.description)} characters. Use {DESCRIPTION_MAX} at most.",
        )
    for index, rule in enumerate(group.rules):
        yield from _rule(f"{path}.rules[{index}]", rule)


def _more(path: str, more: v1beta2.AdditionalSecurityRules) -> Iterator[Problem]:
    known = [roles for _, roles in firewall.GROUPS.values()]
    if set(more.roles) not in [set(roles) for roles in known]:
        choice = "; ".join(" and ".join(roles) for roles in known)
        yield Problem(
            f"{path}.roles",
            f"No automatic security group has exactly the roles {parts.listed(more.roles)}. "
            f"Use those of one of them: {choice}.",
        )
    for index, rule in enumerate(more.rules):
        yield from _rule(f"{path}.rules[{index}]", rule)


def _rule(path: str, rule: v1beta2.SecurityGroupRule) -> Iterator[Problem]:
    yield from parts.one_of(f"{path}.flow", rule.flow, (firewall.INBOUND, firewall.OUTBOUND))
    if not rule.ip_ranges:
        yield Problem(
            f"{path}.ipRanges",
            "No IP range is given. Write who may, such as 0.0.0.0/0 for everyone.",
        )
    yield from ranges(f"{path}.ipRanges", rule.ip_ranges)
    yield from _ports(path, rule)


def _ports(path: str, rule: v1beta2.SecurityGroupRule) -> Iterator[Problem]:
    """Check protocol and ports. Protocols that have no ports may come with any: none is used."""
    protocol, first, last = rule.ip_protocol.lower(), rule.from_port, rule.to_port
    is_number = protocol.isdecimal() and int(protocol) <= PROTOCOL_MAX
    if protocol in (firewall.TCP, firewall.UDP, "6", "17"):
        if first == -1 or last == -1:
            yield Problem(
                f"{path}.fromPort",
                f"A rule for {protocol} needs ports. Set fromPort and toPort, such as 0 and 65535 "
                "for all.",
            )
        else:
            yield from parts.within(f"{path}.fromPort", first, 0, parts.PORT_MAX)
            yield from parts.within(f"{path}.toPort", last, 0, parts.PORT_MAX)
            if last < first:
                yield Problem(
                    f"{path}.toPort", f"toPort is {last}, but fromPort is {first}. Exchange them."
                )
    elif protocol in (firewall.ICMP, "1"):
        if not (-1 <= first <= ICMP_MAX and -1 <= last <= ICMP_MAX):
            yield Problem(
                f"{path}.fromPort",
                f"For icmp, fromPort is a type and toPort a code, but they are {first} and "
                f"{last}. Use -1 for all, or 0 to {ICMP_MAX}: 8 and 0 allow to ping.",
            )
    elif protocol != firewall.EVERYTHING and not is_number:
        yield Problem(
            f"{path}.ipProtocol",
            f'"{rule.ip_protocol}" is no protocol. Use tcp, udp, icmp, -1 for all, or a number: '
            "4 is IP-in-IP.",
        )
