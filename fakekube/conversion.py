"""Conversion webhooks: the objects of a custom resource in another of its versions.

A webhook may change everything but the identity of an object: of its metadata, only labels and
annotations are taken over.
"""

from __future__ import annotations

from typing import Any

from fakekube import meta, names, status, store, webhook
from fakekube.registry import Registry
from fakekube.resource import Resource

Json = Any
Object = dict[str, Any]

API_VERSION, KIND = "apiextensions.k8s.io/v1", "ConversionReview"
TIMEOUT_S = 30
IDENTITY = {"name": "name", "namespace": "namespace", "uid": "UID"}


class _Wrong(Exception):
    """The metadata of a converted object cannot be taken over."""


class Converter:
    """Converts by webhook; it is the ``converter`` of a registry."""

    def __init__(
        self, registry: Registry, services: webhook.Services, caller: webhook.Caller
    ) -> None:
        self._registry = registry
        self._services = services
        self._caller = caller

    async def __call__(
        self, resource: Resource, objects: list[Object], wanted: str
    ) -> list[Object]:
        """Return the objects in the wanted ``apiVersion``, by one call for all of them."""
        assert resource.conversion_webhook is not None, "Others are converted without a call."
        strange = [obj for obj in objects if obj.get("apiVersion") != wanted]
        if not strange:
            return objects
        first = strange[0]
        group, _, version = first["apiVersion"].rpartition("/")
        label = f"conversion webhook for {group}/{version}, Kind={first['kind']}"
        converted = await self._ask(resource.conversion_webhook, strange, wanted, label)
        found = iter(converted)
        return [
            obj if obj.get("apiVersion") == wanted else _checked(obj, next(found), wanted, label)
            for obj in objects
        ]

    async def _ask(self, config: Json, objects: list[Object], wanted: str, label: str) -> Json:
        if "v1" not in config["conversionReviewVersions"]:
            raise status.plain(500, "no supported conversion review versions")
        uid = self._registry.chance.uid()
        content = {
            "kind": KIND,
            "apiVersion": API_VERSION,
            "request": {
                "uid": uid,
                "desiredAPIVersion": wanted,
                "objects": [_unversioned(obj) for obj in objects],
            },
            "response": {"uid": "", "convertedObjects": None, "result": {"metadata": {}}},
        }
        where = webhook.target(config["clientConfig"], self._services, self._registry.store)
        try:
            found = await self._caller.post(where, content, TIMEOUT_S)
            webhook.check_kind(found, API_VERSION, KIND)
        except webhook.CallFailed as failure:
            raise status.plain(500, f"{label} failed: {failure}") from None
        problem = _problem(found, uid)
        if problem:
            raise status.plain(500, f"{label} failed: {problem}")
        converted = found["response"].get("convertedObjects") or []
        if len(converted) != len(objects):
            text = f"{label} returned {len(converted)} objects, expected {len(objects)}"
            raise status.plain(500, text)
        return converted


def _unversioned(obj: Object) -> Object:
    """Return the object without the version that it has in the store."""
    mine = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return {**obj, "metadata": mine}


def _problem(found: Json, uid: str) -> str:
    if not found.get("kind"):
        return f"expected webhook response of {API_VERSION}, Kind={KIND}, got /, Kind="
    response = found.get("response")
    if not isinstance(response, dict):
        return "no response provided"
    if response.get("uid", "") != uid:
        return f'expected response.uid="{uid}", got "{response.get("uid", "")}"'
    result = response.get("result") or {}
    if result.get("status") != "Success":
        said = result.get("status", "")
        return result.get("message") or f"response.result.status was '{said}', not 'Success'"
    return ""


def _checked(old: Object, new: Json, wanted: str, label: str) -> Object:
    """Return a converted object with the metadata of the old one; refuse another object."""
    if not isinstance(new, dict):
        shown = "array" if isinstance(new, list) else "number"
        text = f"json: cannot unmarshal {shown} into Go value of type map[string]interface {{}}"
        raise status.plain(500, text)
    if not new.get("kind"):
        raise status.plain(500, f"Object 'Kind' is missing in '{store.encode(new).decode()}'")
    version = new.get("apiVersion", "")
    if version != wanted:
        text = f"invalid groupVersion (expected {wanted}, received {version})"
        raise status.plain(500, f"{label} returned invalid object at index 0: {text}")
    if new["kind"] != old["kind"]:
        text = f"invalid kind (expected {old['kind']}, received {new['kind']})"
        raise status.plain(500, f"{label} returned invalid object at index 0: {text}")
    was, now = old["metadata"], new.get("metadata")
    theirs: Json = now if isinstance(now, dict) else {}
    for key, shown in IDENTITY.items():
        if was.get(key, "") != theirs.get(key, ""):
            text = f"must have the same {shown}: {was.get(key, '')} != {theirs.get(key, '')}"
            raise status.plain(500, f"{label} returned invalid object: {text}")
    try:
        return {**new, "metadata": _restored(was, theirs)}
    except _Wrong as problem:
        raise status.plain(500, f"{label} returned invalid metadata: {problem}") from None


def _restored(was: Json, theirs: Json) -> Json:
    found = store.clone(was)
    for key in ("labels", "annotations"):
        given = theirs.get(key)
        if given is None:
            found.pop(key, None)
            continue
        if not isinstance(given, dict):
            kind = _go(given)
            raise _Wrong(f"invalid metadata.{key} of type {kind} in converted object")
        for name, value in given.items():
            if not isinstance(value, str):
                kind = _go(value)
                raise _Wrong(
                    f"metadata.{key}[{name}] must be a string, but is {kind} in converted object"
                )
        if given != was.get(key):
            _check_texts(key, given)
        found[key] = given
    return found


def _check_texts(key: str, given: dict[str, str]) -> None:
    if key == "labels":
        causes = meta.check_labels(given, "metadata.labels")
    else:
        where = "metadata.annotation"
        causes = [
            status.field_invalid(where, name, text)
            for name in sorted(given)
            for text in names.qualified(name.lower())
        ]
    if causes:
        raise _Wrong(status.listed(causes))


def _go(value: Json) -> str:
    """Return what Go calls the type of a value."""
    kinds = {str: "string", bool: "bool", float: "float64", int: "int64", list: "[]interface {}"}
    return kinds.get(type(value), "<nil>")
