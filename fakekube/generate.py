"""Write the tables of the built-in kinds anew: ``python -m fakekube.generate URL CERTIFICATE KEY``.

The URL is that of a real kube-apiserver. Its discovery says which resources there are, its lists
say which columns their tables have, and its OpenAPI documents say of which shape they are. What
fakekube leaves out is left out here. Texts for people are not taken.

``kinds/resources.json`` holds a row for each resource: plural, singular, kind, letters of its verbs
(capital ``N`` first: it is in a namespace), short names, categories, subresources (group, version
and kind of the body, letters of the verbs), columns (name, type, format, priority).
``kinds/schemas.json`` holds all types; see ``fakekube.kinds.schemas`` for the spelling.
"""

from __future__ import annotations

import http.client
import json
import pathlib
import ssl
import sys
from typing import Any
from urllib import parse

Json = Any

FOLDER = pathlib.Path(__file__).parent / "kinds"
LEFT_OUT = {"apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io", "resource.k8s.io"}
"""Groups about the real server itself, or about devices of nodes."""
LEFT_OUT_RESOURCES = {"bindings", "componentstatuses", "podtemplates", "replicationcontrollers"}
SUBRESOURCES = {
    "approval",
    "binding",
    "ephemeralcontainers",
    "eviction",
    "finalize",
    "resize",
    "scale",
    "status",
    "token",
}
"""The others need a kubelet behind the server."""
VERBS = {
    "create": "c",
    "delete": "d",
    "deletecollection": "D",
    "get": "g",
    "list": "l",
    "patch": "p",
    "update": "u",
    "watch": "w",
}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SCALARS = {
    "string": "s",
    "string/byte": "y",
    "string/date-time": "t",
    "integer/int32": "i",
    "integer/int64": "l",
    "boolean": "b",
}
EMPTY = {"string": "", "integer": 0, "boolean": False}
REFERENCE = "#/components/schemas/"


class Server:
    """The real server."""

    def __init__(self, url: str, certificate: str, key: str) -> None:
        context = ssl._create_unverified_context()  # noqa: S323, SLF001 - nothing secret is asked.
        context.load_cert_chain(certificate, key)
        self._connection = http.client.HTTPSConnection(parse.urlsplit(url).netloc, context=context)

    def ask(self, path: str, accept: str = "application/json") -> Json:
        """Return the document of a path."""
        self._connection.request("GET", path, headers={"Accept": accept})
        return json.loads(self._connection.getresponse().read())


def letters(verbs: list[str]) -> str:
    """Return a letter for each verb."""
    return "".join(VERBS[verb] for verb in sorted(verbs))


def resources(server: Server) -> Json:
    """Return group, version and rows of all group versions, in the server's order."""
    defined = server.ask("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    skipped = LEFT_OUT | {each["spec"]["group"] for each in defined}
    found = []
    for path in ("/api", "/apis"):
        for group in server.ask(path, AGGREGATED)["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"] if name not in skipped else ():
                place = f"/apis/{name}/{version['version']}" if name else "/api/v1"
                rows = [
                    row(server, place, name, version["version"], resource)
                    for resource in version["resources"]
                    if name or resource["resource"] not in LEFT_OUT_RESOURCES
                ]
                found.append([name, version["version"], rows])
    return found


def row(server: Server, place: str, group: str, version: str, resource: Json) -> Json:
    """Return the row of a resource."""
    plural = resource["resource"]
    columns = []
    if "list" in resource["verbs"]:
        table = server.ask(f"{place}/{plural}", TABLE)
        columns = [
            [each["name"], each["type"], each["format"], each["priority"]]
            for each in table["columnDefinitions"]
        ]
    parts = {}
    for part in resource.get("subresources", ()):
        if part["subresource"] in SUBRESOURCES:
            kind = part["responseKind"]
            own = [kind["group"] or group, kind["version"] or version, kind["kind"]]
            parts[part["subresource"]] = [*own, letters(part["verbs"])]
    return [
        plural,
        resource["singularResource"],
        resource["responseKind"]["kind"],
        ("N" if resource["scope"] == "Namespaced" else "") + letters(resource["verbs"]),
        resource.get("shortNames", []),
        resource.get("categories", []),
        parts,
        columns,
    ]


def schemas(server: Server, groups: Json) -> Json:
    """Return all types of these groups, by name, in short spelling."""
    found: dict[str, Json] = {}
    for group, version, _ in groups:
        place = f"apis/{group}/{version}" if group else "api/v1"
        document = server.ask(f"/openapi/v3/{place}")
        for name, schema in document["components"]["schemas"].items():
            is_list = name.endswith("List") and "items" in schema.get("properties", {})
            is_meta = ".meta.v1.API" in name
            if not is_list and not is_meta and left_in(name):
                found[name.removeprefix("io.k8s.")] = type_of(schema)
    return found


def left_in(name: str) -> bool:
    """Say whether a type is needed, as those of what is left out are not."""
    last = name.rsplit(".", 1)[1]
    return name != f"io.k8s.api.core.v1.{last}" or not last.startswith(
        ("ReplicationController", "ComponentStatus")
    )


def type_of(schema: Json) -> Json:
    """Return a type: fields, required fields, and whatever else there is to say."""
    rest = {
        key: value
        for key, value in schema.items()
        if key not in {"description", "properties", "required", "x-kubernetes-group-version-kind"}
    }
    if rest.get("type") == "object":
        del rest["type"]
    if "properties" not in schema:
        rest = {key: value for key, value in schema.items() if key != "description"}
        rest.pop("x-kubernetes-group-version-kind", None)
        return {"is": rest}
    kinds = schema.get("x-kubernetes-group-version-kind", [])
    found: dict[str, Json] = {
        "of": {key: spell(value) for key, value in schema["properties"].items()}
    }
    if schema.get("required"):
        found["need"] = schema["required"]
    if rest:
        found["more"] = rest
    if len(kinds) == 1:
        found["kind"] = [kinds[0]["group"], kinds[0]["version"], kinds[0]["kind"]]
    elif kinds:
        found["kind"] = ["", "v1", kinds[0]["kind"]]
    return found


def spell(schema: Json) -> Json:
    """Return the short spelling of a schema; what has none stays as it is, in a list."""
    schema = {key: value for key, value in schema.items() if key != "description"}
    keys = set(schema) - {"default"}
    default = "default" in schema
    if keys in ({"allOf"}, {"$ref"}) and schema.get("default", {}) == {}:
        reference = schema.get("$ref") or schema["allOf"][0]["$ref"]
        sign = "@" if "$ref" in schema else "&"
        return sign * (1 + default) + reference.removeprefix(f"{REFERENCE}io.k8s.")
    if keys <= {"type", "format"} and "type" in schema:
        kind = "/".join(schema[key] for key in ("type", "format") if key in schema)
        if (
            kind in SCALARS
            and schema.get("default", EMPTY[schema["type"]]) == EMPTY[schema["type"]]
        ):
            return SCALARS[kind] + "+" * default
    if schema.get("type") == "array" and keys <= LISTED:
        marks = {MARKS[key]: schema[key] for key in MARKS if key in schema}
        return ["[]", spell(schema["items"]), *([marks] if marks else [])]
    if keys == {"type", "additionalProperties"} and isinstance(
        schema["additionalProperties"], dict
    ):
        return ["{}", spell(schema["additionalProperties"])]
    return schema


MARKS = {
    "x-kubernetes-list-type": "l",
    "x-kubernetes-list-map-keys": "k",
    "x-kubernetes-patch-merge-key": "m",
    "x-kubernetes-patch-strategy": "p",
}
LISTED = {"type", "items", *MARKS}


def main(arguments: list[str]) -> None:
    """Ask and write."""
    server = Server(*arguments)
    groups = resources(server)
    for name, content in (("resources", groups), ("schemas", schemas(server, groups))):
        text = json.dumps(content, separators=(",", ":"))
        text = (
            text.replace("]],[", "]],\n[")
            if name == "resources"
            else text.replace('},"api', '},\n"api')
        )
        path = FOLDER / f"{name}.json"
        path.write_text(text + "\n", encoding="utf-8")
        sys.stdout.write(f"{path}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
