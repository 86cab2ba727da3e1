"""The only reader of time and chance: one clock per server, frozen, stepped or running."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

FROZEN_START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""Where a frozen clock starts, so that two runs print the same dates."""


class Clock:
    """Tell the time in seconds since the epoch.

    ``rate`` is the number of virtual seconds per real second: 0 freezes the clock, and only
    :meth:`advance` moves it; 1 is real time. ``start`` defaults to a fixed date for a frozen
    clock and to the present for a running one.
    """

    def __init__(
        self,
        *,
        rate: float = 1.0,
        start: float | None = None,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - the only reader of time
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        _check_rate(rate)
        self.wall = wall
        self._monotonic = monotonic
        self._rate = rate
        self._base = start if start is not None else (wall() if rate else FROZEN_START)
        self._mark = monotonic() if rate else 0.0
        self._stamped = 0
        self._stamp = ""

    @property
    def rate(self) -> float:
        """Return the number of virtual seconds per real second."""
        return self._rate

    @property
    def is_frozen(self) -> bool:
        """Tell whether time only moves by :meth:`advance`."""
        return self._rate == 0

    def now(self) -> float:
        """Return the virtual time, in seconds since the epoch."""
        if self._rate == 0:
            return self._base
        return self._base + (self._monotonic() - self._mark) * self._rate

    def stamp(self) -> str:
        """Return the present as ``metav1.Time``; made once a second."""
        second = int(self.now())
        if second != self._stamped:
            self._stamped = second
            self._stamp = stamp(second)
        return self._stamp

    def advance(self, seconds: float) -> float:
        """Step forward by ``seconds`` and return the new time."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"The clock was told to step {seconds} s. Time only goes forward.")
        self._base += seconds
        return self.now()

    def run(self, rate: float) -> None:
        """Go on at ``rate`` virtual seconds per real second from the present virtual time."""
        _check_rate(rate)
        self._base = self.now()
        self._mark = self._monotonic()
        self._rate = rate

    def jump(self, to: float) -> None:
        """Set the virtual time; used when a saved state is loaded."""
        self._base = to
        self._mark = self._monotonic() if self._rate else 0.0


def _check_rate(rate: float) -> None:
    if not 0 <= rate < float("inf"):
        raise ValueError(f"The rate of a clock is {rate}, but time cannot go backwards. Use 0.")


class Chance:
    """Make uids and the ends of generated names; the same seed makes the same ones."""

    LETTERS = "bcdfghjklmnpqrstvwxz2456789"
    """No vowels and no look-alikes, as the real server chooses them."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.share = self._random.random
        """Return a number from 0 to 1."""

    def uid(self) -> str:
        """Return a new random UUID (version 4)."""
        number = self._random.getrandbits(128)
        number = number & ~(0xF << 76) | 4 << 76
        number = number & ~(3 << 62) | 2 << 62
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def suffix(self, length: int = 5) -> str:
        """Return the random end of a generated name."""
        return "".join(self._random.choices(self.LETTERS, k=length))


def stamp(moment: float) -> str:
    """Write a moment as ``metav1.Time``: RFC 3339 in UTC, in seconds."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(moment: float) -> str:
    """Write a moment as ``metav1.MicroTime``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> float:
    """Read an RFC 3339 date-time; raise ``ValueError`` when it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone.")
    return moment.timestamp()
