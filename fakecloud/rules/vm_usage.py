"""How many vCores and how much memory the VMs of an account take together."""

from __future__ import annotations

from fakecloud.call import Call
from fakecloud.kinds import kind
from fakecloud.rules import vm_types
from fakecloud.store import Store

# One row per account, so that a quota is checked without looking at every VM.
kind("VmUsage", schema="")


def used(store: Store, account: str) -> tuple[int, float]:
    """Return the vCores and the GiB of memory that an account uses."""
    row = store.row("VmUsage", account)
    return (row["Cores"], row["MemoryGib"]) if row is not None else (0, 0.0)


def add(store: Store, account: str, vm_type: str, times: int) -> None:
    """Count VMs of a type in or, with negative ``times``, out."""
    meant = vm_types.parse(vm_type)
    row = store.row("VmUsage", account)
    if row is None:
        row = store.create("VmUsage", {"Cores": 0, "MemoryGib": 0.0}, account, account)
    data = store.edit(row)
    data["Cores"] += meant.cores * times
    data["MemoryGib"] = round(data["MemoryGib"] + meant.memory_gib * times, 3)


def room(call: Call, vm_type: str, wanted: int, least: int) -> int:
    """Return how many of the wanted VMs the quotas allow.

    Raise 10010, 10029 or 10042 when these are fewer than ``least``.
    """
    meant = vm_types.parse(vm_type)
    cores, memory_gib = used(call.store, call.account)
    vms = call.store.count("Vm", "live", call.account)
    account = call.account
    most = min(
        wanted,
        call.world.limit("vm_limit", account) - vms,
        (call.world.limit("core_limit", account) - cores) // meant.cores,
        int((call.world.limit("memory_limit", account) - memory_gib) // meant.memory_gib),
    )
    if most < least:
        call.within("vm_limit", vms + least)
        call.within("core_limit", cores + least * meant.cores)
        call.within("memory_limit", int(-(-(memory_gib + least * meant.memory_gib) // 1)))
    return most
