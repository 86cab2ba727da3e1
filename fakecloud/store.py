"""Indices, states and transactions: everything that happens to a resource, for any kind.

A kind says which fields refer to other kinds, which states follow which, and how a row is shown.
From that come the indices, the refusal to delete what is in use, the passing of time and the
answers. Answers are kept as encoded JSON until a row that they were made from changes: what a view
reads while it is made is what makes it stale.
"""

from __future__ import annotations

import contextlib
import heapq
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator

import msgspec

from fakecloud.kinds import KINDS, Data, Json, Kind, holding
from fakecloud.rows import Bucket, Row, Table, clone, keys, public, put, watch

HISTORY = 10_000
"""How many changes are remembered for stale reads."""

EVERYWHERE = ("account", "live", "TagKey", "TagValue", "Tag")
"""The indices that every kind has."""

Undo = tuple[str, Row, Data, float | None]


class Store:
    """All rows of one region. Every change happens inside :meth:`transaction`."""

    def __init__(self, mint: Callable[[Kind], str], now: Callable[[], float]) -> None:
        self._clock = now
        self._moment: float | None = None
        self._mint = mint
        self._tables: dict[str, Table] = {}
        self._serial = 0
        self._turn = 0
        self._undo: list[Undo] = []
        self._dirty: dict[Row, None] = {}
        self._heap: list[tuple[float, int, Row]] = []
        self._reader: Row | None = None
        self.history: deque[tuple[float, list[Undo]]] | None = None
        self.stuck: Callable[[Row], bool] = _never

    def now(self) -> float:
        """Return the virtual time, in seconds since the epoch."""
        return self._clock() if self._moment is None else self._moment

    # Looking.

    def table(self, name: str) -> Table:
        """Return the table of a kind."""
        found = self._tables.get(name)
        if found is None:
            found = self._tables[name] = Table(KINDS[name])
        return found

    def row(self, name: str, id_: str) -> Row | None:
        """Return the row with an identifier, whoever owns it."""
        table = self.table(name)
        found = table.rows.get(id_)
        if self._reader is not None:
            if found:
                watch(found, self._reader)
            else:
                table.missed.setdefault(id_, set()).add(self._reader)
        return found

    def rows(self, name: str, path: str = "", value: Json = None) -> list[Row]:
        """Return the rows of a kind whose indexed ``path`` holds ``value``, oldest first.

        Without ``path``, all rows. ``path`` may also be ``account`` (every row of an account) or
        ``live`` (those of its rows that are no tombstones).
        """
        if self._dirty:
            self.flush()
        table = self.table(name)
        if not path:
            if self._reader is not None:
                raise AssertionError(f"A view may not read all rows of {name}. Add an index.")
            return list(table.rows.values())
        bucket = self._bucket(table, path, value)
        found = sorted(bucket.values(), key=_serial)
        if self._reader is not None:
            for row in found:
                watch(row, self._reader)
        return found

    def count(self, name: str, path: str, value: Json) -> int:
        """Return how many rows :meth:`rows` would, without looking at each."""
        if self._dirty:
            self.flush()
        return len(self._bucket(self.table(name), path, value))

    def _bucket(self, table: Table, path: str, value: Json) -> Bucket:
        bucket = table.buckets.get((path, value))
        if bucket is None:
            if path not in table.kind.paths and path not in EVERYWHERE:
                raise AssertionError(f"{table.kind.name} has no index {path}. Declare it.")
            bucket = Bucket()
            if self._reader is not None:
                table.buckets[path, value] = bucket
        if self._reader is not None:
            watch(bucket, self._reader)
        return bucket

    def view(self, row: Row) -> Data:
        """Return a row as the API shows it. The answer is shared: it must not be changed."""
        if self._dirty:
            self.flush()
        if row.view is None:
            outer, self._reader = self._reader, row
            try:
                row.view = row.kind.view(self, row) if row.kind.view else public(row.data)
            finally:
                self._reader = outer
        if self._reader is not None:
            watch(row, self._reader)
        return row.view

    def wire(self, row: Row, check: Callable[[str, Data], None]) -> bytes:
        """Return a row as JSON text; ``check`` sees it once after each change."""
        if self._dirty:
            self.flush()
        if row.wire is None or row.view is None:
            view = self.view(row)
            check(row.kind.schema, view)
            row.wire = _encode(view)
        return row.wire

    # Changing.

    @contextlib.contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """Make the changes inside all happen or, on an exception or without ``keep``, none."""
        if self._undo:
            raise AssertionError("A transaction is open already.")
        self._turn += 1
        serial = self._serial
        try:
            yield
            # Data that a handler still held after a flush may have changed since.
            self._dirty.update((row, None) for what, row, _, _ in self._undo if what != "remove")
            self.flush()
        except BaseException:
            self._roll_back()
            self._serial = serial
            raise
        if not keep:
            self._roll_back()
            self._serial = serial
        elif self.history is not None and self._undo:
            self.history.append((self.now(), self._undo))
        self._undo = []

    def create(self, name: str, data: Data, account: str, id_: str = "", state: str = "") -> Row:
        """Add a row; its identifier is minted, written into the data, or given as ``id_``."""
        table = self.table(name)
        made = table.kind
        id_ = id_ or self._mint(made)
        if id_ in table.rows:
            raise AssertionError(f"{name} {id_} is there already.")
        if made.id:
            data[made.id] = id_
        self._serial += 1
        row = Row(made, id_, account, self._serial, data)
        row.turn = self._turn
        self._undo.append(("create", row, {}, None))
        table.rows[id_] = row
        self._arrive(table, id_)
        self._dirty[row] = None
        if state:
            self.become(row, state)
        return row

    def edit(self, row: Row) -> Data:
        """Return the data of a row for changing it; the change is undone if the call fails."""
        if row.turn != self._turn:
            row.turn = self._turn
            self._undo.append(("edit", row, clone(row.data), row.due))
        self._dirty[row] = None
        return row.data

    def become(self, row: Row, state: str, after: float | None = None) -> None:
        """Put a row into a state now; what follows comes after its time, or ``after`` seconds."""
        put(self.edit(row), row.kind.state, state)
        then = row.kind.lifecycle.get(state)
        row.due = None
        if then is not None:
            row.due = self.now() + (then.seconds if after is None else after)
            heapq.heappush(self._heap, (row.due, row.serial, row))

    def remove(self, row: Row) -> None:
        """Take a row away, whatever refers to it."""
        if self._dirty:
            self.flush()
        self._undo.append(("remove", row, {}, None))
        self._unlink(row)

    def holders(self, row: Row) -> list[Row]:
        """Return the live rows that refer to a row and so forbid its deletion."""
        found: list[Row] = []
        for path, name in holding(row.kind.name):
            found += [other for other in self.rows(name, path, row.id) if other.is_live]
        return found

    def settle(self) -> None:
        """Bring every row to the present: let all transitions happen whose time has come."""
        now = self.now()
        while self._heap and self._heap[0][0] <= now:
            due, serial, row = heapq.heappop(self._heap)
            if not row.alive or row.due != due:
                continue
            if self.stuck(row):
                row.due = now + 1
                heapq.heappush(self._heap, (row.due, serial, row))
                continue
            # What happens, happens at its own time: a long step passes through every state.
            self._moment = due
            try:
                with self.transaction():
                    self._advance(row)
            finally:
                self._moment = None

    def _advance(self, row: Row) -> None:
        state = row.kind.lifecycle[row.state].state
        if state is None:
            self.edit(row)
            self.remove(row)
            return
        self.become(row, state)
        hook = row.kind.on.get(state)
        if hook is not None:
            hook(self, row)

    # Keeping the indices true.

    def flush(self) -> None:
        """Bring indices and kept answers up to date with the changes made so far."""
        dirty, self._dirty = self._dirty, {}
        for row in dirty:
            if row.alive:
                self._reindex(row)
            self._forget(row)

    def _reindex(self, row: Row) -> None:
        table = self.table(row.kind.name)
        fresh = keys(row)
        if fresh == row.keys:
            return
        for key in row.keys - fresh:
            bucket = table.buckets[key]
            del bucket[row.id]
            self._wake(bucket)
            if not bucket:
                del table.buckets[key]
        for key in fresh - row.keys:
            found = table.buckets.get(key)
            if found is None:
                found = table.buckets[key] = Bucket()
            found[row.id] = row
            self._wake(found)
        row.keys = fresh

    def _wake(self, bucket: Bucket) -> None:
        if bucket.watchers:
            watchers, bucket.watchers = bucket.watchers, None
            for watcher in watchers:
                self._forget(watcher)

    def _forget(self, row: Row) -> None:
        row.view = row.wire = None
        if row.watchers:
            watchers, row.watchers = row.watchers, None
            for watcher in watchers:
                self._forget(watcher)

    def _arrive(self, table: Table, id_: str) -> None:
        for watcher in table.missed.pop(id_, ()):
            self._forget(watcher)

    def _unlink(self, row: Row) -> None:
        table = self.table(row.kind.name)
        del table.rows[row.id]
        row.alive = False
        for key in row.keys:
            bucket = table.buckets[key]
            del bucket[row.id]
            self._wake(bucket)
            if not bucket:
                del table.buckets[key]
        row.keys = set()
        self._forget(row)

    def _link(self, row: Row) -> None:
        table = self.table(row.kind.name)
        table.rows[row.id] = row
        self._arrive(table, row.id)
        row.alive = True
        self._reindex(row)
        self._forget(row)

    def _roll_back(self) -> None:
        self._dirty = {}
        unsorted = set()
        for what, row, data, due in reversed(self._undo):
            if what == "create":
                if row.alive:
                    self._unlink(row)
            elif what == "remove":
                self._link(row)
                unsorted.add(row.kind.name)
            else:
                row.data = data
                self._reindex(row)
                self._forget(row)
                row.due = due
                if due is not None:
                    heapq.heappush(self._heap, (due, row.serial, row))
        for name in unsorted:
            self.table(name).sort()
        self._undo = []

    # The past.

    @contextlib.contextmanager
    def as_of(self, moment: float) -> Iterator[None]:
        """Show the rows as they were at a moment; needs :attr:`history` to be kept."""
        changes = [undo for at, entry in self.history or () if at > moment for undo in entry]
        touched = {row.kind.name for _, row, _, _ in changes}
        changes = self._swap(reversed(changes))
        for name in touched:
            self.table(name).sort()
        try:
            yield
        finally:
            redone = self._swap(reversed(changes))
            for name in touched:
                self.table(name).sort()
            if self.history is not None:
                self._relearn(moment, redone)

    def _swap(self, changes: Iterable[Undo]) -> list[Undo]:
        back: list[Undo] = []
        for what, row, data, due in changes:
            if what == "edit":
                back.append(("edit", row, row.data, row.due))
                row.data = data
                if row.alive:
                    self._reindex(row)
                self._forget(row)
            elif what == "create":
                back.append(("remove", row, data, due))
                self._unlink(row)
            else:
                back.append(("create", row, data, due))
                self._link(row)
        return back

    def _relearn(self, moment: float, changes: list[Undo]) -> None:
        # What was swapped back is again what undoes each change: keep it under the old times.
        assert self.history is not None
        for index, (at, entry) in enumerate(self.history):
            if at > moment:
                size = len(entry)
                self.history[index] = (at, changes[:size])
                changes = changes[size:]

    # Saving.

    def dump(self) -> dict[str, Json]:
        """Return all rows as JSON-ready data, in the order of creation."""
        rows = [row for table in self._tables.values() for row in table.rows.values()]
        return {
            "serial": self._serial,
            "rows": [row.dump() for row in sorted(rows, key=_serial)],
        }

    def load(self, saved: dict[str, Json]) -> None:
        """Fill an empty store with the rows of :meth:`dump`."""
        self._serial = saved["serial"]
        for item in saved["rows"]:
            table = self.table(item["kind"])
            row = Row(table.kind, item["id"], item["account"], item["serial"], item["data"])
            row.due = item["due"]
            if row.due is not None:
                heapq.heappush(self._heap, (row.due, row.serial, row))
            self._link(row)


_encode = msgspec.json.Encoder(order="sorted").encode  # As the API does.
_serial = operator.attrgetter("serial")


def _never(_: Row) -> bool:
    return False
