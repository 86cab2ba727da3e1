"""The heart of the server: which resources there are, and how their objects are read.

Writing is in ``fakekube.writes``, deleting in ``fakekube.lifecycle``; they work on a registry.
Everything here is synchronous, so that a request sees one state of the store.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fakekube import catalog, clock, codec, options, status, store, watch
from fakekube.call import Call
from fakekube.resource import Resource
from fakekube.store import Record

Json = Any
Object = dict[str, Any]
LOAD_TRIES = 5
"""How often the first objects of a watch are converted anew because some have changed."""

_INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


class Gate(Protocol):
    """Admission as the write pipeline sees it."""

    def is_idle(self, call: Call, operation: str) -> bool:
        """Tell whether nobody is to be asked, so that the write need not wait."""

    async def mutate(
        self,
        call: Call,
        operation: str,
        new: Object,
        old: Object | None,
        options: Object | None = None,
    ) -> Object:
        """Return the object as the mutating webhooks leave it; ``options`` of a deletion."""

    async def validate(
        self,
        call: Call,
        operation: str,
        new: Object | None,
        old: Object | None,
        options: Object | None = None,
    ) -> None:
        """Raise when a validating webhook refuses."""


class Registry:
    """The state of one server."""

    def __init__(self, time: clock.Clock, chance: clock.Chance) -> None:
        self.clock = time
        self.chance = chance
        self.store = store.Store()
        self.catalog = catalog.Catalog()
        self.gate: Gate | None = None
        self.converter: Callable[[Resource, list[Object], str], Awaitable[list[Object]]] | None
        self.converter = None
        """Convert objects by webhook: resource, objects, wanted ``apiVersion``."""

    # Which state of an object a client sees.

    def is_async(self, resource: Resource) -> bool:
        """Tell whether reading needs a conversion webhook."""
        # A definition that was changed may have had another stored version before.
        return resource.conversion_webhook is not None and (
            resource.api_version != resource.storage_api_version or resource.defaults_on_read
        )

    def raw(self, record: Record, resource: Resource) -> bytes:
        """Return the bytes of an object in the version of a resource."""
        if resource.api_version == resource.storage_api_version and not resource.defaults_on_read:
            return record.raw
        if record.views is None:
            record.views = {}
        found = record.views.get(resource)
        if found is None:
            found = record.views[resource] = store.encode(self.view(record, resource))
        return found

    def view(self, record: Record, resource: Resource) -> Object:
        """Return a copy of an object in the version of a resource."""
        obj = record.copy()
        wanted = resource.api_version
        if obj["apiVersion"] != wanted:
            obj = self.convert(resource, obj, wanted)
            if resource.schema is not None:
                resource.schema.prune(obj)
        if resource.schema is not None and (
            resource.defaults_on_read or wanted != resource.storage_api_version
        ):
            resource.schema.default(obj)
        return obj

    def convert(self, resource: Resource, obj: Object, wanted: str) -> Object:
        """Return an object in another version, without a webhook."""
        if resource.convert is not None:
            return resource.convert(obj, obj["apiVersion"], wanted)
        obj["apiVersion"] = wanted
        return obj

    async def load_views(self, records: list[Record], resource: Resource) -> None:
        """Have objects converted by webhook, so that ``raw`` has their bytes."""
        missing = [each for each in records if not each.views or resource not in each.views]
        if not missing:
            return
        assert self.converter is not None, "A conversion webhook needs a converter."
        objects = [record.copy() for record in missing]
        converted = await self.converter(resource, objects, resource.api_version)
        for record, obj in zip(missing, converted, strict=True):
            if resource.schema is not None:
                resource.schema.prune(obj)
                resource.schema.default(obj)
            if record.views is None:
                record.views = {}
            record.views[resource] = store.encode(obj)

    def loaded(self, record: Record, resource: Resource) -> Object:
        """Return a copy of an object of which ``load_views`` has been awaited."""
        found: Object = store.decode(self.raw(record, resource))
        return found

    # Reading.

    def find(self, call: Call) -> Record:
        """Return the object that a call names."""
        info = call.info
        record = self.store.get(call.resource.storage_key, self._namespace(call), info.name)
        if record is None:
            raise call.resource.not_found(info.name)
        return record

    def _namespace(self, call: Call) -> str:
        return call.info.namespace if call.resource.namespaced else ""

    def get(self, call: Call) -> Record:
        """Return the object of a GET, which may ask for a version at least."""
        version = call.query.get("resourceVersion")
        if version and version != "0":
            self._check_not_new(options.parse_version(version))
        return self.find(call)

    def _check_not_new(self, rv: int) -> None:
        if rv > self.store.rv:
            raise status.too_new(rv, self.store.rv)

    def select(self, call: Call, wanted: options.ListOptions) -> tuple[list[Record], Json]:
        """Return the objects of a list, and the metadata of the list."""
        table = self.store.table(call.resource.storage_key)
        records, rv = self._state(table, self._namespace(call), wanted)
        select = watch.selecting(wanted, self.fields(call.resource, wanted))
        meta: Json = {"resourceVersion": str(rv)}
        if call.resource.is_custom:
            meta["continue"] = ""
        if wanted.token is not None:
            start = wanted.token.start
            first = bisect.bisect_left(records, start, key=store.BY_PLACE)
            records = records[first:]
        if select is not None:
            records = [record for record in records if select(record)]
        if wanted.limit and len(records) > wanted.limit:
            left = len(records) - wanted.limit
            records = records[: wanted.limit]
            meta["continue"] = options.Continue(rv, records[-1].place + "\0").token()
            if select is None:
                meta["remainingItemCount"] = left
        return records, meta

    def ordered(self, call: Call) -> list[Record]:
        """Return all objects of the namespace of a call, as the table keeps them."""
        return self.store.table(call.resource.storage_key).list(self._namespace(call))

    def _state(
        self, table: store.Table, namespace: str, wanted: options.ListOptions
    ) -> tuple[list[Record], int]:
        now = self.store.rv
        if wanted.token is not None:
            if wanted.version not in {"", "0"}:
                text = "specifying resource version is not allowed when using continue"
                raise status.bad_request(text)
            rv = wanted.token.rv if wanted.token.rv > 0 else now
            try:
                return table.at(namespace, rv), rv
            except KeyError:
                token = options.Continue(-1, wanted.token.start).token()
                problem = status.gone(_INCONSISTENT)
                problem.meta["continue"] = token
                raise problem from None
        rv = options.parse_version(wanted.version)
        if rv:
            self._check_not_new(rv)
            if wanted.match == "Exact" or (wanted.limit and not wanted.match):
                try:
                    return table.at(namespace, rv), rv
                except KeyError:
                    text = "The resourceVersion for the provided list is too old."
                    raise status.gone(text) from None
        return table.list(namespace), now

    def fields(
        self, resource: Resource, wanted: options.ListOptions
    ) -> Callable[[Record], Callable[[str], str]]:
        """Return how the fields of a field selector are read; refuse fields nobody can select."""
        known = {"metadata.name"} | ({"metadata.namespace"} if resource.namespaced else set())
        for term in wanted.fields:
            if term.field not in known and term.field not in resource.selectable:
                raise self._unselectable(resource, term.field)

        def reader(record: Record) -> Callable[[str], str]:
            def read(field: str) -> str:
                if field == "metadata.name":
                    return record.name
                if field == "metadata.namespace":
                    return record.namespace
                return resource.selectable[field](record.obj)

            return read

        return reader

    def _unselectable(self, resource: Resource, field: str) -> status.ApiError:
        if resource.is_custom:
            return status.bad_request(f"field label not supported: {field}")
        if not resource.selectable:
            known = '"metadata.name", "metadata.namespace"'
            return status.bad_request(f'"{field}" is not a known field selector: only {known}')
        return status.bad_request(f"field label not supported: {field}")

    def list_parts(
        self, call: Call, records: list[Record], meta: Json, *, is_whole: bool
    ) -> list[bytes]:
        """Return the body of a list; the items of a whole list are kept until it changes."""
        resource = call.resource
        head = store.encode(
            {"kind": resource.list_kind_name, "apiVersion": resource.api_version, "metadata": meta}
        )
        table = self.store.table(resource.storage_key)
        key = (self._namespace(call), resource.api_version)
        items = table.joined.get(key) if is_whole else None
        if items is None:
            items = b",".join(self.items(records, resource))
            if is_whole:
                table.joined[key] = items
        return [head[:-1], b',"items":[', items, b"]}\n"]

    def items(self, records: list[Record], resource: Resource) -> list[bytes]:
        """Return objects as they stand in a list: built-in ones without kind and version."""
        raws = [self.raw(record, resource) for record in records]
        if resource.is_custom:
            return raws
        prefix = store.encode({"kind": resource.kind, "apiVersion": resource.api_version})
        start = len(prefix) - 1
        # What follows the prefix is a comma and the metadata.
        return [b"{" + raw[start + 1 :] if raw[:start] == prefix[:-1] else raw for raw in raws]

    # Watching.

    async def load_watch(self, call: Call, wanted: options.ListOptions) -> None:
        """Have all that a watch shows first converted by webhook."""
        table = self.store.table(call.resource.storage_key)
        namespace = self._namespace(call)
        for _ in range(LOAD_TRIES):
            now = self.store.rv
            records = list(table.list(namespace))
            if wanted.version.isdigit() and int(wanted.version) >= table.compacted:
                for event in table.since(namespace, int(wanted.version)):
                    records += [event.record] if event.old is None else [event.record, event.old]
            await self.load_views(records, call.resource)
            if now == self.store.rv:
                return

    def watch(
        self,
        call: Call,
        wanted: options.ListOptions,
        encode: Callable[[str, Record, int], bytes],
        bookmark: Callable[[int, bool], bytes],
    ) -> watch.Watch:
        """Return a watch that has taken in the past that the client missed."""
        table = self.store.table(call.resource.storage_key)
        namespace = self._namespace(call)
        rv = options.parse_version(wanted.version, is_watch=True)
        select = watch.selecting(wanted, self.fields(call.resource, wanted))
        parts = (table, namespace, wanted, select, encode, bookmark)
        if self.is_async(call.resource):
            converted = watch.ConvertedWatch(*parts)
            converted.load = lambda record: self.load_views([record], call.resource)
            found: watch.Watch = converted
        else:
            found = watch.Watch(*parts)
        if wanted.initial_events or (rv == 0 and wanted.initial_events is None):
            mark = self.store.rv if wanted.initial_events and wanted.wants_bookmarks else None
            found.prepare(list(table.list(namespace)), [], mark)
        elif rv == 0:
            found.prepare([], [], None)
        else:
            try:
                events = table.since(namespace, rv)
            except KeyError:
                text = f"too old resource version: {rv} ({table.compacted})"
                found.fail(status.gone(text))
            else:
                found.prepare([], events, None)
        return found


def with_version(raw: bytes, old: int, new: int) -> bytes:
    """Return the bytes of an object at another resource version."""
    if old == new:
        return raw
    was = b'"resourceVersion":"%d"' % old
    return raw.replace(was, b'"resourceVersion":"%d"' % new, 1)


@functools.lru_cache(maxsize=1024)
def media_types(resource: Resource) -> tuple[str, ...]:
    """Return the formats in which a resource is served."""
    if resource.is_custom:
        return codec.CUSTOM_MEDIA_TYPES
    known = codec.protobuf().is_known
    kinds = (resource.kind, resource.list_kind_name)
    has_protobuf = all(known(resource.api_version, kind) for kind in kinds)
    return codec.MEDIA_TYPES if has_protobuf else codec.CUSTOM_MEDIA_TYPES
