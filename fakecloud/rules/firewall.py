"""Rules of security groups: how a request spells them, and how they add up in a group.

Rules with one protocol and one port range are one rule with several sources. A group shows its
rules in the order of protocol and ports.

https://docs.outscale.com/en/userguide/About-Security-Group-Rules.html
"""

from __future__ import annotations

from typing import Any

from fakecloud import errors
from fakecloud.call import Call, check_id
from fakecloud.kinds import KINDS, Data
from fakecloud.rows import Row
from fakecloud.rules import addresses

Json = Any

FLOWS = {"Inbound": "InboundRules", "Outbound": "OutboundRules"}
NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp"}
EVERYWHERE = "0.0.0.0/0"
SOURCES = ("IpRanges", "SecurityGroupsMembers", "ServiceIds")
HIGHEST_PORT = 65535
HIGHEST_ICMP = 255

# What a request means that names a group, but neither protocol nor ports.
EVERYTHING = (("icmp", -1, -1), ("tcp", 1, HIGHEST_PORT), ("udp", 1, HIGHEST_PORT))


def rule(call: Call, span: tuple[str, int, int], **sources: list[Json]) -> Data:
    """Make a rule in the shape of the API, with an identifier of its own."""
    protocol, first, last = span
    return {
        "FromPortRange": first,
        "IpProtocol": protocol,
        **sources,
        "SecurityGroupRuleId": f"sgr-{call.world.token(8)}",
        "ToPortRange": last,
    }


def default_group(call: Call, net_id: str = "") -> Row:
    """Create the default security group of a Net or, without one, of the public cloud."""
    group = call.create(
        "SecurityGroup",
        {
            "AccountId": call.account,
            "Description": "default security group",
            "InboundRules": [],
            "OutboundRules": [],
            "SecurityGroupName": "default",
            "_Default": True,
            **place(call, net_id, "default"),
        },
    )
    data = call.edit(group)
    itself = member(group)
    if net_id:
        data["InboundRules"] = [rule(call, ("-1", -1, -1), SecurityGroupsMembers=[itself])]
        data["OutboundRules"] = [open_rule(call)]
    else:
        spans = (("icmp", -1, -1), ("tcp", 0, HIGHEST_PORT), ("udp", 0, HIGHEST_PORT))
        data["InboundRules"] = [
            rule(call, span, SecurityGroupsMembers=[dict(itself)]) for span in spans
        ]
    return group


def place(call: Call, net_id: str, name: str) -> Data:
    """Return the fields that say where a group is: in a Net, or an account's public cloud.

    ``_Name`` is the name together with the place, in which it is unique.
    """
    if net_id:
        return {"NetId": net_id, "_Name": f"{net_id}/{name}"}
    return {"_Public": call.account, "_Name": f"{call.account}/{name}"}


def open_rule(call: Call) -> Data:
    """Make the rule that lets everything out, which every group of a Net is born with."""
    return rule(call, ("-1", -1, -1), IpRanges=[EVERYWHERE])


def member(group: Row) -> Data:
    """Name a group as the source of a rule: in a Net by its identifier alone."""
    named = {"AccountId": group.account, "SecurityGroupId": group.id}
    if not group.get("NetId"):
        named["SecurityGroupName"] = group["SecurityGroupName"]
    return named


# Reading requests.


def check_ports(protocol: str, first: int | None, last: int | None) -> tuple[str, int, int]:
    """Return protocol and ports as the API shows them.

    Raise 4047 for an unknown protocol or bad ports, and 7000 for TCP or UDP without ports.
    """
    protocol = protocol.lower()
    protocol = NUMBERS.get(protocol, protocol)
    if protocol in ("tcp", "udp"):
        if first is None or last is None:
            raise errors.refusal(7000, parameters="FromPortRange, ToPortRange", least="2")
        if not 0 <= first <= last <= HIGHEST_PORT:
            raise errors.refusal(
                4047, f"The ports {first}-{last} are not a range within 0-{HIGHEST_PORT}."
            )
        return protocol, first, last
    if protocol == "icmp":
        first, last = (-1 if value is None else value for value in (first, last))
        if not (-1 <= first <= HIGHEST_ICMP and -1 <= last <= HIGHEST_ICMP):
            raise errors.refusal(
                4047,
                f"The ICMP type {first} and code {last} must be between -1 and {HIGHEST_ICMP}.",
            )
        return protocol, first, last
    if protocol == "-1" or (protocol.isdecimal() and int(protocol) <= HIGHEST_ICMP):
        return protocol, -1, -1
    raise errors.refusal(
        4047, f"The protocol '{protocol}' is unknown. Use tcp, udp, icmp, -1 or a protocol number."
    )


def check_range(text: str) -> str:
    """Return an IP range in CIDR notation; raise 4047 when it is none."""
    return str(addresses.network(text if "/" in text else f"{text}/32"))


def find_member(call: Call, group: Row, wanted: Data) -> Data:
    """Return the group that a request names as a source.

    Raise 3002 for a name beside an identifier, 7000 for neither, and 5060 for an unknown group.
    """
    id_, name = wanted.get("SecurityGroupId"), wanted.get("SecurityGroupName")
    account = wanted.get("AccountId") or call.account
    if id_ and name:
        raise errors.refusal(
            3002, "A member has a SecurityGroupId and a SecurityGroupName. Keep one of the two."
        )
    if id_:
        check_id(KINDS["SecurityGroup"], id_)
        found = call.store.row("SecurityGroup", id_)
        named = [found] if found is not None else []
    elif name:
        # Names are unique in the public cloud only, so only there do they name a group.
        in_net = group.get("NetId")
        named = [] if in_net else call.store.rows("SecurityGroup", "_Name", f"{account}/{name}")
    else:
        raise errors.refusal(7000, parameters="SecurityGroupId, SecurityGroupName", least="1")
    if not named or named[0].account != account:
        raise errors.refusal(5060)
    if bool(named[0].get("NetId")) != bool(group.get("NetId")):
        raise errors.refusal(5060)
    return member(named[0])


def parse(call: Call, group: Row, wanted: Data) -> list[Data]:
    """Read one rule of a request as rules without identifiers.

    Raise 7000 for a rule that says nothing, 3002 for one without a source, and what the parts
    raise.
    """
    protocol, first, last = (wanted.get(k) for k in ("IpProtocol", "FromPortRange", "ToPortRange"))
    spans: list[tuple[str, int, int]] | tuple[tuple[str, int, int], ...]
    has_ports = protocol is not None or first is not None or last is not None
    if not has_ports and wanted.get("SecurityGroupsMembers") and not wanted.get("IpRanges"):
        spans = EVERYTHING
    else:
        spans = [check_ports("-1" if protocol is None else protocol, first, last)]
    if spans[0][0].isdecimal() and not group.get("NetId"):
        raise errors.refusal(
            4047, f"The protocol is '{spans[0][0]}'. Outside a Net, use tcp, udp, icmp or -1."
        )
    sources: dict[str, list[Json]] = {
        "IpRanges": [check_range(text) for text in wanted.get("IpRanges") or ()],
        "SecurityGroupsMembers": [
            find_member(call, group, each) for each in wanted.get("SecurityGroupsMembers") or ()
        ],
        "ServiceIds": list(wanted.get("ServiceIds") or ()),
    }
    sources = {key: values for key, values in sources.items() if values}
    if not sources:
        if not has_ports:
            raise errors.refusal(7000, parameters=", ".join(SOURCES), least="1")
        raise errors.refusal(3002, "The rule has no source. Give an IP range or a security group.")
    return [
        {"IpProtocol": span[0], "FromPortRange": span[1], "ToPortRange": span[2], **sources}
        for span in spans
    ]


# Adding up.


def span_of(rule: Data) -> tuple[str, int, int]:
    """Return the protocol and ports of a rule."""
    return rule["IpProtocol"], rule["FromPortRange"], rule["ToPortRange"]


def same_source(one: Json, other: Json) -> bool:
    """Tell whether two sources are the same range, service or group."""
    if isinstance(one, dict):
        return bool(one["SecurityGroupId"] == other["SecurityGroupId"])
    return bool(one == other)


def add(call: Call, rules: list[Data], fresh: Data) -> list[Data]:
    """Return rules with one more; raise 9005 when a source is in it already."""
    rules = [{**each} for each in rules]
    held = next((each for each in rules if span_of(each) == span_of(fresh)), None)
    if held is None:
        held = rule(call, span_of(fresh))
        rules.append(held)
        rules.sort(key=span_of)
    for key in SOURCES:
        for source in fresh.get(key, ()):
            if any(same_source(source, other) for other in held.get(key, ())):
                raise errors.refusal(9005)
            held[key] = [*held.get(key, ()), source]
    return rules


def take(rules: list[Data], gone: Data) -> list[Data]:
    """Return rules with one less; raise 0 when a source is not in it."""
    rules = [{**each} for each in rules]
    held = next((each for each in rules if span_of(each) == span_of(gone)), {})
    for key in SOURCES:
        for source in gone.get(key, ()):
            left = [other for other in held.get(key, ()) if not same_source(source, other)]
            if len(left) == len(held.get(key, ())):
                raise errors.refusal(0, "The security group has no such rule.")
            held[key] = left
            if not left:
                del held[key]
    return [each for each in rules if any(key in each for key in SOURCES)]


def count(rules: list[Data]) -> int:
    """Return how many rules a quota counts: every source is one."""
    return sum(len(each.get(key, ())) for each in rules for key in SOURCES)
