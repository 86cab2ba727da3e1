"""Secondary private IPs of NICs: LinkPrivateIps, UnlinkPrivateIps.

https://docs.outscale.com/en/userguide/About-NICs.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data
from fakecloud.rows import Row
from fakecloud.rules import addresses, nics, parameters, public_ips


@action
def LinkPrivateIps(
    call: Call,
    NicId: str,
    AllowRelink: bool | None = None,
    PrivateIps: list[str] | None = None,
    SecondaryPrivateIpCount: int | None = None,
) -> Data:
    """Give a NIC secondary private IPs, which may be those of another NIC of the subnet."""
    check_id(KINDS["Nic"], NicId)
    parameters.exactly_one(PrivateIps=PrivateIps, SecondaryPrivateIpCount=SecondaryPrivateIpCount)
    for ip in PrivateIps or ():
        addresses.private(ip)
    count = SecondaryPrivateIpCount
    if count is not None and count < 1:
        raise errors.refusal(4047, f"SecondaryPrivateIpCount is {count}. It must be 1 or more.")
    nic = call.get("Nic", NicId)
    mine = [item["PrivateIp"] for item in nic["_PrivateIps"]]
    wanted = [ip for ip in dict.fromkeys(PrivateIps or ()) if ip not in mine]
    if len(mine) + len(wanted) + (count or 0) > nics.PRIVATE_IPS_MAX:
        raise errors.refusal(10021, limit=nics.PRIVATE_IPS_MAX)
    subnet = call.own("Subnet", nic["SubnetId"])
    for ip in wanted:
        _free(call, subnet, ip, relink=bool(AllowRelink))
    got = [addresses.take(call, subnet, nic.id, ip) for ip in wanted]
    got += [addresses.take(call, subnet, nic.id) for _ in range(count or 0)]
    call.edit(nic)["_PrivateIps"] += [{"IsPrimary": False, "PrivateIp": ip} for ip in got]
    return {}


def _free(call: Call, subnet: Row, ip: str, *, relink: bool) -> None:
    """Take an address from the NIC that has it; raise 4045 when that is not allowed."""
    taken = addresses.held(call.store, subnet.id, ip)
    if taken is None:
        return
    holder = call.store.row("Nic", taken["Holder"])
    if holder is None or not relink or nics.primary_ip(holder) == ip:
        raise errors.refusal(4045, f"The IP '{ip}' is already used in {subnet.id}.")
    _drop(call, holder, ip)


def _drop(call: Call, nic: Row, ip: str) -> None:
    """Take a secondary private IP away from a NIC, with the public IP linked to it."""
    data = call.edit(nic)
    data["_PrivateIps"] = [item for item in data["_PrivateIps"] if item["PrivateIp"] != ip]
    for public_ip in call.store.rows("PublicIp", "NicId", nic.id):
        if public_ip["PrivateIp"] == ip:
            public_ips.unlink(call.store, public_ip)
    addresses.release(call.store, nic.id, only=ip)


@action
def UnlinkPrivateIps(call: Call, NicId: str, PrivateIps: list[str]) -> Data:
    """Take secondary private IPs away from a NIC: all of them or, if one is not its own, none."""
    check_id(KINDS["Nic"], NicId)
    for ip in PrivateIps:
        addresses.private(ip)
    nic = call.get("Nic", NicId)
    secondary = {item["PrivateIp"] for item in nic["_PrivateIps"] if not item["IsPrimary"]}
    for ip in PrivateIps:
        if ip not in secondary:
            raise errors.refusal(4045, f"'{ip}' is no secondary private IP of {nic.id}.")
    for ip in dict.fromkeys(PrivateIps):
        _drop(call, nic, ip)
    return {}
