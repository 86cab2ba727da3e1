"""On which server of which cluster a VM runs, and the tags that have a say in it.

https://docs.outscale.com/en/userguide/Configuring-a-VM-with-User-Data-and-OUTSCALE-Tags.html
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from fakecloud import errors
from fakecloud.call import Call
from fakecloud.store import Store

RULE = re.compile(r"osc\.fcu\.(repulse|attract)_(server|cluster)(_strict)?")
CLUSTERS = 2
"""Clusters of a subregion."""

SERVERS = 16
"""Servers of a cluster."""


@dataclass(frozen=True)
class Rule:
    """One placement tag: keep away from, or together with, the VMs that have the same one."""

    attract: bool
    cluster: bool
    strict: bool
    key: str


@dataclass(frozen=True)
class Place:
    """Where a VM runs; ``keys`` are what it has in common with other VMs."""

    cluster: str
    server: str
    keys: list[str]


def rules(tags: dict[str, str], subregion: str) -> list[Rule]:
    """Return the placement rules among the tags of a VM."""
    found = []
    for name, value in tags.items():
        match = RULE.fullmatch(name)
        if match is not None:
            verb, what, strict = match.groups()
            key = f"{subregion}/{verb}_{what}/{value}"
            found.append(Rule(verb == "attract", what == "cluster", bool(strict), key))
    return found


def place(call: Call, vm_id: str, tags: dict[str, str], subregion: str, vm_type: str) -> Place:
    """Choose a server for a VM that is about to start.

    Raise 10001 when the subregion has no capacity for the VM type and, in a strict cloud, when
    no server satisfies a strict tag.
    """
    if not call.world.usable(vm_type, subregion):
        raise errors.refusal(10001)
    wanted = rules(tags, subregion)
    start = int.from_bytes(hashlib.sha256(vm_id.encode()).digest()[:4], "big")
    total = CLUSTERS * SERVERS
    if not wanted:
        return _place(subregion, start % total, [])
    best = None
    for step in range(total):
        number = (start + step) % total
        broken = [rule for rule in wanted if not _fits(call.store, rule, subregion, number, vm_id)]
        cost = (sum(rule.strict for rule in broken), len(broken))
        if best is None or cost < best[0]:
            best = cost, number
        if not broken:
            break
    assert best is not None
    if best[0][0] and call.world.strict:
        raise errors.refusal(10001)
    return _place(subregion, best[1], [rule.key for rule in wanted])


def _place(subregion: str, number: int, keys: list[str]) -> Place:
    cluster = f"{subregion}-cluster-{number // SERVERS + 1}"
    return Place(cluster, f"{cluster}-server-{number % SERVERS + 1}", keys)


def _fits(store: Store, rule: Rule, subregion: str, number: int, vm_id: str) -> bool:
    field = "_Cluster" if rule.cluster else "_Server"
    here = _place(subregion, number, [])
    mine = here.cluster if rule.cluster else here.server
    others = {
        vm[field] for vm in store.rows("Vm", "_PlacementKeys", rule.key)
        if vm.id != vm_id and vm.is_live
    }  # fmt: skip
    if rule.attract:
        return not others or mine in others
    return mine not in others
