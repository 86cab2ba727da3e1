"""One client for all who use the same credentials, and one speed limit for each access key."""

from __future__ import annotations

import dataclasses
import random
import threading

from provider.clock import Clock
from provider.osc.client import Client, Observer, ignore
from provider.osc.credentials import Credentials
from provider.osc.limits import BURST, RATE_PER_S, Limiter
from provider.osc.shared import SharedReads

IDLE_S = 600.0
"""How long a client is kept that nobody asks for."""


@dataclasses.dataclass
class _Entry:
    client: Client
    reads: SharedReads
    asked_s: float


class Clients:
    """The clients of a process. All threads may use it.

    New credentials make a new client, so that a rotation needs no restart; the client of the old
    ones is dropped when nobody has asked for it for a while.
    """

    def __init__(
        self,
        clock: Clock,
        chance: random.Random,
        *,
        on_call: Observer = ignore,
        rate_per_s: float = RATE_PER_S,
        burst: int = BURST,
        calm_age_s: float = 0.0,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._on_call = on_call
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._calm_age_s = calm_age_s
        self._lock = threading.Lock()
        self._entries: dict[Credentials, _Entry] = {}
        self._limiters: dict[tuple[str, str], Limiter] = {}

    def client(self, credentials: Credentials) -> Client:
        """Return the client of these credentials."""
        return self._entry(credentials).client

    def reads(self, credentials: Credentials) -> SharedReads:
        """Return the Reads that all users of these credentials share."""
        return self._entry(credentials).reads

    def close(self) -> None:
        """Drop all clients."""
        with self._lock:
            for entry in self._entries.values():
                entry.client.close()
            self._entries.clear()

    def _entry(self, credentials: Credentials) -> _Entry:
        now = self._clock.monotonic_s()
        with self._lock:
            entry = self._entries.get(credentials)
            if entry is None:
                entry = self._entries[credentials] = self._made(credentials, now)
            entry.asked_s = now
            self._drop_idle(now)
            return entry

    def _made(self, credentials: Credentials, now_s: float) -> _Entry:
        client = Client(
            credentials,
            self._limiter(credentials),
            self._clock,
            self._chance,
            on_call=self._on_call,
        )
        return _Entry(client, SharedReads(client, self._clock, self._calm_age_s), now_s)

    def _limiter(self, credentials: Credentials) -> Limiter:
        # Limiters are small, and kept: a rotated secret does not lift the limit of the account.
        place = (credentials.access_key, credentials.endpoint)
        if place not in self._limiters:
            self._limiters[place] = Limiter(
                self._clock, self._chance, self._rate_per_s, self._burst
            )
        return self._limiters[place]

    def _drop_idle(self, now_s: float) -> None:
        for credentials, entry in list(self._entries.items()):
            if now_s - entry.asked_s > IDLE_S:
                entry.client.close()
                del self._entries[credentials]
