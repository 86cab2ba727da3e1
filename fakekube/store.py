"""Objects, the one resource version, watch history and watchers; a snapshot to and from JSON.

Every change is one synchronous commit: the version counts up by one, the object is encoded once,
the event goes into the history of its table and to the watchers of its namespace. Get, list and
watch serve the encoded bytes. The cost of a commit does not depend on how many objects there are.

The past is not copied: an old state is the present with the history undone, so that a paged list
stays consistent for as long as the history reaches back.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec

from fakekube import status

Json = Any
Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace (empty for none) and name."""

RECORD_MAX = 1536 * 1024
"""How many bytes an object may have: what etcd takes."""

HISTORY = 2_000
"""How many events a table remembers; a watch or list from before them gets 410."""

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"

BY_PLACE = operator.attrgetter("place")

decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode
encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode


def clone(value: Json) -> Json:
    """Copy JSON-shaped data deeply; through bytes, which is several times faster than in Python."""
    return decode(encode(value))


class Record:
    """One state of one object; it never changes, a later state is another record."""

    __slots__ = ("_obj", "key", "labels", "place", "raw", "rv", "uid", "views")

    def __init__(self, key: Key, rv: int, obj: Object) -> None:
        self.key = key
        self.place = f"{key[0]}/{key[1]}" if key[0] else key[1]
        """The key as text, which is what lists are ordered by."""
        self.rv = rv
        self.raw = encode(obj)
        meta = obj["metadata"]
        self.uid: str = meta.get("uid", "")
        self.labels: dict[str, str] | None = meta.get("labels")
        self.views: dict[Any, bytes] | None = None
        """Other encodings of this state, made by whoever serves them."""
        self._obj: Object | None = obj

    @property
    def namespace(self) -> str:
        """Return the namespace, or nothing."""
        return self.key[0]

    @property
    def name(self) -> str:
        """Return the name."""
        return self.key[1]

    @property
    def obj(self) -> Object:
        """Return the object; it is shared, so copy it before changing anything."""
        found = self._obj
        if found is None:
            found = self._obj = decode(self.raw)
        return found

    def copy(self) -> Object:
        """Return a copy that is the caller's own."""
        found: Object = decode(self.raw)
        return found

    def shrink(self) -> None:
        """Keep only the bytes."""
        self._obj = None
        self.views = None


class Event:
    """One change: ``record`` is the new state (of a deletion, the last), ``old`` the one before."""

    __slots__ = ("old", "record", "rv", "type")

    def __init__(self, type_: str, record: Record, old: Record | None) -> None:
        self.type = type_
        self.rv = record.rv
        self.record = record
        self.old = old


# A table has a method of the name of the type.
Records = list[Record]
Events = list[Event]


class Watcher(Protocol):
    """Who wants to know; called within the commit, so it must be quick and must not raise."""

    def notify(self, event: Event) -> None:
        """Take an event."""


class Table:
    """All objects of one resource."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.records: dict[Key, Record] = {}
        self.namespaces: dict[str, dict[str, Record]] = {}
        self.history: deque[Event] = deque()
        self.compacted = 0
        """The newest version that the history does not explain any more."""
        self.watchers: dict[str, dict[Watcher, None]] = {}
        self.joined: dict[tuple[str, str], bytes] = {}
        """Items of whole lists by namespace and version, until something changes."""
        self._sorted: dict[str, list[Record]] = {}

    def get(self, namespace: str, name: str) -> Record | None:
        """Return the present state of an object."""
        return self.records.get((namespace, name))

    def list(self, namespace: str = "") -> Records:
        """Return all objects, or those of a namespace, in the order of their keys; do not change.

        The order is kept until an object comes or goes.
        """
        found = self._sorted.get(namespace)
        if found is None:
            rows = self.namespaces.get(namespace, {}) if namespace else self.records
            found = sorted(rows.values(), key=BY_PLACE)
            self._sorted[namespace] = found
        return found

    def at(self, namespace: str, rv: int) -> Records:
        """Return the objects as they were at a version; ``KeyError`` when that is forgotten."""
        if rv < self.compacted:
            raise KeyError(rv)
        if not self.history or self.history[-1].rv <= rv:
            return self.list(namespace)
        rows = {record.key: record for record in self.list(namespace)}
        for event in reversed(self.history):
            if event.rv <= rv:
                break
            key = event.record.key
            if namespace and key[0] != namespace:
                continue
            if event.old is None:
                rows.pop(key, None)
            else:
                rows[key] = event.old
        return sorted(rows.values(), key=BY_PLACE)

    def since(self, namespace: str, rv: int) -> Events:
        """Return the events after a version; ``KeyError`` when they are forgotten."""
        if rv < self.compacted:
            raise KeyError(rv)
        found = []
        for event in reversed(self.history):
            if event.rv <= rv:
                break
            if not namespace or event.record.key[0] == namespace:
                found.append(event)
        found.reverse()
        return found

    def put(self, event: Event) -> None:
        """Take a change in, remember it and tell the watchers."""
        record = event.record
        key = record.key
        rows = self.namespaces.get(key[0])
        if event.type == DELETED:
            del self.records[key]
            if rows is not None:
                del rows[key[1]]
                if not rows:
                    del self.namespaces[key[0]]
            self._unsort(key[0])
        else:
            self.records[key] = record
            if rows is None:
                rows = self.namespaces[key[0]] = {}
            rows[key[1]] = record
            self._resort(event)
        self.joined.clear()
        self._remember(event)
        watchers = self.watchers
        if watchers:
            for place in ("", key[0]) if key[0] else ("",):
                for watcher in tuple(watchers.get(place, ())):
                    watcher.notify(event)

    def _unsort(self, namespace: str) -> None:
        self._sorted.pop("", None)
        self._sorted.pop(namespace, None)

    def _resort(self, event: Event) -> None:
        # A changed object keeps its place, but the kept order holds its old state.
        if self._sorted:
            self._unsort(event.record.key[0])

    def _remember(self, event: Event) -> None:
        self.history.append(event)
        if len(self.history) > HISTORY:
            self.compacted = self.history.popleft().rv

    def compact(self, rv: int) -> None:
        """Forget the history up to a version."""
        while self.history and self.history[0].rv <= rv:
            self.history.popleft()
        self.compacted = max(self.compacted, rv)

    def watch(self, namespace: str, watcher: Watcher) -> Callable[[], None]:
        """Tell a watcher about every change from now on; return how to stop."""
        place = self.watchers.setdefault(namespace, {})
        place[watcher] = None

        def stop() -> None:
            place.pop(watcher, None)
            if not place and self.watchers.get(namespace) is place:
                del self.watchers[namespace]

        return stop


class Store:
    """All tables, and the one counter of changes."""

    def __init__(self) -> None:
        self.rv = 1
        """The version of the last change. The first change makes 2, so that a watch from the
        version of an empty list misses nothing."""
        self.tables: dict[str, Table] = {}
        self.listeners: list[Callable[[str, Event], None]] = []
        """Called within each commit with the name of the table: caches, garbage collection."""

    def table(self, name: str) -> Table:
        """Return a table; it is there when it is first asked for."""
        found = self.tables.get(name)
        if found is None:
            found = self.tables[name] = Table(name)
        return found

    def get(self, table: str, namespace: str, name: str) -> Record | None:
        """Return the present state of an object."""
        found = self.tables.get(table)
        return found.records.get((namespace, name)) if found else None

    def objects(self, table: str, namespace: str = "") -> Iterator[Object]:
        """Give the objects of a table; they are shared."""
        found = self.tables.get(table)
        for record in found.list(namespace) if found else ():
            yield record.obj

    def create(self, table: str, obj: Object) -> Record:
        """Commit a new object; it gets its version and now belongs to the store."""
        return self._commit(table, ADDED, obj, None)

    def update(self, table: str, obj: Object, old: Record) -> Record:
        """Commit the next state of an object."""
        return self._commit(table, MODIFIED, obj, old)

    def delete(self, table: str, old: Record, obj: Object | None = None) -> Record:
        """Commit the end of an object; ``obj`` is its last state, if that is another one."""
        return self._commit(table, DELETED, old.copy() if obj is None else obj, old)

    def _commit(self, table: str, type_: str, obj: Object, old: Record | None) -> Record:
        meta = obj["metadata"]
        meta["resourceVersion"] = str(self.rv + 1)
        key = old.key if old else (meta.get("namespace", ""), meta["name"])
        record = Record(key, self.rv + 1, obj)
        if len(record.raw) > RECORD_MAX and type_ != DELETED:
            raise status.ApiError(500, "", "etcdserver: request is too large")
        self.rv += 1
        event = Event(type_, record, old)
        self.table(table).put(event)
        for listener in self.listeners:
            listener(table, event)
        if old is None:
            # Most objects are made and then only read, for which the bytes are enough.
            event.record.shrink()
        else:
            # Only the history knows it from now on.
            old.shrink()
        return event.record

    def compact(self) -> None:
        """Forget all history: every watch from before now gets 410."""
        for table in self.tables.values():
            table.compact(self.rv)

    def dump(self) -> Json:
        """Return all objects as JSON-ready data."""
        return {
            "resourceVersion": self.rv,
            "objects": {
                name: [record.copy() for record in table.list()]
                for name, table in sorted(self.tables.items())
                if table.records
            },
        }

    def load(self, saved: Json) -> None:
        """Replace everything by a dump; watchers see what was there go and the rest come.

        Versions go on counting from the higher of the two, because they never go back. A dump
        that is none raises ``ValueError``, and nothing is replaced.
        """
        rv, objects = _read_dump(saved)
        for name, table in self.tables.items():
            for record in list(table.list()):
                self.delete(name, record)
        self.rv = max(self.rv, rv)
        for name, obj in objects:
            self._commit(name, ADDED, obj, None)
        self.compact()


def _read_dump(saved: Json) -> tuple[int, list[tuple[str, Object]]]:
    """Return the version and copies of the objects of a dump, each with its table."""
    try:
        objects = [(name, clone(obj)) for name, rows in saved["objects"].items() for obj in rows]
        if all(isinstance(obj["metadata"]["name"], str) for _, obj in objects):
            return int(saved["resourceVersion"]), objects
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    text = (
        'A state is {"resourceVersion": N, "objects": {RESOURCE: [OBJECT, ...]}}, as it is given.'
    )
    raise ValueError(text)
