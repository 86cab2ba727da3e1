"""Building and taking apart NICs, for CreateNic and for the VMs that bring their own.

https://docs.outscale.com/en/userguide/About-NICs.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fakecloud import errors
from fakecloud.call import Call
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import addresses, parameters, public_ips
from fakecloud.store import Store

DEVICE_LAST = 7
"""NICs have the device numbers 0 (the primary one) to 7."""

PRIVATE_IPS_MAX = 15
"""How many private IPs a NIC can have."""


@dataclass(frozen=True)
class Wish:
    """What private IPs a new NIC is to have: the primary one or any, further ones, and any more."""

    primary: str | None = None
    secondary: tuple[str, ...] = ()
    more: int = 0


def wish(items: list[Data] | None, count: int | None = None) -> Wish:
    """Read the private IPs of a request.

    Raise 3002 for two primary ones or for several beside a count, and 4047 for what is no
    address and for a primary one without address.
    """
    items = items or []
    primary = [item for item in items if item.get("IsPrimary")]
    if len(primary) > 1:
        raise errors.refusal(3002, "Only one of the PrivateIps can be the primary one.")
    if count is not None and len(items) > 1:
        parameters.at_most_one(PrivateIps=items, SecondaryPrivateIpCount=count)
    if count is not None and count < 0:
        raise errors.refusal(4047, f"SecondaryPrivateIpCount is {count}. It must be 0 or more.")
    for item in items:
        addresses.private(item.get("PrivateIp", ""))
    secondary = tuple(item["PrivateIp"] for item in items if not item.get("IsPrimary"))
    if 1 + len(secondary) + (count or 0) > PRIVATE_IPS_MAX:
        raise errors.refusal(10021, limit=PRIVATE_IPS_MAX)
    return Wish(primary[0]["PrivateIp"] if primary else None, secondary, count or 0)


def build(
    call: Call, subnet: Row, group_ids: list[str], wanted: Wish, description: str = ""
) -> Row:
    """Create a NIC in a subnet, with its private IPs."""
    nic = call.create(
        "Nic",
        {
            "AccountId": call.account,
            "Description": description,
            "IsSourceDestChecked": True,
            "MacAddress": mac(call.world.token(8)),
            "NetId": subnet["NetId"],
            "SubnetId": subnet.id,
            "SubregionName": subnet["SubregionName"],
            "_SecurityGroupIds": group_ids,
        },
    )
    # Wanted addresses come before chosen ones, which must not take them away.
    given = {ip: addresses.take(call, subnet, nic.id, ip) for ip in wanted.secondary}
    primary = addresses.take(call, subnet, nic.id, wanted.primary)
    chosen = [addresses.take(call, subnet, nic.id) for _ in range(wanted.more)]
    data = call.edit(nic)
    data["PrivateDnsName"] = addresses.private_name(primary, call.region)
    data["_PrivateIps"] = [
        {"IsPrimary": True, "PrivateIp": primary},
        *({"IsPrimary": False, "PrivateIp": ip} for ip in (*given, *chosen)),
    ]
    return nic


def mac(digits: str) -> str:
    """Make a MAC address of 8 hexadecimal digits."""
    return f"aa:00:{digits[:2]}:{digits[2:4]}:{digits[4:6]}:{digits[6:8]}"


def primary_ip(nic: Row) -> str:
    """Return the primary private IP of a NIC."""
    return str(nic["_PrivateIps"][0]["PrivateIp"])


def attach(
    call: Call, nic: Row, vm_id: str, device: int, *, delete: bool, state: str = "attached"
) -> Row:
    """Link a NIC to a VM."""
    link = call.create(
        "LinkNic",
        {
            "DeleteOnVmDeletion": delete,
            "DeviceNumber": device,
            "NicId": nic.id,
            "VmId": vm_id,
            "_LinkDate": call.today,
        },
        state=state,
    )
    for public_ip in call.store.rows("PublicIp", "NicId", nic.id):
        call.edit(public_ip)["VmId"] = vm_id
    return link


def detach(store: Store, link: Row) -> None:
    """End the link of a NIC to a VM; the NIC keeps its addresses and public IPs."""
    for public_ip in store.rows("PublicIp", "NicId", link["NicId"]):
        store.edit(public_ip).pop("VmId", None)
    store.remove(link)


def discard(store: Store, nic: Row) -> None:
    """Take a NIC away with all that belongs to it."""
    for public_ip in store.rows("PublicIp", "NicId", nic.id):
        public_ips.unlink(store, public_ip)
    for link in store.rows("LinkNic", "NicId", nic.id):
        store.remove(link)
    addresses.release(store, nic.id)
    store.remove(nic)
