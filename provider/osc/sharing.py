"""A cloud for one of many: what all of them look at is read once, for a few seconds.

A machine finds what it has among what its cluster has, so the machines of a cluster ask the same
questions, and the number of Reads does not grow with the number of machines.
"""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from typing import Any

from provider.clock import Clock
from provider.osc.cloud import Cloud, Reads

MAX_AGE_S = 3.0
"""How old a shared answer may be; less than any pause between two looks."""

_WROTE = "wroteAt"
_OF_ALL = frozenset(
    {"ReadImages", "ReadKeypairs", "ReadLoadBalancers", "ReadSecurityGroups", "ReadSubnets"}
)
_BY_TAG = frozenset({"ReadFlexibleGpus", "ReadPublicIps", "ReadVms"})


class Sharing:
    """A ``Cloud`` that shares Reads, but sees everything that was written through it before.

    ``memory`` keeps from one look to the next when that was. Without it nothing is shared.
    """

    def __init__(
        self, cloud: Cloud, reads: Reads, clock: Clock, memory: MutableMapping[str, Any]
    ) -> None:
        self.region = cloud.region
        self._cloud = cloud
        self._reads = reads
        self._clock = clock
        self._memory = memory

    def call(self, action: str, /, **request: Any) -> dict[str, Any]:
        """Carry out one action and return its answer; raise ``ApiError``."""
        try:
            return self._cloud.call(action, **request)
        finally:
            # A call whose answer was lost may have changed something as well.
            self._memory[_WROTE] = self._clock.monotonic_s()

    def read(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Return the rows of a ``Read*`` action; raise ``ApiError``."""
        filters = request.get("Filters") or {}
        if action not in _OF_ALL and not (action in _BY_TAG and "Tags" in filters):
            return self._cloud.read(action, **request)
        since_s = self._memory.get(_WROTE, -math.inf)
        return self._reads.read(action, max_age_s=MAX_AGE_S, since_s=since_s, **request)
