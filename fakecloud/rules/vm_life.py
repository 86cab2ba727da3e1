"""What happens to a VM, and to what belongs to it, when it enters a state.

https://docs.outscale.com/en/userguide/About-VM-Lifecycle.html
"""

from __future__ import annotations

import hashlib

from fakecloud import clock
from fakecloud.rows import Row
from fakecloud.rules import addresses, devices, nics, public_ips, routing, vm_usage
from fakecloud.store import Store

AUTO_ATTACH = "osc.fcu.eip.auto-attach"
STOPPED_BY_CALL = "Client.ApiGracefulShutdown"
GONE = ("NetId", "SubnetId", "PrivateIp", "PrivateDnsName", "_SecurityGroupIds", "_PlacementKeys")
"""What a terminated VM has no longer (recorded)."""


def tags(vm: Row) -> dict[str, str]:
    """Return the tags of a VM by key."""
    return {tag["Key"]: tag["Value"] for tag in vm.get("Tags", ())}


def running(store: Store, vm: Row) -> None:
    """Finish the start of a VM; one that was not to boot on creation stops at once."""
    data = store.edit(vm)
    if data.pop("_Halt", False):
        store.become(vm, "stopped")
        data["StateReason"] = STOPPED_BY_CALL
        devices.vm_stopped(store, vm.id)
        return
    data["ActionsOnNextBoot"] = {"SecureBoot": "none"}
    _attach_public_ip(store, vm)
    if data.get("_AutoPublicIp") and not store.rows("PublicIp", "VmId", vm.id):
        ip = addresses.take_public(store, vm.id, vm.account, f"{vm.id}/{store.now()}")
        store.edit(vm)["_PublicIp"] = ip


def _attach_public_ip(store: Store, vm: Row) -> None:
    """Link the public IP that the auto-attach tag names, if it is the account's and free."""
    wanted = tags(vm).get(AUTO_ATTACH)
    if wanted is None:
        return
    for public_ip in store.rows("PublicIp", "PublicIp", wanted):
        if public_ip.account != vm.account or "LinkPublicIpId" in public_ip.data:
            continue
        digits = hashlib.sha256(f"{vm.id}/{store.now()}".encode()).hexdigest()[:8]
        link_id = f"eipassoc-{digits}"
        nic = primary_nic(store, vm)
        if nic is None:
            public_ips.link_to_vm(store, public_ip, link_id, vm)
        elif routing.has_internet(store, vm["NetId"]):
            public_ips.link_to_nic(store, public_ip, link_id, nic, nics.primary_ip(nic))


def primary_nic(store: Store, vm: Row) -> Row | None:
    """Return the NIC with the device number 0, which only a VM in a Net has."""
    for link in store.rows("LinkNic", "VmId", vm.id):
        if link["DeviceNumber"] == 0:
            return store.row("Nic", link["NicId"])
    return None


def stopped(store: Store, vm: Row) -> None:
    """Finish the stop of a VM, and go on as its shutdown behavior says."""
    number = store.count("VmStop", "VmId", vm.id) + 1
    store.create(
        "VmStop",
        {"StateReason": vm["StateReason"], "StopDate": clock.stamp(store.now()), "VmId": vm.id},
        vm.account,
        f"{vm.id}/{number}",
    )
    forget_public_ip(store, vm)
    if "NetId" not in vm.data and AUTO_ATTACH not in tags(vm):
        for public_ip in store.rows("PublicIp", "VmId", vm.id):
            public_ips.unlink(store, public_ip)
    devices.vm_stopped(store, vm.id)
    if vm["VmInitiatedShutdownBehavior"] == "restart":
        store.become(vm, "pending")
        store.edit(vm)["StateReason"] = ""
    elif vm["VmInitiatedShutdownBehavior"] == "terminate":
        store.become(vm, "shutting-down")


def forget_public_ip(store: Store, vm: Row) -> None:
    """Give back the public IP that a VM got when it started, if it got one."""
    ip = store.edit(vm).pop("_PublicIp", None)
    if ip is not None:
        addresses.release(store, vm.id, only=ip)


def terminated(store: Store, vm: Row) -> None:
    """Give back all that a VM had: what was to die with it dies, everything else is free."""
    group_ids = set(vm.get("_SecurityGroupIds", ()))
    for link in store.rows("LinkNic", "VmId", vm.id):
        nic = store.row("Nic", link["NicId"])
        assert nic is not None, f"{link} links a NIC that is gone"
        group_ids.update(nic["_SecurityGroupIds"])
        if link["DeleteOnVmDeletion"] and link.is_live:
            nics.discard(store, nic)
        else:
            nics.detach(store, link)
    for public_ip in store.rows("PublicIp", "VmId", vm.id):
        public_ips.unlink(store, public_ip)
    devices.vm_terminated(store, vm.id)
    addresses.release(store, vm.id)
    vm_usage.add(store, vm.account, vm["VmType"], -1)
    data = store.edit(vm)
    for name in (*GONE, "_PublicIp"):
        data.pop(name, None)
    for id_ in sorted(group_ids):
        hold = f"{id_}/{vm.id}"
        store.create("SecurityGroupHold", {"SecurityGroupId": id_}, vm.account, hold, "releasing")
