"""PATCH: from the content type to what it makes of an object."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from fakekube import codec, decoding, options, status, store
from fakekube.call import Call
from fakekube.resource import Resource
from fakekube.writes import Writer, Written

Json = Any
Object = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
CUSTOM_TYPES = (JSON_PATCH, MERGE, APPLY)
TYPES = (JSON_PATCH, MERGE, STRATEGIC, APPLY)


def types(resource: Resource) -> tuple[str, ...]:
    """Return the content types of the patches of a resource."""
    return CUSTOM_TYPES if resource.is_custom else TYPES


async def patch(writer: Writer, call: Call, body: bytes) -> Written:
    """Carry out the PATCH of an object or of its status."""
    content_type = codec.media_type(call.content_type)
    if content_type not in types(call.resource):
        raise status.unsupported_media_type(types(call.resource))
    wanted = options.write_options(call.query, "PatchOptions")
    if content_type == APPLY:
        return await _apply(writer, call, body, wanted)
    if wanted.force:
        text = "may not be specified for non-apply patch"
        causes = [status.field_forbidden("force", text)]
        raise status.invalid("PatchOptions", "meta.k8s.io", "", causes)
    produce = producer(content_type, body, call.resource.kind)
    return await writer.modify(call, produce, wanted)


def producer(content_type: str, body: bytes, kind: str) -> Callable[[Object], Object]:
    """Return what a patch makes of an object."""
    try:
        content = store.decode(body)
    except ValueError:
        problem = codec.json_problem(body)
        raise status.bad_request(f"error decoding patch: {problem}") from None
    if content_type == JSON_PATCH:
        if not isinstance(content, list):
            raise _undecodable(content, "[]handlers.jsonPatchOp")
        json_patch = importlib.import_module("fakekube.patch.json_patch").json_patch
        return lambda obj: _checked(json_patch(obj, content))
    if not isinstance(content, dict):
        raise _undecodable(content, "map[string]interface {}")
    if content_type == STRATEGIC:
        strategic = importlib.import_module("fakekube.patch.strategic").strategic_merge
        return lambda obj: _checked(strategic(obj, content, kind))
    return lambda obj: _checked(merge_patch(obj, content))


def _checked(obj: Json) -> Object:
    if not isinstance(obj, dict):
        raise status.bad_request("The patch leaves no object.")
    return obj


def _undecodable(content: Json, go: str) -> status.ApiError:
    found = {dict: "object", list: "array", str: "string", bool: "bool"}.get(type(content))
    return status.bad_request(
        f"error decoding patch: json: cannot unmarshal {found or 'number'} "
        f"into Go value of type {go}"
    )


def merge_patch(obj: Json, patch: Json) -> Json:
    """Apply a merge patch of RFC 7386 in place."""
    merge: Callable[[Json, Json], Json]
    merge = importlib.import_module("fakekube.patch.merge").merge_patch
    return merge(obj, patch)


async def _apply(writer: Writer, call: Call, body: bytes, wanted: options.WriteOptions) -> Written:
    if not wanted.manager:
        causes = [status.field_required("fieldManager", "is required for apply patch")]
        raise status.invalid("PatchOptions", "meta.k8s.io", "", causes)
    try:
        applied = codec.unstructured(body, codec.YAML)
    except ValueError as error:
        raise status.bad_request(f"error decoding YAML: {error}") from None
    if not isinstance(applied, dict):
        raise status.bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
            "unmarshal array into Go value of type map[string]interface {}"
        )
    resource = call.resource
    fields = writer.field_managers.of(resource)
    _check_applied(call, applied)
    now = writer.registry.clock.stamp()

    def produce(live: Object | None) -> Object:
        found: Object = fields.apply(
            live,
            store.clone(applied),
            wanted.manager,
            resource.api_version,
            now,
            force=wanted.force,
            subresource=call.info.subresource,
        )
        return found

    namespace = call.info.namespace if resource.namespaced else ""
    if writer.store.get(resource.storage_key, namespace, call.info.name) is not None:
        return await writer.modify(call, produce, wanted, is_managed=True)
    if call.info.subresource:
        raise resource.not_found(call.info.name)
    if applied.get("metadata", {}).get("uid"):
        uid = applied["metadata"]["uid"]
        text = f"uid mismatch: the provided object specified uid {uid}, "
        text += "and no existing object was found"
        raise resource.conflict(call.info.name, text)
    new = produce(None)
    decoding.check_kind(writer.registry.catalog, call, new)
    decoding.decode(call, new, wanted)
    decoding.place(call, new)
    return await writer.create_decoded(call, new, wanted, is_managed=True)


def _check_applied(call: Call, applied: Object) -> None:
    resource = call.resource
    version, kind = applied.get("apiVersion") or "", applied.get("kind") or ""
    if version != resource.api_version or kind != resource.kind:
        shown = version if "/" in version else f"/{version}"
        raise status.bad_request(f"invalid object type: {shown}, Kind={kind}")
    if (applied.get("metadata") or {}).get("managedFields") is not None:
        raise status.bad_request("metadata.managedFields must be nil")
    mine = applied.setdefault("metadata", {})
    if mine.get("name") != call.info.name:
        raise decoding.wrong_name(mine.get("name"), call.info.name)
