"""Time and chance: the only place in the provider that reads them."""

from __future__ import annotations

import datetime as dt
import random
import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> dt.datetime:
        """Return the date and time, in UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never go backwards; only differences mean something."""

    def sleep(self, seconds: float) -> None:
        """Wait; only threads that call the cloud do this, never an event loop."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> dt.datetime:
        """Return the date and time, in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in this thread."""
        time.sleep(seconds)


def chance() -> random.Random:
    """Return a source of chance with a seed that nobody chose."""
    return random.SystemRandom()
