"""API access rules, which ``fakecloud.auth`` enforces.

CreateApiAccessRule, DeleteApiAccessRule, UpdateApiAccessRule, ReadApiAccessRules.

https://docs.outscale.com/en/userguide/About-API-Access-Rules.html
"""

from __future__ import annotations

import ipaddress
import re

from fakecloud import errors
from fakecloud.call import Call, action, prune, welcome
from fakecloud.kinds import Data, kind

# The filters take any text, so they are not declared as identifiers, which would be checked.
kind(
    "ApiAccessRule",
    id="ApiAccessRuleId",
    prefix="aar",
    digits=32,
    refs={"CaIds": "Ca"},
    absent=4122,
    read="ReadApiAccessRules",
    answer="ApiAccessRules",
    filters={
        "ApiAccessRuleIds": lambda view: [view["ApiAccessRuleId"]],
        "CaIds": lambda view: view["CaIds"],
    },
)

FORMAT = re.compile(r"aar-[0-9a-f]{32}")
SHUT_REGION = "cloudgouv-eu-west-1"


@welcome
def default_rule(call: Call) -> None:
    """Let an account in from everywhere, except in the region that has no default rule."""
    if call.region != SHUT_REGION:
        data = {"CaIds": [], "Cns": [], "IpRanges": ["0.0.0.0/0"]}
        call.create("ApiAccessRule", {**data, "Description": "Allows all IPv4 domain"})


def _fields(
    call: Call,
    ca_ids: list[str] | None,
    cns: list[str] | None,
    description: str | None,
    ip_ranges: list[str] | None,
) -> Data:
    """Return the fields of a rule.

    Raise 4118 for a rule that lacks a criterion or has a malformed range, and 4122 for an unknown
    CA.
    """
    if not ca_ids and not ip_ranges:
        raise errors.refusal(4118, "A rule needs CaIds or IpRanges. Give at least one of them.")
    if cns and not ca_ids:
        raise errors.refusal(4118, "Cns need the CAs that sign them. Give CaIds too.")
    for each in ip_ranges or ():
        try:
            ipaddress.ip_network(each, strict=False)
        except ValueError:
            raise errors.refusal(
                4118, f"IpRanges has '{each}', which is neither an IP nor in the CIDR notation."
            ) from None
    for id_ in ca_ids or ():
        ca = call.store.row("Ca", id_)
        if ca is None or ca.account != call.account:
            raise errors.refusal(4122, f"The CaId '{id_}' doesn't exist.")
    return {
        "CaIds": ca_ids or [],
        "Cns": cns or [],
        "IpRanges": ip_ranges or [],
        **prune(Description=description),
    }


def _check(id_: str) -> None:
    if not FORMAT.fullmatch(id_):
        raise errors.refusal(
            4118, f"ApiAccessRuleId is '{id_}', but must be aar- and 32 hexadecimal digits."
        )


@action
def CreateApiAccessRule(
    call: Call,
    CaIds: list[str] | None = None,
    Cns: list[str] | None = None,
    Description: str | None = None,
    IpRanges: list[str] | None = None,
) -> Data:
    """Let requests in that meet every criterion of a new rule."""
    fields = _fields(call, CaIds, Cns, Description, IpRanges)
    return {"ApiAccessRule": call.create("ApiAccessRule", fields)}


@action
def UpdateApiAccessRule(
    call: Call,
    ApiAccessRuleId: str,
    CaIds: list[str] | None = None,
    Cns: list[str] | None = None,
    Description: str | None = None,
    IpRanges: list[str] | None = None,
) -> Data:
    """Replace a rule as a whole: what is not given is gone."""
    _check(ApiAccessRuleId)
    fields = _fields(call, CaIds, Cns, Description, IpRanges)
    rule = call.get("ApiAccessRule", ApiAccessRuleId)
    data = call.edit(rule)
    data.pop("Description", None)
    data.update(fields)
    return {"ApiAccessRule": rule}


@action
def DeleteApiAccessRule(call: Call, ApiAccessRuleId: str) -> Data:
    """Delete a rule that is not the last one of the account."""
    _check(ApiAccessRuleId)
    rule = call.get("ApiAccessRule", ApiAccessRuleId)
    if len(call.find("ApiAccessRule")) == 1:
        raise errors.refusal(
            4118, f"'{ApiAccessRuleId}' is the last rule of the account. Create another one first."
        )
    call.delete(rule)
    return {}
