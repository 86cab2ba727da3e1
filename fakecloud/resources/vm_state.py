"""Running VMs: StartVms, StopVms, RebootVms, DeleteVms.

https://docs.outscale.com/en/userguide/About-VM-Lifecycle.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import parameters, placement, vm_life


def _vms(call: Call, ids: list[str], *, tombstones: bool = True) -> list[Row]:
    """Return the VMs of a request, each once; one that is unknown refuses the whole call."""
    parameters.ids("Vm", ids)
    return [call.get("Vm", id_, live=not tombstones) for id_ in dict.fromkeys(ids)]


def _refuse(vm: Row, what: str) -> errors.ApiError:
    return errors.refusal(6003, f"The VM {vm.id} is {vm.state}, so it cannot be {what}.")


def _changed(vm: Row, before: str) -> Data:
    return {"CurrentState": vm.state, "PreviousState": before, "VmId": vm.id}


@action
def StartVms(call: Call, VmIds: list[str]) -> Data:
    """Start stopped VMs; running ones go on."""
    vms = _vms(call, VmIds)
    for vm in vms:
        if vm.state not in ("pending", "running", "stopped"):
            raise _refuse(vm, "started")
    return {"Vms": [_start(call, vm) for vm in vms]}


def _start(call: Call, vm: Row) -> Data:
    before = vm.state
    if before == "stopped":
        tags = vm_life.tags(vm)
        subregion = vm["Placement"]["SubregionName"]
        place = placement.place(call, vm.id, tags, subregion, vm["VmType"])
        data = call.edit(vm)
        data.update(_Cluster=place.cluster, _Server=place.server, _PlacementKeys=place.keys)
        data["StateReason"] = ""
        call.become(vm, "pending")
    return _changed(vm, before)


@action
def StopVms(
    call: Call,
    VmIds: list[str],
    ForceStop: bool | None = None,  # noqa: ARG001 - nothing runs that could resist
) -> Data:
    """Stop running VMs; stopped ones stay so. A forced stop takes as long as any."""
    vms = _vms(call, VmIds)
    for vm in vms:
        if vm.state == "pending":
            raise errors.refusal(9039, f"The VM {vm.id} is pending. Wait until it is running.")
        if vm.state not in ("running", "stopping", "stopped"):
            raise _refuse(vm, "stopped")
    return {"Vms": [_stop(call, vm) for vm in vms]}


def _stop(call: Call, vm: Row) -> Data:
    before = vm.state
    if before == "running":
        call.edit(vm)["StateReason"] = vm_life.STOPPED_BY_CALL
        call.become(vm, "stopping")
    return _changed(vm, before)


@action
def RebootVms(call: Call, VmIds: list[str]) -> Data:
    """Reboot running VMs, which stay running meanwhile."""
    for vm in _vms(call, VmIds):
        if vm.state != "running":
            raise _refuse(vm, "rebooted")
    return {}


@action
def DeleteVms(call: Call, VmIds: list[str]) -> Data:
    """Terminate VMs in any state; terminated ones stay so."""
    vms = _vms(call, VmIds)
    for vm in vms:
        if vm["DeletionProtection"] and vm.is_live:
            raise errors.refusal(
                8018, f"The VM {vm.id} is protected. Set DeletionProtection to false first."
            )
    return {"Vms": [_terminate(call, vm) for vm in vms]}


def _terminate(call: Call, vm: Row) -> Data:
    before = vm.state
    if before not in ("shutting-down", "terminated"):
        vm_life.forget_public_ip(call.store, vm)
        call.become(vm, "shutting-down")
    return _changed(vm, before)
