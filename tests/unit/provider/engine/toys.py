"""A cloud of boxes and lids: a lid lies on a box."""

import contextlib
import dataclasses
from typing import ClassVar

from provider.engine import resource, world
from provider.osc import errors

OWNER = ("owner/me", "owned")
SCOPE = world.Scope(OWNER)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Toy(resource.Resource):
    """What boxes and lids have in common."""

    @classmethod
    def observe(cls, cloud, scope, world):
        for row in cloud.read(cls.KIND, **(scope.only or {"owner": scope.owner[0]})):
            yield cls._seen(row, world)

    @classmethod
    def lookalikes(cls, cloud, filters, key):
        rows = cloud.read(cls.KIND, **filters)
        seen = [cls._seen(row, world.World()) for row in rows]
        return [dataclasses.replace(each, key=key, is_taken=bool(each.tags)) for each in seen]

    def delete(self, cloud):
        cloud.call("delete", id=self.id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Box(Toy):
    KIND: ClassVar[str] = "box"
    CONDITION: ClassVar[str] = "BoxesReady"
    ID_FILTER: ClassVar[str] = "ids"
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"color"})
    IS_PART: ClassVar[bool] = False
    BROKEN: ClassVar[frozenset[str]] = frozenset({"torn"})
    BUSY: ClassVar[frozenset[str]] = frozenset({"drying"})
    OWN_TAGS: ClassVar[tuple[str, ...]] = ("box/",)

    size: int = 1
    color: str = "red"

    @classmethod
    def _seen(cls, row, _):
        fields = {name: row[name] for name in ("id", "state", "size", "color", "tags")}
        return cls(key=row["name"], **fields)

    def likeness(self):
        return {"size": self.size}

    def create(self, cloud):
        row = cloud.call("create", kind="box", name=self.key, size=self.size, color=self.color)
        return self._seen(row, None)

    def update(self, cloud, observed):
        cloud.call("paint", id=observed.id, color=self.color)
        return dataclasses.replace(observed, color=self.color)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lid(Toy):
    KIND: ClassVar[str] = "lid"
    CONDITION: ClassVar[str] = "LidsReady"

    box: Box

    @classmethod
    def _seen(cls, row, seen):
        box = seen.by_id(row["box"]) or Box(key="", id=row["box"])
        return cls(key=row["name"], id=row["id"], state=row["state"], tags=row["tags"], box=box)

    def likeness(self):
        return {"box": self.box.id}

    def create(self, cloud):
        row = cloud.call("create", kind="lid", name=self.key, box=self.box.id)
        return dataclasses.replace(self._seen(row, world.World()), box=self.box)


KINDS = (Box, Lid)


class Clock:
    """Time that passes only for those who wait."""

    def __init__(self):
        self.now_s = 0.0

    def monotonic_s(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


class Cloud:
    """Rows in memory; ``faults`` say by number of call what happens to it."""

    region = "toyland"
    alone = contextlib.nullcontext()

    def __init__(self):
        self.rows = {}
        self.calls = []
        self.faults = {}

    def call(self, action, /, **request):
        self.calls.append(action)
        fault = self.faults.get(len(self.calls)) or self.faults.get(action)
        if fault and fault != "lose":
            raise errors.ApiError(action, status=409, code=fault)
        answer = getattr(self, f"_{action}")(**request)
        if fault == "lose":
            raise errors.ApiError(action)
        return answer

    def read(self, action, /, **filters):
        self.calls.append(f"Read {action}")
        fault = self.faults.get(len(self.calls)) or self.faults.get(self.calls[-1])
        if fault:
            raise errors.ApiError(action, status=500, code=fault)
        rows = [row for row in self.rows.values() if row["kind"] == action]
        if "ids" in filters:
            return [row for row in rows if row["id"] in filters["ids"]]
        if "owner" in filters:
            return [row for row in rows if filters["owner"] in row["tags"]]
        return [row for row in rows if all(row.get(k) == v for k, v in filters.items())]

    def put(self, kind, name, *, owned=True, **fields):
        """Put something in, as if it had been there before."""
        id_ = self._create(kind=kind, name=name, **fields)["id"]
        self.rows[id_]["tags"] = dict([OWNER]) if owned else {}
        return self.rows[id_]

    def names(self, kind):
        return sorted(row["name"] for row in self.rows.values() if row["kind"] == kind)

    def _create(self, *, kind, name, **fields):
        row = {"id": f"{kind}-{len(self.calls)}-{len(self.rows)}", "kind": kind, "name": name}
        row |= {"state": "", "size": 1, "color": "red", "tags": {}, **fields}
        self.rows[row["id"]] = row
        return {**row, "tags": {}}

    def _delete(self, *, id):  # noqa: A002 - the field of the toys
        if any(row.get("box") == id for row in self.rows.values()):
            raise errors.ApiError("delete", status=409, code="9085")
        self.rows.pop(id)

    def _paint(self, *, id, color):  # noqa: A002 - the field of the toys
        self.rows[id]["color"] = color

    def _CreateTags(self, *, ResourceIds, Tags):  # noqa: N802, N803 - the API's own words
        for id_ in ResourceIds:
            self.rows[id_]["tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}


def box(key="a", **fields):
    return Box(key=key, **fields)


def lid(key="a", on=None, **fields):
    return Lid(key=key, box=on or box(), **fields)


def there(resource_, **fields):
    """Return a wanted resource as it is observed once it exists."""
    return dataclasses.replace(resource_, id=f"{resource_.KIND}-{resource_.key}", **fields)
