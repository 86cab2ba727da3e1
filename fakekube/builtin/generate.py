"""Write ``table.json`` anew: ``python -m fakekube.builtin.generate URL CERTIFICATE KEY MODULE...``.

The facts come from two places. The OpenAPI v3 document of a real kube-apiserver says of which type
a field is, how its lists and maps merge, and which kinds there are. The Go sources of the modules
(folders of ``k8s.io/api``, ``apimachinery``, ``apiextensions-apiserver``, ``kube-aggregator``) say
in the tags of their structs which number a field has in protobuf, and whether it is written when
it is empty. How a row is spelled stands in ``fakekube.builtin``.
"""

from __future__ import annotations

import http.client
import json
import pathlib
import re
import ssl
import sys
from typing import Any
from urllib import parse

Json = Any

TABLE = pathlib.Path(__file__).parent / "table.json"
PREFIXES = ("io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg.")
SCALARS = {
    ("string", ""): "s",
    ("string", "byte"): "y",
    ("string", "date-time"): "t",
    ("integer", "int32"): "i",
    ("integer", "int64"): "i",
    ("number", "double"): "f",
    ("boolean", ""): "b",
}
NAMED = {
    "api.resource.Quantity": "q",
    "meta.v1.Time": "t",
    "meta.v1.MicroTime": "T",
    "util.intstr.IntOrString": "I",
    "runtime.RawExtension": "r",
    "meta.v1.FieldsV1": "F",
    "apiextensions.v1.JSON": "J",
    "apiextensions.v1.JSONSchemaPropsOrArray": "J",
    "apiextensions.v1.JSONSchemaPropsOrBool": "J",
    "apiextensions.v1.JSONSchemaPropsOrStringArray": "J",
}
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r'^\t(?:(\w+)\s+)?([\w.*\[\]]+)\s+`json:"([^"]*)"(.*)`', re.MULTILINE)
NUMBER = re.compile(r'protobuf:"\w+,(\d+),')
# Nobody sends these in protobuf, or they are of kinds that only the real server needs.
UNUSED = re.compile(r"^(flowcontrol|resource|storagemigration|apiserverinternal|imagepolicy)\.")


def short(name: str) -> str:
    """Return the name of a type without what all names have in common."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    # A server of its own in the repository: io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.
    return name.rsplit(".pkg.apis.", 1)[-1]


class Go:
    """The structs of the Go sources: their fields, with JSON name, type and tags."""

    def __init__(self, folders: list[str]) -> None:
        self.structs: dict[str, list[tuple[str, str, str, str]]] = {}
        for folder in folders:
            for path in sorted(pathlib.Path(folder).glob("**/v[0-9]*/*.go")):
                if "testdata" in path.parts or path.name.endswith("_test.go"):
                    continue
                package = ".".join(path.parts[-3:-1])
                for name, body in STRUCT.findall(path.read_text(encoding="utf-8")):
                    self.structs[f"{package}.{name}"] = FIELD.findall(body)


class Table:
    """The table as it grows."""

    def __init__(self, schemas: dict[str, Json], go: Go) -> None:
        self.go = go
        self.schemas = {short(name): schema for name, schema in schemas.items()}
        self.types: dict[str, dict[str, str]] = {}

    def add(self, name: str, properties: Json = None) -> None:
        """Add a type, and all that it refers to.

        A part of another struct is inlined in JSON, so its schemas are among the ``properties``
        of that one; in protobuf it is a message of its own.
        """
        if name in self.types or name in NAMED:
            return
        self.types[name] = row = {}
        schema = self.schemas.get(name, {})
        is_part = properties is not None
        properties = properties if is_part else schema.get("properties", {})
        left = dict(properties)
        for field, kind, tag, tags in self.go.structs.get(name, []):
            number = NUMBER.search(tags)
            json_name, *options = tag.split(",")
            if "inline" in options:
                if number:
                    part = f"{name.rsplit('.', 1)[0]}.{kind.rsplit('.', 1)[-1]}"
                    row[f">{number[1]}"] = f"@{part}"
                    self.add(part, properties)
                    left = {key: left[key] for key in left if key not in self.names(part)}
                continue
            if json_name in left:
                spelled = self.spell(left.pop(json_name))
                assert field or kind, "An embedded struct has a type, and nothing else."
                row[json_name] = (
                    f"{number[1] if number else ''}{mode(kind, options, spelled)}{spelled}"
                )
        if not is_part:
            row.update({key: self.spell(value) for key, value in left.items()})
        if schema.get("x-kubernetes-map-type") == "atomic":
            row["!"] = ""

    def names(self, name: str) -> set[str]:
        """Return the JSON names of a type, those of its inlined parts included."""
        found = set(self.types[name])
        for key in [key for key in found if key.startswith(">")]:
            found |= self.names(self.types[name][key].removeprefix("@"))
        return found

    def spell(self, schema: Json) -> str:
        """Return how a schema is spelled in the table, behind number and mode."""
        strategy = schema.get("x-kubernetes-patch-strategy", "")
        key = schema.get("x-kubernetes-patch-merge-key", "")
        default = schema.get("default")
        found = self.kind(schema)
        found += f"|{strategy}:{key}" if strategy else ""
        # A default of a key decides which item of a list is meant: TCP of a port.
        return f"{found}={default}" if default not in (None, "", 0, False, {}) else found

    def kind(self, schema: Json) -> str:
        """Return the type of a schema."""
        whole = schema.get("allOf") or [{}]
        reference = schema.get("$ref") or whole[0].get("$ref")
        if reference:
            name = short(reference.rsplit("/", 1)[1])
            self.add(name)
            atomic = "!" if schema.get("x-kubernetes-map-type") == "atomic" else ""
            return NAMED.get(name) or f"@{atomic}{name}"
        if schema.get("type") == "array":
            return f"[{self.listed(schema)}]{self.kind(schema['items'])}"
        if schema.get("type") == "object":
            atomic = "!" if schema.get("x-kubernetes-map-type") == "atomic" else ""
            more = schema.get("additionalProperties")
            return f"{{{atomic}}}{self.kind(more) if isinstance(more, dict) else 'd'}"
        if "type" not in schema:
            return "d"
        return SCALARS.get((schema["type"], schema.get("format", "")), "u")

    @staticmethod
    def listed(schema: Json) -> str:
        """Return how the items of a list are told apart: not, by value, or by keys."""
        listed = schema.get("x-kubernetes-list-type")
        if listed == "map":
            return ",".join(schema["x-kubernetes-list-map-keys"])
        merges = schema.get("x-kubernetes-patch-strategy", "").startswith("merge")
        if listed is None and merges:
            return str(schema.get("x-kubernetes-patch-merge-key", "="))
        return "=" if listed == "set" else ""


def mode(kind: str, options: list[str], spelled: str) -> str:
    """Return when Go writes a field; see ``fakekube.builtin``."""
    if kind.startswith("*"):
        return "" if "omitempty" in options else "!"
    if "omitzero" in options:
        return "-"
    # To Go, a struct is never empty.
    return "-" if "omitempty" in options and spelled[0] not in "@tTqIrJ" else "+"


def read(url: str, certificate: str, key: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return all schemas of the server, and its kinds with the plural of each."""
    context = ssl._create_unverified_context()  # noqa: S323, SLF001 — nothing secret is asked.
    context.load_cert_chain(certificate, key)
    connection = http.client.HTTPSConnection(parse.urlsplit(url).netloc, context=context)

    def ask(path: str) -> Json:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())

    schemas: dict[str, Json] = {}
    kinds: dict[str, Json] = {}
    for path in ask("/openapi/v3")["paths"]:
        if re.fullmatch(r"apis?|api/v1|apis/[\w.-]+(/v\w+)?", path):
            schemas |= ask(f"/openapi/v3/{path}").get("components", {}).get("schemas", {})
            for resource in ask(f"/{path}").get("resources", []):
                if resource["name"].endswith("/status"):
                    group = path.removeprefix("apis/") if path.startswith("apis/") else "v1"
                    kinds[f"{group}/{resource['kind']}"] = 1
    return schemas, kinds


def main(arguments: list[str]) -> None:
    """Ask, read and write."""
    url, certificate, key, *folders = arguments
    schemas, with_status = read(url, certificate, key)
    table = Table(schemas, Go(folders))
    kinds: dict[str, str] = {}
    for name, schema in sorted(table.schemas.items()):
        kinds_of = schema.get("x-kubernetes-group-version-kind", [])
        is_list = {"items", "metadata"} <= schema.get("properties", {}).keys()
        if UNUSED.match(name) or is_list or not kinds_of:
            continue
        first = kinds_of[0]
        table.add(name)
        # Options of requests belong to every group, with one meaning.
        group = "" if len(kinds_of) > 1 else first["group"]
        version = "v1" if len(kinds_of) > 1 else first["version"]
        spelled = f"{group}/{version}".lstrip("/")
        kinds[f"{spelled}/{first['kind']}"] = name
    content = {"kinds": kinds, "status": sorted(with_status), "types": table.types}
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    TABLE.write_text(text.replace("},", "},\n") + "\n", encoding="utf-8")
    sys.stdout.write(f"{TABLE}: {len(table.types)} types, {TABLE.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
