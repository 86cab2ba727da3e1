"""The speed limit of one account: few calls a second, and fewer after the API asked for it."""

from __future__ import annotations

import collections
import math
import random
import threading

from provider.clock import Clock

RATE_PER_S = 5.0
"""Calls per second; the vendor's own client keeps to the same."""
SHARE = 0.95
"""The part of the limit that is used, as calls arrive a bit sooner or later than they are sent."""
BURST = 5
"""Calls that may follow each other at once after a rest, if there may be as many in a second."""
SLOWEST = 1 / 16
"""The least part of the full rate that is left, however often the API refuses."""
RECOVERY = 1 / 50
"""The part of the full rate that each call that passes gives back."""
PAUSE_S = 1.0
"""How long nobody calls after a first refusal; twice as long after each further one."""
PAUSE_MOST_S = 20.0


class Limiter:
    """The limit that all threads of an account share.

    In no second are there more calls than the limit says, not even after a rest: a token bucket
    would let as many again pass right after its burst. Who has to wait follows the one before at
    the pace of the limit.

    Threads wait in one line, and only the first of them watches the clock: a change of the rate is
    felt at once, and no crowd wakes up for one turn. Refusals halve the rate and stop everybody
    for a while, which is spread by chance so that several processes do not come back together.
    """

    def __init__(
        self,
        clock: Clock,
        chance: random.Random,
        rate_per_s: float = RATE_PER_S,
        burst: int = BURST,
    ) -> None:
        assert rate_per_s > 0, f"{rate_per_s} calls per second are none."
        assert burst >= 1, f"A burst of {burst} lets nobody pass."
        self.rate_per_s = rate_per_s
        self._full_per_s = rate_per_s
        self._clock = clock
        self._chance = chance
        self._line = threading.Lock()
        self._state = threading.Lock()
        self._taken = collections.deque[float](maxlen=max(1, min(burst, int(rate_per_s))))
        self._is_crowded = False
        self._closed_until_s = -math.inf
        self._refused_s = -math.inf
        self._refusals = 0

    def take(self) -> float:
        """Wait for a turn, and return the moment (of the clock, in seconds) when it came."""
        with self._line:
            has_waited = False
            while (wait_s := self._next_in_s()) > 0:
                self._clock.sleep(wait_s)
                has_waited = True
            with self._state:
                self._is_crowded = has_waited
                self._taken.append(self._clock.monotonic_s())
                return self._taken[-1]

    def passed(self, taken_s: float) -> None:
        """Note that the call whose turn came at ``taken_s`` was let through: go a bit faster."""
        with self._state:
            if taken_s <= self._refused_s:
                return
            self._refusals = 0
            faster = self.rate_per_s + self._full_per_s * RECOVERY
            self.rate_per_s = min(self._full_per_s, faster)

    def refused(self, taken_s: float) -> None:
        """Note that the call whose turn came at ``taken_s`` was throttled: go slower.

        Calls that were under way together are refused together; they count as one.
        """
        with self._state:
            if taken_s <= self._refused_s:
                return
            pause_s = min(PAUSE_MOST_S, PAUSE_S * 2**self._refusals)
            self._refusals = min(self._refusals + 1, 10)
            self._refused_s = self._clock.monotonic_s()
            self._closed_until_s = self._refused_s + pause_s * self._chance.uniform(0.5, 1.5)
            self.rate_per_s = max(self._full_per_s * SLOWEST, self.rate_per_s / 2)

    def _next_in_s(self) -> float:
        with self._state:
            now = self._clock.monotonic_s()
            pace_s = 1 / (self.rate_per_s * SHARE)
            free_s = self._closed_until_s
            if len(self._taken) == self._taken.maxlen:
                free_s = max(free_s, self._taken[0] + pace_s * len(self._taken))
            if self._taken and (self._is_crowded or self._refusals):
                # One call tries whether the way is free again; the next ones come after it.
                free_s = max(free_s, self._taken[-1] + pace_s)
            # A turn that is nearly there counts: a sleep may be too short to move the clock.
            return free_s - now if free_s - now > 1e-6 else 0.0
