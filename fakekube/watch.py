"""Watches: the past that a client missed, then the present as it happens, as a stream of events.

A watch is fed within the commit of a change, so an event leaves before the commit is answered.
What the client does not take in piles up to a limit; then the watch ends, and the client starts
again from what it has seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fakekube import selectors, status, store
from fakekube.options import ListOptions
from fakekube.store import ADDED, DELETED, MODIFIED, Event, Record

Json = Any
BACKLOG_BYTES = 16 * 1024 * 1024
"""How much may wait for a slow client before it is dropped."""
BOOKMARK_S = 60.0
TIMEOUT_S = (1800.0, 3600.0)
"""A watch without a timeout ends after a random time between these."""


class Sink(Protocol):
    """The connection of the client."""

    def write(self, data: bytes) -> int:
        """Send, and return how many bytes still wait."""

    def end(self) -> None:
        """End the stream."""


class Watch:
    """One client that watches."""

    def __init__(
        self,
        table: store.Table,
        namespace: str,
        options: ListOptions,
        select: Callable[[Record], bool] | None,
        encode: Callable[[str, Record, int], bytes],
        bookmark: Callable[[int, bool], bytes],
    ) -> None:
        self._table = table
        self._namespace = namespace
        self._select = select
        self._encode = encode
        self._bookmark = bookmark
        self._sink: Sink | None = None
        self._stop: Callable[[], None] | None = None
        self._pending: list[bytes] = []
        self.options = options
        self.is_over = False
        self.when_over: Callable[[], None] | None = None
        """Called once, when the watch is over for whatever reason."""

    @property
    def table_name(self) -> str:
        """Return the name of the table that is watched."""
        return self._table.name

    def prepare(self, records: list[Record], events: list[Event], mark: int | None) -> None:
        """Take what is sent first: the objects of now, or the events since a version."""
        select = self._select
        for record in records:
            if select is None or select(record):
                self._event(ADDED, record, record.rv)
        if mark is not None:
            self._mark(mark, is_end=True)
        for event in events:
            self.notify(event)
        self._stop = self._table.watch(self._namespace, self)

    def start(self, sink: Sink) -> None:
        """Send to a client from now on."""
        self._sink = sink
        pending, self._pending = self._pending, []
        if pending:
            self._send(b"".join(pending))
        if self.is_over:
            sink.end()

    def notify(self, event: Event) -> None:
        """Take an event, as the client sees it through its selectors."""
        type_, record = event.type, event.record
        select = self._select
        if select is not None:
            has = type_ != DELETED and select(record)
            had = event.old is not None and select(event.old)
            if not has and not had:
                return
            if type_ == MODIFIED and not had:
                type_ = ADDED
            elif type_ != DELETED and not has:
                # The client last saw the old state, so that is what goes, at the new version.
                assert event.old is not None, "It was selected."
                type_, record = DELETED, event.old
        self._event(type_, record, event.rv)

    def _event(self, type_: str, record: Record, rv: int) -> None:
        self._send(self._encode(type_, record, rv))

    def _mark(self, rv: int, *, is_end: bool) -> None:
        self._send(self._bookmark(rv, is_end))

    def bookmark(self, rv: int) -> None:
        """Tell the client which version it has seen."""
        if self.options.wants_bookmarks:
            self._mark(rv, is_end=False)

    def fail(self, problem: status.ApiError) -> None:
        """End with an event of type ERROR."""
        self._send(error_line(problem))
        self.end()

    def end(self) -> None:
        """End the watch, as when its time is over."""
        if self.is_over:
            return
        self.close()
        if self._sink is not None:
            self._sink.end()

    def close(self) -> None:
        """Stop watching; the client is gone."""
        self.is_over = True
        if self._stop is not None:
            self._stop()
            self._stop = None
        if self.when_over is not None:
            self.when_over()
            self.when_over = None

    def _send(self, data: bytes) -> None:
        if self._sink is None:
            self._pending.append(data)
        elif self._sink.write(data) > BACKLOG_BYTES:
            self.end()


class ConvertedWatch(Watch):
    """A watch whose objects come from a conversion webhook, one after the other."""

    load: Callable[[Record], Awaitable[None]]
    """Have the bytes of an object made."""

    def _event(self, type_: str, record: Record, rv: int) -> None:
        self._queue(type_, record, rv)

    def _mark(self, rv: int, *, is_end: bool) -> None:
        self._queue("", None, rv, is_end=is_end)

    def _queue(self, type_: str, record: Record | None, rv: int, *, is_end: bool = False) -> None:
        before = getattr(self, "_task", None)
        self._task = asyncio.get_running_loop().create_task(
            self._deliver(before, type_, record, rv, is_end=is_end)
        )

    async def _deliver(
        self,
        before: asyncio.Task[None] | None,
        type_: str,
        record: Record | None,
        rv: int,
        *,
        is_end: bool,
    ) -> None:
        if before is not None:
            await before
        if self.is_over:
            return
        if record is None:
            super()._mark(rv, is_end=is_end)
            return
        try:
            await self.load(record)
        except status.ApiError as problem:
            self.fail(problem)
            return
        super()._event(type_, record, rv)


def line(type_: str, raw: bytes) -> bytes:
    """Return the line of an event from the bytes of its object."""
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), raw)


def error_line(problem: status.ApiError) -> bytes:
    """Return the line of an event that ends a watch."""
    return line("ERROR", store.encode(problem.status()))


def bookmark_object(api_version: str, kind: str, rv: int, *, is_initial_end: bool) -> Json:
    """Return the object of a bookmark."""
    meta: Json = {"resourceVersion": str(rv)}
    if is_initial_end:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return {"kind": kind, "apiVersion": api_version, "metadata": meta}


def selecting(
    options: ListOptions, read: Callable[[Record], Callable[[str], str]]
) -> Callable[[Record], bool] | None:
    """Return the predicate of the selectors; None when everything is selected."""
    labels, fields = options.labels, options.fields
    if labels is None and not fields:
        return None
    if not fields:
        assert labels is not None
        return lambda record: labels.matches(record.labels)

    def select(record: Record) -> bool:
        if labels is not None and not labels.matches(record.labels):
            return False
        return selectors.fields_match(fields, read(record))

    return select
