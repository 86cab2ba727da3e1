"""Which subnet a new machine goes to, and where else when there is no room.

The choice has no state of its own: machines that are made at the same time, and know of each
other, share out the subregions among them in the order of their names.
"""

from __future__ import annotations

import collections
import dataclasses
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Self

from provider.api import v1beta2
from provider.clock import Clock
from provider.engine.resource import Refusal
from provider.resources.machine_site import Subnet
from provider.rules import spread

EXHAUSTED_S = 600.0
"""How long a subregion is passed over that had no room."""

_EXHAUSTED = "exhausted"
_GROUPS = (
    "cluster.x-k8s.io/control-plane",
    "cluster.x-k8s.io/deployment-name",
    "cluster.x-k8s.io/set-name",
)
"""Labels of machines that are to be spread; the first one that is there decides."""


@dataclasses.dataclass(frozen=True)
class Mates:
    """The machines that one is to be spread with: of its control plane or MachineDeployment."""

    name: str
    """The machine's own."""
    counts: Mapping[str, int]
    """How many of them each subregion has."""
    before: tuple[str, ...]
    """Those that have no subregion yet and choose first."""

    @classmethod
    def of(
        cls, name: str, labels: Mapping[str, str], siblings: Iterable[Mapping[str, Any]]
    ) -> Self:
        """Find the mates of a machine among the OscMachines of its cluster."""
        counts: collections.Counter[str] = collections.Counter()
        before = []
        for each in siblings:
            metadata = each["metadata"]
            is_mate = _group(metadata.get("labels") or {}) == _group(labels)
            if not is_mate or "deletionTimestamp" in metadata:
                continue
            place = (each.get("status") or {}).get("failureDomain", "")
            if place:
                counts[place] += 1
            elif metadata["name"] < name:
                before.append(metadata["name"])
        return cls(name, counts, tuple(sorted(before)))


def _group(labels: Mapping[str, str]) -> tuple[str, str]:
    for label in _GROUPS:
        if label in labels:
            return label, labels[label]
    return "", ""


class Choice:
    """The places to try for a machine, the best one first."""

    def __init__(
        self,
        places: Sequence[Subnet],
        vm: v1beta2.Vm,
        *,
        failure_domain: str,
        before: Sequence[str],
        mates: Mates,
        memory: MutableMapping[str, Any],
        clock: Clock,
        chance: random.Random,
    ) -> None:
        """Take what was chosen ``before``: it stays, unless it has no room.

        Raise ``Refusal`` when the spec or Cluster API asks for a place without a subnet.
        """
        self._mode = vm.subregion_mode
        self._before = [each for each in before if each]
        self._mates = mates
        self._until: dict[str, float] = memory.setdefault(_EXHAUSTED, {})
        self._now_s = clock.monotonic_s()
        self._chance = chance
        self._tried: list[str] = []
        self._places = _allowed(places, vm, failure_domain)
        if failure_domain:
            # Cluster API's word is final: there is no other place.
            self._places = self._places[:1]

    def __iter__(self) -> Iterator[Subnet]:
        """Give one place after the other, each once."""
        subregions = list(dict.fromkeys(each.subregion for each in self._places))
        for _ in subregions:
            left = [each for each in subregions if each not in self._tried]
            chosen = self._best(left)
            self._tried.append(chosen)
            yield next(each for each in self._places if each.subregion == chosen)

    def exhausted(self, place: Subnet) -> None:
        """Remember that a subregion had no room, so that it is passed over for a while."""
        self._until[place.subregion] = self._now_s + EXHAUSTED_S

    def _best(self, candidates: Sequence[str]) -> str:
        full = {each for each, until_s in self._until.items() if until_s > self._now_s}
        for each in self._before:
            if each in candidates and each not in full:
                return each
        if self._mode == spread.RANDOM:
            return spread.choose(
                candidates, mode=self._mode, counts={}, exhausted=full, chance=self._chance
            )
        counts = collections.Counter(self._mates.counts)
        for name in self._mates.before:
            counts[_of_fewest(name, candidates, counts, full)] += 1
        return _of_fewest(self._mates.name, candidates, counts, full)


def _of_fewest(
    name: str, candidates: Sequence[str], counts: Mapping[str, int], full: Collection[str]
) -> str:
    """Return the subregion of a machine; who asks about the same one gets the same answer."""
    chance = random.Random(name)  # noqa: S311 - it decides between equals, and nothing is secret
    return spread.choose(candidates, counts=counts, exhausted=full, chance=chance)


def _allowed(places: Sequence[Subnet], vm: v1beta2.Vm, failure_domain: str) -> list[Subnet]:
    there = ", ".join(f"{each.ip_range} in {each.subregion}" for each in places)
    if failure_domain:
        # The Go provider took the name of a subnet as well.
        found = [each for each in places if failure_domain in (each.subregion, each.name)]
        if not found:
            raise Refusal(
                f"The failure domain of the Machine is {failure_domain}, but its subnets are "
                f"{there}. Add a subnet there, or choose another failure domain."
            )
        return found
    found = [each for each in places if not vm.subregions or each.subregion in vm.subregions]
    if not found:
        raise Refusal(
            f"spec.vm.subregions has {', '.join(vm.subregions)}, but the subnets for this machine "
            f"are {there}. Add a subnet there, or choose other subregions."
        )
    return found
