"""The metadata of objects, and of objects inside of objects (`x-kubernetes-embedded-resource`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakekube import names
from fakekube.schema import causes, kinds
from fakekube.status import Cause

Schema = dict[str, Any]
Walk = Callable[[Any, str, list[Cause]], None]

_OWNER = frozenset({"apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"})
_MANAGED = frozenset(
    {"manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"}
)
_TEXTS = frozenset(
    {"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"}
    | {"creationTimestamp", "deletionTimestamp"}
)
_NUMBERS = frozenset({"generation", "deletionGracePeriodSeconds"})
_MAPS = frozenset({"labels", "annotations"})
_LISTS = frozenset({"ownerReferences", "finalizers", "managedFields"})
_KNOWN = _TEXTS | _NUMBERS | _MAPS | _LISTS


def prune_metadata(metadata: dict[str, Any], path: str) -> list[str]:
    """Take unknown fields out of metadata, and return their paths."""
    unknown = [name for name in metadata if name not in _KNOWN]
    paths = [f"{path}.{name}" for name in unknown]
    for name in unknown:
        del metadata[name]
    for name, known in (("ownerReferences", _OWNER), ("managedFields", _MANAGED)):
        entries = metadata.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            for inner in [inner for inner in entry if inner not in known]:
                del entry[inner]
                paths.append(f"{path}.{name}[{index}].{inner}")
    return paths


def compile_embedded(schema: Schema) -> Walk | None:
    """Compile the check of all embedded resources in a schema; None if there are none."""
    is_resource = bool(schema.get("x-kubernetes-embedded-resource"))
    members = {
        name: below
        for name, member in (schema.get("properties") or {}).items()
        if (below := compile_embedded(member)) is not None
    }
    rest = schema.get("additionalProperties")
    others = compile_embedded(rest) if isinstance(rest, dict) else None
    items = compile_embedded(schema["items"]) if schema.get("items") else None
    if not is_resource and not members and not others and not items:
        return None

    def walk(value: Any, path: str, found: list[Cause]) -> None:
        if isinstance(value, dict):
            if is_resource:
                found += check_resource(value, path)
            for name, member in value.items():
                if name in members:
                    members[name](member, f"{path}.{name}" if path else name, found)
                elif others:
                    others(member, f"{path}[{name}]", found)
        elif isinstance(value, list) and items:
            for index, entry in enumerate(value):
                items(entry, f"{path}[{index}]", found)

    return walk


def check_resource(value: dict[str, Any], path: str) -> list[Cause]:
    """Check the type and the metadata of an embedded resource."""
    start = f"{path}." if path else ""
    found = [
        causes.required(f"{start}{name}") for name in ("apiVersion", "kind") if name not in value
    ]
    if "apiVersion" in value:
        found += _check_version(value["apiVersion"], f"{start}apiVersion")
    if "kind" in value:
        found += _check_kind(value["kind"], f"{start}kind")
    if "metadata" in value:
        found += _check_metadata(value["metadata"], f"{start}metadata")
    return found


def _check_version(version: Any, field: str) -> list[Cause]:
    if not isinstance(version, str):
        return [causes.invalid(field, version, "must be a string")]
    if not version:
        return [causes.invalid(field, version, "must not be empty")]
    if version.count("/") > 1:
        detail = f"unexpected GroupVersion string: {version}"
        return [causes.invalid(field, version, detail)]
    return []


def _check_kind(kind: Any, field: str) -> list[Cause]:
    if not isinstance(kind, str):
        return [causes.invalid(field, kind, "must be a string")]
    if not kind:
        return [causes.invalid(field, kind, "must not be empty")]
    if wrong := kinds.label(kind.lower()):
        detail = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
        return [causes.invalid(field, kind, detail)]
    return []


def _check_metadata(metadata: Any, field: str) -> list[Cause]:
    if metadata is None:
        return []
    malformed = malformed_metadata(metadata)
    if malformed:
        return [causes.invalid(field, metadata, malformed)]
    found = [
        causes.invalid(f"{field}.{key}", metadata[key], text)
        for key in ("generateName", "name")
        for text in names.path_segment(metadata.get(key) or "")
    ]
    if metadata.get("namespace"):
        found += [
            causes.invalid(f"{field}.namespace", metadata["namespace"], text)
            for text in names.label(metadata["namespace"])
        ]
    for owner in metadata.get("ownerReferences") or ():
        found += _check_owner(owner or {}, f"{field}.ownerReferences")
    for key, value in (metadata.get("labels") or {}).items():
        wrong = names.qualified(key)
        found += [causes.invalid(f"{field}.labels", key, text) for text in wrong]
        wrong = names.label_value(value or "")
        found += [causes.invalid(f"{field}.labels", value, text) for text in wrong]
    for key in metadata.get("annotations") or {}:
        wrong = names.qualified(key.lower())
        found += [causes.invalid(f"{field}.annotations", key, text) for text in wrong]
    return found


def _check_owner(owner: dict[str, Any], field: str) -> list[Cause]:
    texts = {"apiVersion": "version must not be empty"}
    texts |= dict.fromkeys(("kind", "name", "uid"), "must not be empty")
    return [
        causes.invalid(f"{field}.{name}", "", text)
        for name, text in texts.items()
        if not owner.get(name)
    ]


_GO_KINDS = {str: "string", bool: "bool", int: "number", float: "number"}


def malformed_metadata(metadata: Any) -> str:  # noqa: C901 - One guard for each kind of field.
    """Return why metadata cannot be read at all, as Go's JSON reader says it; or nothing."""

    def complain(value: Any, name: str, wanted: str) -> str:
        actual = "object" if isinstance(value, dict) else "array"
        actual = _GO_KINDS.get(value.__class__, actual)
        return f"json: cannot unmarshal {actual} into Go struct field {name} of type {wanted}"

    if not isinstance(metadata, dict):
        actual = _GO_KINDS.get(metadata.__class__, "array")
        return f"json: cannot unmarshal {actual} into Go value of type v1.ObjectMeta"
    for name, value in metadata.items():
        if value is None:
            continue
        if name in _TEXTS and not isinstance(value, str):
            return complain(value, f"ObjectMeta.{name}", "string")
        if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int)):
            return complain(value, f"ObjectMeta.{name}", "int64")
        if name in _MAPS:
            if not isinstance(value, dict):
                return complain(value, f"ObjectMeta.{name}", "map[string]string")
            for text in value.values():
                if text is not None and not isinstance(text, str):
                    return complain(text, f"ObjectMeta.{name}", "string")
        if name in _LISTS and not isinstance(value, list):
            return complain(value, f"ObjectMeta.{name}", "[]string")
    return ""
