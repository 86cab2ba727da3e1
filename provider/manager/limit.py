"""How long a reconcile may go on: until its time is over, or the manager has to stop."""

from __future__ import annotations

import threading
from typing import Any

from provider.clock import Clock
from provider.osc.cloud import Cloud


class Interrupted(Exception):
    """Tell that a reconcile was ended between two calls; the next one goes on from there."""


class Limit:
    """Ends a reconcile before its next call; a thread cannot be ended in any other way.

    It is safe at every position: what was begun is found again by tag or by intent.
    """

    def __init__(self, clock: Clock, within_s: float, stopping: threading.Event) -> None:
        self._clock = clock
        self._within_s = within_s
        self._end_s = clock.monotonic_s() + within_s
        self._stopping = stopping

    def check(self) -> None:
        """Raise Interrupted when it is time to end."""
        if self._stopping.is_set():
            raise Interrupted("The manager stops. The next one goes on from here.")
        if self._clock.monotonic_s() > self._end_s:
            raise Interrupted(
                f"This has taken longer than {self._within_s:.0f} s (--reconcile-timeout). "
                "The next reconcile goes on from here."
            )


class LimitedCloud:
    """A cloud that is called only while there is time."""

    def __init__(self, cloud: Cloud, limit: Limit) -> None:
        self.region, self.alone = cloud.region, cloud.alone
        self._cloud = cloud
        self._limit = limit

    def call(self, action: str, /, **request: Any) -> dict[str, Any]:
        """Carry out one action; raises ApiError and Interrupted."""
        self._limit.check()
        return self._cloud.call(action, **request)

    def read(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Return the rows of a Read; raises ApiError and Interrupted."""
        self._limit.check()
        return self._cloud.read(action, **request)
