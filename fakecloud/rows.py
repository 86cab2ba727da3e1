"""A row is one resource: a plain dict in the shape of its schema, and what the store knows of it.

Keys that begin with ``_`` are facts which the API does not show.
"""

from __future__ import annotations

from fakecloud.kinds import Data, Json, Kind


class Row:
    """One resource: its kind, owner, place in the order of creation, and data."""

    __slots__ = (
        "account",
        "alive",
        "data",
        "due",
        "id",
        "keys",
        "kind",
        "serial",
        "turn",
        "view",
        "watchers",
        "wire",
    )

    def __init__(self, kind: Kind, id_: str, account: str, serial: int, data: Data) -> None:
        self.kind = kind
        self.id = id_
        self.account = account
        self.serial = serial
        self.data = data
        self.due: float | None = None
        self.alive = True
        self.keys: set[tuple[str, Json]] = set()
        self.turn = 0
        self.view: Data | None = None
        self.wire: bytes | None = None
        self.watchers: set[Row] | None = None

    def dump(self) -> Data:
        """Return the row as JSON-ready data of its own."""
        return {
            "kind": self.kind.name,
            "id": self.id,
            "account": self.account,
            "serial": self.serial,
            "due": self.due,
            "data": clone(self.data),
        }

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.id}>"

    def __lt__(self, other: Row) -> bool:
        # After an undone call the next one takes the same serials, so that a dead row and a live
        # one tie in the queue of transitions. Which comes first does not matter.
        return self.alive < other.alive

    def __getitem__(self, key: str) -> Json:
        return self.data[key]

    def get(self, key: str, default: Json = None) -> Json:
        """Return a field of the data, or ``default``."""
        return self.data.get(key, default)

    @property
    def state(self) -> str:
        """Return the state, or the empty text when the kind has none."""
        found = self.data.get(self.kind.state)
        if isinstance(found, str):  # Most have it at the top.
            return found
        deep = values(self.data, self.kind.state)
        return deep[0] if deep else ""

    @property
    def is_live(self) -> bool:
        """Tell whether the row can still be used and holds what it refers to."""
        return self.alive and self.state not in self.kind.tombstones


def watch(watched: Row | Bucket, reader: Row) -> None:
    """Remember that a row's view was made from what is watched: it is stale when that changes."""
    if watched.watchers is None:  # Most are never watched, and an empty set takes 200 bytes.
        watched.watchers = {reader}
    else:
        watched.watchers.add(reader)


class Bucket(dict[str, Row]):
    """The rows that share one indexed value, in the order in which they came."""

    __slots__ = ("watchers",)

    def __init__(self) -> None:
        super().__init__()
        self.watchers: set[Row] | None = None


class Table:
    """The rows of one kind in one region, and their indices."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.buckets: dict[tuple[str, Json], Bucket] = {}
        # Views that looked for a row in vain: they are stale when it comes.
        self.missed: dict[str, set[Row]] = {}

    def sort(self) -> None:
        """Put the rows back in the order of creation."""
        self.rows = dict(sorted(self.rows.items(), key=lambda item: item[1].serial))


def keys(row: Row) -> set[tuple[str, Json]]:
    """Return the (path, value) pairs under which a row is found."""
    found: set[tuple[str, Json]] = {("account", row.account)}
    if row.is_live:
        found.add(("live", row.account))
    data = row.data
    for path in row.kind.plain_paths:
        value = data.get(path)
        if isinstance(value, list):
            found.update([(path, item) for item in value])
        elif value is not None:
            found.add((path, value))
    for path in row.kind.deep_paths:
        found.update([(path, value) for value in values(data, path)])
    for tag in data.get("Tags", ()):
        found.add(("TagKey", tag["Key"]))
        found.add(("TagValue", tag["Value"]))
        found.add(("Tag", f"{tag['Key']}={tag['Value']}"))
    return found


def values(data: Json, path: str) -> list[Json]:
    """Return what stands at a dotted path, looking into every item of the lists on the way."""
    if "." not in path:
        found = data.get(path) if isinstance(data, dict) else None
        if found is None:
            return []
        return found if isinstance(found, list) else [found]
    first, rest = path.split(".", 1)
    inner = data.get(first) if isinstance(data, dict) else None
    if inner is None:
        return []
    if isinstance(inner, list):
        return [value for item in inner for value in values(item, rest)]
    return values(inner, rest)


def put(data: Data, path: str, value: Json) -> None:
    """Write a value at a dotted path of nested dicts."""
    *parents, last = path.split(".")
    for name in parents:
        data = data.setdefault(name, {})
    data[last] = value


def public(data: Data) -> Data:
    """Return the keys that the API shows."""
    return {key: value for key, value in data.items() if key[0] != "_"}


def clone(value: Json) -> Json:
    """Copy nested dicts and lists; everything else is shared."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value
