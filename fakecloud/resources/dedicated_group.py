"""Dedicated groups: hardware for the VMs of one account, which name it as their tenancy.

https://docs.outscale.com/en/userguide/About-Dedicated-Groups.html
"""

from __future__ import annotations

from typing import Any

from fakecloud import errors, reads
from fakecloud.call import Call, action
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row

GENERATIONS = range(1, 8)

kind(
    "DedicatedGroup",
    id="DedicatedGroupId",
    prefix="ded",
    read="ReadDedicatedGroups",
    answer="DedicatedGroups",
)


def _members(call: Call, group: Row) -> tuple[list[str], list[str]]:
    """Return the Nets and the VMs of a group. Groups are rare, so nothing keeps count of them."""
    nets = [net.id for net in call.find("Net") if net["Tenancy"] == group.id]
    vms = [vm.id for vm in call.find("Vm") if vm["Placement"]["Tenancy"] == group.id]
    return nets, vms


def _shown(call: Call, group: Row) -> Data:
    nets, vms = _members(call, group)
    return {**call.view(group), "NetIds": nets, "VmIds": vms}


@action
def CreateDedicatedGroup(call: Call, CpuGeneration: int, Name: str, SubregionName: str) -> Data:
    """Create a dedicated group of one processor generation in one subregion."""
    if CpuGeneration not in GENERATIONS:
        raise errors.refusal(
            4047,
            f"The processor generation is {CpuGeneration}, but must be between "
            f"{GENERATIONS[0]} and {GENERATIONS[-1]}.",
        )
    if call.store.row("Subregion", SubregionName) is None:
        raise errors.refusal(5009)
    group = call.create(
        "DedicatedGroup",
        {
            "AccountId": call.account,
            "CpuGeneration": CpuGeneration,
            "Name": Name,
            "SubregionName": SubregionName,
        },
    )
    return {"DedicatedGroup": _shown(call, group)}


@action
def UpdateDedicatedGroup(call: Call, DedicatedGroupId: str, Name: str) -> Data:
    """Rename a dedicated group."""
    group = call.get("DedicatedGroup", DedicatedGroupId)
    call.edit(group)["Name"] = Name
    return {"DedicatedGroup": _shown(call, group)}


@action
def DeleteDedicatedGroup(call: Call, DedicatedGroupId: str, Force: bool = False) -> Data:
    """Delete an empty dedicated group or, by force, one with its VMs and Nets."""
    group = call.get("DedicatedGroup", DedicatedGroupId)
    nets, vms = _members(call, group)
    if (nets or vms) and not Force:
        raise errors.refusal(
            9002,
            f"The group {DedicatedGroupId} holds {', '.join(nets + vms)}. Delete them first, or "
            "set Force to delete them with the group.",
        )
    if vms:
        call.run("DeleteVms", VmIds=vms)
    for net in nets:
        call.run("DeleteNet", NetId=net)
    call.delete(group)
    return {}


@action
def ReadDedicatedGroups(call: Call, Filters: Data | None = None, **pages: Any) -> Data:
    """List dedicated groups with what is in them."""
    request = {"Filters": Filters, **pages}
    found = reads.read(
        call, KINDS["DedicatedGroup"], "ReadDedicatedGroups", "DedicatedGroups", request
    )
    found["DedicatedGroups"] = [_shown(call, group) for group in found["DedicatedGroups"]]
    return found
