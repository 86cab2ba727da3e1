"""VM groups: VMs of one template, created and deleted together.

https://docs.outscale.com/api.html#3ds-outscale-api-vmgroup
"""

from __future__ import annotations

import base64

from fakecloud import errors
from fakecloud.call import Call, action, prune
from fakecloud.kinds import Data, Then, kind
from fakecloud.rows import Row, public
from fakecloud.store import Store

GROUPS_MAX = 100
FLAGS = {"highest": "p1", "high": "p2", "medium": "p3"}


def _alive(store: Store, row: Row) -> list[str]:
    found = (store.row("Vm", vm_id) for vm_id in row["_VmIds"])
    return [vm.id for vm in found if vm is not None and vm.is_live]


def _view(store: Store, row: Row) -> Data:
    return {**public(row.data), "VmIds": _alive(store, row)}


kind(
    "VmGroup",
    id="VmGroupId",
    prefix="vmgroup",
    digits=32,
    refs={"VmTemplateId": "VmTemplate"},
    weak={"SecurityGroupIds": "SecurityGroup", "SubnetId": "Subnet"},
    lifecycle={
        "pending": Then(20, "available"),
        "scaling up": Then(20, "available"),
        "scaling down": Then(20, "available"),
        "deleting": Then(20, "deleted"),
        "deleted": Then(60, None),
    },
    tombstones=frozenset({"deleting", "deleted"}),
    view=_view,
    read="ReadVmGroups",
    answer="VmGroups",
)


@action
def CreateVmGroup(
    call: Call,
    SecurityGroupIds: list[str],
    SubnetId: str,
    VmCount: int,
    VmGroupName: str,
    VmTemplateId: str,
    Description: str | None = None,
    PositioningStrategy: str = "no-strategy",
    Tags: list[Data] | None = None,
) -> Data:
    """Create a group and its VMs."""
    _positive("VmCount", VmCount)
    call.get("VmTemplate", VmTemplateId)
    call.get("Subnet", SubnetId)
    for group_id in SecurityGroupIds:
        call.get("SecurityGroup", group_id)
    if len(call.find("VmGroup")) >= GROUPS_MAX:
        raise errors.refusal(10010, f"The maximum number of VM groups ({GROUPS_MAX}) is exceeded.")
    group = call.create(
        "VmGroup",
        {
            "CreationDate": call.today,
            "PositioningStrategy": PositioningStrategy,
            "SecurityGroupIds": SecurityGroupIds,
            "SubnetId": SubnetId,
            "Tags": Tags or [],
            "VmCount": VmCount,
            "VmGroupName": VmGroupName,
            "VmTemplateId": VmTemplateId,
            "_VmIds": [],
            **prune(Description=Description),
        },
        state="pending",
    )
    _launch(call, group, VmCount)
    return {"VmGroup": group}


def _launch(call: Call, group: Row, count: int) -> None:
    """Create VMs of the group's template; its strategy is told to them in their user data."""
    template = call.get("VmTemplate", group["VmTemplateId"])
    size = f"c{template['CpuCores']}r{template['Ram']}{FLAGS[template['CpuPerformance']]}"
    request = prune(
        ImageId=template["ImageId"],
        KeypairName=template.get("KeypairName"),
        MaxVmsCount=count,
        MinVmsCount=count,
        SecurityGroupIds=group["SecurityGroupIds"],
        SubnetId=group["SubnetId"],
        UserData=_placement(group),
        VmType=f"tina{template['CpuGeneration']}.{size}",
    )
    made = call.run("CreateVms", **request)["Vms"]
    call.edit(group)["_VmIds"] += [vm.id for vm in made]


def _placement(group: Row) -> str | None:
    if group["PositioningStrategy"] == "no-strategy":
        return None
    section = (
        "-----BEGIN OUTSCALE SECTION-----\n"
        "filter_private_section=true\n"
        f"tags.osc.fcu.{group['PositioningStrategy']}_server={group.id}\n"
        "-----END OUTSCALE SECTION-----\n"
    )
    return base64.b64encode(section.encode()).decode()


@action
def ScaleUpVmGroup(call: Call, VmAddition: int, VmGroupId: str) -> Data:
    """Add VMs to a group, made from its present template."""
    _positive("VmAddition", VmAddition)
    group = _settled(call, VmGroupId)
    _launch(call, group, VmAddition)
    call.edit(group)["VmCount"] += VmAddition
    call.become(group, "scaling up")
    return {}


@action
def ScaleDownVmGroup(call: Call, VmGroupId: str, VmSubtraction: int) -> Data:
    """Delete the oldest VMs of a group."""
    _positive("VmSubtraction", VmSubtraction)
    group = _settled(call, VmGroupId)
    if VmSubtraction > group["VmCount"]:
        raise errors.refusal(
            4047, f"VmSubtraction is {VmSubtraction}, but the group has {group['VmCount']} VMs."
        )
    leaving = _alive(call.store, group)[:VmSubtraction]
    if leaving:
        call.run("DeleteVms", VmIds=leaving)
    data = call.edit(group)
    data["VmCount"] -= VmSubtraction
    data["_VmIds"] = [vm_id for vm_id in data["_VmIds"] if vm_id not in leaving]
    call.become(group, "scaling down")
    return {}


@action
def UpdateVmGroup(
    call: Call,
    VmGroupId: str,
    Description: str | None = None,
    Tags: list[Data] | None = None,
    VmGroupName: str | None = None,
    VmTemplateId: str | None = None,
) -> Data:
    """Change a group; another template is for VMs to come."""
    group = _settled(call, VmGroupId)
    if VmTemplateId is not None:
        call.get("VmTemplate", VmTemplateId)
    changes = prune(
        Description=Description, Tags=Tags, VmGroupName=VmGroupName, VmTemplateId=VmTemplateId
    )
    call.edit(group).update(changes)
    return {"VmGroup": group}


@action
def DeleteVmGroup(call: Call, VmGroupId: str) -> Data:
    """Delete a group with its VMs."""
    group = _settled(call, VmGroupId)
    alive = _alive(call.store, group)
    if alive:
        call.run("DeleteVms", VmIds=alive)
    call.delete(group, state="deleting")
    return {}


def _settled(call: Call, group_id: str) -> Row:
    """Return a group that is not changing; raise 6003 when it is."""
    group = call.get("VmGroup", group_id)
    if group.state != "available":
        raise errors.refusal(
            6003, f"The VM group {group_id} is {group.state}. Wait until it is available."
        )
    return group


def _positive(name: str, count: int) -> None:
    if count < 1:
        raise errors.refusal(4047, f"{name} is {count}, but must be at least 1.")
