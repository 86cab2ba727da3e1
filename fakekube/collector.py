"""What Kubernetes' own controllers do: owners take dependents along, namespaces their content.

Work is queued by the commits that cause it. It is done before the answer that caused it when the
clock is frozen, and in the background when it runs.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from fakekube import meta, options, paths, preparing, status, store
from fakekube.call import Call
from fakekube.lifecycle import Deleter
from fakekube.registry import Registry
from fakekube.resource import Resource
from fakekube.store import DELETED, Event, Record

Json = Any
Object = dict[str, Any]
Place = tuple[str, str, str]
"""Table, namespace and name."""

COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"
NAMESPACES = "system:serviceaccount:kube-system:namespace-controller"
MANAGER = "kube-controller-manager"
NAMESPACE_FINALIZER = "kubernetes"


class Collector:
    """The garbage collector and the namespace controller of one server."""

    def __init__(self, registry: Registry, deleter: Deleter, user: Any) -> None:
        self.registry = registry
        self.deleter = deleter
        self.store = registry.store
        self.managers = deleter.writer.field_managers
        self._user = user
        """Make the user for a name."""
        self._dependents: dict[str, dict[Place, None]] = {}
        self._waiting: dict[str, Place] = {}
        """Owners that wait for their dependents, by uid."""
        self._queue: deque[tuple[str, Any]] = deque()
        self._queued: set[tuple[str, Any]] = set()
        self._expiring: list[tuple[float, int, str, store.Key]] = []
        self._ttl: dict[str, int] = {}
        self._ttl_revision = -1
        self.store.listeners.append(self._listen)

    def __bool__(self) -> bool:
        return bool(self._queue)

    def _add(self, what: str, about: Any) -> None:
        if (what, about) not in self._queued:
            self._queued.add((what, about))
            self._queue.append((what, about))

    def empty(self, table: str) -> None:
        """Delete all objects of a table, soon."""
        self._add("table", table)

    # Seeing what happens.

    def _listen(self, table: str, event: Event) -> None:
        record, old = event.record, event.old
        place = (table, *record.key)
        mine = record.obj["metadata"]
        owners = _uids(mine)
        was = _uids(old.obj["metadata"]) if old is not None else ()
        if event.type == DELETED:
            self._forget(place, was)
            self._waiting.pop(record.uid, None)
            if record.uid in self._dependents:
                self._add("absent", record.uid)
            for uid in was:
                self._add("owner", uid)
            self._check_namespace(record.key[0])
            return
        if owners != was:
            self._forget(place, [uid for uid in was if uid not in owners])
            for uid in owners:
                self._dependents.setdefault(uid, {})[place] = None
            self._add("dependent", place)
        if mine.get("deletionTimestamp"):
            self._notice_deleting(place, record, owners)
        ttl = self._ttl_of(table)
        if ttl:
            due = self.registry.clock.now() + ttl
            heapq.heappush(self._expiring, (due, record.rv, table, record.key))

    def _notice_deleting(self, place: Place, record: Record, owners: tuple[str, ...]) -> None:
        finalizers = record.obj["metadata"].get("finalizers", ())
        if meta.FOREGROUND in finalizers or meta.ORPHAN in finalizers:
            self._waiting[record.uid] = place
            self._add("deleting", place)
        if place[0] == "namespaces":
            self._add("namespace", record.name)
        for uid in owners:
            self._add("owner", uid)

    def _forget(self, place: Place, uids: Any) -> None:
        for uid in uids:
            found = self._dependents.get(uid)
            if found is not None:
                found.pop(place, None)
                if not found:
                    del self._dependents[uid]

    def _check_namespace(self, name: str) -> None:
        if name:
            found = self.store.get("namespaces", "", name)
            if found is not None and found.obj["metadata"].get("deletionTimestamp"):
                self._add("namespace", name)

    def _ttl_of(self, table: str) -> int:
        if self._ttl_revision != self.registry.catalog.revision:
            self._ttl = {r.storage_key: r.ttl_s for r in self.registry.catalog if r.ttl_s}
            self._ttl_revision = self.registry.catalog.revision
        return self._ttl.get(table, 0)

    def expire(self) -> None:
        """Remove what has lived its time."""
        now = self.registry.clock.now()
        while self._expiring and self._expiring[0][0] <= now:
            _, rv, table, key = heapq.heappop(self._expiring)
            record = self.store.get(table, *key)
            if record is not None and record.rv == rv:
                self.store.delete(table, record)

    # Doing something about it.

    async def drain(self) -> None:
        """Do all work that is queued, and what follows from it."""
        tasks: dict[str, Callable[[Any], Awaitable[None]]] = {
            "absent": self._owner_is_gone,
            "dependent": self._check_dependent,
            "owner": self._check_owner,
            "deleting": self._deleting,
            "namespace": self._empty_namespace,
            "table": self._empty_table,
        }
        while self._queue:
            work = self._queue.popleft()
            self._queued.discard(work)
            try:
                await tasks[work[0]](work[1])
            except status.ApiError:
                # A webhook refuses, or the object has changed: the next event brings it back.
                continue

    def _record(self, place: Place) -> Record | None:
        return self.store.get(*place)

    async def _owner_is_gone(self, uid: str) -> None:
        for place in tuple(self._dependents.get(uid, ())):
            await self._check_dependent(place)

    def _owner(self, owner: Json, namespace: str) -> Record | bool | None:
        """Return the owner; False when its kind is not known, so that nothing can be said."""
        resource = self.registry.catalog.of_kind(owner.get("apiVersion", ""), owner.get("kind", ""))
        if resource is None:
            return False
        place = namespace if resource.namespaced else ""
        record = self.store.get(resource.storage_key, place, owner.get("name", ""))
        return record if record is not None and record.uid == owner.get("uid") else None

    async def _check_dependent(self, place: Place) -> None:
        """Delete a dependent without an owner, or with one that waits for it."""
        record = self._record(place)
        if record is None or record.obj["metadata"].get("deletionTimestamp"):
            return
        solid, dangling, waiting = [], [], []
        for owner in record.obj["metadata"].get("ownerReferences", ()):
            found = self._owner(owner, record.namespace)
            if found is None:
                dangling.append(owner)
            elif found is not False and found is not True and _waits(found):
                waiting.append(owner)
            else:
                solid.append(owner)
        if solid and (dangling or waiting):
            gone = [each["uid"] for each in [*dangling, *waiting]]
            self._disown(place, record, gone)
        elif not solid and waiting and self._dependents.get(record.uid):
            await self._delete(place, "Foreground")
        elif not solid and (dangling or waiting):
            await self._delete(place, _propagation(record))

    def _disown(self, place: Place, record: Record, uids: list[str]) -> None:
        obj = record.copy()
        mine = obj["metadata"]
        kept = [each for each in mine.get("ownerReferences", ()) if each["uid"] not in uids]
        if kept:
            mine["ownerReferences"] = kept
        else:
            mine.pop("ownerReferences", None)
        self._commit(place[0], obj, record)

    async def _check_owner(self, uid: str) -> None:
        """Look again at an owner that waits, after something about a dependent changed."""
        place = self._waiting.get(uid)
        if place is not None:
            await self._deleting(place)

    async def _deleting(self, place: Place) -> None:
        record = self._record(place)
        if record is None:
            return
        finalizers = record.obj["metadata"].get("finalizers", ())
        dependents = tuple(self._dependents.get(record.uid, ()))
        if meta.ORPHAN in finalizers:
            for each in dependents:
                found = self._record(each)
                if found is not None:
                    self._disown(each, found, [record.uid])
            self._remove_finalizer(place, meta.ORPHAN)
        elif meta.FOREGROUND in finalizers:
            for each in dependents:
                await self._check_dependent(each)
            if not any(self._blocks(each, record.uid) for each in dependents):
                self._remove_finalizer(place, meta.FOREGROUND)

    def _blocks(self, place: Place, uid: str) -> bool:
        record = self._record(place)
        return record is not None and any(
            owner["uid"] == uid and owner.get("blockOwnerDeletion")
            for owner in record.obj["metadata"].get("ownerReferences", ())
        )

    def _remove_finalizer(self, place: Place, name: str) -> None:
        record = self._record(place)
        if record is None:
            return
        obj = record.copy()
        kept = [each for each in obj["metadata"].get("finalizers", ()) if each != name]
        if kept:
            obj["metadata"]["finalizers"] = kept
        else:
            obj["metadata"].pop("finalizers", None)
        self._commit(place[0], obj, record)

    def _commit(self, table: str, obj: Object, record: Record) -> None:
        resource = self.registry.catalog.stored(table)
        if resource is not None:
            now = self.registry.clock.stamp()
            self.managers.track(resource, record.obj, obj, MANAGER, now, "")
        if preparing.is_deletable(obj):
            self.store.delete(table, record, obj)
        elif obj != record.obj:
            self.store.update(table, obj, record)

    async def _delete(self, place: Place, propagation: str, name: str = COLLECTOR) -> None:
        call = self._call(place, name)
        if call is not None:
            record = self._record(place)
            uid = record.uid if record else None
            await self.deleter.delete(call, options.DeleteOptions(propagation=propagation, uid=uid))

    def _call(self, place: Place, name: str) -> Call | None:
        resource = self.registry.catalog.stored(place[0])
        if resource is None:
            return None
        info = _info(resource, place)
        return Call(info, resource, {}, self._user(name), "kube-controller-manager")

    async def _empty_table(self, table: str) -> None:
        for record in tuple(self.store.table(table).list()):
            if not record.obj["metadata"].get("deletionTimestamp"):
                await self._delete((table, *record.key), "Background")

    # Namespaces.

    async def _empty_namespace(self, name: str) -> None:
        record = self.store.get("namespaces", "", name)
        if record is None or not record.obj["metadata"].get("deletionTimestamp"):
            return
        for table, rows in tuple(self.store.tables.items()):
            for key in tuple(rows.namespaces.get(name, ())):
                place = (table, name, key)
                found = self._record(place)
                if found is not None and not found.obj["metadata"].get("deletionTimestamp"):
                    await self._delete(place, "Background", NAMESPACES)
        record = self.store.get("namespaces", "", name)
        if record is None:
            return
        left = [
            found
            for rows in self.store.tables.values()
            for found in rows.namespaces.get(name, {}).values()
        ]
        obj = record.copy()
        if left:
            self._tell_content(obj, left)
        elif "spec" in obj:
            kept = [f for f in obj["spec"].get("finalizers", ()) if f != NAMESPACE_FINALIZER]
            obj["spec"] = {"finalizers": kept} if kept else {}
        self._commit("namespaces", obj, record)

    def _tell_content(self, obj: Object, left: list[Record]) -> None:
        counts: dict[str, int] = {}
        waiting: dict[str, int] = {}
        for record in left:
            resource = self.registry.catalog.of_kind(record.obj["apiVersion"], record.obj["kind"])
            name = resource.qualified if resource else record.obj["kind"]
            name = name if "." in name else f"{name}."
            counts[name] = counts.get(name, 0) + 1
            for finalizer in record.obj["metadata"].get("finalizers", ()):
                waiting[finalizer] = waiting.get(finalizer, 0) + 1
        some = ", ".join(f"{k} has {n} resource instances" for k, n in sorted(counts.items()))
        held = ", ".join(f"{k} in {n} resource instances" for k, n in sorted(waiting.items()))
        rows = [
            ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered",
             "All resources successfully discovered"),
            ("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
             "All legacy kube types successfully parsed"),
            ("NamespaceDeletionContentFailure", "False", "ContentDeleted",
             "All content successfully deleted, may be waiting on finalization"),
            ("NamespaceContentRemaining", "True", "SomeResourcesRemain",
             f"Some resources are remaining: {some}"),
            ("NamespaceFinalizersRemaining", "True" if held else "False",
             "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
             f"Some content in the namespace has finalizers remaining: {held}" if held
             else "All content-preserving finalizers finished"),
        ]  # fmt: skip
        before = {each["type"]: each for each in obj.get("status", {}).get("conditions", ())}
        conditions = []
        for type_, value, reason, message in rows:
            was = before.get(type_)
            same = was is not None and was["status"] == value
            at = was["lastTransitionTime"] if same and was else self.registry.clock.stamp()
            conditions.append(
                {
                    "type": type_,
                    "status": value,
                    "lastTransitionTime": at,
                    "reason": reason,
                    "message": message,
                }
            )
        obj.setdefault("status", {})["conditions"] = conditions


def _uids(mine: Object) -> tuple[str, ...]:
    owners = mine.get("ownerReferences")
    return tuple(each.get("uid", "") for each in owners) if owners else ()


def _waits(record: Record) -> bool:
    mine = record.obj["metadata"]
    return bool(mine.get("deletionTimestamp")) and meta.FOREGROUND in mine.get("finalizers", ())


def _propagation(record: Record) -> str:
    finalizers = record.obj["metadata"].get("finalizers", ())
    if meta.ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if meta.FOREGROUND in finalizers else "Background"


def _info(resource: Resource, place: Place) -> paths.RequestInfo:
    return paths.RequestInfo(
        "DELETE",
        "",
        "delete",
        is_resource=True,
        group=resource.group,
        version=resource.version,
        namespace=place[1],
        resource=resource.plural,
        name=place[2],
    )
