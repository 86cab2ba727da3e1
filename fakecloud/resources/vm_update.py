"""Changing VMs: UpdateVm.

https://docs.outscale.com/en/userguide/About-VMs.html
"""

from __future__ import annotations

from typing import Any

from fakecloud import errors
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data
from fakecloud.rows import Row
from fakecloud.rules import (
    groups,
    parameters,
    user_data,
    vm_life,
    vm_request,
    vm_types,
    vm_usage,
)

COLD = ("BsuOptimized", "Performance", "UserData", "VmType")
"""What can be changed only while the VM is stopped (6003). NestedVirtualization answers 6006."""

PLAIN = (
    "BsuOptimized",
    "DeletionProtection",
    "KeypairName",
    "NestedVirtualization",
    "VmInitiatedShutdownBehavior",
)


@action
def UpdateVm(call: Call, VmId: str, **wish: Any) -> Data:
    """Change a VM. The further parameters are those of the document."""
    check_id(KINDS["Vm"], VmId)
    parameters.ids("SecurityGroup", wish.get("SecurityGroupIds") or [])
    vm_request.check_behavior(wish.get("VmInitiatedShutdownBehavior"))
    vm = call.get("Vm", VmId)
    _check_state(vm, wish)
    vm_type = vm_types.parse(wish.get("VmType") or vm["VmType"])
    if wish.get("BsuOptimized") and vm_type.name not in vm_types.BSU_OPTIMIZED:
        raise errors.refusal(4017, f"The VM type {vm_type.name} cannot be optimized for BSU.")
    if wish.get("KeypairName") and not call.find("Keypair", "KeypairName", wish["KeypairName"]):
        raise errors.refusal(5071)
    section = user_data.section(wish.get("UserData") or "")
    _update_network(call, vm, wish)
    for mapping in wish.get("BlockDeviceMappings") or ():
        _update_mapping(call, vm, mapping)
    data = call.edit(vm)
    data.update({name: wish[name] for name in PLAIN if wish.get(name) not in (None, "")})
    for name in ("ActionsOnNextBoot", "ShutdownBehaviorConfiguration"):
        data[name] = {**data[name], **wish.get(name, {})}
    if "UserData" in wish:
        data["UserData"] = wish["UserData"]
        if "NetId" not in data:
            data["_AutoPublicIp"] = not section.private_only
    _retype(call, vm, vm_type, wish)
    return {"Vm": vm}


def _check_state(vm: Row, wish: Data) -> None:
    if vm.state == "stopped":
        return
    if vm.state == "shutting-down":
        raise errors.refusal(6003, f"The VM {vm.id} is {vm.state}.")
    for name in COLD:
        if name in wish:
            raise errors.refusal(
                6003, f"The VM {vm.id} is {vm.state}. Stop it before changing {name}."
            )
    if "NestedVirtualization" in wish:
        raise errors.refusal(
            6006, f"The VM {vm.id} is {vm.state}. Stop it before changing NestedVirtualization."
        )


def _retype(call: Call, vm: Row, vm_type: vm_types.VmType, wish: Data) -> None:
    """Give a VM another type and the performance that comes with it, within the quotas."""
    data = call.edit(vm)
    if vm_type.name != data["VmType"]:
        vm_usage.add(call.store, vm.account, data["VmType"], -1)
        vm_usage.add(call.store, vm.account, vm_type.name, 1)
        vm_usage.room(call, vm_type.name, 0, 0)
        data = call.edit(vm)
        data["VmType"] = vm_type.name
        data["Performance"] = vm_types.performance(vm_type, wish.get("Performance"))
    elif wish.get("Performance"):
        data["Performance"] = vm_types.performance(vm_type, wish["Performance"])


def _update_network(call: Call, vm: Row, wish: Data) -> None:
    """Change what a VM has of its primary NIC in a Net, and itself outside one."""
    nic = vm_life.primary_nic(call.store, vm)
    checked = wish.get("IsSourceDestChecked")
    if checked is not None:
        if nic is None:
            raise errors.refusal(9062, f"The VM {vm.id} is in no Net.")
        call.edit(nic)["IsSourceDestChecked"] = checked
        call.edit(vm)["IsSourceDestChecked"] = checked
    if "SecurityGroupIds" in wish:
        parameters.required(SecurityGroupIds=wish["SecurityGroupIds"])
        ids = groups.choose(call, vm.get("NetId"), wish["SecurityGroupIds"])
        call.edit(nic if nic is not None else vm)["_SecurityGroupIds"] = ids


def _update_mapping(call: Call, vm: Row, mapping: Data) -> None:
    """Decide whether a linked volume is deleted with its VM."""
    bsu = mapping.get("Bsu") or {}
    parameters.required(
        DeviceName=mapping.get("DeviceName"), DeleteOnVmDeletion=bsu.get("DeleteOnVmDeletion")
    )
    for link in call.store.rows("LinkedVolume", "VmId", vm.id):
        if link["DeviceName"] == mapping["DeviceName"]:
            if bsu.get("VolumeId") not in (None, "", link["VolumeId"]):
                break
            call.edit(link)["DeleteOnVmDeletion"] = bsu["DeleteOnVmDeletion"]
            return
    raise errors.refusal(4003, f"{vm.id} has no such volume at {mapping['DeviceName']}.")
