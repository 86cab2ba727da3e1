"""Which security groups a VM or NIC gets, and how they are shown."""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call
from fakecloud.kinds import Data
from fakecloud.rules import parameters
from fakecloud.store import Store


def choose(
    call: Call,
    net_id: str | None,
    ids: list[str] | None = None,
    names: list[str] | None = None,
) -> list[str]:
    """Return the identifiers of the groups that are asked for, or of the default group.

    Without ``net_id`` they are groups of the public cloud. Raise 5020 for an unknown group, and
    5021 or 5022 for one that is not in the public cloud or not in the Net.
    """
    found = []
    parameters.ids("SecurityGroup", ids or [])
    for id_ in ids or ():
        group = call.own("SecurityGroup", id_)
        if group.get("NetId") != net_id:
            raise errors.refusal(5022 if net_id else 5021)
        found.append(id_)
    found += [_named(call, net_id, name) for name in names or ()]
    if not found:
        found = [_default(call, net_id)]
    return sorted(set(found))


def _named(call: Call, net_id: str | None, name: str) -> str:
    for group in call.find("SecurityGroup", "SecurityGroupName", name):
        if group.get("NetId") == net_id:
            return group.id
    raise errors.refusal(5020)


def _default(call: Call, net_id: str | None) -> str:
    # The default group is the first one of its place, and the index keeps that order.
    path, value = ("NetId", net_id) if net_id else ("_Public", call.account)
    for group in call.store.rows("SecurityGroup", path, value):
        if group.get("_Default"):
            return group.id
    raise AssertionError(f"{value} has no default security group.")


def light(store: Store, ids: list[str]) -> list[Data]:
    """Return groups as VMs and NICs show them."""
    shown = []
    for id_ in ids:
        group = store.row("SecurityGroup", id_)
        if group is not None:
            shown.append({"SecurityGroupId": id_, "SecurityGroupName": group["SecurityGroupName"]})
    return shown
