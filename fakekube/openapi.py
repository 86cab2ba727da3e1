"""OpenAPI v3: an index with hashes, and a document for each served group and version.

The schemas of the built-in kinds come from ``fakekube.kinds.schemas``, those of custom resources
from their definitions; the paths follow from what discovery says. A document is made when it is
first asked for, and kept until the catalog changes. Built-in fields have no descriptions.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from fakekube import openapi_paths, store
from fakekube.call import Request, Response
from fakekube.catalog import Catalog
from fakekube.kinds import schemas
from fakekube.resource import Resource

Json = Any

ROOT: Final = "/openapi/v3"
VERSION: Final = "v1.34.4"
SECURITY: Final = {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}}


class OpenApi:
    """Answers requests for the documents."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._revision = -1
        self._bodies: dict[str, bytes] = {}
        self._tags: dict[str, str] = {}

    def answer(self, request: Request) -> Response | None:
        """Answer a GET below ``/openapi/v3``; None says that there is no such document."""
        path, _, query = request.target.partition("?")
        if not (path.rstrip("/") + "/").startswith(ROOT + "/"):
            return None
        self._refresh()
        place = path.removeprefix(ROOT).strip("/")
        if not place:
            index = {
                each: {"serverRelativeURL": f"{ROOT}/{each}?hash={self._tag(each)}"}
                for each in self.places()
            }
            return Response(200, [store.encode({"paths": index})], "text/plain; charset=utf-8")
        if place not in self.places():
            return None
        tag = self._tag(place)
        headers = [("ETag", f'"{tag}"'), ("Vary", "Accept"), ("Cache-Control", "no-cache, private")]
        wanted = next((part[5:] for part in query.split("&") if part.startswith("hash=")), "")
        if wanted and wanted != tag:
            return Response(301, [], headers=[*headers, ("Location", f"{path}?hash={tag}")])
        if wanted:
            headers[-1] = ("Cache-Control", "public, immutable")
        if request.headers.get("if-none-match") == f'"{tag}"':
            return Response(304, [], headers=headers)
        return Response(200, [self._body(place)], headers=headers)

    def _refresh(self) -> None:
        if self._revision != self._catalog.revision:
            # Built-in documents never change.
            custom = {
                f"apis/{each.group}/{each.version}" for each in self._catalog if each.is_custom
            }
            for place in custom | (self._tags.keys() - set(self.places())):
                self._tags.pop(place, None)
                self._bodies.pop(place, None)
            self._revision = self._catalog.revision

    def places(self) -> list[str]:
        """Return the served group versions, as the index names them."""
        found = {f"apis/{each.group}/{each.version}" for each in self._catalog if each.group}
        return ["api/v1", *sorted(found)]

    def _resources(self, place: str) -> list[Resource]:
        group, _, version = place.partition("/")[2].rpartition("/")
        return [each for each in self._catalog if (each.group, each.version) == (group, version)]

    def _tag(self, place: str) -> str:
        # The index does not wait for the documents: what they are made of is told apart instead.
        found = self._tags.get(place)
        if found is None:
            parts: list[Json] = [place, VERSION]
            for each in self._resources(place):
                names = (each.plural, each.kind, each.namespaced, sorted(each.subresources))
                parts.append([*names, each.is_custom and each.openapi])
            found = hashlib.sha512(store.encode(parts)).hexdigest().upper()
            self._tags[place] = found
        return found

    def _body(self, place: str) -> bytes:
        found = self._bodies.get(place)
        if found is None:
            found = self._bodies[place] = store.encode(document(self._resources(place)))
        return found


def document(resources: list[Resource]) -> Json:
    """Return the document of a group version."""
    found: Json = {}
    needed: set[str] = set()
    if any("watch" in each.verbs and not each.is_custom for each in resources):
        needed.add(f"{openapi_paths.META}.WatchEvent")
    own: Json = {}
    for resource in sorted(resources, key=lambda each: each.plural):
        openapi_paths.add(found, resource)
        own |= _schemas(resource)
    needed |= schemas.referred(found) | schemas.referred(own)
    is_custom = all(each.is_custom for each in resources)
    return {
        "openapi": "3.0.0",
        "info": _info(is_custom=is_custom),
        "paths": dict(sorted(found.items())),
        "components": {
            "schemas": dict(sorted((own | _closed(needed, own)).items())),
            **({} if is_custom else {"securitySchemes": SECURITY}),
        },
    }


def _info(*, is_custom: bool) -> Json:
    if is_custom:
        return {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}
    return {"title": "Kubernetes", "version": "1.34"}


def _closed(needed: set[str], own: Json) -> Json:
    # The types that are referred to, and those that they refer to in turn.
    found: Json = {}
    left = sorted(needed)
    while left:
        name = left.pop()
        full = schemas.PREFIX + name
        if full in found or full in own or name in own or name not in schemas.table():
            continue
        found[full] = schemas.spelled_out(name)
        left += sorted(schemas.referred(found[full]))
    return found


# --- Schemas -------------------------------------------------------------------------------------


def _schemas(resource: Resource) -> Json:
    found: Json = {}
    name = openapi_paths.type_name(resource, resource.kind)
    if resource.is_custom:
        found[name] = custom_schema(resource)
    if "list" in resource.verbs:
        found[openapi_paths.type_name(resource, resource.list_kind_name)] = _list_schema(
            resource, name
        )
    return found


def _gvk(resource: Resource, kind: str) -> Json:
    return [{"group": resource.group, "kind": kind, "version": resource.version}]


def _list_schema(resource: Resource, name: str) -> Json:
    item: Json = {"$ref": schemas.REFERENCE + name}
    meta: Json = {
        "allOf": [{"$ref": f"{schemas.REFERENCE}{schemas.PREFIX}{openapi_paths.META}.ListMeta"}]
    }
    if not resource.is_custom:
        item, meta = {"default": {}, "allOf": [item]}, {"default": {}, **meta}
    return {
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "items": {"type": "array", "items": item},
            "kind": {"type": "string"},
            "metadata": meta,
        },
        "x-kubernetes-group-version-kind": _gvk(resource, resource.list_kind_name),
    }


def custom_schema(resource: Resource) -> Json:
    """Return the schema of a custom resource as it is published."""
    found = _published(dict(resource.openapi) or {"type": "object"})
    reference = {"$ref": f"{schemas.REFERENCE}{schemas.PREFIX}{openapi_paths.META}.ObjectMeta"}
    found["type"] = "object"
    found["properties"] = {
        **found.get("properties", {}),
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"allOf": [reference]},
    }
    found["x-kubernetes-group-version-kind"] = _gvk(resource, resource.kind)
    return found


def _published(schema: Json) -> Json:
    # Where any JSON is allowed in place of a number or text, clients are told in standard terms.
    found: Json = {}
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            found[key] = {name: _published(each) for name, each in value.items()}
        elif key in {"items", "additionalProperties", "not"} and isinstance(value, dict):
            found[key] = _published(value)
        elif key in {"allOf", "anyOf", "oneOf"}:
            found[key] = [_published(each) for each in value]
        else:
            found[key] = value
    if found.get("x-kubernetes-int-or-string") and "anyOf" not in found:
        found["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if found.get("x-kubernetes-embedded-resource"):
        reference = {"$ref": f"{schemas.REFERENCE}{schemas.PREFIX}{openapi_paths.META}.ObjectMeta"}
        found["properties"] = {
            **found.get("properties", {}),
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"allOf": [reference]},
        }
    return found
