"""Virtual machines: how they are shown, ReadVms, ReadVmsState, ReadVmsStopHistory, ReadVmTypes.

https://docs.outscale.com/en/userguide/About-VMs.html
"""

from __future__ import annotations

from typing import Any

from fakecloud import reads
from fakecloud.call import Call, action
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.reads import Deep, Since, Until
from fakecloud.rows import Row, public, values
from fakecloud.rules import addresses, groups, vm_life
from fakecloud.store import Store

STATE_CODES = {
    "quarantine": -1,
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}

REASON_CODES = {vm_life.STOPPED_BY_CALL: 4}

# The parts of a NIC and of its links that its VM shows.
NIC_LINK = ("DeleteOnVmDeletion", "DeviceNumber", "LinkNicId", "State")
PUBLIC_IP_LINK = ("PublicDnsName", "PublicIp", "PublicIpAccountId")


def _view(store: Store, row: Row) -> Data:
    shown = public(row.data)
    shown["BlockDeviceMappings"] = [
        _view_mapping(link) for link in store.rows("LinkedVolume", "VmId", row.id)
    ]
    if not row.is_live:
        return shown
    group_ids = row.get("_SecurityGroupIds")
    nic_rows = _nics(store, row)
    if nic_rows:
        shown["Nics"] = [_light(store.view(nic)) for nic in nic_rows]
        group_ids = nic_rows[0]["_SecurityGroupIds"]
    shown["SecurityGroups"] = groups.light(store, group_ids or [])
    public_ip = _public_ip(store, row, nic_rows)
    if public_ip is not None:
        region = shown["Placement"]["SubregionName"][:-1]
        shown["PublicDnsName"] = addresses.public_name(public_ip, region)
        shown["PublicIp"] = public_ip
    return shown


def _nics(store: Store, row: Row) -> list[Row]:
    """Return the NICs of a VM in the order of their device numbers."""
    links = store.rows("LinkNic", "VmId", row.id)
    links.sort(key=lambda link: link["DeviceNumber"])
    found = [store.row("Nic", link["NicId"]) for link in links]
    return [nic for nic in found if nic is not None]


def _public_ip(store: Store, row: Row, nic_rows: list[Row]) -> str | None:
    main = nic_rows[0]["_PrivateIps"][0]["PrivateIp"] if nic_rows else row["PrivateIp"]
    for public_ip in store.rows("PublicIp", "VmId", row.id):
        if public_ip["PrivateIp"] == main:
            return str(public_ip["PublicIp"])
    own: str | None = row.get("_PublicIp")
    return own


def _view_mapping(link: Row) -> Data:
    bsu = {
        "DeleteOnVmDeletion": link["DeleteOnVmDeletion"],
        "LinkDate": link["_LinkDate"],
        "State": link.state,
        "VolumeId": link["VolumeId"],
    }
    return {"Bsu": bsu, "DeviceName": link["DeviceName"]}


def _light(nic: Data) -> Data:
    """Return a NIC as its VM shows it: with less than ReadNics does."""
    shown = {name: nic[name] for name in nic if name not in ("SubregionName", "Tags")}
    shown["LinkNic"] = {name: nic["LinkNic"][name] for name in NIC_LINK}
    shown["PrivateIps"] = [_less(ip) for ip in nic["PrivateIps"]]
    return _less(shown)


def _less(shown: Data) -> Data:
    """Return a NIC or a private IP with the public IP as a VM shows it."""
    if "LinkPublicIp" not in shown:
        return shown
    link = {name: shown["LinkPublicIp"][name] for name in PUBLIC_IP_LINK}
    return {**shown, "LinkPublicIp": link}


def _of_nics(path: str) -> Deep:
    """Declare a filter on what ReadNics shows of the NICs of a VM."""

    def look(store: Store, row: Row) -> list[Any]:
        shown = (store.view(nic) for nic in _nics(store, row))
        return [value for nic in shown for value in values(nic, path)]

    return Deep(look)


def _link_dates(store: Store, row: Row) -> list[str]:
    return [link["_LinkDate"] for link in store.rows("LinkNic", "VmId", row.id)]


_FILTERS: dict[str, Any] = {
    "BlockDeviceMappingDeleteOnVmDeletion": "BlockDeviceMappings.Bsu.DeleteOnVmDeletion",
    "BlockDeviceMappingLinkDates": "BlockDeviceMappings.Bsu.LinkDate",
    "BlockDeviceMappingStates": "BlockDeviceMappings.Bsu.State",
    "BlockDeviceMappingVolumeIds": "BlockDeviceMappings.Bsu.VolumeId",
    # There are no Spot Instances at OUTSCALE.
    "Lifecycles": lambda vm: None,
    "MaintenanceEventCodes": lambda vm: None,
    "MaintenanceEventDescriptions": lambda vm: None,
    "MaintenanceEventsNotAfter": lambda vm: None,
    "MaintenanceEventsNotBefore": lambda vm: None,
    "NicLinkNicLinkNicDates": Deep(_link_dates),
    "NicLinkNicVmAccountIds": _of_nics("LinkNic.VmAccountId"),
    "NicLinkNicVmIds": _of_nics("LinkNic.VmId"),
    "NicLinkPublicIpAccountIds": _of_nics("LinkPublicIp.PublicIpAccountId"),
    "NicLinkPublicIpLinkPublicIpIds": _of_nics("LinkPublicIp.LinkPublicIpId"),
    "NicLinkPublicIpPublicIpIds": _of_nics("LinkPublicIp.PublicIpId"),
    "NicPrivateIpsLinkPublicIpAccountIds": _of_nics("PrivateIps.LinkPublicIp.PublicIpAccountId"),
    # "The public IPs associated with the private IPs", says the document.
    "NicPrivateIpsLinkPublicIpIds": _of_nics("PrivateIps.LinkPublicIp.PublicIp"),
    "NicPrivateIpsPrimaryIp": "Nics.PrivateIps.IsPrimary",
    "NicSecurityGroupIds": "Nics.SecurityGroups.SecurityGroupId",
    "NicSecurityGroupNames": "Nics.SecurityGroups.SecurityGroupName",
    "NicSubregionNames": _of_nics("SubregionName"),
    "Platforms": "OsFamily",
    "SecurityGroupIds": "SecurityGroups.SecurityGroupId",
    "SecurityGroupNames": "SecurityGroups.SecurityGroupName",
    "StateReasonCodes": lambda vm: REASON_CODES.get(vm["StateReason"]),
    "StateReasonMessages": "StateReason",
    "SubregionNames": "Placement.SubregionName",
    "Tenancies": "Placement.Tenancy",
    "VmSecurityGroupIds": "SecurityGroups.SecurityGroupId",
    "VmSecurityGroupNames": "SecurityGroups.SecurityGroupName",
    "VmStateCodes": lambda vm: STATE_CODES[vm["State"]],
    "VmStateNames": "State",
    "VmStates": "State",
}

kind(
    "Vm",
    id="VmId",
    prefix="i",
    refs={"_SecurityGroupIds": "SecurityGroup"},
    weak={"ImageId": "Image", "NetId": "Net", "SubnetId": "Subnet"},
    index=("_ClientToken", "_PlacementKeys", "KeypairName"),
    lifecycle={
        "pending": Then(20, "running"),
        "stopping": Then(10, "stopped"),
        "shutting-down": Then(15, "terminated"),
        "terminated": Then(3600, None),
    },
    tombstones=frozenset({"terminated"}),
    on={
        "running": vm_life.running,
        "stopped": vm_life.stopped,
        "terminated": vm_life.terminated,
    },
    absent=5063,
    resource_type="instance",
    view=_view,
    read="ReadVms",
    answer="Vms",
    filters=_FILTERS,
    quota="vm_limit",
    strict_ids=True,
)

kind(
    "VmStop",
    schema="VmsStopHistory",
    weak={"VmId": "Vm"},
    state="_State",
    read="ReadVmsStopHistory",
    answer="VmsStopHistory",
    filters={"StopDateAfter": Since("StopDate"), "StopDateBefore": Until("StopDate")},
)


@action
def ReadVmsState(
    call: Call,
    AllVms: bool | None = None,
    Filters: Data | None = None,
    NextPageToken: str | None = None,
    ResultsPerPage: int | None = None,
) -> Data:
    """List the states of the running VMs or, with ``AllVms``, of all."""
    rows = reads.select(call, KINDS["Vm"], "ReadVmsState", Filters)
    shown = [
        {
            "MaintenanceEvents": [],
            "SubregionName": vm["Placement"]["SubregionName"],
            "VmId": vm.id,
            "VmState": vm.state,
        }
        for vm in rows
        if AllVms or vm.state == "running"
    ]
    request: Data = {
        "Filters": Filters, "NextPageToken": NextPageToken, "ResultsPerPage": ResultsPerPage
    }  # fmt: skip
    return reads.page(call, "ReadVmsState", "VmStates", shown, request)
