"""The work queue: which keys need a look, each worked on by one worker at a time.

A key that is added twice is worked on once; one that is added while it is being worked on is
worked on again afterwards. Failures come back after a pause that grows, success comes back when
the work says so. Keys are served in the order in which they became due, so that none starves.

Keys are in lanes, each with workers of its own, so that a lane that is slow delays no other one.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

Key = TypeVar("Key")

Work = Callable[[Key], Awaitable[float | None]]
"""Works on one key, and returns the seconds until it is due again, or None when there is nothing
more to do; raising means failure."""


class Watcher(Protocol):
    """What is told about the queue: a counter, a log, a test."""

    def waiting(self, count: int) -> None:
        """Hear how many keys wait for a worker."""

    def retried(self) -> None:
        """Hear that a key failed and comes back."""


@dataclasses.dataclass(frozen=True)
class Backoff:
    """How long a key that failed stays away: twice as long each time, less some chance."""

    first_s: float = 1.0
    most_s: float = 300.0

    def pause_s(self, failures: int, chance: random.Random) -> float:
        """Return the pause after so many failures in a row, from half of it to all of it."""
        # The exponent has a limit, because a float has one.
        whole = min(self.first_s * 2.0 ** min(failures - 1, 60), self.most_s)
        return whole * chance.uniform(0.5, 1)


class Queue(Generic[Key]):
    """Keys, and the workers that serve them in one event loop.

    ``workers`` is how many keys of one lane are served at once, and ``lane`` says which one a key
    is in from when it is due until it is served; by default, all are in one. Time is that of the
    loop. All methods belong to the thread of the loop.
    """

    def __init__(
        self,
        work: Work[Key],
        *,
        workers: int,
        chance: random.Random,
        watcher: Watcher,
        lane: Callable[[Key], Hashable] = lambda _key: None,
        backoff: Backoff | None = None,
    ) -> None:
        assert workers > 0, "A queue without workers never ends."
        self._work = work
        self._workers = workers
        self._chance = chance
        self._watcher = watcher
        self._backoff = backoff or Backoff()
        self._lane = lane
        self._due: set[Key] = set()
        self._lines: dict[Hashable, collections.deque[Key]] = {}
        self._busy: dict[Key, Hashable] = {}
        self._again: set[Key] = set()
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = False

    def start(self) -> None:
        """Let the workers work; keys may have been added before."""
        self._is_open = True
        for lane in list(self._lines):
            self._serve(lane)

    def add(self, key: Key) -> None:
        """Make a key due now; a later date that it had no longer counts."""
        self._forget_date(key)
        if key in self._busy:
            self._again.add(key)
            return
        if key not in self._due:
            lane = self._lane(key)
            self._due.add(key)
            self._lines.setdefault(lane, collections.deque()).append(key)
            self._serve(lane)

    def add_after(self, key: Key, seconds: float) -> None:
        """Make a key due in some seconds, unless it is due earlier."""
        if key in self._due or key in self._again:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max(seconds, 0.0)
        known = self._later.get(key)
        if known is not None and known.when() <= when:
            return
        self._forget_date(key)
        self._later[key] = loop.call_at(when, self._arrive, key)

    async def stop(self, within_s: float) -> int:
        """Start nothing new, wait for work in progress, and return how many were cut off."""
        self._is_open = False
        for date in self._later.values():
            date.cancel()
        self._later.clear()
        if not self._tasks:
            return 0
        _, late = await asyncio.wait(self._tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    def __len__(self) -> int:
        """Return how many keys wait for a worker."""
        return len(self._due)

    def _arrive(self, key: Key) -> None:
        del self._later[key]
        self.add(key)

    def _forget_date(self, key: Key) -> None:
        if (date := self._later.pop(key, None)) is not None:
            date.cancel()

    def _serve(self, lane: Hashable) -> None:
        line = self._lines.get(lane, collections.deque())
        while self._is_open and line and self._busy_in(lane) < self._workers:
            key = line.popleft()
            self._due.discard(key)
            self._busy[key] = lane
            task = asyncio.get_running_loop().create_task(self._look_at(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if not line:
            self._lines.pop(lane, None)
        self._watcher.waiting(len(self._due))

    def _busy_in(self, lane: Hashable) -> int:
        return list(self._busy.values()).count(lane)

    async def _look_at(self, key: Key) -> None:
        try:
            again_s = await self._work(key)
        except Exception:  # noqa: BLE001 - the work has told about it; here it counts as failed
            failures = self._failures.get(key, 0) + 1
            self._failures[key] = failures
            again_s = self._backoff.pause_s(failures, self._chance)
            self._watcher.retried()
        else:
            self._failures.pop(key, None)
        finally:
            lane = self._busy.pop(key)
        if not self._is_open:
            return
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif again_s is not None:
            self.add_after(key, again_s)
        self._serve(lane)
