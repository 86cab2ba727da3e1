"""kopf as the host of the watches: lists, streams, reconnects, and kinds that come later.

Only ``@kopf.on.event`` is used, which writes nothing on objects. kopf runs in a thread and a loop
of its own, because it ends every task that is born in its loop; and it is started again when it
gives up, which it does when the API server is away for long or a kind is withdrawn, and when a
kind is served in other versions than before. kopf looks itself for kinds that come later, but it
misses those that come between its look and its watch, or while it looks twice at once.

Its tasks are ended here: when kopf ends them itself, it takes seconds, and now and then for ever,
because some ask once more for credentials that nobody brings any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import kopf

from provider.clock import Clock
from provider.kube import auth, errors, kinds
from provider.kube import client as kube
from provider.manager import contract
from provider.manager.cache import CLUSTER_LABEL, Object

Receive = Callable[[kinds.Kind, str | None, Object], None]
"""Takes an event: the kind, ``ADDED``, ``MODIFIED``, ``DELETED`` or None (listed), the object."""

AGAIN_S = (1.0, 2.0, 5.0, 10.0)
"""The pauses before kopf is started again; the last one counts from then on."""
SETTLED_S = 1.0
"""So long no definition may change before kopf is started again: they come one after another."""
STOPPED_WITHIN_S = 1.0
"""How long a stop waits for kopf; it has nothing to lose."""
ENDINGS, ENDED_WITHIN_S = 3, 2.0
"""How often its tasks are told to end, and how long is waited for them each time."""

_log = logging.getLogger(__name__)


class Watches:
    """Follows kinds, and hands every event to ``receive`` in the loop that started it."""

    def __init__(
        self,
        source: auth.Source,
        followed: Sequence[kinds.Kind],
        receive: Receive,
        clock: Clock,
        *,
        namespace: str = "",
    ) -> None:
        self._source = source
        self._followed = followed
        self._receive = receive
        self._clock = clock
        self._namespace = namespace
        self._seen_s: dict[str, float] = {}
        self._begun = asyncio.Event()
        self._stopping = threading.Event()
        self._end: Callable[[], object] = lambda: None
        self._served: dict[str, list[str]] = {}
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, client: kube.Client) -> None:
        """Start to follow; events come into the running loop."""
        self._loop = asyncio.get_running_loop()
        # Otherwise kopf is started a second time when it shows them.
        with contextlib.suppress(errors.KubeError):
            for definition in await client.list(kinds.DEFINITION):
                self._is_news(definition)
        now = self._clock.monotonic_s()
        self._seen_s = {kind.name: now for kind in self._followed}
        self._thread.start()

    async def stop(self) -> None:
        """Stop to follow; no event comes afterwards."""
        # kopf leaves connections behind when it is stopped before it has begun.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._begun.wait(), STOPPED_WITHIN_S)
        self._stopping.set()
        # The loop of a kopf that has ended is closed.
        with contextlib.suppress(RuntimeError):
            self._end()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, STOPPED_WITHIN_S)

    def age_s(self, kind: str) -> float:
        """Return how long ago the last event of a kind came."""
        return self._clock.monotonic_s() - self._seen_s[kind]

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.wait(AGAIN_S[min(attempt, len(AGAIN_S)) - 1] if attempt else 0):
            try:
                self._follow_once()
                attempt = 1
            except Exception as problem:  # noqa: BLE001 - whatever it is, watching goes on
                _log.warning("The watches ended (%s: %s).", type(problem).__name__, problem)
                attempt += 1

    def _follow_once(self) -> None:
        # asyncio.run would wait for tasks that do not end.
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._follow())
        finally:
            loop.close()

    async def _follow(self) -> None:
        """Let kopf follow until it gives up, or we end it."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = functools.partial(loop.call_soon_threadsafe, ended.set)
        if self._stopping.is_set():
            return
        registry = kopf.OperatorRegistry()
        kopf.on.login(id="login", registry=registry, backoff=AGAIN_S[0])(self._login)
        for kind in self._followed:
            place = (kind.group, self._version(kind), kind.plural)
            kopf.on.event(*place, id=f"watch-{kind.plural}", registry=registry)(self._handler(kind))
        self._watch_definitions(registry, ended)
        everywhere: dict[str, Any] = (
            {"namespaces": [self._namespace]} if self._namespace else {"clusterwide": True}
        )
        tasks = await kopf.spawn_tasks(
            registry=registry, settings=_settings(), standalone=True, **everywhere
        )
        ending = asyncio.create_task(ended.wait())
        done, _ = await asyncio.wait([*tasks, ending], return_when=asyncio.FIRST_COMPLETED)
        await _end([*tasks, ending])
        for each in done:
            if not each.cancelled():
                each.result()

    def _watch_definitions(self, registry: kopf.OperatorRegistry, ended: asyncio.Event) -> None:
        """Let kopf end, when the definitions of what is followed have changed and have settled."""
        kind, loop = kinds.DEFINITION, asyncio.get_running_loop()
        timer = loop.call_later(0, lambda: None)

        async def on_event(event: Any, **_: Any) -> None:
            nonlocal timer
            if self._is_news(event["object"], is_gone=event["type"] == "DELETED"):
                timer.cancel()
                timer = loop.call_later(SETTLED_S, ended.set)

        place = (kind.group, kind.version, kind.plural)
        kopf.on.event(*place, id=f"watch-{kind.plural}", registry=registry)(on_event)

    def _is_news(self, definition: Object, *, is_gone: bool = False) -> bool:
        """Note in which versions a kind is served now; tell whether it is other than before."""
        name, spec = definition["metadata"]["name"], definition["spec"]
        if name not in {f"{kind.plural}.{kind.group}" for kind in self._followed}:
            return False
        conditions = (definition.get("status") or {}).get("conditions") or []
        is_there = any(
            each["type"] == "Established" and each["status"] == "True" for each in conditions
        )
        before = self._served.get(name, [])
        served = [each["name"] for each in spec["versions"] if each["served"]]
        self._served[name] = served if is_there and not is_gone else []
        return self._served[name] != before

    def _version(self, kind: kinds.Kind) -> str:
        """Return the version to follow: old cores lack that in which we look at their objects."""
        served = self._served.get(f"{kind.plural}.{kind.group}", [])
        known = contract.VERSIONS if kind.group == kinds.CORE else ()
        return next((each for each in known if each in served), kind.version)

    def _handler(self, kind: kinds.Kind) -> Callable[..., Any]:
        async def on_event(event: Any, **_: Any) -> None:
            assert self._loop is not None, "Events come after the start."
            # The loop is closed when the process ends; then nobody needs the event.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._arrive, kind, event["type"], event["object"])

        return on_event

    def _arrive(self, kind: kinds.Kind, type_: str | None, obj: Object) -> None:
        self._seen_s[kind.name] = self._clock.monotonic_s()
        self._begun.set()
        if not self._stopping.is_set():
            self._receive(kind, type_, obj)

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        # For a function that is not async kopf keeps a thread, which outlives it.
        access = self._source.access()
        return kopf.ConnectionInfo(
            server=access.server,
            ca_data=access.authority or None,
            insecure=access.is_insecure,
            username=access.username or None,
            password=access.password or None,
            token=access.token or None,
            certificate_data=access.certificate or None,
            private_key_data=access.key or None,
            default_namespace=access.namespace or None,
            expiration=access.expires,
        )


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """End tasks, and then all others of the loop; those that do not end are left behind."""
    # They clean up behind themselves, but a kopf that gives up forgets to end them.
    watchers = {each for each in asyncio.all_tasks() if each.get_name().startswith("watcher for")}
    ending = {*tasks, *watchers}
    for _ in range(ENDINGS):
        for each in ending:
            each.cancel()
        if ending:
            await asyncio.wait(ending, timeout=ENDED_WITHIN_S)
        ending = {each for each in asyncio.all_tasks() if each is not asyncio.current_task()}


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True  # We watch the definitions ourselves.
    settings.process.ultimate_exiting_timeout = None  # It would kill the whole process.
    settings.queueing.exit_timeout = 0.5  # There is nothing to finish.
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = (0.1, 0.3, 1, 2, 3, 5, 5, 5, 5, 5)
    settings.watching.client_timeout = 600
    # Bootstrap Secrets carry this label; others are read when they are needed, and not followed.
    settings.watching.label_selectors["", "v1", "secrets"] = CLUSTER_LABEL
    return settings
