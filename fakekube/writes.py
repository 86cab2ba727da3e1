"""The write pipeline: decode, prepare, track managers, admit, default, validate, admit, commit.

A write works on a copy of the object as it is. When it had to wait for a webhook and the object
has changed meanwhile, it starts again, as the real server does; a write that waits for nobody
never has to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fakekube import crd, decoding, managers, meta, options, preparing, status, store
from fakekube.call import Call
from fakekube.options import WriteOptions
from fakekube.registry import Registry
from fakekube.resource import Resource
from fakekube.status import Cause
from fakekube.store import Record

Json = Any
Object = dict[str, Any]
Produce = Callable[[Object], Object]

TRIES = 5
NAME_TRIES = 8
NAME_LENGTH = 58
"""How much of ``generateName`` is used, so that five letters still fit a DNS label."""


class Written:
    """What a write did: the object to answer with, and the record where there is one."""

    __slots__ = ("is_created", "obj", "record")

    def __init__(
        self, obj: Object | None, record: Record | None, *, is_created: bool = False
    ) -> None:
        self.obj = obj
        self.record = record
        self.is_created = is_created


class Writer:
    """Writes to one registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.store = registry.store
        self.field_managers = managers.Managers(registry.catalog)

    # Creating.

    async def create(self, call: Call, obj: Object) -> Written:
        """Create the object of a POST."""
        wanted = options.write_options(call.query, "CreateOptions")
        decoding.check_kind(self.registry.catalog, call, obj)
        decoding.decode(call, obj, wanted)
        decoding.place(call, obj)
        return await self.create_decoded(call, obj, wanted, is_managed=False)

    def check_namespace(self, call: Call, name: str) -> None:
        """Refuse to create in a namespace that does not exist, or that is on its way out."""
        namespace = call.info.namespace
        resource = call.resource
        if not resource.namespaced:
            return
        found = self.store.get("namespaces", "", namespace)
        if found is None:
            raise status.not_found("namespaces", namespace)
        if found.obj["metadata"].get("deletionTimestamp"):
            text = (
                f"unable to create new content in namespace {namespace} "
                "because it is being terminated"
            )
            problem = status.forbidden(resource.plural, name, text, resource.group)
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            problem.details = {**(problem.details or {}), "causes": [cause]}
            raise problem

    async def create_decoded(
        self, call: Call, obj: Object, wanted: WriteOptions, *, is_managed: bool
    ) -> Written:
        """Go on with an object that is decoded and placed; ``is_managed`` after an apply."""
        resource = call.resource
        if resource.is_custom:
            crd.refuse_terminating(self.store, call, obj["metadata"].get("name", ""))
        call.warnings += decoding.owner_warnings(obj)
        if not is_managed:
            self._track(call, None, obj, "")
        # Some kinds are prepared from these two.
        obj["metadata"]["uid"] = self.registry.chance.uid()
        obj["metadata"]["creationTimestamp"] = self.registry.clock.stamp()
        preparing.reset_for_create(resource, obj)
        gate = self.registry.gate
        is_asking = gate is not None and not gate.is_idle(call, "CREATE")
        if is_asking:
            assert gate is not None, "It was asked."
            await asyncio.sleep(0)
            obj = await gate.mutate(call, "CREATE", obj, None)
            decoding.decode_again(call, obj)
        self.check_namespace(call, obj["metadata"].get("name", ""))
        key = ("", "")
        for left in range(NAME_TRIES - 1, -1, -1):
            is_named = bool(obj["metadata"].get("name"))
            new = obj if is_named or not left else store.clone(obj)
            is_generated = self._fill(new)
            if is_generated:
                # What depends on the name can be told only now.
                decoding.default(resource, new)
            self._check_new(call, new)
            if gate is not None and is_asking:
                await gate.validate(call, "CREATE", new, None)
            if new["metadata"].get("resourceVersion"):
                text = "resourceVersion should not be set on objects to be created"
                raise status.plain(500, text)
            table = resource.storage_key
            key = (new["metadata"].get("namespace", ""), new["metadata"]["name"])
            if self.store.get(table, *key) is None:
                return await self._commit_new(call, new, wanted)
            if not is_generated:
                raise status.already_exists(resource.plural, key[1], resource.group)
        raise status.no_free_name(resource.plural, key[1], resource.group)

    async def _commit_new(self, call: Call, obj: Object, wanted: WriteOptions) -> Written:
        if wanted.is_dry:
            return Written(meta.ordered(obj), None, is_created=True)
        obj["metadata"]["resourceVersion"] = ""
        stored = await self.to_storage(call.resource, meta.ordered(obj))
        record = self.store.create(call.resource.storage_key, stored)
        return Written(None, record, is_created=True)

    def _fill(self, obj: Object) -> bool:
        mine = obj["metadata"]
        mine.setdefault("uid", self.registry.chance.uid())
        mine.setdefault("creationTimestamp", self.registry.clock.stamp())
        if mine.get("name") or not mine.get("generateName"):
            return False
        mine["name"] = mine["generateName"][:NAME_LENGTH] + self.registry.chance.suffix()
        return True

    def _check_new(self, call: Call, obj: Object) -> None:
        resource = call.resource
        causes = meta.check(resource, obj)
        causes += self._causes(call, obj, None)
        if causes:
            raise resource.invalid(obj["metadata"].get("name", ""), causes)

    def _causes(self, call: Call, obj: Object, old: Object | None) -> list[Cause]:
        resource = call.resource
        found: list[Cause] = []
        if resource.schema is not None:
            found += resource.schema.validate(obj, old)
        elif resource.strategy.validate is not None:
            found += resource.strategy.validate(obj, old)
        if resource.scale is not None and resource.is_custom:
            found += preparing.scale_causes(resource.scale.spec_path, obj)
        if resource.strategy.warnings is not None:
            call.warnings += resource.strategy.warnings(obj, old)
        return found

    # Changing.

    async def update(self, call: Call, obj: Object) -> Written:
        """Replace an object by that of a PUT, on the main resource or a subresource."""
        wanted = options.write_options(call.query, "UpdateOptions")
        decoding.check_kind(self.registry.catalog, call, obj)
        decoding.decode(call, obj, wanted)
        name = obj["metadata"].get("name")
        if name != call.info.name:
            raise decoding.wrong_name(name, call.info.name)
        decoding.place(call, obj)
        resource = call.resource
        if self.registry.store.get(resource.storage_key, *self._key(call)) is None:
            if resource.creates_on_update and not call.info.subresource:
                obj["metadata"].pop("resourceVersion", None)
                return await self.create_decoded(call, obj, wanted, is_managed=False)
            raise resource.not_found(call.info.name)
        return await self.modify(call, lambda _: store.clone(obj), wanted, is_put=True)

    def _key(self, call: Call) -> tuple[str, str]:
        return (call.info.namespace if call.resource.namespaced else "", call.info.name)

    async def modify(
        self,
        call: Call,
        produce: Produce,
        wanted: WriteOptions,
        *,
        is_put: bool = False,
        is_managed: bool = False,
    ) -> Written:
        """Change an object to what ``produce`` makes of it, however often it has to be asked."""
        resource = call.resource
        key = self._key(call)
        for _ in range(TRIES):
            record = self.store.get(resource.storage_key, *key)
            if record is None:
                raise resource.not_found(call.info.name)
            old = await self.view(record, resource)
            new = produce(store.clone(old) if not is_put else old)
            if not is_put:
                try:
                    decoding.check_patched(self.registry.catalog, call, new, wanted)
                except decoding.Unreadable as problem:
                    raise decoding.unpatchable(
                        call, produce(store.clone(old)), str(problem)
                    ) from None
            self._check_versions(call, new, record, is_put=is_put)
            changed = await self._admit(call, new, old, is_managed=is_managed)
            stored = await self.to_storage(resource, meta.ordered(changed))
            if self.store.get(resource.storage_key, *key) is record:
                return self.finish(call, stored, changed, record, is_dry=wanted.is_dry)
            if is_put and new["metadata"].get("resourceVersion"):
                break
        raise resource.conflict(call.info.name)

    def _check_versions(self, call: Call, new: Object, record: Record, *, is_put: bool) -> None:
        resource = call.resource
        mine = new["metadata"]
        version = mine.get("resourceVersion")
        if not version:
            if is_put and not resource.unconditional_update:
                raise status.invalid(
                    resource.plural,
                    resource.group,
                    record.name,
                    [Cause(
                        "metadata.resourceVersion",
                        "FieldValueInvalid",
                        "Invalid value: 0: must be specified for an update",
                    )],
                )  # fmt: skip
            mine["resourceVersion"] = version = str(record.rv)
        if not version.isdigit():
            text = f'strconv.ParseUint: parsing "{version}": invalid syntax'
            raise status.plain(500, text)
        uid = mine.get("uid")
        if is_put and uid and uid != record.uid:
            text = (
                f"Precondition failed: UID in precondition: {uid}, UID in object meta: {record.uid}"
            )
            raise resource.conflict(record.name, text)
        if version != str(record.rv):
            raise resource.conflict(record.name)

    async def _admit(self, call: Call, new: Object, old: Object, *, is_managed: bool) -> Object:
        resource, sub = call.resource, call.info.subresource
        # Managers own what a client sends, also where the kind then takes it away.
        if not is_managed and not (resource.is_custom and sub == "scale"):
            self._track(call, old, new, sub)
        new = preparing.prepare_update(resource, sub, new, old)
        gate = self.registry.gate
        is_asking = gate is not None and not gate.is_idle(call, "UPDATE")
        if gate is not None and is_asking:
            # From here on the request is a task, which timeouts ask for.
            await asyncio.sleep(0)
            new = await gate.mutate(call, "UPDATE", new, old)
            decoding.decode_again(call, new)
            new = preparing.prepare_update(resource, sub, new, old)
        meta.dedup_owners(new)
        preparing.count_generation(resource, new, old)
        causes = meta.check(resource, new) if not resource.is_custom or not sub else []
        changes = meta.check_update(new, old)
        # Both the generic and the custom part of the real server check it.
        causes += changes * 2 if resource.is_custom else changes
        causes += self._causes(call, new, old)
        if causes:
            raise resource.invalid(call.info.name, causes)
        if gate is not None and is_asking:
            await gate.validate(call, "UPDATE", new, old)
        return new

    def _track(self, call: Call, old: Object | None, new: Object, subresource: str) -> None:
        self.field_managers.track(
            call.resource, old, new, call.manager, self.registry.clock.stamp(), subresource
        )

    def finish(
        self, call: Call, stored: Object, changed: Object, record: Record, *, is_dry: bool
    ) -> Written:
        """Commit a change, or the deletion that it completes; what changes nothing is no event."""
        table = call.resource.storage_key
        if preparing.is_deletable(stored):
            if not is_dry:
                self.store.delete(table, record, store.clone(stored))
            return Written(meta.ordered(changed), None)
        if stored == record.obj:
            return Written(None, record)
        if is_dry:
            return Written(meta.ordered(changed), None)
        return Written(None, self.store.update(table, stored, record))

    # Versions.

    async def view(self, record: Record, resource: Resource) -> Object:
        """Return a copy of an object in the version of a resource."""
        if self.registry.is_async(resource):
            await self.registry.load_views([record], resource)
            return self.registry.loaded(record, resource)
        return self.registry.view(record, resource)

    async def to_storage(self, resource: Resource, obj: Object) -> Object:
        """Return an object in the version in which it is stored."""
        wanted = resource.storage_api_version
        if obj["apiVersion"] == wanted:
            return obj
        if self.registry.is_async(resource):
            assert self.registry.converter is not None, "A webhook needs a converter."
            found = await self.registry.converter(resource, [obj], wanted)
            return found[0]
        return self.registry.convert(resource, obj, wanted)
