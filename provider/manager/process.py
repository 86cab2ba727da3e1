"""The manager as a whole: what every replica serves, and what only the leader does."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import logging
import pathlib
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

from provider.clock import Clock
from provider.kube import auth, errors, kinds
from provider.kube import client as kube
from provider.manager import contract, election, events, reconciler, routes, tenants, watches, web
from provider.manager.cache import Cache, Echoes, Key, key_of, version_of
from provider.manager.metrics import Metrics
from provider.manager.options import Options
from provider.manager.queue import Queue
from provider.osc import sharing

Object = dict[str, Any]

FOLLOWED = (
    *routes.PRIMARIES,
    kinds.OSC_CLUSTER_IDENTITY,
    kinds.CLUSTER,
    kinds.MACHINE,
    kinds.SECRET,
    kinds.NAMESPACE,
)
ACCOUNTS = 16
"""So many accounts can be slow at once before others have to wait for them."""
AGAIN_S = 2.0
"""The pause before what has to be read at the start is read again."""

_log = logging.getLogger(__name__)


class Lost(Exception):
    """Tell that another replica leads, or may lead: nothing more may be done."""


async def _ended(task: asyncio.Task[Any]) -> None:
    """End a task; what it raised is of no interest any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclasses.dataclass(frozen=True)
class World:
    """All that a manager takes from outside."""

    source: auth.Source
    opener: tenants.Opener
    decide: Mapping[str, reconciler.Decide]
    """For each kind that is reconciled, by name: the function that decides."""
    reviews: Mapping[str, web.Review]
    """For each path of the webhooks: the function that answers."""
    environment: Mapping[str, str]
    clock: Clock
    chance: random.Random
    learn: Callable[[str], None]
    """Hears every secret, to keep it out of logs."""
    metrics: Metrics
    abort: Callable[[], None]
    """Ends the process at once: threads may be about to call the cloud."""


class Manager:
    """One replica; all of it lives in the event loop of :meth:`run`."""

    def __init__(self, options: Options, world: World) -> None:
        self._options = options
        self._world = world
        self._cache = Cache()
        self._echoes = Echoes(self._take)
        self._versions: dict[Key, str] = {}
        """What was last seen of objects that are not kept, so that a list wakes nobody anew."""
        self._queues: dict[str, Queue[Key]] = {}
        self._certificate = web.Certificate(pathlib.Path(options.webhook_cert_dir))
        self._webhooks = self._secure("webhooks", self._site_of_webhooks())
        self.ports: dict[str, int] = {}
        """The ports that are served, by what for: health, metrics, diagnostics, webhooks.

        Those over TLS appear when there is a certificate."""
        self.is_leader = False
        self._stop = asyncio.Event()
        self._broken: BaseException | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; raises Lost, after ``abort``, when another may lead.

        Raises ``web.NotServed`` when an address cannot be served.
        """
        self._stop = stop
        self._leads(0)
        client = kube.Client(self._world.source, self._world.chance)
        async with client, self._served(client):
            ending = asyncio.create_task(stop.wait())
            leading = asyncio.create_task(self._lead(client, stop))
            await asyncio.wait((ending, leading), return_when=asyncio.FIRST_COMPLETED)
            if not self.is_leader:
                leading.cancel()
            await _ended(ending)
            with contextlib.suppress(asyncio.CancelledError):
                await leading
        if self._broken is not None:
            raise self._broken

    # --- Every replica ---------------------------------------------------------------------------

    def _secure(self, name: str, site: web.Site) -> web.Secure:
        return web.Secure(site, self._certificate, lambda port: self.ports.update({name: port}))

    def _site_of_webhooks(self) -> web.Site:
        handlers = {path: web.reviewing(each) for path, each in self._world.reviews.items()}
        return web.Site(handlers, None, self._options.webhook_port)

    @contextlib.asynccontextmanager
    async def _served(self, client: kube.Client) -> AsyncIterator[None]:
        """Serve webhooks, health and metrics."""
        metrics = web.measuring(self._world.metrics.text)
        health = {
            "/healthz": web.saying(lambda: True),
            "/readyz": web.saying(lambda: self._webhooks.is_ready),
        }
        options = self._options
        async with contextlib.AsyncExitStack() as stack:
            await self._open(stack, "health", options.health_probe_bind_address, health)
            await self._open(stack, "metrics", options.metrics_bind_address, {"/metrics": metrics})
            if options.insecure_diagnostics:
                routes_ = {"/metrics": metrics}
                await self._open(stack, "diagnostics", options.diagnostics_address, routes_)
            elif place := web.split(options.diagnostics_address):
                site = web.Site({"/metrics": web.guarded(metrics, client)}, *place)
                self._in_background(stack, self._secure("diagnostics", site).run())
            self._in_background(stack, self._webhooks.run())
            yield

    async def _open(
        self,
        stack: contextlib.AsyncExitStack,
        name: str,
        address: str,
        handlers: Mapping[str, web.Handler],
    ) -> None:
        if (place := web.split(address)) is None:
            return
        site = web.Site(handlers, *place)
        await site.start()
        stack.push_async_callback(site.stop)
        self.ports[name] = site.port

    def _in_background(
        self, stack: contextlib.AsyncExitStack, work: Coroutine[Any, Any, None]
    ) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._notice)
        stack.push_async_callback(_ended, task)

    def _notice(self, task: asyncio.Task[None]) -> None:
        """Stop when something ends that goes on for as long as the manager does."""
        if not task.cancelled():
            self._broken = task.exception()
            self._stop.set()

    # --- The leader ------------------------------------------------------------------------------

    async def _lead(self, client: kube.Client, stop: asyncio.Event) -> None:
        if not self._options.leader_elect:
            await self._work(client, stop, asyncio.Event().wait())
            return
        options = self._options
        terms = election.Terms(
            options.leader_elect_lease_duration,
            options.leader_elect_renew_deadline,
            options.leader_elect_retry_period,
        )
        world = self._world
        identity = f"{socket.gethostname()}_{world.chance.getrandbits(64):016x}"
        place = options.leader_elect_namespace or await self._home()
        candidate = election.Election(client, place, identity, terms, world.clock, world.chance)
        await candidate.win()
        await self._work(client, stop, candidate.keep())
        await candidate.release()

    async def _home(self) -> str:
        access = await asyncio.to_thread(self._world.source.access)
        return access.namespace or "default"

    async def _work(
        self, client: kube.Client, stop: asyncio.Event, losing: Coroutine[Any, Any, Any]
    ) -> None:
        """Reconcile until told to stop; ``losing`` ends when we no longer lead."""
        self._leads(1)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._leads, 0)
            worker = self._reconciler(stack, client)
            ending, lost, following = (
                asyncio.create_task(each) for each in (stop.wait(), losing, self._follow(client))
            )
            # Also while winding down: the loss waits for nothing.
            lost.add_done_callback(functools.partial(self._lose, worker))
            for task in (ending, lost, following):
                stack.push_async_callback(_ended, task)
            await asyncio.wait((ending, lost, following), return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                raise Lost
            if following.done():
                worker.interrupt()
                await following
            await self._wind_down(worker)

    def _lose(self, worker: reconciler.Reconciler, lost: asyncio.Task[Any]) -> None:
        if lost.cancelled():
            return
        worker.interrupt()
        _log.error("The lease is lost. All work ends here, so that nothing is done twice.")
        self._world.abort()

    def _leads(self, leads: int) -> None:
        self.is_leader = bool(leads)
        self._world.metrics.leader.set(leads)

    def _reconciler(
        self, stack: contextlib.AsyncExitStack, client: kube.Client
    ) -> reconciler.Reconciler:
        options, world = self._options, self._world
        recorder = events.Recorder(client, world.clock, world.chance, socket.gethostname())
        parts = reconciler.Parts(
            client=client,
            cache=self._cache,
            echoes=self._echoes,
            tenants=tenants.Tenants(client, world.opener, world.environment, world.learn),
            recorder=recorder,
            metrics=world.metrics,
            clock=world.clock,
            chance=world.chance,
        )
        workers = {
            kinds.OSC_CLUSTER.name: options.osccluster_concurrency,
            kinds.OSC_MACHINE.name: options.oscmachine_concurrency,
            kinds.OSC_MACHINE_TEMPLATE.name: 1,
        }
        worker = reconciler.Reconciler(
            parts,
            world.decide,
            gone=self._gone,
            threads=ACCOUNTS * sum(workers.values()),
            within_s=options.reconcile_timeout,
            # An answer may be a bit old, and yet what changed is seen within the period.
            resync_s=(1 - sharing.CALM_PART) * options.sync_period,
            watch_filter=options.watch_filter,
        )
        stack.callback(worker.close)
        for kind, count in workers.items():
            told = world.metrics.queue(kind)
            self._queues[kind] = Queue(
                worker.look,
                workers=count,
                chance=world.chance,
                watcher=told,
                lane=functools.partial(routes.credentials_for, cache=self._cache),
            )
            stack.push_async_callback(self._queues[kind].stop, 0)
        self._in_background(stack, recorder.run())
        stack.push_async_callback(recorder.flush)
        return worker

    async def _follow(self, client: kube.Client) -> None:
        """Fill the cache, then start to work, and follow what changes until cancelled."""
        for kind in FOLLOWED:
            if self._cache.of(kind.name) is not None:
                await self._fill(client, kind)
        for queue in self._queues.values():
            queue.start()
        world, namespace = self._world, self._options.namespace
        followed = watches.Watches(
            world.source, FOLLOWED, self._receive, world.clock, namespace=namespace
        )
        await followed.start(client)
        for kind in FOLLOWED:
            world.metrics.watch(kind.name, functools.partial(followed.age_s, kind.name))
        try:
            await asyncio.Event().wait()
        finally:
            await followed.stop()

    async def _fill(self, client: kube.Client, kind: kinds.Kind) -> None:
        """Read all objects of a kind; a kind that is not installed has none (yet)."""
        namespace = self._options.namespace if kind.is_namespaced else ""
        versions = contract.VERSIONS if kind.group == kinds.CORE else (kind.version,)
        while True:
            try:
                for version in versions:
                    with contextlib.suppress(errors.UnknownKind):
                        for obj in await client.list(kind.at(version), namespace):
                            self._take(kind, None, obj)
                        return
                return
            except errors.KubeError as problem:
                _log.warning("The start has to wait. %s", problem)
                await asyncio.sleep(AGAIN_S)

    async def _wind_down(self, worker: reconciler.Reconciler) -> None:
        """Let work in progress finish for a while, then end it between two calls."""
        half_s = self._options.shutdown_timeout / 2
        _log.info("Stopping.")
        timer = asyncio.get_running_loop().call_later(half_s, worker.interrupt)
        await asyncio.gather(*(each.stop(2 * half_s) for each in self._queues.values()))
        timer.cancel()

    # --- Events ----------------------------------------------------------------------------------

    def _receive(self, kind: kinds.Kind, type_: str | None, obj: Object) -> None:
        if not self._echoes.holds(kind, type_, obj):
            self._take(kind, type_, obj)

    def _take(self, kind: kinds.Kind, type_: str | None, obj: Object) -> None:
        """Remember what an event shows, and wake those whom it concerns."""
        key, store = key_of(kind, obj), self._cache.of(kind.name)
        old = store.get(key.namespace, key.name) if store else None
        is_gone = type_ == "DELETED"
        is_echo = self._echoes.is_own(key, version_of(obj))
        if store is not None:
            if is_gone:
                store.drop(key.namespace, key.name)
                self._echoes.forget(key)
            else:
                store.put(obj)
        elif is_gone:
            self._versions.pop(key, None)
        elif self._versions.get(key) == version_of(obj):
            return
        else:
            self._versions[key] = version_of(obj)
        new = None if is_gone else obj
        shown = (old or obj) if is_gone else old
        for each in routes.concerned(kind, shown, new, self._cache, is_echo=is_echo):
            self._wake(each)

    def _wake(self, key: Key) -> None:
        store = self._cache.of(key.kind)
        known = store.get(key.namespace, key.name) if store else None
        if known is None or routes.is_wanted(known, self._options.watch_filter):
            self._queues[key.kind].add(key)

    def _gone(self, key: Key) -> None:
        """Hear that an object is no more, which a watch may have missed."""
        store = self._cache.of(key.kind)
        if store is not None and (known := store.get(key.namespace, key.name)) is not None:
            kind = next(each for each in routes.PRIMARIES if each.name == key.kind)
            self._take(kind, "DELETED", known)
