"""kopf as the host of the watches: lists, streams, reconnects, and kinds that come later.

Only ``@kopf.on.event`` is used, which writes nothing on objects. kopf runs in a thread and a loop
of its own, because it ends every task that is born in its loop; and it is started again when it
gives up, which it does when the API server is away for long or a kind is withdrawn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import kopf

from provider.clock import Clock
from provider.kube import auth, kinds
from provider.manager.cache import CLUSTER_LABEL, Object

Receive = Callable[[kinds.Kind, str | None, Object], None]
"""Takes an event: the kind, ``ADDED``, ``MODIFIED``, ``DELETED`` or None (listed), the object."""

AGAIN_S = (1.0, 2.0, 5.0, 10.0)
"""The pauses before kopf is started again; the last one counts from then on."""
STOPPED_WITHIN_S = 1.0
"""How long a stop waits for kopf; it has nothing to lose."""

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
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start to follow; events come into the running loop."""
        self._loop = asyncio.get_running_loop()
        now = self._clock.monotonic_s()
        self._seen_s = {kind.name: now for kind in self._followed}
        self._thread.start()

    async def stop(self) -> None:
        """Stop to follow; no event comes afterwards."""
        # kopf leaves connections behind when it is stopped before it has begun.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._begun.wait(), STOPPED_WITHIN_S)
        self._stopping.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, STOPPED_WITHIN_S)

    def age_s(self, kind: str) -> float:
        """Return how long ago the last event of a kind came."""
        return self._clock.monotonic_s() - self._seen_s[kind]

    def _run(self) -> None:
        for attempt in range(10**9):
            try:
                asyncio.run(self._follow())
            except Exception as problem:  # noqa: BLE001 - whatever it is, watching goes on
                _log.warning("The watches ended (%s: %s).", type(problem).__name__, problem)
            pause_s = AGAIN_S[min(attempt, len(AGAIN_S) - 1)]
            if self._stopping.wait(0 if self._stopping.is_set() else pause_s):
                return

    async def _follow(self) -> None:
        registry = kopf.OperatorRegistry()
        kopf.on.login(id="login", registry=registry)(self._login)
        for kind in self._followed:
            # The version of the core is the one that the server prefers: old cores lack v1beta2.
            place = (
                (kind.group, kind.plural)
                if kind.group == kinds.CORE
                else (kind.group, kind.version, kind.plural)
            )
            kopf.on.event(*place, id=f"watch-{kind.plural}", registry=registry)(self._handler(kind))
        everywhere: dict[str, Any] = (
            {"namespaces": [self._namespace]} if self._namespace else {"clusterwide": True}
        )
        await kopf.operator(
            registry=registry,
            settings=_settings(),
            standalone=True,
            stop_flag=self._stopping,
            **everywhere,
        )

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

    def _login(self, **_: Any) -> kopf.ConnectionInfo:
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


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.process.ultimate_exiting_timeout = None  # It would kill the whole process.
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = (0.1, 0.3, 1, 2, 3, 5, 5, 5, 5, 5)
    settings.watching.client_timeout = 600
    # Bootstrap Secrets carry this label; others are read when they are needed, and not followed.
    settings.watching.label_selectors["", "v1", "secrets"] = CLUSTER_LABEL
    return settings
