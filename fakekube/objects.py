"""Routes of resources: verbs and subresources to reads and writes, objects to bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakekube import codec, options, patches, status, store, subresources, watch
from fakekube.call import Call, Request, Response
from fakekube.registry import with_version
from fakekube.store import Record
from fakekube.writes import Written

if TYPE_CHECKING:
    from fakekube.server import Kube

Json = Any
Object = dict[str, Any]

METHODS = {
    "get": ("get", "list", "watch"),
    "create": ("create",),
    "update": ("update",),
    "patch": ("patch",),
    "delete": ("delete", "deletecollection"),
}


class Objects:
    """Answers requests for resources of one server."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self.registry = kube.registry
        self._verbs = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_many,
        }
        self._subresources = subresources.Subresources(kube, self)

    async def answer(self, call: Call, request: Request) -> Response:
        """Answer a request for a resource."""
        info, resource = call.info, call.resource
        if info.subresource:
            return await self._subresources.answer(call, request)
        verb = info.verb
        if verb not in self._verbs or verb not in resource.verbs or self._is_misplaced(call):
            raise status.method_not_allowed()
        return await self._verbs[verb](call, request)

    def _is_misplaced(self, call: Call) -> bool:
        info = call.info
        is_one = info.verb in {"get", "update", "patch", "delete"}
        if call.resource.namespaced and not info.namespace:
            return info.verb not in {"list", "watch"}
        return (info.verb == "create" and bool(info.name)) or (is_one and not info.name)

    # Reading.

    async def _get(self, call: Call, _: Request) -> Response:
        record = self.registry.get(call)
        return await self.send(call, record)

    async def _list(self, call: Call, _: Request) -> Response:
        wanted = options.list_options(call.query)
        records, meta = self.registry.select(call, wanted)
        # The kept order is the whole list, and nothing else is that very object.
        is_whole = records is self.registry.ordered(call)
        return await self.send_list(call, records, meta, is_whole=is_whole)

    async def send_list(
        self, call: Call, records: list[Record], meta: Json, *, is_whole: bool = False
    ) -> Response:
        """Answer with a list in the format that the client reads."""
        if self.registry.is_async(call.resource):
            await self.registry.load_views(records, call.resource)
        media = call.media
        if not media.shape:
            parts = self.registry.list_parts(call, records, meta, is_whole=is_whole)
            if media.format == codec.JSON:
                return Response(200, parts)
            obj = store.decode(b"".join(parts))
            return self._written(200, obj, media.format)
        shown = [store.decode(self.registry.raw(record, call.resource)) for record in records]
        if media.shape == "Table":
            obj = self.kube.roots.table(call, shown, meta)
        else:
            items = [codec.partial_metadata(each) for each in shown]
            kind = "PartialObjectMetadataList"
            obj = {"kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items}
        return self._written(200, obj, media.format)

    async def _watch(self, call: Call, _: Request) -> Response:
        wanted = options.list_options(call.query)
        if self.registry.is_async(call.resource):
            await self.registry.load_watch(call, wanted)
        return self.kube.watches.open(call, wanted)

    # Answering with one object.

    async def send(self, call: Call, record: Record, code: int = 200) -> Response:
        """Answer with an object as it is stored."""
        resource, media = call.resource, call.media
        if self.registry.is_async(resource):
            await self.registry.load_views([record], resource)
        raw = self.registry.raw(record, resource)
        if media.is_plain:
            return Response(code, [raw, b"\n"])
        return self.shaped(call, store.decode(raw), code)

    def shaped(self, call: Call, obj: Object, code: int = 200) -> Response:
        """Answer with an object in the shape and format that the client reads."""
        media = call.media
        if media.shape == "Table":
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            obj = self.kube.roots.table(call, [obj], meta)
        elif media.shape:
            obj = codec.partial_metadata(obj)
        return self._written(code, obj, media.format)

    def _written(self, code: int, obj: Object, format_: str) -> Response:
        return Response(code, [codec.write(obj, format_)], format_)

    async def send_written(self, call: Call, written: Written) -> Response:
        """Answer a write."""
        code = 201 if written.is_created else 200
        if written.record is not None:
            return await self.send(call, written.record, code)
        assert written.obj is not None, "A write has a record or an object."
        return self.shaped(call, written.obj, code)

    # Writing.

    def body(self, call: Call, request: Request, kind: str = "") -> Object:
        """Return the object of a request."""
        return codec.decode_object(request.body, call.content_type, call.resource, kind=kind)

    async def _create(self, call: Call, request: Request) -> Response:
        review = self.kube.roots.reviews.get((call.resource.group, call.resource.plural))
        obj = self.body(call, request)
        if review is not None:
            return self.shaped(call, review(call, obj), 201)
        return await self.send_written(call, await self.kube.writer.create(call, obj))

    async def _update(self, call: Call, request: Request) -> Response:
        obj = self.body(call, request)
        return await self.send_written(call, await self.kube.writer.update(call, obj))

    async def _patch(self, call: Call, request: Request) -> Response:
        written = await patches.patch(self.kube.writer, call, request.body)
        return await self.send_written(call, written)

    # Deleting.

    def delete_options(self, call: Call, request: Request) -> options.DeleteOptions:
        """Return how something is to be deleted."""
        body: Json = None
        if request.body:
            content_type = codec.media_type(call.content_type) or codec.JSON
            if content_type not in codec.MEDIA_TYPES:
                raise status.unsupported_media_type(codec.MEDIA_TYPES)
            try:
                body = codec.unstructured(request.body, content_type)
            except ValueError as error:
                text = f"couldn't get version/kind; json parse error: {error}"
                raise status.plain(500, text) from None
            if not isinstance(body, dict):
                raise status.plain(500, "couldn't get version/kind; json parse error: no object")
            kind = body.get("kind")
            if kind not in {None, "", "DeleteOptions"}:
                text = (
                    f'no kind "{kind}" is registered for version "{body.get("apiVersion", "")}" '
                    'in scheme "pkg/runtime/scheme.go:110"'
                )
                raise status.plain(500, text)
        return options.delete_options(call.query, body)

    async def _delete(self, call: Call, request: Request) -> Response:
        wanted = self.delete_options(call, request)
        deleted = await self.kube.deleter.delete(call, wanted)
        resource = call.resource
        if deleted.is_gone and not resource.returns_deleted:
            name, group = call.info.name, resource.group
            obj = status.success(resource.plural, group, name, deleted.uid)
            return self._written(200, obj, call.media.format)
        return self.shaped(call, deleted.obj)

    async def _delete_many(self, call: Call, request: Request) -> Response:
        wanted = self.delete_options(call, request)
        lists = options.list_options(call.query)
        records, meta = await self.kube.deleter.delete_many(call, lists, wanted)
        return await self.send_list(call, records, meta)


def event_line(raw: bytes, type_: str, record: Record, rv: int) -> bytes:
    """Return the line of an event from the bytes of an object."""
    return watch.line(type_, with_version(raw, record.rv, rv))
