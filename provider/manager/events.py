"""Events: what users read in ``kubectl describe``; told once, then counted, and never a flood."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import logging
import random
from datetime import datetime
from typing import Any

from provider.clock import Clock
from provider.kube import client as kube
from provider.kube import errors, kinds
from provider.osc.errors import lasting
from provider.outcome import Event

Object = dict[str, Any]

CONTROLLER = "caposc.outscale.com/manager"
SERIES_S = 600.0
"""The same event within this time is counted, and not told again."""
UPDATE_S = 60.0
"""How often a count is written at most."""
BURST, REFILL_S = 25, 10.0
"""Events of one object: so many at once, then one in so many seconds."""
KNOWN_MOST = 4096
WAITING_MOST = 1000
FLUSH_S = 1.0
"""How long the end waits for events that are not written yet."""
NOTE_MOST = 1024
"""The longest note that the API takes."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass
class _Series:
    name: str
    last_s: float
    written_s: float
    count: int = 1


class Recorder:
    """Writes Events in the background; what cannot be written is dropped, and told in the log."""

    def __init__(
        self, client: kube.Client, clock: Clock, chance: random.Random, instance: str
    ) -> None:
        self._client = client
        self._clock = clock
        self._chance = chance
        self._instance = instance
        self._known: collections.OrderedDict[tuple[str, ...], _Series] = collections.OrderedDict()
        self._tokens: collections.OrderedDict[str, tuple[float, float]] = collections.OrderedDict()
        self._queue: asyncio.Queue[tuple[kinds.Kind, Object, Event]] = asyncio.Queue(WAITING_MOST)

    def publish(self, kind: kinds.Kind, body: Object, event: Event) -> None:
        """Tell an event of an object, soon."""
        try:
            self._queue.put_nowait((kind, body, event))
        except asyncio.QueueFull:
            _log.warning("%d events wait already. One was dropped.", WAITING_MOST)

    async def run(self) -> None:
        """Write events until cancelled."""
        while True:
            kind, body, event = await self._queue.get()
            try:
                await self._write(kind, body, event)
            except errors.KubeError as problem:
                _log.warning("An event was dropped. %s", problem)
            finally:
                self._queue.task_done()

    async def flush(self) -> None:
        """Wait until all events are written, but not for long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), FLUSH_S)

    async def _write(self, kind: kinds.Kind, body: Object, event: Event) -> None:
        metadata, now = body["metadata"], self._clock.monotonic_s()
        note = event.message[:NOTE_MOST]
        key = (metadata["uid"], event.type, event.reason, lasting(event.message))
        series = self._known.get(key)
        if series is not None and now - series.last_s <= SERIES_S:
            # One that somebody has deleted is told anew.
            with contextlib.suppress(errors.NotFound):
                await self._count(metadata, series, now)
                return
        if not self._may(metadata["uid"], now):
            return
        name = f"{metadata['name']}.{self._chance.getrandbits(64):016x}"
        await self._client.create(
            kinds.EVENT, _place(metadata), self._event(name, kind, body, event, note)
        )
        self._known[key] = _Series(name, now, now)
        self._known.move_to_end(key)
        while len(self._known) > KNOWN_MOST:
            self._known.popitem(last=False)

    async def _count(self, metadata: Object, series: _Series, now_s: float) -> None:
        series.count += 1
        series.last_s = now_s
        if now_s - series.written_s < UPDATE_S:
            return
        series.written_s = now_s
        told = {"series": {"count": series.count, "lastObservedTime": _stamp(self._clock.now())}}
        await self._client.patch(kinds.EVENT, _place(metadata), series.name, told)

    def _may(self, uid: str, now_s: float) -> bool:
        tokens, since_s = self._tokens.get(uid, (float(BURST), now_s))
        tokens = min(tokens + (now_s - since_s) / REFILL_S, BURST)
        self._tokens[uid] = (tokens - 1 if tokens >= 1 else tokens, now_s)
        self._tokens.move_to_end(uid)
        while len(self._tokens) > KNOWN_MOST:
            self._tokens.popitem(last=False)
        return tokens >= 1

    def _event(self, name: str, kind: kinds.Kind, body: Object, event: Event, note: str) -> Object:
        metadata = body["metadata"]
        return {
            "metadata": {"name": name, "namespace": _place(metadata)},
            "eventTime": _stamp(self._clock.now()),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": "Reconcile",
            "reason": str(event.reason),
            "type": event.type,
            "note": note,
            "regarding": {
                "apiVersion": kind.api_version,
                "kind": kind.name,
                "namespace": metadata.get("namespace", ""),
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
        }


def _place(metadata: Object) -> str:
    """Return where events of an object live; those without a namespace go to ``default``."""
    return metadata.get("namespace") or "default"


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
