"""One reconcile: read, decide in a thread, write; the same for every kind.

The functions that decide are plain: objects in, Outcome out. They run in threads, because the
cloud is called synchronously, and know Kubernetes only through ``Tools``.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import dataclasses
import functools
import logging
import random
import threading
from collections.abc import Callable, Coroutine, Mapping, MutableMapping
from typing import Any

from provider.clock import Clock
from provider.kube import client as kube
from provider.kube import errors, kinds
from provider.manager import logs, routes
from provider.manager.cache import Cache, Echoes, Key, cluster_of
from provider.manager.events import Recorder
from provider.manager.gather import Gatherer, Seen
from provider.manager.limit import Interrupted, Limit
from provider.manager.metrics import Metrics
from provider.manager.subject import Subject
from provider.manager.tenants import Tenants
from provider.osc.cloud import SharedClouds
from provider.outcome import Event, Outcome

Object = dict[str, Any]

CONFLICT_S = 0.5
"""When an object is looked at again that somebody else changed meanwhile."""

_log = logging.getLogger(__name__)


class Unfinished(Exception):
    """Tell the queue that something went wrong that is already told in status and events."""


@dataclasses.dataclass(frozen=True)
class Tools:
    """What a reconcile works with, besides the objects."""

    clouds: SharedClouds
    clock: Clock
    chance: random.Random
    record: Callable[[Object], None]
    """Keeps a status with open intents, and returns when the server has confirmed it."""
    memory: MutableMapping[str, Any]
    """Whatever saves Reads; lost at a restart."""


Decide = Callable[[Seen, Tools], Outcome]


@dataclasses.dataclass(frozen=True)
class Parts:
    """What a reconciler is made of."""

    client: kube.Client
    cache: Cache
    echoes: Echoes
    tenants: Tenants
    recorder: Recorder
    metrics: Metrics
    clock: Clock
    chance: random.Random


class Reconciler:
    """Looks at one key after the other; the work of the queues. All of it is in one event loop.

    ``gone`` hears of objects that are no more, ``threads`` is how many decide at once, and
    ``within_s`` how long one may take.
    """

    def __init__(
        self,
        parts: Parts,
        decide: Mapping[str, Decide],
        *,
        gone: Callable[[Key], None],
        threads: int,
        within_s: float,
        resync_s: float,
        watch_filter: str = "",
    ) -> None:
        self._parts = parts
        self._gone = gone
        self._decide = decide
        self._within_s = within_s
        self._resync_s = resync_s
        self._watch_filter = watch_filter
        self._gatherer = Gatherer(parts.client, parts.cache)
        self._stopping = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "reconcile")
        self._memories: dict[Key, tuple[str, dict[str, Any]]] = {}

    async def look(self, key: Key) -> float | None:
        """Reconcile one object; return when it is due again, or None when it is gone.

        Raises what went wrong, so that the queue lets the key come back after a growing pause.
        """
        began_s = self._parts.clock.monotonic_s()
        end = "error"
        logs.about(kind=key.kind, namespace=key.namespace, name=key.name)
        try:
            again_s, end = await self._look(key)
            return again_s
        except errors.Conflict as problem:
            end = "conflict"
            _log.info("Somebody else was faster; it is looked at again. %s", problem)
            return CONFLICT_S
        except Unfinished:
            end = "retry"
            raise
        except (errors.KubeError, Interrupted) as problem:
            _log.warning("%s", problem)
            raise
        except Exception:
            _log.exception("This is a mistake of ours.")
            raise
        finally:
            took_s = self._parts.clock.monotonic_s() - began_s
            self._parts.metrics.reconciled(key.kind, end, took_s)

    def interrupt(self) -> None:
        """End all reconciles before their next call."""
        self._stopping.set()

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self, key: Key) -> tuple[float | None, str]:
        kind = _KINDS[key.kind]
        try:
            body = await self._parts.client.get(kind, key.namespace, key.name)
        except errors.NotFound:
            self._memories.pop(key, None)
            self._gone(key)
            return None, "gone"
        if not routes.is_wanted(body, self._watch_filter):
            return None, "done"
        seen = await self._gatherer.of(kind, body)
        subject = Subject(self._parts.client, self._parts.echoes, kind, body)
        outcome = await self._decided(key, seen, subject)
        try:
            await subject.apply(outcome)
        except errors.NotFound:
            _log.info("It was deleted meanwhile.")
        for event in outcome.events:
            self._tell(kind, subject.body, event)
        if outcome.retry:
            raise Unfinished
        again_s = self._resync_s if outcome.again_s is None else outcome.again_s
        # All objects of a big cluster must not be due in the same moment.
        return min(again_s, self._resync_s) * self._parts.chance.uniform(0.9, 1.0), "done"

    async def _decided(self, key: Key, seen: Seen, subject: Subject) -> Outcome:
        loop = asyncio.get_running_loop()
        limit = Limit(self._parts.clock, self._within_s, self._stopping)

        def bridge(work: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        def record(status: Object) -> None:
            limit.check()
            bridge(subject.record(status))

        clouds = self._parts.tenants.clouds(
            seen.osc_cluster, cluster_of(seen.primary), bridge, limit
        )
        memory = self._memory(key, seen.primary["metadata"]["uid"])
        tools = Tools(clouds, self._parts.clock, self._parts.chance, record, memory)
        work = functools.partial(self._decide[key.kind], seen, tools)
        return await loop.run_in_executor(self._pool, contextvars.copy_context().run, work)

    def _memory(self, key: Key, uid: str) -> dict[str, Any]:
        """Return what is remembered of an object, and of no other one that had its name."""
        known, memory = self._memories.get(key, ("", {}))
        if known != uid:
            memory = {}
            self._memories[key] = uid, memory
        return memory

    def _tell(self, kind: kinds.Kind, body: Object, event: Event) -> None:
        level = logging.WARNING if event.type == "Warning" else logging.INFO
        _log.log(level, "%s: %s", event.reason, event.message)
        self._parts.recorder.publish(kind, body, event)


_KINDS = {kind.name: kind for kind in routes.PRIMARIES}
