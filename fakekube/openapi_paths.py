"""The paths of the OpenAPI documents: what may be asked of a resource, and with which options."""

from __future__ import annotations

import functools
from typing import Any, Final

from fakekube import kinds
from fakekube.kinds import schemas
from fakekube.resource import Resource

Json = Any

META: Final = "apimachinery.pkg.apis.meta.v1"
SCALE: Final = "api.autoscaling.v1.Scale"
READ: Final = ("application/json", "application/vnd.kubernetes.protobuf", "application/yaml")
STREAMED: Final = (
    *("application/json", "application/json;stream=watch"),
    *("application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf;stream=watch"),
    "application/yaml",
)
PATCHES: Final = (
    *("application/apply-patch+yaml", "application/json-patch+json"),
    *("application/merge-patch+json", "application/strategic-merge-patch+json"),
)
CUSTOM_READ: Final = ("application/json", "application/yaml")
TYPES: Final = {
    **dict.fromkeys(("allowWatchBookmarks", "sendInitialEvents", "watch"), "boolean"),
    **dict.fromkeys(("limit", "timeoutSeconds", "gracePeriodSeconds"), "integer"),
    **dict.fromkeys(("force", "orphanDependents"), "boolean"),
    "ignoreStoreReadErrorWithClusterBreakingPotential": "boolean",
}
LIST: Final = (
    *("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit"),
    *("resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
)
WRITE: Final = ("dryRun", "fieldManager", "fieldValidation")
DELETE: Final = (
    *("dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential"),
    *("orphanDependents", "propagationPolicy"),
)
DELETE_MANY: Final = (
    *("continue", "dryRun", "fieldSelector", "gracePeriodSeconds"),
    *("ignoreStoreReadErrorWithClusterBreakingPotential", "labelSelector", "limit"),
    *("orphanDependents", "propagationPolicy", "resourceVersion", "resourceVersionMatch"),
    *("sendInitialEvents", "timeoutSeconds"),
)
METHODS: Final = {"get": "get", "update": "put", "patch": "patch", "delete": "delete",
                  "create": "post"}  # fmt: skip
WORDS: Final = {"get": "read", "put": "replace", "patch": "patch", "post": "create",
                "delete": "delete"}  # fmt: skip


def type_name(resource: Resource, kind: str) -> str:
    """Return the name of the schema of a kind, as the document has it."""
    if not resource.is_custom:
        name = schemas.of_kind().get((resource.group, resource.version, kind))
        if name is not None:
            return schemas.PREFIX + name
    own = schemas.of_kind().get((resource.group, resource.version, resource.kind))
    if own is not None and kind == resource.list_kind_name:
        return f"{schemas.PREFIX}{own}List"
    domain = ".".join(reversed(resource.group.split(".")))
    return f"{domain}.{resource.version}.{kind}"


def add(found: Json, resource: Resource) -> None:
    """Add the paths of a resource."""
    group, version = resource.group, resource.version
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    base = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
    many, one = f"{base}/{resource.plural}", f"{base}/{resource.plural}/{{name}}"
    operation = functools.partial(_operation, resource)
    verbs = set(resource.verbs)
    if "list" in verbs and resource.namespaced:
        found[f"{root}/{resource.plural}"] = _item({"get": operation("list", everywhere=True)})
    collection = {
        method: operation(verb)
        for method, verb in (("get", "list"), ("post", "create"), ("delete", "deletecollection"))
        if verb in verbs
    }
    if collection:
        found[many] = _item(collection, *(["namespace"] if resource.namespaced else []))
    parameters = ["name", *(["namespace"] if resource.namespaced else [])]
    single = {METHODS[verb]: operation(verb) for verb in METHODS if verb in verbs - {"create"}}
    if single:
        found[one] = _item(single, *parameters)
    row = kinds.find_row(group, version, resource.plural)
    parts = kinds.subresources(row) if row and not resource.is_custom else {}
    for name in sorted(resource.subresources):
        part = parts.get(name)
        methods = part.verbs if part else ("get", "patch", "update")
        operations = {METHODS[verb]: operation(verb, part=name, body=part) for verb in methods}
        found[f"{one}/{name}"] = _item(operations, *parameters)


def _item(operations: Json, *parameters: str) -> Json:
    found = {method: operations[method] for method in METHODS.values() if method in operations}
    shown = [
        {"name": name, "in": "path", "required": True,
         "schema": {"type": "string", "uniqueItems": True}}
        for name in parameters
    ]  # fmt: skip
    return {**found, "parameters": [*shown, _parameter("pretty")]}


def _parameter(name: str) -> Json:
    kind = TYPES.get(name, "string")
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}


def _camel(resource: Resource) -> str:
    # autoscaling, rbac.authorization.k8s.io, shop.example.com: Autoscaling, RbacAuthorization,
    # ShopExampleCom.
    group = resource.group.removesuffix(".k8s.io") or "core"
    return "".join(part.title() for part in group.replace("-", ".").split("."))


def _operation(
    resource: Resource,
    verb: str,
    *,
    part: str = "",
    body: kinds.Subresource | None = None,
    everywhere: bool = False,
) -> Json:
    camel, is_many = _camel(resource), verb in {"list", "deletecollection"}
    version = resource.version[:1].upper() + resource.version[1:]
    scope = "Namespaced" if resource.namespaced and not everywhere else ""
    word = {"list": "list", "deletecollection": "delete"}.get(verb) or WORDS[METHODS[verb]]
    collection = "Collection" if verb == "deletecollection" else ""
    name = f"{word}{camel}{version}{collection}{scope}{resource.kind}{part.title()}"
    action = verb if is_many else METHODS[verb]
    own = (resource.group, resource.version, resource.kind)
    group, version, kind = (body.group, body.version, body.kind) if body else own
    found: Json = {
        "tags": [f"{camel[:1].lower()}{camel[1:]}_{resource.version}"],
        "operationId": name + ("ForAllNamespaces" if everywhere else ""),
        "parameters": [_parameter(each) for each in _parameters(resource, verb)],
        "responses": _responses(resource, verb, _type(resource, group, version, kind, part)),
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": group, "kind": kind, "version": version},
    }
    accepted = _accepted(resource, verb)
    if accepted:
        target = _type(resource, group, version, kind, part)
        if verb in {"patch", "delete", "deletecollection"}:
            target = f"{schemas.PREFIX}{META}.{'Patch' if verb == 'patch' else 'DeleteOptions'}"
        schema = {"schema": {"$ref": schemas.REFERENCE + target}}
        found["requestBody"] = {"content": dict.fromkeys(accepted, schema)}
    return found


def _type(resource: Resource, group: str, version: str, kind: str, part: str) -> str:
    if part == "scale":
        return schemas.PREFIX + SCALE
    other = schemas.of_kind().get((group, version, kind))
    if other is not None and kind != resource.kind:
        return schemas.PREFIX + other
    return type_name(resource, kind)


def _parameters(resource: Resource, verb: str) -> tuple[str, ...]:
    if verb == "list" or (verb == "deletecollection" and resource.is_custom):
        return LIST
    if verb == "deletecollection":
        return DELETE_MANY
    if verb == "delete":
        return DELETE
    if verb == "patch":
        return (*WRITE, "force")
    if verb == "get":
        return ("resourceVersion",) if resource.is_custom else ()
    return WRITE


def _accepted(resource: Resource, verb: str) -> tuple[str, ...]:
    if verb in {"get", "list"} or (verb == "deletecollection" and resource.is_custom):
        return ()
    if verb == "patch":
        return PATCHES[:3] if resource.is_custom else PATCHES
    return CUSTOM_READ if resource.is_custom else ("*/*",)


def _responses(resource: Resource, verb: str, name: str) -> Json:
    formats: tuple[str, ...] = CUSTOM_READ if resource.is_custom else READ
    if verb == "list":
        name = type_name(resource, resource.list_kind_name)
        formats = formats if resource.is_custom else STREAMED
    elif verb in {"delete", "deletecollection"}:
        name = f"{schemas.PREFIX}{META}.Status"
        # A namespace takes its time, so what the real server answers is said to be a Status.
        if verb == "delete" and resource.returns_deleted and resource.plural != "namespaces":
            name = type_name(resource, resource.kind)
    content = {each: {"schema": {"$ref": schemas.REFERENCE + name}} for each in formats}
    codes = {"create": ("200", "201", "202"), "update": ("200", "201"), "delete": ("200", "202")}
    found = codes.get(verb, ("200",))
    if verb == "patch" and not resource.is_custom:
        found = ("200", "201")
    return {code: {"content": content} for code in found} | {"401": {}}
