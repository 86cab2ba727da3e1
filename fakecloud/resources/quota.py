"""Quotas: ReadQuotas, with what an account uses of each.

https://docs.outscale.com/en/userguide/About-Your-OUTSCALE-Account.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fakecloud import reads
from fakecloud.call import Call, action, prune
from fakecloud.kinds import KINDS, Data
from fakecloud.rows import Row
from fakecloud.rules import firewall, quotas, vm_usage

Json = Any

# What counts towards quotas of an account whose rows are not those of one kind.
USED: dict[str, Callable[[Call], int]] = {
    "core_limit": lambda call: vm_usage.used(call.store, call.account)[0],
    "memory_limit": lambda call: math.ceil(vm_usage.used(call.store, call.account)[1]),
    "networklink_request_limit": lambda call: call.store.count(
        "NetPeering", "_PendingOf", call.account
    ),
    "sg_limit": lambda call: call.store.count("SecurityGroup", "_Public", call.account),
}


def _rules(group: Row) -> int:
    return max(firewall.count(group["InboundRules"]), firewall.count(group["OutboundRules"]))


def _active_peerings(call: Call, net: Row) -> int:
    rows = call.store.rows("NetPeering", "_Holds", net.id)
    return sum(row.state == "active" for row in rows)


# The same for quotas of one thing; ``None`` when this one does not have the quota.
USED_PER: dict[str, Callable[[Call, Row], int | None]] = {
    "lb_listeners_limit": lambda _call, balancer: len(balancer["Listeners"]),
    "networklink_limit": _active_peerings,
    "rtb_rule_limit": lambda _call, table: len(table["_Routes"]),
    "sg_rule_limit": lambda _call, group: None if group.get("NetId") else _rules(group),
    "static_route_limit": lambda _call, connection: len(connection["_Routes"]),
    "vpc_sg_rule_limit": lambda _call, group: _rules(group) if group.get("NetId") else None,
}


def used_of_account(call: Call, quota: quotas.Quota) -> int:
    """Return how much an account uses of a quota that is for all it has."""
    if quota.kind:
        return call.store.count(quota.kind, "live", call.account)
    return USED[quota.name](call)


def used_of(call: Call, quota: quotas.Quota, row: Row) -> int | None:
    """Return how much one thing uses of its quota; ``None`` when it does not have this one."""
    if quota.kind:
        rows = call.store.rows(quota.kind, quota.path, row.id)
        return sum(each.is_live for each in rows)
    return USED_PER[quota.name](call, row)


def name_of(row: Row) -> str:
    """Return what a quota of one thing is filed under."""
    name: str = row["LoadBalancerName"] if row.kind.name == "LoadBalancer" else row.id
    return name


def shown(call: Call, quota: quotas.Quota, used: int) -> Data:
    """Return a quota as the API shows it."""
    return {
        "AccountId": call.account,
        "Description": quota.description,
        "MaxValue": call.world.limit(quota.name, call.account),
        "Name": quota.name,
        "QuotaCollection": quota.collection,
        "ShortDescription": quota.short,
        "UsedValue": used,
    }


def wanted_by(filters: Data, name: str, found: str) -> bool:
    """Tell whether a filter of the request, if it is there, lets a value pass."""
    if name not in filters:
        return True
    return any(reads.pattern(each)(found) for each in filters[name])


@action
def ReadQuotas(
    call: Call,
    Filters: Data | None = None,
    NextPageToken: str | None = None,
    ResultsPerPage: int | None = None,
) -> Data:
    """List the quotas of the account and, for each thing that has its own, those of that thing.

    Groups that the filters leave empty are left out.
    """
    filters = Filters or {}
    groups: dict[str, list[Data]] = {"global": []}
    for quota in quotas.QUOTAS.values():
        if not (
            wanted_by(filters, "QuotaNames", quota.name)
            and wanted_by(filters, "Collections", quota.collection)
            and wanted_by(filters, "ShortDescriptions", quota.short)
        ):
            continue
        if not quota.per:
            if wanted_by(filters, "QuotaTypes", "global"):
                groups["global"].append(shown(call, quota, used_of_account(call, quota)))
            continue
        for row in call.find(KINDS[quota.per].name):
            name = name_of(row)
            used = used_of(call, quota, row) if wanted_by(filters, "QuotaTypes", name) else None
            if used is not None:
                groups.setdefault(name, []).append(shown(call, quota, used))
    found = [{"QuotaType": name, "Quotas": group} for name, group in groups.items() if group]
    request = prune(Filters=Filters, NextPageToken=NextPageToken, ResultsPerPage=ResultsPerPage)
    return reads.page(call, "ReadQuotas", "QuotaTypes", found, request)
