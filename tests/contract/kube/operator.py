"""A small kopf operator in a thread, with a loop and a registry of its own."""

import asyncio
import gc
import threading

import kopf

FINALIZER = "contract.example.com/operator"
WITHIN_S = 20.0


class Operator:
    """Counts what it sees of one kind of custom resource, and reports in the status.

    seen: what each handler was called for, as (handler, name) in order.
    """

    def __init__(self, client, group, namespace, certificates=None):
        self.seen = []
        self._client = client
        self._certificates = certificates or {}
        self._namespace = namespace
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._problem = None
        self._registry = kopf.OperatorRegistry()
        self._settings = kopf.OperatorSettings()
        self._settings.persistence.finalizer = FINALIZER
        self._settings.posting.enabled = False
        self._settings.networking.error_backoffs = [0.05] * 20
        self._settings.watching.reconnect_backoff = 0.05
        self._register(group)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _register(self, group):
        kind = (group, "v1", "widgets")
        options = {"registry": self._registry}
        kopf.on.login(**options)(self._login)
        kopf.on.event(*kind, **options)(self._on_event)
        kopf.on.create(*kind, id="created", **options)(self._on_create)
        kopf.on.update(*kind, id="updated", field="spec", **options)(self._on_update)
        kopf.on.delete(*kind, id="deleted", **options)(self._on_delete)

    def _login(self, **_):
        return kopf.ConnectionInfo(server=self._client.url, **self._certificates)

    def _on_event(self, event, name, **_):
        self.seen.append((event["type"] or "LISTED", name))

    def _on_create(self, name, spec, patch, **_):
        self.seen.append(("created", name))
        patch.status["phase"] = f"made {spec.get('size')}"

    def _on_update(self, name, spec, patch, **_):
        self.seen.append(("updated", name))
        patch.status["phase"] = f"changed to {spec.get('size')}"

    def _on_delete(self, name, **_):
        self.seen.append(("deleted", name))

    def of(self, name):
        """Return what the handlers were called for one object, without the plain events."""
        return [what for what, who in self.seen if who == name and what.islower()]

    def events_of(self, name):
        return [what for what, who in self.seen if who == name and what.isupper()]

    def _run(self):
        try:
            asyncio.run(
                kopf.operator(
                    registry=self._registry,
                    settings=self._settings,
                    namespaces=[self._namespace],
                    standalone=True,
                    stop_flag=self._stop,
                    ready_flag=self._ready,
                )
            )
        except BaseException as problem:  # noqa: BLE001 - it is raised where it is waited for
            self._problem = problem

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(WITHIN_S), self._problem
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive(), "The operator does not stop."
        # What kopf leaves open is found now, and not in the middle of another test.
        gc.collect()
        if self._problem is not None:
            raise self._problem
