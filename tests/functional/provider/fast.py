"""Time that goes faster than it is, for a whole manager: its clock, and its event loop."""

import asyncio
import datetime as dt
import selectors

from provider import clock


class FastClock:
    """Time for the provider."""

    def __init__(self, rate):
        self._rate = rate
        self._real = clock.SystemClock()
        self._start = self._real.now()
        self._mark_s = self._real.monotonic_s()

    def now(self):
        return self._start + dt.timedelta(seconds=self.monotonic_s())

    def monotonic_s(self):
        return (self._real.monotonic_s() - self._mark_s) * self._rate

    def sleep(self, seconds):
        self._real.sleep(seconds / self._rate)


class _FastSelector(selectors.DefaultSelector):
    rate = 1.0

    def select(self, timeout=None):
        return super().select(timeout / self.rate if timeout else timeout)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers fire early."""

    def __init__(self, rate):
        selector = _FastSelector()
        selector.rate = self._rate = rate
        super().__init__(selector)

    def time(self):
        return super().time() * self._rate
