"""A clock that only moves when somebody sleeps on it."""

import threading
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Tell a time that starts at 0 s; sleeping takes no time but moves it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._now_s = 0.0
        self.slept_s = []

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic_s())

    def monotonic_s(self):
        with self._lock:
            return self._now_s

    def sleep(self, seconds):
        assert seconds >= 0
        with self._lock:
            self._now_s += seconds
            self.slept_s.append(seconds)
