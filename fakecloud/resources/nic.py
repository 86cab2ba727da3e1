"""Network interface cards: CreateNic, UpdateNic, LinkNic, UnlinkNic, DeleteNic, ReadNics.

https://docs.outscale.com/en/userguide/About-NICs.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, absent, action, check_id
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.rows import Row, public
from fakecloud.rules import addresses, groups, nics, parameters, public_ips, vm_types
from fakecloud.store import Store

NIC_STATES = {"attaching": "attaching", "attached": "in-use", "detaching": "detaching"}


def _view(store: Store, row: Row) -> Data:
    shown = public(row.data)
    region = shown["SubregionName"][:-1]
    linked = {
        public_ip["PrivateIp"]: public_ips.shown(public_ip, region)
        for public_ip in store.rows("PublicIp", "NicId", row.id)
    }
    shown["PrivateIps"] = ips = []
    for item in row["_PrivateIps"]:
        ip = item["PrivateIp"]
        one = {**item, "PrivateDnsName": addresses.private_name(ip, region)}
        if ip in linked:
            one["LinkPublicIp"] = linked[ip]
            if item["IsPrimary"]:
                shown["LinkPublicIp"] = linked[ip]
        ips.append(one)
    shown["SecurityGroups"] = groups.light(store, row["_SecurityGroupIds"])
    shown["State"] = "available"
    for link in store.rows("LinkNic", "NicId", row.id):
        shown["State"] = NIC_STATES[link.state]
        shown["LinkNic"] = store.view(link)
    return shown


def _view_link(store: Store, row: Row) -> Data:  # noqa: ARG001 - as every view
    shown = public(row.data)
    del shown["NicId"]
    return {**shown, "VmAccountId": row.account}


kind(
    "Nic",
    id="NicId",
    prefix="eni",
    refs={"SubnetId": "Subnet", "NetId": "Net", "_SecurityGroupIds": "SecurityGroup"},
    index=("MacAddress",),
    absent=5036,
    in_use=9029,
    resource_type="network-interface",
    view=_view,
    read="ReadNics",
    answer="Nics",
    filters={
        "IsSourceDestCheck": "IsSourceDestChecked",
        "LinkPublicIpAccountIds": "LinkPublicIp.PublicIpAccountId",
        "PrivateIpsLinkPublicIpAccountIds": "PrivateIps.LinkPublicIp.PublicIpAccountId",
        "PrivateIpsPrimaryIp": "PrivateIps.IsPrimary",
        "SecurityGroupIds": "SecurityGroups.SecurityGroupId",
        "SecurityGroupNames": "SecurityGroups.SecurityGroupName",
    },
)

kind(
    "LinkNic",
    id="LinkNicId",
    prefix="eni-attach",
    weak={"NicId": "Nic", "VmId": "Vm"},
    lifecycle={"attaching": Then(3, "attached"), "detaching": Then(3, None)},
    tombstones=frozenset({"detaching"}),
    absent=5007,
    view=_view_link,
)


@action
def CreateNic(
    call: Call,
    SubnetId: str,
    Description: str = "",
    PrivateIps: list[Data] | None = None,
    SecurityGroupIds: list[str] | None = None,
) -> Data:
    """Create a NIC in a subnet, with the default security group unless others are given."""
    check_id(KINDS["Subnet"], SubnetId)
    parameters.ids("SecurityGroup", SecurityGroupIds or [])
    wanted = nics.wish(PrivateIps)
    subnet = call.own("Subnet", SubnetId)
    group_ids = groups.choose(call, subnet["NetId"], SecurityGroupIds)
    return {"Nic": nics.build(call, subnet, group_ids, wanted, Description)}


@action
def DeleteNic(call: Call, NicId: str) -> Data:
    """Delete a NIC that is linked to no VM."""
    nic = call.get("Nic", NicId)
    if call.store.rows("LinkNic", "NicId", nic.id):
        raise errors.refusal(9029, f"The NIC {nic.id} is linked to a VM. Unlink it first.")
    nics.discard(call.store, nic)
    return {}


@action
def UpdateNic(
    call: Call,
    NicId: str,
    Description: str | None = None,
    LinkNic: Data | None = None,
    SecurityGroupIds: list[str] | None = None,
) -> Data:
    """Change the description, the security groups or the link of a NIC."""
    if Description is None and LinkNic is None:
        parameters.some(Description=Description, LinkNic=LinkNic, SecurityGroupIds=SecurityGroupIds)
    check_id(KINDS["Nic"], NicId)
    parameters.ids("SecurityGroup", SecurityGroupIds or [])
    nic = call.get("Nic", NicId)
    group_ids = groups.choose(call, nic["NetId"], SecurityGroupIds) if SecurityGroupIds else None
    if LinkNic is not None:
        _update_link(call, nic, **LinkNic)
    data = call.edit(nic)
    if Description is not None:
        data["Description"] = Description
    if group_ids is not None:
        data["_SecurityGroupIds"] = group_ids
    return {"Nic": nic}


def _update_link(
    call: Call, nic: Row, LinkNicId: str = "", *, DeleteOnVmDeletion: bool | None = None
) -> None:
    parameters.required(LinkNicId=LinkNicId, DeleteOnVmDeletion=DeleteOnVmDeletion)
    link = call.get("LinkNic", LinkNicId)
    if link["NicId"] != nic.id:
        raise absent(link.kind, LinkNicId)
    call.edit(link)["DeleteOnVmDeletion"] = DeleteOnVmDeletion


@action
def LinkNic(call: Call, DeviceNumber: int, NicId: str, VmId: str) -> Data:
    """Link a NIC to a running or stopped VM of the same Net and subregion."""
    check_id(KINDS["Nic"], NicId)
    check_id(KINDS["Vm"], VmId)
    nic = call.get("Nic", NicId)
    vm = call.get("Vm", VmId)
    if not 1 <= DeviceNumber <= nics.DEVICE_LAST:
        raise errors.refusal(
            4047, f"DeviceNumber is {DeviceNumber}, but must be between 1 and {nics.DEVICE_LAST}."
        )
    if call.store.rows("LinkNic", "NicId", nic.id):
        raise errors.refusal(9029, f"The NIC {nic.id} is linked already. Unlink it first.")
    if vm.get("NetId") != nic["NetId"]:
        raise errors.refusal(
            4045, f"{nic.id} is in {nic['NetId']}, but {vm.id} is not. Use a NIC of its Net."
        )
    if vm["Placement"]["SubregionName"] != nic["SubregionName"]:
        raise errors.refusal(9071, f"{nic.id} and {vm.id} are not in the same subregion.")
    if vm.state not in ("running", "stopped"):
        raise errors.refusal(6003, f"{vm.id} is {vm.state}. Wait until it is running or stopped.")
    links = call.store.rows("LinkNic", "VmId", vm.id)
    if any(link["DeviceNumber"] == DeviceNumber for link in links):
        raise errors.refusal(9004, f"The device number {DeviceNumber} of {vm.id} is in use.")
    most = vm_types.parse(vm["VmType"]).nics
    if len(links) >= most:
        raise errors.refusal(10015, f"A VM of type {vm['VmType']} can have {most} NICs.")
    link = nics.attach(call, nic, vm.id, DeviceNumber, delete=False, state="attaching")
    return {"LinkNicId": link.id}


@action
def UnlinkNic(call: Call, LinkNicId: str) -> Data:
    """Unlink a NIC from its VM; the primary NIC stays."""
    link = call.get("LinkNic", LinkNicId)
    if link["DeviceNumber"] == 0:
        raise errors.refusal(8003, "The primary NIC of a VM cannot be unlinked.")
    for public_ip in call.store.rows("PublicIp", "NicId", link["NicId"]):
        call.edit(public_ip).pop("VmId", None)
    call.become(link, "detaching")
    return {}
