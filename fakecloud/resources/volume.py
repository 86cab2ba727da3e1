"""Volumes: CreateVolume, UpdateVolume, LinkVolume, UnlinkVolume, DeleteVolume and their Reads.

https://docs.outscale.com/en/userguide/About-Volumes.html
"""

from __future__ import annotations

from fakecloud import clock, errors
from fakecloud.call import Call, action, prune
from fakecloud.kinds import Data, Then, kind
from fakecloud.reads import Deep
from fakecloud.rows import Row, public
from fakecloud.rules import parameters, volumes
from fakecloud.store import Store


def _view(store: Store, row: Row) -> Data:
    links = store.rows("LinkedVolume", "VolumeId", row.id)
    shown = {**public(row.data), "LinkedVolumes": [store.view(link) for link in links]}
    if links and row.state == "available":
        shown["State"] = "in-use"
    return shown


def _link_dates(store: Store, row: Row) -> list[str]:
    return [link["_LinkDate"] for link in store.rows("LinkedVolume", "VolumeId", row.id)]


kind(
    "Volume",
    id="VolumeId",
    prefix="vol",
    weak={"SnapshotId": "Snapshot"},
    index=("_ClientToken",),
    lifecycle={"creating": Then(4, "available"), "deleting": Then(2, None)},
    tombstones=frozenset({"deleting"}),
    absent=5064,
    resource_type="volume",
    view=_view,
    read="ReadVolumes",
    answer="Volumes",
    filters={
        "VolumeSizes": "Size",
        "VolumeStates": "State",
        "LinkVolumeDeleteOnVmDeletion": "LinkedVolumes.DeleteOnVmDeletion",
        "LinkVolumeDeviceNames": "LinkedVolumes.DeviceName",
        "LinkVolumeLinkDates": Deep(_link_dates),
        "LinkVolumeLinkStates": "LinkedVolumes.State",
        "LinkVolumeVmIds": "LinkedVolumes.VmId",
    },
    quota="volume_limit",
)

# The link of a volume to a VM; its identifier is the volume's, since a volume has but one.
kind(
    "LinkedVolume",
    weak={"VolumeId": "Volume", "VmId": "Vm"},
    lifecycle={"attaching": Then(2, "attached"), "detaching": Then(2, None)},
)


def _finish(store: Store, task: Row) -> None:
    """Give a volume its new size when the task that updates it is completed."""
    data = store.edit(task)
    data["Progress"] = 100
    data["CompletionDate"] = clock.stamp(store.now())
    volume = store.row("Volume", task["VolumeId"])
    if volume is not None:
        target = task["VolumeUpdate"]["Target"]
        changed = store.edit(volume)
        changed["Size"] = target["Size"]
        if "Iops" in changed:
            changed["Iops"] = target["Iops"]
        changed.pop("TaskId", None)


kind(
    "VolumeUpdateTask",
    id="TaskId",
    prefix="vol-update",
    weak={"VolumeId": "Volume"},
    lifecycle={"pending": Then(2, "active"), "active": Then(8, "completed")},
    on={"completed": _finish},
    resource_type="task",
    read="ReadVolumeUpdateTasks",
    answer="VolumeUpdateTasks",
)


@action
def CreateVolume(
    call: Call,
    SubregionName: str,
    ClientToken: str | None = None,
    Iops: int | None = None,
    Size: int | None = None,
    SnapshotId: str | None = None,
    VolumeType: str | None = None,
) -> Data:
    """Create an empty volume, or one from a snapshot; it is available after some seconds."""
    known = call.same("Volume", ClientToken)
    if known:
        return {"Volume": known[0]}
    parameters.some(Size=Size, SnapshotId=SnapshotId)
    snapshot = volumes.source(call, SnapshotId) if SnapshotId else None
    if call.store.row("Subregion", SubregionName) is None:
        raise errors.refusal(5009)
    volume_type = VolumeType or "standard"
    volumes.check_type(volume_type)
    size = volumes.sized(Size, snapshot, volume_type)
    data = prune(
        ClientToken=ClientToken,
        CreationDate=call.today,
        Iops=volumes.iops(volume_type, size, Iops),
        Size=size,
        SnapshotId=SnapshotId or None,
        SubregionName=SubregionName,
        VolumeType=volume_type,
        _ClientToken=ClientToken,
    )
    return {"Volume": call.create("Volume", data, state="creating")}


@action
def UpdateVolume(
    call: Call,
    VolumeId: str,
    Iops: int | None = None,
    Size: int | None = None,
    VolumeType: str | None = None,
) -> Data:
    """Change the size, type or IOPS of a volume.

    Type and IOPS change at once, the size when the task is completed that does the work.
    """
    parameters.some(Iops=Iops, Size=Size, VolumeType=VolumeType)
    volume = call.get("Volume", VolumeId)
    old_type, old_size = volume["VolumeType"], volume["Size"]
    new_type = VolumeType or old_type
    volumes.check_type(new_type)
    for name, value in (("Size", Size), ("Iops", Iops)):
        if value == 0:
            raise errors.refusal(4047, f"{name} is 0. Leave it out, or give a positive number.")
    new_size = old_size if Size is None else Size
    volumes.check_size(new_size, new_type)
    if new_size < old_size:
        raise errors.refusal(
            4078, f"The size is {new_size} GiB, but the volume has {old_size} GiB already."
        )
    wanted = volume.get("Iops") if Iops is None and old_type == new_type == "io1" else Iops
    new_iops = volumes.iops(new_type, new_size, wanted)
    if volume.state != "available" or "TaskId" in volume.data:
        raise errors.refusal(6003, f"The volume {VolumeId} is changing. Wait until it is done.")
    if (new_type, new_size, new_iops) != (old_type, old_size, volume.get("Iops")):
        _start_update(call, volume, new_type, new_size, new_iops)
    return {"Volume": volume}


def _start_update(
    call: Call, volume: Row, volume_type: str, size_gib: int, iops: int | None
) -> None:
    """Start the task of an update; a volume without IOPS of its own is told with 100."""
    before = {"Size": volume["Size"], "VolumeType": volume["VolumeType"]}
    task = call.create(
        "VolumeUpdateTask",
        {
            "Comment": f"Update of volume {volume.id}",
            "Progress": 0,
            "StartDate": call.today,
            "VolumeId": volume.id,
            "VolumeUpdate": {
                "Origin": {"Iops": volume.get("Iops", volumes.GP2_IOPS_MIN), **before},
                "Target": {
                    "Iops": iops or volumes.GP2_IOPS_MIN,
                    "Size": size_gib,
                    "VolumeType": volume_type,
                },
            },
        },
        state="pending",
    )
    data = call.edit(volume)
    data["VolumeType"] = volume_type
    data["TaskId"] = task.id
    data.pop("Iops", None)
    if volume_type == "gp2":
        iops = volumes.iops("gp2", volume["Size"], None)  # The baseline grows with the size.
    if iops is not None:
        data["Iops"] = iops


@action
def LinkVolume(call: Call, DeviceName: str, VmId: str, VolumeId: str) -> Data:
    """Attach a volume to a running or stopped VM of the same subregion."""
    vm = call.get("Vm", VmId)
    volume = call.get("Volume", VolumeId)
    volumes.check_device(DeviceName)
    if vm.state not in ("running", "stopped"):
        raise errors.refusal(
            6003, f"The VM {VmId} is {vm.state}. Attach volumes while it is running or stopped."
        )
    if volume.state != "available" or call.find("LinkedVolume", "VolumeId", VolumeId):
        state = call.view(volume)["State"]
        raise errors.refusal(
            6003, f"The volume {VolumeId} is {state}, but only available ones are attached."
        )
    subregion = vm["Placement"]["SubregionName"]
    if volume["SubregionName"] != subregion:
        raise errors.refusal(
            9071,
            f"The volume {VolumeId} is in {volume['SubregionName']}, but the VM {VmId} in "
            f"{subregion}.",
        )
    links = call.find("LinkedVolume", "VmId", VmId)
    if any(link["DeviceName"] == DeviceName for link in links):
        raise errors.refusal(9003, f"The VM {VmId} has a device {DeviceName} already.")
    if len(links) >= volumes.VOLUMES_PER_VM_MAX:
        raise errors.refusal(
            10018, f"The VM {VmId} has {len(links)} volumes, which is the most it can have."
        )
    call.create(
        "LinkedVolume",
        {
            "DeleteOnVmDeletion": False,
            "DeviceName": DeviceName,
            "VmId": VmId,
            "VolumeId": VolumeId,
            "_LinkDate": call.today,
        },
        id_=VolumeId,
        state="attaching",
    )
    return {}


@action
def UnlinkVolume(
    call: Call,
    VolumeId: str,
    ForceUnlink: bool = False,  # noqa: ARG001 - no link ever fails, so there is nothing to force
) -> Data:
    """Detach a volume from its VM; the root device only from a stopped one."""
    volume = call.get("Volume", VolumeId)
    link = call.store.row("LinkedVolume", VolumeId)
    if link is None:
        raise errors.refusal(
            6003, f"The volume {VolumeId} is {volume.state}, but only linked ones are detached."
        )
    vm = call.store.row("Vm", link["VmId"])
    at_work = vm is not None and vm.is_live and vm.state != "stopped"
    if vm is not None and at_work and link["DeviceName"] == vm["RootDeviceName"]:
        raise errors.refusal(
            8003, f"The volume {VolumeId} is the root device of {vm.id}. Stop the VM first."
        )
    if link.state != "detaching":
        call.become(link, "detaching")
    return {}


@action
def DeleteVolume(call: Call, VolumeId: str) -> Data:
    """Delete a volume that is attached to no VM."""
    volume = call.get("Volume", VolumeId)
    state = call.view(volume)["State"]
    if state != "available":
        raise errors.refusal(
            6003, f"The volume {VolumeId} is {state}, but only available ones are deleted."
        )
    call.delete(volume, state="deleting")
    return {}
