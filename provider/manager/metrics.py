"""What the manager counts and measures, for Prometheus."""

from __future__ import annotations

import functools
from collections.abc import Callable

import prometheus_client as prometheus

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """All metrics of one manager, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = prometheus.CollectorRegistry()
        counter = functools.partial(prometheus.Counter, registry=registry)
        gauge = functools.partial(prometheus.Gauge, registry=registry)
        histogram = functools.partial(prometheus.Histogram, buckets=SECONDS, registry=registry)
        self._calls = counter(
            "caposc_api_calls",
            "Calls of the OUTSCALE API, by action and outcome.",
            ("action", "outcome"),
        )
        self._call_seconds = histogram(
            "caposc_api_call_seconds",
            "How long the OUTSCALE API took to answer, by action.",
            ("action",),
        )
        self._throttled = counter(
            "caposc_api_throttled_seconds", "How long calls waited for the limit of the account."
        )
        self._reconciles = counter(
            "caposc_reconciles",
            "Reconciles, by kind and how they ended: done, retry, conflict, gone or error.",
            ("kind", "end"),
        )
        self._reconcile_seconds = histogram(
            "caposc_reconcile_seconds", "How long reconciles took, by kind.", ("kind",)
        )
        self._waiting = gauge(
            "caposc_queue_depth", "Objects that wait for a worker, by kind.", ("kind",)
        )
        self._retries = counter(
            "caposc_queue_retries",
            "Objects that came back because something went wrong, by kind.",
            ("kind",),
        )
        self._ages = gauge(
            "caposc_watch_age_seconds",
            "How long ago the last event of a watched kind came.",
            ("kind",),
        )
        self.leader = gauge("caposc_leader", "1 where this replica leads, 0 where it stands by.")

    def api_call(self, action: str, outcome: str, seconds: float, throttled_s: float, /) -> None:
        """Take note of one call of the cloud; comes from any thread."""
        self._calls.labels(action, outcome).inc()
        self._call_seconds.labels(action).observe(seconds)
        self._throttled.inc(throttled_s)

    def reconciled(self, kind: str, end: str, seconds: float) -> None:
        """Take note of one reconcile."""
        self._reconciles.labels(kind, end).inc()
        self._reconcile_seconds.labels(kind).observe(seconds)

    def queue(self, kind: str) -> QueueMetrics:
        """Return what the queue of a kind tells."""
        return QueueMetrics(self._waiting.labels(kind), self._retries.labels(kind))

    def watch(self, kind: str, age_s: Callable[[], float]) -> None:
        """Measure the age of the last event of a kind whenever somebody asks."""
        self._ages.labels(kind).set_function(age_s)

    def text(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return prometheus.generate_latest(self.registry)


class QueueMetrics:
    """What is told about one queue."""

    def __init__(self, depth: prometheus.Gauge, retries: prometheus.Counter) -> None:
        self._depth = depth
        self._retries = retries

    def waiting(self, count: int) -> None:
        """Hear how many keys wait for a worker."""
        self._depth.set(count)

    def retried(self) -> None:
        """Hear that a key failed and comes back."""
        self._retries.inc()
