"""Reads that many reconciles share: one call answers all who ask at about the same time."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import math
import threading
from typing import Any

from provider.clock import Clock
from provider.osc.cloud import Cloud

KEPT_S = 60.0
"""How long an answer is kept at most, whoever may ask for it."""

Rows = list[dict[str, Any]]


@dataclasses.dataclass(eq=False)
class _Flight:
    started_s: float
    took_s: float = 0.0
    rows: concurrent.futures.Future[Rows] = dataclasses.field(
        default_factory=concurrent.futures.Future
    )


class SharedReads:
    """The Reads of one cloud, each made once for all threads that can live with its age."""

    def __init__(self, cloud: Cloud, clock: Clock, calm_age_s: float = 0.0) -> None:
        assert calm_age_s <= KEPT_S, f"{calm_age_s} s is longer than any answer is kept."
        self.calm_age_s = calm_age_s
        self._cloud = cloud
        self._clock = clock
        self._lock = threading.Lock()
        self._flights: dict[tuple[str, str], _Flight] = {}

    def read(
        self, action: str, /, *, max_age_s: float, since_s: float = -math.inf, **request: Any
    ) -> Rows:
        """Return the rows of a Read that was started at most ``max_age_s`` ago, after ``since_s``.

        A Read that is still under way is joined however long it has waited for its turn, and its
        answer may be used for as long again, unless ``max_age_s`` is 0: else a cloud that is slow
        would be asked all the time. ``since_s`` is when the caller last wrote, by the clock's
        monotonic time. The list is the caller's own; the rows are shared, and not to be changed.
        Raise ``ApiError``, in all threads that waited for the same answer.
        """
        key = (action, json.dumps(request, sort_keys=True))
        now = self._clock.monotonic_s()
        with self._lock:
            flight = self._flights.get(key)
            is_leader = flight is None or not _serves(flight, now, max_age_s, since_s)
            if flight is None or is_leader:
                flight = _Flight(now)
                self._drop_old(now)
                self._flights[key] = flight
        if is_leader:
            self._fly(key, flight, action, request)
        return list(flight.rows.result())

    def _fly(
        self, key: tuple[str, str], flight: _Flight, action: str, request: dict[str, Any]
    ) -> None:
        try:
            rows = self._cloud.read(action, **request)
            flight.took_s = self._clock.monotonic_s() - flight.started_s
            flight.rows.set_result(rows)
        except BaseException as error:  # noqa: BLE001 - else the others would wait for ever
            flight.rows.set_exception(error)
            with self._lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]

    def _drop_old(self, now_s: float) -> None:
        for key, flight in list(self._flights.items()):
            if flight.rows.done() and now_s - flight.started_s > KEPT_S:
                del self._flights[key]


def _serves(flight: _Flight, now_s: float, max_age_s: float, since_s: float) -> bool:
    if max_age_s <= 0 or flight.started_s <= since_s:
        return False
    age_s = now_s - flight.started_s
    return not flight.rows.done() or age_s <= max(max_age_s, min(2 * flight.took_s, KEPT_S))
