"""Public IPs: CreatePublicIp, LinkPublicIp, UnlinkPublicIp, DeletePublicIp, and their Reads.

https://docs.outscale.com/en/userguide/About-Public-IPs.html
"""

from __future__ import annotations

from fakecloud import errors, reads
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row
from fakecloud.rules import addresses, nics, parameters, public_ips, routing


def _placement(view: Data) -> list[str]:
    return ["vpc" if "NicId" in view or "NatServiceId" in view else "standard"]


kind(
    "PublicIp",
    id="PublicIpId",
    prefix="eipalloc",
    weak={"NicId": "Nic", "VmId": "Vm", "NatServiceId": "NatService"},
    index=("PublicIp", "LinkPublicIpId", "_LoadBalancerName"),
    absent=5080,
    resource_type="public-ip",
    read="ReadPublicIps",
    answer="PublicIps",
    quota="ip_limit",
    filters={"Placements": _placement},
)


@action
def CreatePublicIp(call: Call) -> Data:
    """Allocate a public IP to the account."""
    public_ip = call.create("PublicIp", {})
    call.edit(public_ip)["PublicIp"] = addresses.take_public(
        call.store, public_ip.id, call.account, public_ip.id
    )
    return {"PublicIp": public_ip}


@action
def ReadPublicIpRanges(
    call: Call, NextPageToken: str | None = None, ResultsPerPage: int | None = None
) -> Data:
    """List the ranges that public IPs come from."""
    request: Data = {"NextPageToken": NextPageToken, "ResultsPerPage": ResultsPerPage}
    ranges = list(addresses.PUBLIC_RANGES)
    return reads.page(call, "ReadPublicIpRanges", "PublicIps", ranges, request)


@action
def DeletePublicIp(call: Call, PublicIp: str | None = None, PublicIpId: str | None = None) -> Data:
    """Release a public IP that is linked to nothing."""
    parameters.exactly_one(PublicIp=PublicIp, PublicIpId=PublicIpId)
    if PublicIpId and not PublicIpId.startswith("eipalloc-"):
        raise errors.refusal(5025, f"The PublicIpId '{PublicIpId}' doesn't exist.")
    public_ip = _find(call, PublicIp, PublicIpId)
    if _is_linked(public_ip):
        raise errors.refusal(
            9029, f"The public IP {public_ip['PublicIp']} is in use. Unlink it first."
        )
    addresses.release(call.store, public_ip.id)
    call.delete(public_ip)
    return {}


def _find(call: Call, ip: str | None, id_: str | None) -> Row:
    """Return the public IP that is meant; raise 4047, 5025 or 5080 when there is none."""
    if id_:
        return call.get("PublicIp", id_)
    addresses.private(ip or "")
    for row in call.find("PublicIp", "PublicIp", ip):
        return row
    raise errors.refusal(5025, f"The PublicIp '{ip}' doesn't exist.")


def _is_linked(public_ip: Row) -> bool:
    return any(name in public_ip.data for name in (*public_ips.LINK, "_LoadBalancerName"))


@action
def LinkPublicIp(
    call: Call,
    AllowRelink: bool | None = None,
    NicId: str | None = None,
    PrivateIp: str | None = None,
    PublicIp: str | None = None,
    PublicIpId: str | None = None,
    VmId: str | None = None,
) -> Data:
    """Link a public IP to a VM, or to a private IP of a NIC whose Net has an internet service."""
    parameters.exactly_one(VmId=VmId, NicId=NicId)
    parameters.exactly_one(PublicIp=PublicIp, PublicIpId=PublicIpId)
    if VmId:
        check_id(KINDS["Vm"], VmId)
    if PublicIpId:
        check_id(KINDS["PublicIp"], PublicIpId)
    vm = call.get("Vm", VmId) if VmId else None
    nic = call.get("Nic", NicId) if NicId else None
    public_ip = _find(call, PublicIp, PublicIpId)
    if vm is not None:
        nic = _only_nic(call, vm)
    relink = AllowRelink if AllowRelink is not None else nic is None
    _check_free(public_ip, relink=relink)
    link_id = f"eipassoc-{call.world.token(8)}"
    if nic is not None:
        ip = _private_ip(nic, PrivateIp)
        _check_net(call, nic)
        _make_room(call, call.find("PublicIp", "NicId", nic.id), public_ip, ip, relink=relink)
        public_ips.link_to_nic(call.store, public_ip, link_id, nic, ip)
    else:
        assert vm is not None
        linked = call.find("PublicIp", "VmId", vm.id)
        _make_room(call, linked, public_ip, vm["PrivateIp"], relink=relink)
        public_ips.link_to_vm(call.store, public_ip, link_id, vm)
    return {"LinkPublicIpId": link_id}


def _only_nic(call: Call, vm: Row) -> Row | None:
    """Return the NIC of a VM in a Net, ``None`` for one outside; raise 9001 for several."""
    if vm.state == "shutting-down":
        raise errors.refusal(6003, f"{vm.id} is {vm.state}, and will soon be gone.")
    links = call.find("LinkNic", "VmId", vm.id)
    if len(links) > 1:
        raise errors.refusal(9001, f"{vm.id} has {len(links)} NICs. Name one of them with NicId.")
    return call.get("Nic", links[0]["NicId"]) if links else None


def _check_free(public_ip: Row, *, relink: bool) -> None:
    """Raise 9029 for a public IP that is linked and may not be taken from there."""
    fixed = "NatServiceId" in public_ip.data or "_LoadBalancerName" in public_ip.data
    if fixed or ("LinkPublicIpId" in public_ip.data and not relink):
        raise errors.refusal(
            9029, f"The public IP {public_ip['PublicIp']} is linked already. Unlink it first."
        )


def _private_ip(nic: Row, wanted: str | None) -> str:
    if not wanted:
        return nics.primary_ip(nic)
    addresses.private(wanted)
    if all(item["PrivateIp"] != wanted for item in nic["_PrivateIps"]):
        raise errors.refusal(4045, f"'{wanted}' is no private IP of {nic.id}.")
    return wanted


def _check_net(call: Call, nic: Row) -> None:
    if not routing.has_internet(call.store, nic["NetId"]):
        raise errors.refusal(9027, f"{nic['NetId']} has no internet service. Link one to it first.")


def _make_room(
    call: Call, linked: list[Row], public_ip: Row, private_ip: str, *, relink: bool
) -> None:
    """Unlink the public IP that a private IP has already; raise 9029 when that is not allowed."""
    for other in linked:
        if other is public_ip or other["PrivateIp"] != private_ip:
            continue
        if not relink:
            raise errors.refusal(
                9029, f"'{private_ip}' has the public IP {other['PublicIp']} already."
            )
        public_ips.unlink(call.store, other)


@action
def UnlinkPublicIp(
    call: Call, LinkPublicIpId: str | None = None, PublicIp: str | None = None
) -> Data:
    """Unlink a public IP from its VM or NIC."""
    parameters.exactly_one(LinkPublicIpId=LinkPublicIpId, PublicIp=PublicIp)
    if LinkPublicIpId:
        _check_link_id(LinkPublicIpId)
        found = call.find("PublicIp", "LinkPublicIpId", LinkPublicIpId)
        if not found:
            raise errors.refusal(5026, param="LinkPublicIpId", id=LinkPublicIpId)
        public_ip = found[0]
    else:
        public_ip = _find(call, PublicIp, None)
        if not _is_linked(public_ip):
            raise errors.refusal(5026, f"The public IP {PublicIp} is linked to nothing.")
    _check_free(public_ip, relink=True)
    public_ips.unlink(call.store, public_ip)
    return {}


def _check_link_id(id_: str) -> None:
    if not id_.startswith("eipassoc-"):
        raise errors.refusal(4104, id=id_, prefix="eipassoc-")
    digits = id_.removeprefix("eipassoc-")
    if len(digits) != 8 or digits.strip("0123456789abcdef"):
        raise errors.refusal(4105, id=id_)
