"""IP ranges and addresses: which are well-formed, which are reserved, which are free.

https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress

from fakecloud import errors
from fakecloud.call import Call
from fakecloud.kinds import kind
from fakecloud.rows import Row
from fakecloud.store import Store

# An address that is taken: in a subnet by a NIC, a NAT service or a load balancer, in the public
# cloud by a VM. The API shows it only through its holder. The identifier is subnet/address, so
# none is taken twice.
kind("Address", index=("SubnetId", "Holder"), schema="")

RESERVED_FIRST = 4
"""The first four addresses and the last one of a subnet are reserved (user guide)."""

RESERVED_BLOCKS = [
    ipaddress.ip_network(block) for block in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
                                              "142.42.42.42/32", "224.0.0.0/3")
]  # fmt: skip

PUBLIC_RANGES = ("198.18.0.0/16", "198.19.0.0/16")
"""Where public IPs come from: ranges kept for tests (RFC 2544), so that none is a real host's."""

PUBLIC_CLOUD = "public-cloud"
"""Stands where a subnet would: what VMs outside a Net take their addresses from."""

PRIVATE_RANGE = "10.0.0.0/8"
"""Where the private IPs of VMs outside a Net come from."""

TRIES_MAX = 64
"""How many addresses are tried before a range counts as used up."""


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


def private(text: str) -> ipaddress.IPv4Address:
    """Read a private IP of a NIC or VM; raise 4047 when it is none."""
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        raise errors.refusal(4047, f"'{text}' is not an IPv4 address.") from None


@functools.lru_cache(maxsize=4096)
def _span(text: str) -> tuple[int, int]:
    """Return the first usable address of a subnet, and how many are usable."""
    block = network(text)
    return int(block.network_address) + RESERVED_FIRST, block.num_addresses - RESERVED_FIRST - 1


def _dotted(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def take(call: Call, subnet: Row, holder: str, wanted: str | None = None) -> str:
    """Take an address of a subnet for a holder, the wanted one or the first that is free.

    Raise 4047 for an address that the subnet does not have or keeps for itself, 4045 for one
    that is taken, and 10011 when none is left.
    """
    first, usable = _span(subnet["IpRange"])
    if wanted is not None:
        if not first <= int(private(wanted)) < first + usable:
            raise errors.refusal(
                4047,
                f"The IP '{wanted}' is not usable in {subnet.id} ({subnet['IpRange']}): it must "
                f"be between {_dotted(first)} and {_dotted(first + usable - 1)}.",
            )
        if held(call.store, subnet.id, wanted) is not None:
            raise errors.refusal(4045, f"The IP '{wanted}' is already used in {subnet.id}.")
        return _hold(call, subnet, holder, wanted)
    if free(call.store, subnet) <= 0:
        raise errors.refusal(10011, f"The subnet {subnet.id} has no free IP left.")
    # Freed addresses come again only after all others, so a search rarely takes a second look.
    start = subnet.get("_Next", 0)
    for step in range(usable):
        offset = (start + step) % usable
        found = _dotted(first + offset)
        if held(call.store, subnet.id, found) is None:
            call.edit(subnet)["_Next"] = offset + 1
            return _hold(call, subnet, holder, found)
    raise AssertionError(f"{subnet.id} counts more free addresses than it has.")


def _hold(call: Call, subnet: Row, holder: str, found: str) -> str:
    data = {"SubnetId": subnet.id, "Holder": holder, "Ip": found}
    call.store.create("Address", data, subnet.account, f"{subnet.id}/{found}")
    return found


def held(store: Store, subnet_id: str, ip: str) -> Row | None:
    """Return who holds an address of a subnet, or ``None`` when it is free."""
    return store.row("Address", f"{subnet_id}/{ip}")


def release(store: Store, holder: str, only: str | None = None) -> None:
    """Give back the addresses of a holder, or only one of them."""
    for row in store.rows("Address", "Holder", holder):
        if only is None or row["Ip"] == only:
            store.remove(row)


def free(store: Store, subnet: Row) -> int:
    """Return how many addresses of a subnet are free."""
    return _span(subnet["IpRange"])[1] - store.count("Address", "SubnetId", subnet.id)


# Outside Nets.


def take_public(store: Store, holder: str, account: str, salt: str) -> str:
    """Take a public IP for a holder; the same ``salt`` finds the same one while it is free.

    Raise 10011 when no free one is found.
    """
    blocks = [network(text) for text in PUBLIC_RANGES]
    return _draw(store, "internet", blocks, holder, account, salt)


def take_private(store: Store, holder: str, account: str) -> str:
    """Take a private IP for a VM outside a Net. Raise 10011 when no free one is found."""
    return _draw(store, PUBLIC_CLOUD, [network(PRIVATE_RANGE)], holder, account, holder)


def _draw(
    store: Store,
    space: str,
    blocks: list[ipaddress.IPv4Network],
    holder: str,
    account: str,
    salt: str,
) -> str:
    for attempt in range(TRIES_MAX):
        digest = hashlib.sha256(f"{space}/{salt}/{attempt}".encode()).digest()
        block = blocks[digest[0] % len(blocks)]
        size = block.num_addresses - 2
        found = _dotted(int(block.network_address) + 1 + int.from_bytes(digest[1:5], "big") % size)
        if held(store, space, found) is None:
            data = {"SubnetId": space, "Holder": holder, "Ip": found}
            store.create("Address", data, account, f"{space}/{found}")
            return found
    raise errors.refusal(10011, f"The {space} has no free IP left.")


# Names.


def private_name(ip: str, region: str) -> str:
    """Return the DNS name of a private IP."""
    return f"ip-{ip.replace('.', '-')}.{region}.compute.internal"


def public_name(ip: str, region: str) -> str:
    """Return the DNS name of a public IP."""
    return f"ows-{ip.replace('.', '-')}.{region}.compute.outscale.com"
