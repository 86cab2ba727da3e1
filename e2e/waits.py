"""Waiting: a probe looks again and again, and says what it saw; how long is data.

A probe is a function that returns what it found, or raises ``Unmet`` with what it saw instead.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import yaml

Found = TypeVar("Found")

CONFIG = Path(__file__).with_name("config.yaml")


class Stopped(Exception):
    """Raised when there is nothing to wait for any more: the run is over."""


class Unmet(Exception):
    """Raised by a probe: what it saw is not yet what is waited for."""


class TooLate(AssertionError):
    """Raised when the time is over; says what was seen last."""


@dataclasses.dataclass(frozen=True)
class Wait:
    """How long something may take, and how often it is looked at."""

    name: str
    within_s: float
    every_s: float
    stop: threading.Event
    """Set when the run is over."""
    patience: float = 1.0
    """How many times as long something may take where it is slow."""

    def eventually(self, probe: Callable[[], Found]) -> Found:
        """Return what the probe finds; raise TooLate when it does not find it in time."""
        within_s = self.within_s * self.patience
        deadline = time.monotonic() + within_s
        while True:
            try:
                return probe()
            except Unmet as seen:
                last = seen
            if time.monotonic() >= deadline:
                raise TooLate(f"After {within_s:g} s ({self.name}): {last}") from None
            self._pause()

    def throughout(self, probe: Callable[[], object]) -> None:
        """Look for the whole time; raise AssertionError at the first look that is unmet."""
        start = time.monotonic()
        while (passed := time.monotonic() - start) < self.within_s:
            try:
                probe()
            except Unmet as seen:
                raise AssertionError(f"After {passed:.0f} s ({self.name}): {seen}") from None
            self._pause()

    def _pause(self) -> None:
        if self.stop.wait(self.every_s):
            raise Stopped


class Waits:
    """The table of waits; a spec may have its own, as ``SPEC/NAME``."""

    def __init__(
        self,
        path: Path = CONFIG,
        spec: str = "",
        *,
        cloud: str = "fake",
        stop: threading.Event | None = None,
    ) -> None:
        """Read the table for a kind of cloud; ``stop`` ends all waiting."""
        self._stop = stop or threading.Event()
        content = yaml.safe_load(path.read_text())
        self._patience: float = content["patience"][cloud]
        self._rows: dict[str, list[float]] = content["waits"]
        self._spec = spec

    def __getitem__(self, name: str) -> Wait:
        """Return a wait by its name."""
        for key in (f"{self._spec}/{name}", name):
            if key in self._rows:
                within_s, every_s = self._rows[key]
                return Wait(name, within_s, every_s, self._stop, self._patience)
        raise KeyError(f"There is no wait {name!r} in {CONFIG.name}, only {sorted(self._rows)}.")


def need(condition: object, *, saw: str) -> None:
    """Raise Unmet with what was seen, unless the condition holds."""
    if not condition:
        raise Unmet(saw)


def differences(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """Give a line for each key whose text is not the same."""
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, "absent"), after.get(key, "absent")
        if was != now:
            yield f"{key} was {was} and is {now}"
