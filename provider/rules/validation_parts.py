"""Checks that specs of clusters and of machines share."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

from provider.api import v1beta2
from provider.problem import Problem
from provider.rules import capacity, names

IOPS_MAX = 13000
IOPS_PER_GIB_MAX = 300
SIZE_MAX_GIB = 14901
PORT_MAX = 65535
VOLUME_TYPES = ("standard", "gp2", "io1")

_SUBREGION = re.compile(r"[a-z]+(-[a-z]+)+-[0-9]+[a-z]")
_ACCOUNT = re.compile(r"[0-9]{12}")


def listed(values: Iterable[str]) -> str:
    """Return values as a sentence has them."""
    return ", ".join(f'"{value}"' for value in values) or "nothing"


def one_of(path: str, value: str, known: Sequence[str]) -> Iterator[Problem]:
    """Check a value of a closed set, and name the one that was probably meant."""
    if value not in known:
        close = difflib.get_close_matches(value, known, n=1, cutoff=0.6)
        remedy = f'Did you mean "{close[0]}"? ' if close else ""
        yield Problem(path, f'"{value}" is not known. {remedy}Use one of {listed(known)}.')


def all_of(path: str, values: Sequence[str], known: Sequence[str]) -> Iterator[Problem]:
    """Check each value of a list."""
    for index, value in enumerate(values):
        yield from one_of(f"{path}[{index}]", value, known)


def within(path: str, value: int, lowest: int, highest: int) -> Iterator[Problem]:
    """Check a number."""
    if not lowest <= value <= highest:
        yield Problem(path, f"{value} is not between {lowest} and {highest}. Choose one that is.")


def identifier(path: str, value: str, prefix: str, what: str) -> Iterator[Problem]:
    """Check an id of the cloud, if there is one."""
    if value and not re.fullmatch(rf"{prefix}-[0-9a-f]+", value):
        yield Problem(path, f'"{value}" is no id of {what}. Write one such as {prefix}-1234abcd.')


def unique(path: str, key: str, values: Sequence[str]) -> Iterator[Problem]:
    """Check that no two items of a list have the same name; empty ones do not count."""
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        if value and value in seen:
            where = f"{path}[{index}]" + (f".{key}" if key else "")
            first = f"{path}[{seen[value]}]"
            yield Problem(where, f'"{value}" stands in {first} already. Write it once.')
        seen.setdefault(value, index)


def subregion(path: str, value: str) -> Iterator[Problem]:
    """Check the name of a subregion: that of its region and a letter."""
    if not _SUBREGION.fullmatch(value):
        yield Problem(path, f'"{value}" is no subregion. Write one such as "eu-west-2a".')


def subregions(path: str, values: Sequence[str]) -> Iterator[Problem]:
    """Check a list of subregions: all of one region, and each once."""
    found = [
        problem
        for index, value in enumerate(values)
        for problem in subregion(f"{path}[{index}]", value)
    ]
    yield from found or _same_region(path, values)
    yield from unique(path, "", values)


def _same_region(path: str, values: Sequence[str]) -> Iterator[Problem]:
    for index, value in enumerate(values):
        if names.region(value) != names.region(values[0]):
            yield Problem(
                f"{path}[{index}]",
                f'"{value}" is in another region than "{values[0]}". '
                f"Use subregions of {names.region(values[0])} only.",
            )


def address(path: str, value: str) -> Iterator[Problem]:
    """Check an IP address."""
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        yield Problem(path, f'"{value}" is no IPv4 address. Write one such as "10.0.3.10".')


def addresses(path: str, values: Sequence[str]) -> Iterator[Problem]:
    """Check a list of IP addresses, each once."""
    for index, value in enumerate(values):
        yield from address(f"{path}[{index}]", value)
    yield from unique(path, "", values)


def vm_type(path: str, value: str) -> Iterator[Problem]:
    """Check the type of a VM."""
    if capacity.vm_type(value) is None:
        yield Problem(
            path,
            f'"{value}" is no type of VM. Write tinavW.cXrYpZ, such as "tinav7.c4r8p1": '
            "generation W, X cores, Y GiB of memory, performance Z of 1 to 3.",
        )


def image(path: str, value: v1beta2.Image) -> Iterator[Problem]:
    """Check an image: an id, or a name and its owner."""
    yield from identifier(f"{path}.id", value.id, "ami", "an image")
    if value.id and value.name:
        yield Problem(path, f"id is {value.id} and name is {value.name}. Keep one of the two.")
    elif not value.id and not value.name:
        yield Problem(path, "No image is given. Set id, or name and accountId.")
    if value.account_id and value.outscale_open_source:
        yield Problem(
            f"{path}.accountId",
            f"accountId is {value.account_id}, but outscaleOpenSource means another account. "
            "Keep one of the two.",
        )
    if value.account_id and not _ACCOUNT.fullmatch(value.account_id):
        yield Problem(
            f"{path}.accountId", f'"{value.account_id}" is no account id. It has twelve digits.'
        )


def image_warnings(path: str, value: v1beta2.Image) -> Iterator[Problem]:
    """Warn of a name without an owner, which templates of the Go provider give."""
    if value.name and not (value.account_id or value.outscale_open_source):
        yield Problem(
            f"{path}.accountId",
            f'The image is named "{value.name}", but anybody can publish one of that name, and '
            "then it is refused. Set accountId to its owner, or outscaleOpenSource to true.",
        )


def volume(
    path: str, type_: str, size_gib: int, iops: int, *, is_sized: bool = True
) -> Iterator[Problem]:
    """Check a volume: its type, its size, and the IOPS that only io1 has.

    With ``is_sized`` false, its size may be that of a snapshot.
    """
    yield from one_of(f"{path}.type", type_, VOLUME_TYPES)
    if is_sized or size_gib:
        yield from within(f"{path}.size", size_gib, 1, SIZE_MAX_GIB)
    if type_ != "io1":
        return
    if not iops:
        yield Problem(f"{path}.iops", "An io1 volume needs iops. Set it, or set type to gp2.")
        return
    yield from within(f"{path}.iops", iops, 1, IOPS_MAX)
    if size_gib and iops > IOPS_PER_GIB_MAX * size_gib:
        yield Problem(
            f"{path}.iops",
            f"{iops} IOPS are too many for {size_gib} GiB. Use {IOPS_PER_GIB_MAX * size_gib} at "
            f"most ({IOPS_PER_GIB_MAX} per GiB), or a size of "
            f"{-(-iops // IOPS_PER_GIB_MAX)} GiB at least.",
        )


def volume_warnings(path: str, type_: str, iops: int) -> Iterator[Problem]:
    """Warn of IOPS that have no effect, which templates of the Go provider give."""
    if iops and type_ != "io1":
        yield Problem(
            f"{path}.iops",
            f"iops is {iops}, but a {type_} volume has none, so that it is ignored. Remove it, or "
            "set type to io1.",
        )


def public_ip(path: str, id_: str, pool: str) -> Iterator[Problem]:
    """Check where a public IP comes from: an id or a pool."""
    yield from identifier(f"{path}.publicIpId", id_, "eipalloc", "a public IP")
    if id_ and pool:
        yield Problem(
            f"{path}.publicIpPool",
            f'publicIpId is {id_} and publicIpPool is "{pool}". Keep one of the two.',
        )
