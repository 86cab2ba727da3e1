"""The only reader of time: one virtual clock per cloud, frozen, stepped or running."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

FROZEN_START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""Where a frozen clock starts, so that two runs print the same dates."""

END = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""Where time ends: dates beyond the year 9999 cannot be written, and some lie in the future."""


class Clock:
    """Tell virtual time in seconds since the epoch.

    ``rate`` is the number of virtual seconds per real second: 0 (the default) freezes the clock,
    and only :meth:`advance` moves it; 1 is real time; 60 makes a minute pass in a second.
    ``start`` defaults to a fixed date for a frozen clock and to the present for a running one.
    ``wall`` and ``monotonic`` are where real time comes from, and ``sleep`` is how it is spent.
    """

    def __init__(
        self,
        *,
        rate: float = 0.0,
        start: float | None = None,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        _check_rate(rate)
        self.wall = wall
        self.sleep = sleep
        self._monotonic = monotonic
        if start is None:
            start = FROZEN_START if rate == 0 else wall()
        self._rate = rate
        self._base = start
        self._mark = monotonic() if rate else 0.0

    @property
    def rate(self) -> float:
        """Return the number of virtual seconds per real second."""
        return self._rate

    def now(self) -> float:
        """Return the virtual time, in seconds since the epoch."""
        if self._rate == 0:
            return self._base
        return self._base + (self._monotonic() - self._mark) * self._rate

    def advance(self, seconds: float) -> float:
        """Step forward by ``seconds`` and return the new time."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"The clock was told to step {seconds} s. Time only goes forward.")
        if self.now() + seconds > END:
            raise ValueError(
                f"The clock was told to step {seconds} s, past the year 9000. Step less."
            )
        self._base += seconds
        return self.now()

    def run(self, rate: float) -> None:
        """Go on at ``rate`` virtual seconds per real second from the present virtual time."""
        _check_rate(rate)
        self._base = self.now()
        self._mark = self._monotonic()
        self._rate = rate

    def jump(self, to: float) -> None:
        """Set the virtual time to ``to``; used when a saved state is loaded."""
        self._base = to
        self._mark = self._monotonic() if self._rate else 0.0


def _check_rate(rate: float) -> None:
    if not 0 <= rate < float("inf"):
        raise ValueError(
            f"The rate of a clock is {rate}, but time can neither go backwards nor infinitely "
            "fast. Use 0 or more."
        )


def stamp(moment: float) -> str:
    """Write a moment as the API does: ISO 8601 in UTC with milliseconds."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def day(moment: float) -> str:
    """Write a moment as a date (YYYY-MM-DD)."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def parse(text: str) -> float:
    """Read a date or date-time of the API; raise ``ValueError`` when it is neither."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
