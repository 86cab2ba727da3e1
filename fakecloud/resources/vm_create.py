"""Creating VMs: CreateVms.

https://docs.outscale.com/en/userguide/Creating-VMs.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fakecloud import errors
from fakecloud.call import Call, absent, action
from fakecloud.kinds import KINDS, Data
from fakecloud.rows import Row
from fakecloud.rules import (
    addresses,
    groups,
    nics,
    parameters,
    placement,
    user_data,
    vm_request,
    vm_types,
    vm_usage,
)

PRIMARY = "Primary network interface"


@dataclass(frozen=True)
class NicPlan:
    """A NIC of a VM to come: one that exists, or one to build in a subnet."""

    device: int
    delete: bool
    nic: Row | None = None
    subnet: Row | None = None
    group_ids: tuple[str, ...] = ()
    wanted: nics.Wish = nics.Wish()  # noqa: RUF009 - it is frozen
    description: str = ""


@dataclass(frozen=True)
class Plan:
    """What every VM of a call gets: fields, NICs, volumes and tags. Without NICs, no Net."""

    data: Data
    nics: list[NicPlan]
    mappings: list[Data]
    tags: dict[str, str]
    subregion: str
    group_ids: list[str]
    auto_public_ip: bool


@action
def CreateVms(call: Call, ImageId: str, **wish: Any) -> Data:
    """Create as many VMs as the quotas allow between MinVmsCount and MaxVmsCount.

    The further parameters are those of the document. The same ClientToken gives the same VMs.
    """
    vm_request.check(ImageId, wish)
    known = call.same("Vm", wish.get("ClientToken"))
    if known:
        if known[0]["ImageId"] != ImageId:
            raise errors.refusal(4119, "The ClientToken was used for VMs of another image.")
        return {"Vms": known}
    plan = _plan(call, _image(call, ImageId), wish)
    least, most = vm_request.counts(wish)
    count = vm_usage.room(call, plan.data["VmType"], most, least)
    count = _places(call, plan, count, least)
    fixed = wish.get("PrivateIps") or []
    if count > 1 and (fixed or any(each.nic for each in plan.nics)):
        raise errors.refusal(3002, "A NIC or private IP is for one VM. Create the VMs one by one.")
    vms = [_launch(call, plan, number) for number in range(count)]
    vm_usage.add(call.store, call.account, plan.data["VmType"], count)
    return {"Vms": vms}


def _image(call: Call, id_: str) -> Row:
    if id_.startswith(vm_request.OTHER_IMAGES):
        raise absent(KINDS["Image"], id_)
    image = call.get("Image", id_)
    if image.state != "available":
        raise errors.refusal(6001, f"{id_} is {image.state}. Wait until it is available.")
    return image


def _places(call: Call, plan: Plan, count: int, least: int) -> int:
    """Return for how many VMs the subnets have addresses; raise 10011 for fewer than wanted."""
    for each in plan.nics:
        if each.subnet is not None and count > 1:
            per_vm = 1 + len(each.wanted.secondary) + each.wanted.more
            count = min(count, addresses.free(call.store, each.subnet) // per_vm)
    if count < least:
        raise errors.refusal(10011, f"The subnet has not enough free IPs for {least} VMs.")
    return count


# Planning: everything that can be refused is refused here.


def _plan(call: Call, image: Row, wish: Data) -> Plan:
    vm_type = vm_types.parse(wish.get("VmType") or vm_types.DEFAULT)
    nic_plans = _nic_plans(call, wish)
    primary = nic_plans[0] if nic_plans else None
    place = wish.get("Placement") or {}
    subregion = _subregion(call, place.get("SubregionName"), primary)
    if len(nic_plans) > vm_type.nics:
        raise errors.refusal(10015, f"A VM of type {vm_type.name} can have {vm_type.nics} NICs.")
    section = user_data.section(wish.get("UserData") or "")
    group_ids = []
    if primary is None:
        group_ids = groups.choose(
            call, None, wish.get("SecurityGroupIds"), wish.get("SecurityGroups")
        )
    in_public_cloud = primary is None or (
        primary.subnet is not None and primary.subnet["MapPublicIpOnLaunch"]
    )
    data = _fields(call, image, wish, vm_type)
    data["Placement"] = {
        "SubregionName": subregion,
        "Tenancy": _tenancy(call, place.get("Tenancy"), primary),
    }
    if wish.get("NestedVirtualization") and data["Placement"]["Tenancy"] == "default":
        raise errors.refusal(4007, "NestedVirtualization needs the tenancy 'dedicated'.")
    return Plan(
        data,
        nic_plans,
        vm_request.merged(
            image.get("BlockDeviceMappings", []), wish.get("BlockDeviceMappings") or []
        ),
        section.tags,
        subregion,
        group_ids,
        in_public_cloud and not section.private_only,
    )


def _fields(call: Call, image: Row, wish: Data, vm_type: vm_types.VmType) -> Data:
    """Return the fields of a VM that come from the request and its image."""
    data: Data = {
        **_boot(image, wish),
        "ActionsOnNextBoot": {"SecureBoot": "none", **(wish.get("ActionsOnNextBoot") or {})},
        "Architecture": image["Architecture"],
        "BsuOptimized": bool(wish.get("BsuOptimized")),
        "CreationDate": call.today,
        "DeletionProtection": bool(wish.get("DeletionProtection")),
        "Hypervisor": "xen",
        "ImageId": image.id,
        "IsSourceDestChecked": True,
        "NestedVirtualization": bool(wish.get("NestedVirtualization")),
        "Performance": vm_types.performance(vm_type, wish.get("Performance")),
        "ProductCodes": image.get("ProductCodes") or ["0001"],
        "ReservationId": f"r-{call.world.token(8)}",
        "RootDeviceName": image.get("RootDeviceName", "/dev/sda1"),
        "RootDeviceType": "ebs",
        "ShutdownBehaviorConfiguration": {
            # Recorded as stop and stop, though the document says that HostAction is restart.
            "GuestAction": "stop",
            "HostAction": "stop",
            **(wish.get("ShutdownBehaviorConfiguration") or {}),
        },
        "StateReason": "",
        "UserData": wish.get("UserData") or "",
        "VmInitiatedShutdownBehavior": wish.get("VmInitiatedShutdownBehavior") or "stop",
        "VmType": vm_type.name,
    }
    if wish.get("KeypairName"):
        data["KeypairName"] = wish["KeypairName"]
        if not call.find("Keypair", "KeypairName", wish["KeypairName"]):
            raise errors.refusal(5071)
    if wish.get("ClientToken"):
        data["ClientToken"] = data["_ClientToken"] = wish["ClientToken"]
    if "windows" in image.get("ImageName", "").lower():
        data["OsFamily"] = "windows"
    if wish.get("BootOnCreation") is False:
        data["_Halt"] = True
    return data


def _boot(image: Row, wish: Data) -> Data:
    """Return how a VM boots; raise 4045 for what its image cannot."""
    modes = image.get("BootModes") or ["legacy"]
    mode = wish.get("BootMode") or modes[0]
    if mode not in modes:
        raise errors.refusal(4045, f"BootMode is '{mode}', but {image.id} has {', '.join(modes)}.")
    tpm = wish.get("TpmEnabled")
    if image.get("TpmMandatory") and tpm is False:
        raise errors.refusal(4045, f"TpmEnabled is false, but {image.id} needs a vTPM.")
    return {
        "BootMode": mode,
        "TpmEnabled": bool(image.get("TpmMandatory") if tpm is None else tpm),
    }


def _subregion(call: Call, wanted: str | None, primary: NicPlan | None) -> str:
    """Return the subregion of the VM; raise 5009 for an unknown one, 9071 for another."""
    if wanted is not None and call.store.row("Subregion", wanted) is None:
        raise errors.refusal(5009)
    if primary is None:
        return wanted or call.subregion
    holder = primary.nic or primary.subnet
    assert holder is not None, "a NIC plan has a NIC or a subnet"
    here = str(holder["SubregionName"])
    if wanted is not None and wanted != here:
        raise errors.refusal(9071, f"The subnet is in {here}, but the VM is wanted in {wanted}.")
    return here


def _tenancy(call: Call, wanted: str | None, primary: NicPlan | None) -> str:
    """Return the tenancy of the VM: its Net's, unless the request says more."""
    if wanted and wanted.startswith("ded-"):
        call.get("DedicatedGroup", wanted)
        return wanted
    if wanted not in (None, "", "default", "dedicated"):
        raise errors.refusal(
            4007, f"The tenancy is '{wanted}', but must be default, dedicated or a ded- ID."
        )
    holder = (primary.nic or primary.subnet) if primary is not None else None
    if holder is not None and not wanted:
        net = call.store.row("Net", holder["NetId"])
        assert net is not None, f"{holder} is in a Net that is gone"
        return str(net["Tenancy"])
    return wanted or "default"


def _nic_plans(call: Call, wish: Data) -> list[NicPlan]:
    """Return the NICs of a VM in a Net, the primary one first."""
    if wish.get("SubnetId"):
        subnet = call.own("Subnet", wish["SubnetId"])
        ids = groups.choose(
            call, subnet["NetId"], wish.get("SecurityGroupIds"), wish.get("SecurityGroups")
        )
        ips = wish.get("PrivateIps") or [None]
        wanted = nics.Wish(ips[0], tuple(ips[1:]))
        return [NicPlan(0, True, None, subnet, tuple(ids), wanted, PRIMARY)]  # noqa: FBT003
    items = sorted(wish.get("Nics") or (), key=lambda item: item["DeviceNumber"])
    found = [_nic_plan(call, item) for item in items]
    holders = [each.nic or each.subnet for each in found]
    if len({(h["NetId"], h["SubregionName"]) for h in holders if h is not None}) > 1:
        raise errors.refusal(4086, "The NICs of a VM must be in one Net and one subregion.")
    return found


def _nic_plan(call: Call, item: Data) -> NicPlan:
    device = item["DeviceNumber"]
    if item.get("NicId"):
        nic = call.get("Nic", item["NicId"])
        if call.store.rows("LinkNic", "NicId", nic.id):
            raise errors.refusal(9029, f"The NIC {nic.id} is linked already. Unlink it first.")
        return NicPlan(device, delete=False, nic=nic)
    subnet = call.own("Subnet", item["SubnetId"])
    ids = groups.choose(call, subnet["NetId"], item.get("SecurityGroupIds"))
    wanted = nics.wish(item.get("PrivateIps"), item.get("SecondaryPrivateIpCount"))
    delete = item.get("DeleteOnVmDeletion", True)
    description = item.get("Description") or ""
    return NicPlan(device, delete, None, subnet, tuple(ids), wanted, description)


# Launching.


def _launch(call: Call, plan: Plan, number: int) -> Row:
    """Create one VM with its NICs and volumes."""
    data = {
        **plan.data,
        "ActionsOnNextBoot": dict(plan.data["ActionsOnNextBoot"]),
        "Placement": dict(plan.data["Placement"]),
        "ShutdownBehaviorConfiguration": dict(plan.data["ShutdownBehaviorConfiguration"]),
        "LaunchNumber": number,
        "Tags": [{"Key": key, "Value": value} for key, value in plan.tags.items()],
    }
    vm = call.create("Vm", data, state="pending")
    place = placement.place(call, vm.id, plan.tags, plan.subregion, data["VmType"])
    found: Data = {"_Cluster": place.cluster, "_Server": place.server}
    if place.keys:
        found["_PlacementKeys"] = place.keys
    if plan.auto_public_ip:
        found["_AutoPublicIp"] = True
    if plan.nics:
        found.update(_connect(call, plan, vm))
    else:
        ip = addresses.take_private(call.store, vm.id, call.account)
        found["PrivateDnsName"] = addresses.private_name(ip, call.region)
        found["PrivateIp"] = ip
        found["_SecurityGroupIds"] = plan.group_ids
    call.edit(vm).update(found)
    for mapping in plan.mappings:
        _link_volume(call, plan, vm, mapping)
    return vm


def _connect(call: Call, plan: Plan, vm: Row) -> Data:
    """Give a VM its NICs, and return what it has of the primary one."""
    shared: Data = {}
    for each in plan.nics:
        nic = each.nic
        if nic is None:
            assert each.subnet is not None, "a NIC plan has a NIC or a subnet"
            nic = nics.build(call, each.subnet, list(each.group_ids), each.wanted, each.description)
        nics.attach(call, nic, vm.id, each.device, delete=each.delete)
        if each.device == 0:
            names = ("IsSourceDestChecked", "NetId", "PrivateDnsName", "SubnetId")
            shared = {name: nic[name] for name in names}
            shared["PrivateIp"] = nics.primary_ip(nic)
    return shared


def _link_volume(call: Call, plan: Plan, vm: Row, mapping: Data) -> None:
    bsu = mapping["Bsu"]
    parameters.some(VolumeSize=bsu.get("VolumeSize"), SnapshotId=bsu.get("SnapshotId"))
    volume = call.run(
        "CreateVolume",
        SubregionName=plan.subregion,
        Iops=bsu.get("Iops"),
        Size=bsu.get("VolumeSize"),
        SnapshotId=bsu.get("SnapshotId"),
        VolumeType=bsu.get("VolumeType"),
    )["Volume"]
    link = {
        "DeleteOnVmDeletion": bsu.get("DeleteOnVmDeletion", True),
        "DeviceName": mapping["DeviceName"],
        "VmId": vm.id,
        "VolumeId": volume.id,
        "_LinkDate": vm["CreationDate"],
    }
    call.store.create("LinkedVolume", link, call.account, volume.id, "attaching")
