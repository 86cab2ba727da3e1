"""A cloud for one of many: what all of them look at is read once, for a few seconds.

What one cluster has is part of what all clusters have, and is found by the same value of a tag. So
all clusters of an account, and all their machines, ask the same questions, and the number of Reads
grows with neither.
"""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from typing import Any

from provider.clock import Clock
from provider.osc.cloud import Cloud, Reads

MAX_AGE_S = 3.0
"""How old a shared answer may be; less than any pause between two looks."""
CALM_PART = 0.1
"""The part of the pause between two looks at what is calm that an answer may be old then."""

_WROTE = "wroteAt"
_OF_ALL = frozenset(
    {"ReadImages", "ReadKeypairs", "ReadLoadBalancers", "ReadSecurityGroups", "ReadSubnets"}
)
_BY_TAG = frozenset({"ReadFlexibleGpus", "ReadPublicIps", "ReadVms"})


class Sharing:
    """A ``Cloud`` that shares Reads, but sees everything that was written through it before.

    ``owner`` is the tag, as a filter, of the owner who looks. ``memory`` keeps from one look to
    the next when something was written. ``is_calm`` says that nothing was to be done at the last
    look, so that an older answer will do.
    """

    def __init__(
        self,
        cloud: Cloud,
        reads: Reads,
        clock: Clock,
        memory: MutableMapping[str, Any],
        *,
        owner: str = "",
        is_calm: bool = False,
    ) -> None:
        self.region, self.alone = cloud.region, cloud.alone
        self._cloud = cloud
        self._reads = reads
        self._clock = clock
        self._memory = memory
        self._owner = owner
        self._age_s = max(MAX_AGE_S, reads.calm_age_s) if is_calm else MAX_AGE_S

    def call(self, action: str, /, **request: Any) -> dict[str, Any]:
        """Carry out one action and return its answer; raise ``ApiError``."""
        try:
            return self._cloud.call(action, **request)
        finally:
            # A call whose answer was lost may have changed something as well.
            self._memory[_WROTE] = self._clock.monotonic_s()

    def read(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Return the rows of a ``Read*`` action; raise ``ApiError``."""
        if request == {"Filters": {"Tags": [self._owner]}}:
            key, _, value = self._owner.rpartition("=")
            tag = {"Key": key, "Value": value}
            rows = self._shared(action, self._age_s, Filters={"TagValues": [value]})
            return [row for row in rows if tag in row["Tags"]]
        if not request and action == "ReadLoadBalancers":
            return self._shared(action, self._age_s)
        return self.read_else(action, **request)

    def read_else(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Return what is not what the owner has: read anew, and seen by nobody else."""
        return self._cloud.read(action, **request)

    def _shared(self, action: str, max_age_s: float, /, **request: Any) -> list[dict[str, Any]]:
        since_s = self._memory.get(_WROTE, -math.inf)
        return self._reads.read(action, max_age_s=max_age_s, since_s=since_s, **request)


class SharingSites(Sharing):
    """One for a machine, whose site all machines of its cluster ask for."""

    def read_else(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Return what a machine needs to know of where it is put."""
        by_tag = action in _BY_TAG and "Tags" in (request.get("Filters") or {})
        if action in _OF_ALL or by_tag:
            return self._shared(action, MAX_AGE_S, **request)
        return super().read_else(action, **request)
