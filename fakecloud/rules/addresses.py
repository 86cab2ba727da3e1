"""IP ranges and addresses: which are well-formed, which are reserved, which are free."""

from __future__ import annotations

import functools
import ipaddress

from fakecloud import errors
from fakecloud.call import Call
from fakecloud.store import Row, Store, kind

# An address that is taken in a subnet: by a NIC, a NAT service or a load balancer. The API shows
# it only through its holder. The identifier is subnet/address, so none is taken twice.
kind("Address", index=("SubnetId", "Holder"), schema="")

RESERVED_FIRST = 4
"""The first four addresses and the last one of a subnet are reserved (user guide)."""

RESERVED_BLOCKS = [
    ipaddress.ip_network(block) for block in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
                                              "142.42.42.42/32", "224.0.0.0/3")
]  # fmt: skip


@functools.lru_cache(maxsize=4096)
def network(text: str) -> ipaddress.IPv4Network:
    """Read an IP range in CIDR notation; raise 4047 when it is none."""
    if "/" in text:
        try:
            return ipaddress.IPv4Network(text, strict=False)
        except ValueError:
            pass
    raise errors.refusal(4047, f"The IP range '{text}' is not in the CIDR notation.")


def address(text: str) -> ipaddress.IPv4Address:
    """Read an IPv4 address; raise 4133 when it is none."""
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        raise errors.refusal(4133, address=text) from None


def take(call: Call, subnet: Row, holder: str, wanted: str | None = None) -> str:
    """Take an address of a subnet for a holder, the wanted one or the first that is free.

    Raise 4047 for an address that the subnet does not have or keeps for itself, 9002 for one
    that is taken, and 10011 when none is left.
    """
    block = network(subnet["IpRange"])
    if wanted is not None:
        usable = address(wanted) in block and RESERVED_FIRST <= int(
            address(wanted)
        ) - int(block.network_address) < block.num_addresses - 1
        if not usable:
            raise errors.refusal(
                4047, f"The IP '{wanted}' is not usable in the subnet {subnet['IpRange']}."
            )
        if call.store.row("Address", f"{subnet.id}/{wanted}") is not None:
            raise errors.refusal(9031, f"The IP '{wanted}' is already used.")
        return _hold(call, subnet, holder, wanted)
    # Freed addresses come again only after all others, so a search rarely takes a second look.
    usable_count = block.num_addresses - RESERVED_FIRST - 1
    start = subnet.get("_Next", 0)
    for step in range(usable_count):
        offset = (start + step) % usable_count
        found = str(block.network_address + RESERVED_FIRST + offset)
        if call.store.row("Address", f"{subnet.id}/{found}") is None:
            call.edit(subnet)["_Next"] = offset + 1
            return _hold(call, subnet, holder, found)
    raise errors.refusal(10011, f"The subnet {subnet.id} has no free IP left.")


def _hold(call: Call, subnet: Row, holder: str, found: str) -> str:
    data = {"SubnetId": subnet.id, "Holder": holder, "Ip": found}
    call.store.create("Address", data, subnet.account, f"{subnet.id}/{found}")
    return found


def release(store: Store, holder: str, only: str | None = None) -> None:
    """Give back the addresses of a holder, or only one of them."""
    for row in store.rows("Address", "Holder", holder):
        if only is None or row["Ip"] == only:
            store.remove(row)


def free(store: Store, subnet: Row) -> int:
    """Return how many addresses of a subnet are free."""
    block = network(subnet["IpRange"])
    return block.num_addresses - RESERVED_FIRST - 1 - store.count("Address", "SubnetId", subnet.id)
