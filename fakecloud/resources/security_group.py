"""Security groups and their rules: Create, Delete, ReadSecurityGroups; and of the rules.

https://docs.outscale.com/en/userguide/About-Security-Groups.html
"""

from __future__ import annotations

import functools
import re

from fakecloud import errors
from fakecloud.call import Call, action, welcome
from fakecloud.kinds import Data, Then, kind
from fakecloud.reads import Deep
from fakecloud.rows import Row, values
from fakecloud.rules import firewall
from fakecloud.store import Store

MEMBER = "SecurityGroupsMembers"


def _names(rules: str, store: Store, row: Row) -> list[str]:
    """Return the names of the groups in some rules, which those of Nets do not show."""
    ids = values(row.data, f"{rules}.{MEMBER}.SecurityGroupId")
    rows = [store.row("SecurityGroup", id_) for id_ in ids]
    return [row["SecurityGroupName"] for row in rows if row is not None]


kind(
    "SecurityGroup",
    id="SecurityGroupId",
    prefix="sg",
    refs={"NetId": "Net"},
    index=(
        "SecurityGroupName",
        "_Name",
        "_Public",
        f"InboundRules.{MEMBER}.SecurityGroupId",
        f"OutboundRules.{MEMBER}.SecurityGroupId",
    ),
    absent=5020,
    in_use=9085,
    resource_type="security-group",
    read="ReadSecurityGroups",
    answer="SecurityGroups",
    filters={
        f"{flow}Rule{name}": f"{flow}Rules.{path}"
        for flow in ("Inbound", "Outbound")
        for name, path in {
            "AccountIds": f"{MEMBER}.AccountId",
            "FromPortRanges": "FromPortRange",
            "IpRanges": "IpRanges",
            "Protocols": "IpProtocol",
            "SecurityGroupIds": f"{MEMBER}.SecurityGroupId",
            "ToPortRanges": "ToPortRange",
        }.items()
    }
    | {
        f"{flow}RuleSecurityGroupNames": Deep(functools.partial(_names, f"{flow}Rules"))
        for flow in ("Inbound", "Outbound")
    },
)

# The group of a terminated VM stays in use for a while: recorded as 90 s of 9085.
kind(
    "SecurityGroupHold",
    schema="",
    refs={"SecurityGroupId": "SecurityGroup"},
    lifecycle={"releasing": Then(90, None)},
)

NAME = re.compile(r"[a-zA-Z0-9 _.\-:/()#,@\[\]+=&;{}!$*]+")
DESCRIPTION = re.compile(r"[\w _.\-:/()#,@\[\]+=&;{}!$*]+")
LENGTH_MAX = 255


@welcome
def public_group(call: Call) -> None:
    """Give an account its default security group of the public cloud."""
    firewall.default_group(call)


def check_text(parameter: str, text: str, allowed: re.Pattern[str]) -> None:
    """Refuse a text that is empty or too long (4106) or has other characters (4047)."""
    if not 1 <= len(text) <= LENGTH_MAX:
        raise errors.refusal(
            4106, parameter=parameter, length=len(text), expected=f"1-{LENGTH_MAX}"
        )
    if not allowed.fullmatch(text):
        raise errors.refusal(
            4047, f"The {parameter} '{text}' has characters beside letters, digits, "
            "spaces and _.-:/()#,@[]+=&;{}!$*."
        )  # fmt: skip


@action
def CreateSecurityGroup(
    call: Call, Description: str, SecurityGroupName: str, NetId: str | None = None
) -> Data:
    """Create a security group in a Net or in the public cloud."""
    if NetId:
        call.own("Net", NetId)
    check_text("SecurityGroupName", SecurityGroupName, NAME)
    if SecurityGroupName.startswith("sg-"):
        raise errors.refusal(
            4047, f"The SecurityGroupName '{SecurityGroupName}' must not start with 'sg-'."
        )
    check_text("Description", Description, DESCRIPTION)
    place = firewall.place(call, NetId or "", SecurityGroupName)
    if call.store.count("SecurityGroup", "_Name", place["_Name"]):
        raise errors.refusal(9008, name=SecurityGroupName)
    if NetId:
        call.within("vpc_sg_limit", call.store.count("SecurityGroup", "NetId", NetId) + 1)
    else:
        call.within("sg_limit", call.store.count("SecurityGroup", "_Public", call.account) + 1)
    group = call.create(
        "SecurityGroup",
        {
            "AccountId": call.account,
            "Description": Description,
            "InboundRules": [],
            "OutboundRules": [firewall.open_rule(call)] if NetId else [],
            "SecurityGroupName": SecurityGroupName,
            **place,
        },
    )
    return {"SecurityGroup": group}


@action
def DeleteSecurityGroup(
    call: Call, SecurityGroupId: str | None = None, SecurityGroupName: str | None = None
) -> Data:
    """Delete a security group that no VM, NIC, load balancer or rule uses.

    A name names a group of the public cloud only.
    """
    if SecurityGroupId:
        group = call.own("SecurityGroup", SecurityGroupId)
    elif SecurityGroupName:
        group = named(call, SecurityGroupName)
    else:
        raise errors.refusal(7000, parameters="SecurityGroupId, SecurityGroupName", least="1")
    if group.get("_Default"):
        raise errors.refusal(9051)
    for rules in firewall.FLOWS.values():
        path = f"{rules}.{MEMBER}.SecurityGroupId"
        if any(row is not group for row in call.store.rows("SecurityGroup", path, group.id)):
            raise errors.refusal(9085)
    call.delete(group)
    return {}


def named(call: Call, name: str) -> Row:
    """Return the group of the public cloud with a name; raise 5020 when there is none."""
    place = firewall.place(call, "", name)
    for group in call.store.rows("SecurityGroup", "_Name", place["_Name"]):
        return group
    raise errors.refusal(5020)


@action
def CreateSecurityGroupRule(
    call: Call,
    Flow: str,
    SecurityGroupId: str,
    FromPortRange: int | None = None,
    IpProtocol: str | None = None,
    IpRange: str | None = None,
    Rules: list[Data] | None = None,
    SecurityGroupAccountIdToLink: str | None = None,
    SecurityGroupNameToLink: str | None = None,
    ToPortRange: int | None = None,
) -> Data:
    """Add rules to a security group, one spelled flat or several in ``Rules``."""
    flat = {
        "FromPortRange": FromPortRange,
        "IpProtocol": IpProtocol,
        "IpRange": IpRange,
        "ToPortRange": ToPortRange,
    }
    group = call.own("SecurityGroup", SecurityGroupId)
    wanted = spelled(flat, Rules, SecurityGroupNameToLink, SecurityGroupAccountIdToLink)
    key = flow_of(group, Flow)
    parsed = [fresh for each in wanted for fresh in firewall.parse(call, group, each)]
    rules = group[key]
    for fresh in parsed:
        rules = firewall.add(call, rules, fresh)
    limit = "vpc_sg_rule_limit" if group.get("NetId") else "sg_rule_limit"
    call.within(limit, firewall.count(rules))
    call.edit(group)[key] = rules
    return {"SecurityGroup": group}


@action
def DeleteSecurityGroupRule(
    call: Call,
    Flow: str,
    SecurityGroupId: str,
    FromPortRange: int | None = None,
    IpProtocol: str | None = None,
    IpRange: str | None = None,
    Rules: list[Data] | None = None,
    SecurityGroupAccountIdToUnlink: str | None = None,
    SecurityGroupNameToUnlink: str | None = None,
    ToPortRange: int | None = None,
) -> Data:
    """Take rules from a security group, one spelled flat or several in ``Rules``."""
    flat = {
        "FromPortRange": FromPortRange,
        "IpProtocol": IpProtocol,
        "IpRange": IpRange,
        "ToPortRange": ToPortRange,
    }
    group = call.own("SecurityGroup", SecurityGroupId)
    wanted = spelled(flat, Rules, SecurityGroupNameToUnlink, SecurityGroupAccountIdToUnlink)
    key = flow_of(group, Flow)
    rules = group[key]
    for each in wanted:
        for gone in firewall.parse(call, group, each):
            rules = firewall.take(rules, gone)
    call.edit(group)[key] = rules
    return {"SecurityGroup": group}


def flow_of(group: Row, flow: str) -> str:
    """Return the field of a direction; raise 4047 for an unknown one, 8004 for a public group."""
    if flow not in firewall.FLOWS:
        raise errors.refusal(4047, f"The Flow is '{flow}', but must be Inbound or Outbound.")
    if flow == "Outbound" and not group.get("NetId"):
        raise errors.refusal(8004)
    return firewall.FLOWS[flow]


def spelled(
    flat: Data, rules: list[Data] | None, group: str | None, account: str | None
) -> list[Data]:
    """Return the rules of a request in the shape of ``Rules``, whichever way they are spelled.

    Raise 7000 when there is none, and 3002 for both ways at once.
    """
    ip_range = flat["IpRange"]
    if ip_range is not None:
        firewall.check_range(ip_range)
    if rules:
        both = [name for name, value in flat.items() if value is not None]
        if both or group:
            names = ", ".join([*both, *(["the security group to link"] if group else [])])
            raise errors.refusal(3002, f"Rules stands beside {names}. Use one way or the other.")
        return rules
    if ip_range is None and not group:
        if all(value is None for value in flat.values()):
            raise errors.refusal(7000, parameters="IpRange, Rules", least="1")
        raise errors.refusal(3002, "The rule has no source. Give an IP range or a security group.")
    if ip_range is not None and group:
        raise errors.refusal(
            3002, f"The IpRange is '{ip_range}' and the group is '{group}'. Keep one of the two."
        )
    wanted = {name: value for name, value in flat.items() if value is not None}
    if wanted.pop("IpRange", None) is not None:
        return [{**wanted, "IpRanges": [ip_range]}]
    by = "SecurityGroupId" if group and group.startswith("sg-") else "SecurityGroupName"
    return [{**wanted, MEMBER: [{by: group, "AccountId": account}]}]
