"""ObjectMeta: what the server fills in, what clients may not change, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakekube import names, status, store
from fakekube.resource import Resource
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
STANDARD_FINALIZERS = {FOREGROUND, ORPHAN, "kubernetes"}
ANNOTATIONS_BYTES = 256 * 1024

FIELDS: Mapping[str, type] = {
    "name": str,
    "generateName": str,
    "namespace": str,
    "selfLink": str,
    "uid": str,
    "resourceVersion": str,
    "generation": int,
    "creationTimestamp": str,
    "deletionTimestamp": str,
    "deletionGracePeriodSeconds": int,
    "labels": dict,
    "annotations": dict,
    "ownerReferences": list,
    "finalizers": list,
    "managedFields": list,
}
_GO_TYPES = {str: "string", dict: "map[string]string", int: "int64"}
_GO_LISTS = {
    "ownerReferences": "[]v1.OwnerReference",
    "finalizers": "[]string",
    "managedFields": "[]v1.ManagedFieldsEntry",
}


def shape(obj: Object, resource: Resource) -> tuple[Object, list[str]]:
    """Return the metadata and the paths of unknown fields, which are removed; refuse wrong types.

    Nulls and empty maps are left out, as they are when the real server writes the metadata.
    """
    given = obj.get("metadata")
    if given is None:
        given = obj["metadata"] = {}
    if not isinstance(given, dict):
        raise _mistyped(resource, given, "ObjectMeta", "v1.ObjectMeta")
    unknown = []
    for key in list(given):
        value = given[key]
        kind = FIELDS.get(key)
        if kind is None:
            unknown.append(f"metadata.{key}")
            del given[key]
        elif value is None or (value in ("", {}, []) and key != "name"):
            del given[key]
        elif not isinstance(value, kind) or isinstance(value, bool):
            go = _GO_LISTS.get(key) or _GO_TYPES[kind]
            raise _mistyped(resource, value, f"ObjectMeta.metadata.{key}", go)
        elif kind is dict:
            _check_texts(resource, key, given[key])
    return given, unknown


def _check_texts(resource: Resource, key: str, value: Object) -> None:
    for name, text in value.items():
        if text is None:
            value[name] = ""
        elif not isinstance(text, str):
            raise _mistyped(resource, text, f"ObjectMeta.metadata.{key}", "string")


def _mistyped(resource: Resource, value: Json, where: str, go: str) -> status.ApiError:
    found = {bool: "bool", dict: "object", list: "array", str: "string"}.get(type(value), "number")
    return status.bad_request(
        f'{resource.kind} in version "{resource.version}" cannot be handled as a '
        f"{resource.kind}: json: cannot unmarshal {found} into Go struct field "
        f"{where} of type {go}"
    )


def check(resource: Resource, obj: Object) -> list[Cause]:
    """Return what is wrong with metadata, on create and on update."""
    meta = obj["metadata"]
    causes = []
    check_name = resource.strategy.name or names.subdomain
    generate = meta.get("generateName")
    if generate:
        causes += [
            status.field_invalid("metadata.generateName", generate, text)
            for text in check_name(generate.rstrip("-") or generate)
        ]
    name = meta.get("name")
    if not name:
        text = "name or generateName is required"
        causes.append(status.field_required("metadata.name", text))
    else:
        causes += [status.field_invalid("metadata.name", name, t) for t in check_name(name)]
    labels = meta.get("labels")
    if labels:
        causes += check_labels(labels, "metadata.labels")
    annotations = meta.get("annotations")
    if annotations:
        causes += _check_annotations(annotations)
    if "ownerReferences" in meta:
        causes += _check_owners(meta["ownerReferences"])
    if "finalizers" in meta:
        causes += _check_finalizers(meta["finalizers"], is_custom=resource.is_custom)
    return causes


def check_labels(labels: Mapping[str, str], where: str) -> list[Cause]:
    """Return what is wrong with labels."""
    causes = []
    for key, value in sorted(labels.items()):
        causes += [status.field_invalid(where, key, text) for text in names.qualified(key)]
        causes += [status.field_invalid(where, value, t) for t in names.label_value(value)]
    return causes


def _check_annotations(annotations: Mapping[str, str]) -> list[Cause]:
    where = "metadata.annotations"
    causes = []
    for key in sorted(annotations):
        causes += [status.field_invalid(where, key, t) for t in names.qualified(key.lower())]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > ANNOTATIONS_BYTES:
        text = f"Too long: may not be more than {ANNOTATIONS_BYTES} bytes"
        causes.append(Cause(where, "FieldValueTooLong", text))
    return causes


def _check_owners(owners: list[Json]) -> list[Cause]:
    where = "metadata.ownerReferences"
    causes = []
    controllers: list[str] = []
    for owner in owners:
        api_version = owner.get("apiVersion", "")
        if not api_version.rpartition("/")[2]:
            text = "version must not be empty"
            causes.append(status.field_invalid(f"{where}.apiVersion", api_version, text))
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                text = "must not be empty"
                causes.append(status.field_invalid(f"{where}.{key}", owner.get(key, ""), text))
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind')}/{owner.get('name')}")
    if len(controllers) > 1:
        text = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            + " and ".join(controllers[:2])
        )
        causes.append(status.field_invalid(where, owners, text))
    return causes


def _check_finalizers(finalizers: list[Json], *, is_custom: bool) -> list[Cause]:
    causes = []
    for number, name in enumerate(finalizers):
        where = "metadata.finalizers"
        if not isinstance(name, str):
            continue
        causes += [status.field_invalid(where, name, text) for text in names.qualified(name)]
        if not is_custom and "/" not in name and name not in STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            causes.append(status.field_invalid(f"{where}[{number}]", name, text))
    if {FOREGROUND, ORPHAN} <= set(finalizers):
        text = f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"
        causes.append(status.field_invalid("metadata.finalizers", finalizers, text))
    return causes


def check_update(new: Object, old: Object) -> list[Cause]:
    """Return which changes of metadata are not allowed."""
    mine, was = new["metadata"], old["metadata"]
    causes = []
    if was.get("deletionTimestamp") and mine.get("finalizers"):
        added = [name for name in mine["finalizers"] if name not in was.get("finalizers", ())]
        if added:
            shown = ", ".join(f'"{name}"' for name in sorted(added))
            text = (
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{shown}}}"
            )
            causes.append(status.field_forbidden("metadata.finalizers", text))
    for key in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"):
        if mine.get(key) != was.get(key):
            text = "field is immutable"
            value = mine.get(key)
            causes.append(status.field_invalid(f"metadata.{key}", value, text))
    grace = mine.get("deletionGracePeriodSeconds")
    if grace != was.get("deletionGracePeriodSeconds"):
        where = "metadata.deletionGracePeriodSeconds"
        causes.append(status.field_invalid(where, grace, "field is immutable"))
    return causes


def keep(new: Object, old: Object) -> None:
    """Fill in what a client may leave out on an update, and put back what it cannot set."""
    mine, was = new["metadata"], old["metadata"]
    for key in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if key in was:
            mine.setdefault(key, was[key])
    for key in ("creationTimestamp", "generation", "selfLink"):
        if key in was:
            mine[key] = was[key]
        else:
            mine.pop(key, None)


def dedup_owners(obj: Object) -> bool:
    """Remove owners that are named twice, and tell whether there were any."""
    owners = obj["metadata"].get("ownerReferences")
    if not owners or len(owners) < 2:
        return False
    first: dict[bytes, Json] = {}
    for owner in owners:
        first.setdefault(store.encode(sorted(owner.items())), owner)
    obj["metadata"]["ownerReferences"] = seen = list(first.values())
    return len(seen) < len(owners)


def ordered(obj: Object) -> Object:
    """Return the object with its fields in the order in which the real server writes them."""
    given = obj["metadata"]
    mine = {key: given[key] for key in FIELDS if key in given}
    found = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "metadata": mine}
    return found | {key: value for key, value in obj.items() if key not in found}
