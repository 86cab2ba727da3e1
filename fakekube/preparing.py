"""What the server does to an object before it is checked: what clients cannot set, and counters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakekube import meta, status, store
from fakekube.resource import Resource
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

REPLICAS_MAX = 2**31 - 1


def is_deletable(obj: Object) -> bool:
    """Tell whether an object that is being deleted has nothing left to wait for."""
    mine = obj["metadata"]
    if not mine.get("deletionTimestamp") or mine.get("finalizers"):
        return False
    if obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers"):
        return False
    return not mine.get("deletionGracePeriodSeconds")


def reset_for_create(resource: Resource, obj: Object) -> None:
    """Take away what a client cannot set on a new object."""
    mine = obj["metadata"]
    for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        mine.pop(key, None)
    if resource.has_generation:
        mine["generation"] = 1
    if resource.is_custom and "status" in resource.subresources:
        obj.pop("status", None)
    if resource.strategy.prepare_create is not None:
        resource.strategy.prepare_create(obj)


def prepare_update(resource: Resource, sub: str, new: Object, old: Object) -> Object:
    """Return the object with the parts put back that this request cannot change."""
    has_status = "status" in resource.subresources
    if sub == "approval":
        _copy_field(new, old, "spec")
        meta.keep(new, old)
        return new
    if sub == "finalize":
        finalizers = (new.get("spec") or {}).get("finalizers")
        found: Object = store.clone(old)
        found["spec"] = {"finalizers": finalizers} if finalizers else {}
        found["metadata"]["resourceVersion"] = new["metadata"]["resourceVersion"]
        return found
    if sub == "status":
        if resource.is_custom:
            found = store.clone(old)
            _copy_field(found, new, "status")
            _copy_field(found["metadata"], new["metadata"], "managedFields")
            found["metadata"]["resourceVersion"] = new["metadata"]["resourceVersion"]
            return found
        _copy_field(new, old, "spec")
        meta.keep(new, old)
        if resource.strategy.prepare_status is not None:
            resource.strategy.prepare_status(new, old)
        return new
    if has_status:
        _copy_field(new, old, "status")
    meta.keep(new, old)
    if resource.strategy.prepare_update is not None:
        resource.strategy.prepare_update(new, old)
    return new


def _copy_field(to: Object, source: Object, key: str) -> None:
    if key in source:
        to[key] = store.clone(source[key])
    else:
        to.pop(key, None)


def count_generation(resource: Resource, new: Object, old: Object) -> None:
    """Count a change of anything but metadata and status."""
    if not resource.has_generation:
        return
    ignored = {"metadata", "apiVersion", "kind"}
    if "status" in resource.subresources:
        ignored.add("status")
    mine = {key: value for key, value in new.items() if key not in ignored}
    was = {key: value for key, value in old.items() if key not in ignored}
    if mine != was:
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def scale_causes(path: str, obj: Object) -> list[Cause]:
    """Return what is wrong with the replicas of a custom resource, as its scale would read them."""
    found: Json = obj
    for part in path.strip(".").split("."):
        if not isinstance(found, Mapping):
            text = f"{path} accessor error: {found} is no map[string]interface {{}}"
            return [status.field_invalid(path, 0, text)]
        if part not in found:
            return []
        found = found[part]
    if not isinstance(found, int) or isinstance(found, bool):
        return [status.field_invalid(path, 0, f"{path} accessor error: {found} is no int64")]
    if found < 0:
        return [status.field_invalid(path, found, "should be a non-negative integer")]
    if found > REPLICAS_MAX:
        text = f"should be less than or equal to {REPLICAS_MAX}"
        return [status.field_invalid(path, found, text)]
    return []


def dig(obj: Mapping[str, Json], path: str) -> Json:
    """Return the value at a dotted path, or None."""
    found: Json = obj
    for part in path.strip(".").split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found
