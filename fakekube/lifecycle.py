"""Deletion: preconditions, grace, finalizers, propagation, and the deletion of many."""

from __future__ import annotations

import asyncio
from typing import Any

from fakekube import clock, crd, meta, options, paths, status
from fakekube.call import Call
from fakekube.options import DeleteOptions
from fakekube.preparing import is_deletable
from fakekube.registry import Registry
from fakekube.store import Record
from fakekube.writes import Writer

Json = Any
Object = dict[str, Any]

KEPT_NAMESPACES = {"default", "kube-system", "kube-public"}
TRIES = 5


class Deleted:
    """What a deletion did: ``is_gone``, and the object as it is or was."""

    __slots__ = ("is_gone", "obj", "uid")

    def __init__(self, obj: Object, *, is_gone: bool) -> None:
        self.obj = obj
        self.is_gone = is_gone
        self.uid: str = obj["metadata"].get("uid", "")


class Deleter:
    """Deletes from one registry."""

    def __init__(self, registry: Registry, writer: Writer) -> None:
        self.registry = registry
        self.writer = writer
        self.store = registry.store

    async def delete(self, call: Call, wanted: DeleteOptions) -> Deleted:
        """Delete the object that a call names, or mark it as being deleted."""
        gate = self.registry.gate
        is_asking = gate is not None and not gate.is_idle(call, "DELETE")
        for _ in range(TRIES):
            record = self.registry.find(call)
            self._check(call, wanted, record)
            if gate is not None and is_asking:
                old = await self.writer.view(record, call.resource)
                await asyncio.sleep(0)
                await gate.mutate(call, "DELETE", {}, old, wanted.raw)
                await gate.validate(call, "DELETE", None, old, wanted.raw)
                if self.registry.find(call) is not record:
                    continue
            return await self._remove(call, wanted, record)
        raise call.resource.conflict(call.info.name)

    def _check(self, call: Call, wanted: DeleteOptions, record: Record) -> None:
        resource = call.resource
        if resource.storage_key == "namespaces" and record.name in KEPT_NAMESPACES:
            text = "this namespace may not be deleted"
            raise status.forbidden("namespaces", record.name, text)
        kind = resource.kind if resource.is_custom else resource.plural
        if wanted.uid is not None and wanted.uid != record.uid:
            text = (
                f"the UID in the precondition ({wanted.uid}) does not match the UID in record "
                f"({record.uid}). The object might have been deleted and then recreated"
            )
            raise status.conflict(kind, record.name, text, resource.group)
        if wanted.version is not None and wanted.version != str(record.rv):
            text = (
                f"the ResourceVersion in the precondition ({wanted.version}) does not match the "
                f"ResourceVersion in record ({record.rv}). The object might have been modified"
            )
            raise status.conflict(kind, record.name, text, resource.group)

    async def _remove(self, call: Call, wanted: DeleteOptions, record: Record) -> Deleted:
        obj = record.copy()
        mine = obj["metadata"]
        if call.resource.storage_key == crd.TABLE and not mine.get("deletionTimestamp"):
            mine.setdefault("finalizers", []).append(crd.FINALIZER)
        finalizers = _finalizers(mine.get("finalizers", []), wanted.propagation)
        if finalizers:
            mine["finalizers"] = finalizers
        else:
            mine.pop("finalizers", None)
        self._mark(call, wanted, obj)
        if call.resource.storage_key == crd.TABLE:
            crd.mark_terminating(obj, self.registry.clock.stamp())
        if call.resource.storage_key == "namespaces":
            obj.setdefault("status", {})["phase"] = "Terminating"
        is_gone = is_deletable(obj)
        if is_gone and not call.resource.returns_deleted:
            obj = record.copy()
        if not wanted.is_dry:
            if is_gone:
                self.store.delete(call.resource.storage_key, record, record.copy())
            elif obj != record.obj:
                record = self.store.update(call.resource.storage_key, obj, record)
        if call.resource.api_version != call.resource.storage_api_version:
            shown = Record(record.key, record.rv, obj)
            return Deleted(await self.writer.view(shown, call.resource), is_gone=is_gone)
        return Deleted(obj, is_gone=is_gone)

    def _mark(self, call: Call, wanted: DeleteOptions, obj: Object) -> None:
        mine = obj["metadata"]
        now = self.registry.clock.now()
        find = call.resource.strategy.grace_s
        grace = find(obj, wanted.grace_s) if find is not None else 0
        if mine.get("deletionTimestamp"):
            before = mine.get("deletionGracePeriodSeconds", 0)
            # A second deletion may only make it quicker.
            if find is None or wanted.grace_s is None or grace >= before:
                return
            asked = clock.parse(mine["deletionTimestamp"]) - before
            mine["deletionTimestamp"] = clock.stamp(asked + grace)
            mine["deletionGracePeriodSeconds"] = grace
            return
        if not (grace or mine.get("finalizers") or _is_kept(obj)):
            # It goes at once; the mark is for whoever asks whether it can go.
            mine["deletionTimestamp"] = self.registry.clock.stamp()
            mine["deletionGracePeriodSeconds"] = 0
            return
        mine["deletionTimestamp"] = clock.stamp(now + grace)
        if call.resource.storage_key == crd.TABLE:
            return
        if call.resource.storage_key != "namespaces":
            mine["deletionGracePeriodSeconds"] = grace
        if call.resource.has_generation or mine.get("generation"):
            mine["generation"] = mine.get("generation", 0) + 1

    async def delete_many(
        self, call: Call, lists: options.ListOptions, wanted: DeleteOptions
    ) -> tuple[list[Record], Json]:
        """Delete all objects that a list selects; return them as they were."""
        records, found = self.registry.select(call, lists)
        for record in list(records):
            info = paths.RequestInfo(
                call.info.method,
                call.info.path,
                "delete",
                is_resource=True,
                group=call.info.group,
                version=call.info.version,
                namespace=record.namespace,
                resource=call.info.resource,
                name=record.name,
            )
            one = Call(info, call.resource, call.query, call.user, call.agent)
            try:
                await self.delete(one, wanted)
            except status.ApiError as problem:
                if problem.code != 404:
                    raise
        return records, found


def _is_kept(obj: Object) -> bool:
    return obj["kind"] == "Namespace" and bool((obj.get("spec") or {}).get("finalizers"))


def _finalizers(finalizers: list[str], propagation: str) -> list[str]:
    if not propagation:
        return finalizers
    found = [name for name in finalizers if name not in {meta.FOREGROUND, meta.ORPHAN}]
    if propagation == "Foreground":
        found.append(meta.FOREGROUND)
    elif propagation == "Orphan":
        found.append(meta.ORPHAN)
    return found
