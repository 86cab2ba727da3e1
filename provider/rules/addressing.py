"""IP ranges: which subnets a Net is split into, and what is wrong with ranges that people write.

A Net is /16 to /28, a subnet /29 or larger, inside its Net and overlapping no other; the first
four addresses and the last one of a subnet are reserved.

https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network

from provider.problem import Problem
from provider.rules import names

NET_LARGEST, NET_SMALLEST = 16, 28
SUBNET_SMALLEST = 29
RESERVED_FIRST = 4
"""Addresses at the beginning of a subnet that no VM gets; nor does any get the last one."""

DEFAULT_NET = "10.0.0.0/16"
EVERYWHERE = "0.0.0.0/0"

PUBLIC = (names.LOAD_BALANCER, names.BASTION, names.NAT)
WORKERS = (names.WORKER,)
CONTROL_PLANES = (names.CONTROL_PLANE,)

_SPACIOUS = 21
"""Up to this size, a Net is split into /24 subnets, as the Go provider does."""
_LEFT_FREE = 2
"""The /24 blocks at the beginning of a Net that the Go provider leaves free."""
_SLOT_SMALLEST = SUBNET_SMALLEST - 2


class NoRoom(ValueError):
    """A Net is too small for the subnets of a cluster; the message is a sentence for its owner."""


@dataclasses.dataclass(frozen=True)
class PlannedSubnet:
    """A subnet of a cluster whose spec names none."""

    roles: tuple[str, ...]
    ip_range: str
    subregion: str


def automatic_subnets(net_range: str, subregions: Sequence[str]) -> tuple[PlannedSubnet, ...]:
    """Return the subnets of a cluster: public, worker and controlplane for each subregion.

    Ranges depend on the size of the Net and the position of the subregion alone, so those that
    exist stay as they are when a subregion is appended. In a Net of /21 or larger they are those of
    the Go provider: 10.0.2.0/24 public, 10.0.3.0/24 worker, 10.0.4.0/24 controlplane, then
    10.0.5.0/24. A smaller Net has a slot of a quarter for each subregion; see `_split`.

    Raise `NoRoom` when the Net has room for fewer subregions.
    """
    triples = list(itertools.islice(_triples(network(net_range)), len(subregions)))
    if len(triples) < len(subregions):
        raise NoRoom(_no_room(net_range, subregions, len(triples)))
    return tuple(
        PlannedSubnet(roles, str(block), subregion)
        for subregion, triple in zip(subregions, triples, strict=True)
        for roles, block in zip((PUBLIC, WORKERS, CONTROL_PLANES), triple, strict=True)
    )


Triple = tuple[IPv4Network, IPv4Network, IPv4Network]
"""The ranges for one subregion: public, worker, controlplane."""


def _triples(net: IPv4Network) -> Iterator[Triple]:
    if net.prefixlen > _SPACIOUS:
        slot = max(net.prefixlen, min(net.prefixlen + 2, _SLOT_SMALLEST))
        if slot <= _SLOT_SMALLEST:
            yield from map(_split, net.subnets(new_prefix=slot))
        return
    free = list(itertools.islice(net.subnets(new_prefix=24), _LEFT_FREE))
    blocks = itertools.islice(net.subnets(new_prefix=24), _LEFT_FREE, None)
    yield from zip(blocks, blocks, blocks, strict=False)
    yield from map(_split, free)


def _split(slot: IPv4Network) -> Triple:
    """Split a slot: a quarter public, a quarter for control planes, and half for workers."""
    public, control_plane = itertools.islice(slot.subnets(prefixlen_diff=2), 2)
    _, worker = slot.subnets(prefixlen_diff=1)
    return public, worker, control_plane


def _no_room(net_range: str, subregions: Sequence[str], fit: int) -> str:
    places = "1 subregion" if fit == 1 else f"{fit} subregions"
    return (
        f"{net_range} has room for the subnets of {places}, but there are {len(subregions)} "
        f"({', '.join(subregions)}). Use a larger spec.network.net.ipRange, fewer subregions, or "
        "name the subnets in spec.network.subnets."
    )


# --- Reading -------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def network(text: str) -> IPv4Network:
    """Read an IP range, with or without bits after its prefix; raise ``ValueError`` otherwise."""
    return IPv4Network(text, strict=False)


def contains(outer: str, inner: str) -> bool:
    """Tell whether a range lies wholly within another."""
    return network(inner).subnet_of(network(outer))


def overlaps(one: str, other: str) -> bool:
    """Tell whether two ranges have an address in common."""
    return network(one).overlaps(network(other))


# --- What is wrong -------------------------------------------------------------------------------


def range_problems(path: str, text: str) -> list[Problem]:
    """Return what is wrong with an IP range as such."""
    try:
        IPv4Network(text)
    except ValueError:
        pass
    else:
        return [] if "/" in text else [_no_range(path, text)]
    try:
        block = network(text)
    except ValueError:
        return [_no_range(path, text)]
    return [
        Problem(path, f"{text} has bits after its /{block.prefixlen}. Write {block}."),
    ]


def _no_range(path: str, text: str) -> Problem:
    return Problem(path, f"'{text}' is no IPv4 range. Write one such as 10.0.0.0/16.")


def net_problems(path: str, text: str) -> list[Problem]:
    """Return what is wrong with the range of a Net."""
    problems = range_problems(path, text)
    if problems or NET_LARGEST <= network(text).prefixlen <= NET_SMALLEST:
        return problems
    return [
        Problem(path, f"{text} is no size of a Net. Use /{NET_LARGEST} to /{NET_SMALLEST}."),
    ]


def subnet_problems(net_range: str, subnets: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return what is wrong with subnets, given as pairs of path and range: size, place, overlap."""
    problems: list[Problem] = []
    sound: list[tuple[str, str]] = []
    for path, text in subnets:
        found = range_problems(path, text) or _place_problems(net_range, path, text)
        found = found or [
            Problem(
                path,
                f"{text} overlaps {other} of {where}. Give each subnet a range of its own.",
            )
            for where, other in sound
            if overlaps(text, other)
        ]
        if not found:
            sound.append((path, text))
        problems += found
    return problems


def _place_problems(net_range: str, path: str, text: str) -> list[Problem]:
    if network(text).prefixlen > SUBNET_SMALLEST:
        return [
            Problem(path, f"{text} is too small for a subnet. Use /{SUBNET_SMALLEST} at least.")
        ]
    if not contains(net_range, text):
        return [
            Problem(path, f"{text} is not inside the Net, {net_range}. Choose a range in it."),
        ]
    return []


def address_problems(path: str, text: str, subnet_range: str) -> list[Problem]:
    """Return what is wrong with a private IP in a subnet."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return [Problem(path, f"'{text}' is no IPv4 address. Write one such as 10.0.3.10.")]
    block = network(subnet_range)
    first, last = block[RESERVED_FIRST], block[-2]
    if first <= address <= last:
        return []
    return [
        Problem(
            path,
            f"{text} is not usable in the subnet {subnet_range}. Use {first} to {last}.",
        )
    ]
