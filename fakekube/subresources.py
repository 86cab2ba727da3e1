"""Subresources: status, scale, finalize, binding, approval, eviction and token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakekube import codec, eviction, options, patches, selectors, status, store
from fakekube.call import Call, Request, Response
from fakekube.preparing import dig
from fakekube.resource import Scale

if TYPE_CHECKING:
    from fakekube.objects import Objects
    from fakekube.server import Kube

Json = Any
Object = dict[str, Any]

BUILT_IN_SCALE = Scale(".spec.replicas", ".status.replicas", ".spec.selector")
WHOLE_OBJECT = {"status", "finalize", "approval", "ephemeralcontainers", "resize"}
"""Subresources whose requests carry the whole object."""


class Subresources:
    """Answers requests for subresources."""

    def __init__(self, kube: Kube, objects: Objects) -> None:
        self.kube = kube
        self.objects = objects

    async def answer(self, call: Call, request: Request) -> Response:
        """Answer a request for a subresource."""
        sub = call.info.subresource
        if sub not in call.resource.subresources:
            if call.resource.is_custom:
                raise call.resource.not_found(call.info.name)
            raise status.unknown_resource()
        if sub in WHOLE_OBJECT:
            return await self._whole(call, request)
        known = {
            "scale": self._scale,
            "eviction": self._evict,
            "token": self._token,
            "binding": self._bind,
        }
        if sub not in known:
            raise status.method_not_allowed()
        return await known[sub](call, request)

    async def _whole(self, call: Call, request: Request) -> Response:
        verb = call.info.verb
        if verb == "get":
            return await self.objects.send(call, self.kube.registry.get(call))
        if verb == "patch":
            written = await patches.patch(self.kube.writer, call, request.body)
        elif verb == "update":
            obj = self.objects.body(call, request)
            written = await self.kube.writer.update(call, obj)
        else:
            raise status.method_not_allowed()
        return await self.objects.send_written(call, written)

    # Scale.

    async def _scale(self, call: Call, request: Request) -> Response:
        verb = call.info.verb
        if verb == "get":
            obj = await self.kube.writer.view(self.kube.registry.find(call), call.resource)
            return self._send_scale(call, obj)
        if verb == "update":
            wanted = options.write_options(call.query, "UpdateOptions")
            given = self.objects.body(call, request, kind="Scale")
            produce = self._changing(call, lambda _: given)
        elif verb == "patch":
            wanted = options.write_options(call.query, "PatchOptions")
            content_type = codec.media_type(call.content_type)
            if content_type not in patches.TYPES or content_type == patches.APPLY:
                raise status.unsupported_media_type(patches.types(call.resource))
            made = patches.producer(content_type, request.body, "Scale")
            produce = self._changing(call, made)
        else:
            raise status.method_not_allowed()
        written = await self.kube.writer.modify(call, produce, wanted)
        record = written.record
        if record is not None:
            return self._send_scale(call, await self.kube.writer.view(record, call.resource))
        assert written.obj is not None, "A write has a record or an object."
        return self._send_scale(call, written.obj)

    def _changing(self, call: Call, made: Any) -> Any:
        paths = call.resource.scale or BUILT_IN_SCALE

        def produce(obj: Object) -> Object:
            before = self._shown(call, obj, is_lenient=True)
            given = made(before)
            version = (given.get("metadata") or {}).get("resourceVersion")
            if version and version != obj["metadata"]["resourceVersion"]:
                raise call.resource.conflict(call.info.name)
            replicas = (given.get("spec") or {}).get("replicas", 0)
            if not isinstance(replicas, int) or replicas < 0:
                self._refuse_replicas(call, replicas)
            _put(obj, paths.spec_path, replicas)
            return obj

        return produce

    def _refuse_replicas(self, call: Call, replicas: Json) -> None:
        resource = call.resource
        if resource.is_custom and resource.scale is not None:
            text = "should be a non-negative integer"
            cause = status.field_invalid(resource.scale.spec_path, replicas, text)
            raise resource.invalid(call.info.name, [cause])
        text = "must be greater than or equal to 0"
        cause = status.field_invalid("spec.replicas", replicas, text)
        raise status.invalid("Scale", "autoscaling", call.info.name, [cause])

    def _send_scale(self, call: Call, obj: Object) -> Response:
        return self.objects.shaped(call, self._shown(call, obj))

    def _shown(self, call: Call, obj: Object, *, is_lenient: bool = False) -> Object:
        resource = call.resource
        paths = resource.scale or BUILT_IN_SCALE
        replicas = dig(obj, paths.spec_path)
        if replicas is None and resource.is_custom and not is_lenient:
            raise status.internal_error(
                f'the spec replicas field "{paths.spec_path}" does not exist'
            )
        mine = obj["metadata"]
        kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        given: Object = {"replicas": dig(obj, paths.status_path) or 0}
        selector = dig(obj, paths.selector_path) if paths.selector_path else None
        if isinstance(selector, dict):
            given["selector"] = selector_text(selector)
        elif selector:
            given["selector"] = selector
        return {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": {key: mine[key] for key in kept if key in mine},
            "spec": {"replicas": replicas} if replicas else {},
            "status": given,
        }

    # Pods and accounts.

    async def _evict(self, call: Call, request: Request) -> Response:
        if call.info.verb != "create":
            raise status.method_not_allowed()
        obj = self.objects.body(call, request, kind="Eviction")
        found = await eviction.evict(self.kube.registry, self.kube.deleter, call, obj)
        return Response(201, [store.encode(found)])

    async def _token(self, call: Call, request: Request) -> Response:
        if call.info.verb != "create":
            raise status.method_not_allowed()
        obj = self.objects.body(call, request, kind="TokenRequest")
        found = self.kube.issuer.issue(call.info.namespace, call.info.name, obj)
        return Response(201, [store.encode(found)])

    async def _bind(self, call: Call, request: Request) -> Response:
        if call.info.verb != "create":
            raise status.method_not_allowed()
        obj = self.objects.body(call, request, kind="Binding")
        node = (obj.get("target") or {}).get("name", "")

        def produce(pod: Object) -> Object:
            bound = pod.setdefault("spec", {}).get("nodeName")
            if bound:
                text = f'pod {call.info.name} is already assigned to node "{bound}"'
                raise call.resource.conflict(call.info.name, text)
            pod["spec"]["nodeName"] = node
            return pod

        await self.kube.writer.modify(call, produce, options.WriteOptions())
        return Response(201, [store.encode(status.success())])


def selector_text(selector: Object) -> str:
    """Return a ``LabelSelector`` as text."""
    found = []
    for each in selectors.from_object(selector).requirements:
        values = sorted(each.values)
        if each.operator == "in" and len(values) == 1:
            found.append(f"{each.key}={values[0]}")
        elif each.operator in {"in", "notin"}:
            found.append(f"{each.key} {each.operator} ({','.join(values)})")
        else:
            found.append(each.key if each.operator == "exists" else f"!{each.key}")
    return ",".join(sorted(found))


def _put(obj: Object, path: str, value: Json) -> None:
    *above, last = path.strip(".").split(".")
    for part in above:
        obj = obj.setdefault(part, {})
    obj[last] = value
