"""Listener rules: Create, Delete, Update, ReadListenerRules.

https://docs.outscale.com/en/userguide/About-Load-Balancers.html
"""

from __future__ import annotations

import re

from fakecloud import errors
from fakecloud.call import Call, action, prune
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row
from fakecloud.rules import load_balancing, parameters

# The identifier is account/name: rules are found by their names.
kind(
    "ListenerRule",
    index=("ListenerRuleName", "_LoadBalancerName"),
    absent=5029,
    parameter="ListenerRuleName",
    read="ReadListenerRules",
    answer="ListenerRules",
    quota="lb_rules_limit",
)

PRIORITY_MAX = 19_999
WILDCARDS_MAX = 3
_PATTERNS = {
    "HostNamePattern": re.compile(r"[A-Za-z0-9\-.*?]{1,128}"),
    "PathPattern": re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]{1,128}"),
}


@action
def CreateListenerRule(call: Call, Listener: Data, ListenerRule: Data, VmIds: list[str]) -> Data:
    """Create a rule that sends what matches a pattern to some VMs."""
    parameters.required(Listener=Listener, ListenerRule=ListenerRule, VmIds=VmIds)
    name, priority = ListenerRule["ListenerRuleName"], ListenerRule["Priority"]
    patterns = {field: ListenerRule.get(field) for field in _PATTERNS}
    parameters.required(LoadBalancerName=Listener["LoadBalancerName"], ListenerRuleName=name)
    parameters.some(**patterns)
    parameters.ids("Vm", VmIds)
    _check_rule(ListenerRule)
    balancer = load_balancing.find(call, Listener["LoadBalancerName"])
    port = Listener["LoadBalancerPort"]
    load_balancing.listener_at(balancer, port)
    for vm_id in VmIds:
        call.own("Vm", vm_id)
    if call.store.row("ListenerRule", f"{call.account}/{name}") is not None:
        raise errors.refusal(9054, f"The ListenerRuleName '{name}' already exists.")
    for other in call.find("ListenerRule", "_LoadBalancerName", balancer["LoadBalancerName"]):
        if other["_LoadBalancerPort"] == port and other["Priority"] == priority:
            raise errors.refusal(
                9047,
                f"The rule '{other['ListenerRuleName']}' of this listener has the priority "
                f"{priority}. Use another one.",
            )
    rule = call.create(
        "ListenerRule",
        {
            "Action": "forward",
            **prune(**patterns),
            "ListenerId": balancer["_ListenerIds"][str(port)],
            "ListenerRuleId": 1_000 + int(call.world.token(8), 16) % 900_000,
            "ListenerRuleName": name,
            "Priority": priority,
            "VmIds": list(dict.fromkeys(VmIds)),
            "_LoadBalancerName": balancer["LoadBalancerName"],
            "_LoadBalancerPort": port,
        },
        id_=f"{call.account}/{name}",
    )
    load_balancing.changed(call, balancer)
    return {"ListenerRule": rule}


def _check_rule(rule: Data) -> None:
    priority = rule["Priority"]
    if not 1 <= priority <= PRIORITY_MAX:
        raise errors.refusal(
            4047, f"Priority is {priority}, but must be between 1 and {PRIORITY_MAX}."
        )
    if rule.get("Action", "forward") != "forward":
        raise errors.refusal(4058, f"Action is '{rule['Action']}', but must be 'forward'.")
    for field in _PATTERNS:
        _check_pattern(field, field, rule.get(field))


def _check_pattern(field: str, parameter: str, pattern: str | None) -> None:
    if pattern is None:
        return
    if not _PATTERNS[field].fullmatch(pattern):
        raise errors.refusal(
            4047,
            f"{parameter} is '{pattern}', which is longer than 128 characters or has characters "
            "that are not allowed.",
        )
    wildcards = sum(pattern.count(letter) for letter in "*?")
    if wildcards > WILDCARDS_MAX:
        raise errors.refusal(
            4047, f"{parameter} has {wildcards} wildcards, but at most {WILDCARDS_MAX} work."
        )


def _own(call: Call, name: str) -> Row:
    parameters.required(ListenerRuleName=name)
    rule = call.store.row("ListenerRule", f"{call.account}/{name}")
    if rule is None:
        raise errors.refusal(5029, name=name)
    return rule


@action
def UpdateListenerRule(
    call: Call,
    ListenerRuleName: str,
    HostPattern: str | None = None,
    PathPattern: str | None = None,
) -> Data:
    """Change the patterns of a rule; a pattern that is not given stays."""
    parameters.some(HostPattern=HostPattern, PathPattern=PathPattern)
    _check_pattern("HostNamePattern", "HostPattern", HostPattern)
    _check_pattern("PathPattern", "PathPattern", PathPattern)
    rule = _own(call, ListenerRuleName)
    call.edit(rule).update(prune(HostNamePattern=HostPattern, PathPattern=PathPattern))
    return {"ListenerRule": rule}


@action
def DeleteListenerRule(call: Call, ListenerRuleName: str) -> Data:
    """Delete a rule."""
    call.delete(_own(call, ListenerRuleName))
    return {}
