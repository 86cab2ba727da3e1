"""From the body of a write to an object of the kind: kind and version, fields, defaults, place."""

from __future__ import annotations

from typing import Any

from fakekube import meta, status, store
from fakekube.call import Call
from fakekube.catalog import Catalog
from fakekube.options import WriteOptions
from fakekube.resource import Resource

Json = Any
Object = dict[str, Any]


def check_kind(served: Catalog, call: Call, obj: Object, *, is_patched: bool = False) -> None:
    """Refuse an object of another kind or version; built-in ones may leave theirs out."""
    resource = call.resource
    kind, version = obj.get("kind") or "", obj.get("apiVersion") or ""
    if kind == resource.kind and version == resource.api_version:
        return
    if resource.is_custom:
        raise _wrong_custom(call, obj, kind, version, is_patched=is_patched)
    if (kind and kind != resource.kind) or (version and version != resource.api_version):
        raise _wrong_builtin(served, resource, kind, version)
    obj["kind"], obj["apiVersion"] = resource.kind, resource.api_version


def _wrong_builtin(served: Catalog, resource: Resource, kind: str, version: str) -> status.ApiError:
    group, _, number = version.rpartition("/")
    if served.of_kind(version, kind):
        target = f"({resource.group or 'core'}.{resource.kind})"
        problem = f"converting ({number}.{kind}) to {target}: unknown conversion"
    else:
        shown = f"{group}/{number}" if group else number
        problem = (
            f'no kind "{kind}" is registered for version "{shown}" '
            'in scheme "pkg/runtime/scheme.go:110"'
        )
    return status.bad_request(
        f'{kind} in version "{number}" cannot be handled as a {resource.kind}: {problem}'
    )


def decode(call: Call, obj: Object, wanted: WriteOptions) -> None:
    """Remove what the kind does not know, complain about it, and fill in defaults."""
    resource = call.resource
    _, unknown = meta.shape(obj, resource)
    if resource.schema is not None:
        unknown += resource.schema.prune(obj)
    elif resource.strategy.unknown is not None:
        unknown += resource.strategy.unknown(obj)
    if unknown and wanted.validation != "Ignore":
        texts = [f'unknown field "{path}"' for path in unknown]
        if wanted.validation == "Strict":
            raise _strict(resource, texts)
        call.warnings += [text for text in texts if text not in call.warnings]
    default(resource, obj)


def default(resource: Resource, obj: Object) -> None:
    """Fill in the defaults of a kind."""
    if resource.schema is not None:
        resource.schema.default(obj)
    elif resource.strategy.default is not None:
        resource.strategy.default(obj)


def decode_again(call: Call, obj: Object) -> None:
    """Bring an object into shape that a webhook has changed."""
    resource = call.resource
    meta.shape(obj, resource)
    if resource.schema is not None:
        resource.schema.prune(obj)
    elif resource.strategy.unknown is not None:
        resource.strategy.unknown(obj)
    default(resource, obj)
    meta.dedup_owners(obj)


def place(call: Call, obj: Object) -> None:
    """Put the object into the namespace of the request, or refuse another one."""
    namespace = call.info.namespace if call.resource.namespaced else ""
    given = obj["metadata"].get("namespace", "")
    if not given and namespace:
        obj["metadata"]["namespace"] = namespace
    elif given and not call.resource.namespaced:
        if call.resource.storage_key != "namespaces" or given != obj["metadata"].get("name"):
            raise status.bad_request(
                "the namespace of the provided object does not match "
                "the namespace sent on the request"
            )
        del obj["metadata"]["namespace"]
    elif given != namespace:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def check_patched(served: Catalog, call: Call, new: Object, wanted: WriteOptions) -> None:
    """Decode what a patch leaves; raise ``Unreadable`` when that cannot be done."""
    check_kind(served, call, new, is_patched=True)
    try:
        decode(call, new, wanted)
    except status.ApiError as problem:
        _, found, text = problem.message.partition(f"cannot be handled as a {call.resource.kind}: ")
        if problem.code == 400 and found:
            raise Unreadable(text) from None
        raise
    if new["metadata"].get("name") != call.info.name:
        raise wrong_name(new["metadata"].get("name"), call.info.name)
    place(call, new)


def _wrong_custom(
    call: Call, obj: Object, kind: str, version: str, *, is_patched: bool
) -> status.ApiError:
    resource = call.resource
    if not is_patched and (not kind or not version):
        shown = call.body.decode("utf-8", "replace")
        word = "Kind" if not kind else "apiVersion"
        return status.bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): "
            f"Object '{word}' is missing in '{shown}' ({shown})"
        )
    if not is_patched and version != resource.api_version:
        return status.bad_request(
            f"the API version in the data ({version}) does not match "
            f"the expected API version ({resource.api_version})"
        )
    causes = []
    if kind != resource.kind:
        causes.append(status.field_invalid("kind", kind, f"must be {resource.kind}"))
    if version != resource.api_version:
        text = f"must be {resource.api_version}"
        causes.append(status.field_invalid("apiVersion", version, text))
    name = (obj.get("metadata") or {}).get("name", "")
    return status.invalid(kind, resource.group, name, causes)


def wrong_name(found: str | None, wanted: str) -> status.ApiError:
    """Refuse an object whose name is not that of the path."""
    if not found:
        return status.bad_request(
            f"the name of the object ({wanted} based on URL) was undeterminable: "
            "name must be provided"
        )
    return status.bad_request(
        f"the name of the object ({found}) does not match the name on the URL ({wanted})"
    )


class Unreadable(Exception):
    """A patch leaves what cannot be read."""


def unpatchable(call: Call, new: Object, text: str) -> status.ApiError:
    """Refuse a patch that leaves an object which cannot be read."""
    if call.content_type.startswith("application/strategic-merge-patch"):
        shown = go_map(store.decode(call.body))
    else:
        shown = store.encode(dict(sorted(new.items()))).decode()
    cause = status.field_invalid("patch", shown, text)
    return status.invalid("", "", "", [cause])


def go_map(value: Json) -> str:
    """Return a value as Go prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_map(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_map, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _strict(resource: Resource, texts: list[str]) -> status.ApiError:
    return status.bad_request(
        f'{resource.kind} in version "{resource.version}" cannot be handled as a '
        f"{resource.kind}: strict decoding error: {', '.join(texts)}"
    )


def owner_warnings(obj: Object) -> list[str]:
    """Remove owners that are named twice, and return the warning about it."""
    if meta.dedup_owners(obj):
        return [
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner "
            "references in 1.20+, and may reject such requests as early as 1.24; please fix your "
            "requests; duplicate UID(s) observed: "
            + ", ".join(each.get("uid", "") for each in obj["metadata"]["ownerReferences"])
        ]
    return []
