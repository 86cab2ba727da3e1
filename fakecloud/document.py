"""The OpenAPI document of OUTSCALE: the one source of actions, shapes, filters and examples.

It is read from the installed osc-sdk-python wheel, so that the simulator accepts what the client
can send. Parsing 1 MB of YAML takes half a second: the parsed document is kept as JSON in the
user's cache directory, keyed by the size and the time of the file.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Json = Any
PACKAGE = "osc_sdk_python"


@dataclass(frozen=True)
class Problem:
    """Say what in a value does not fit its schema.

    ``kind`` is one of ``unknown``, ``missing``, ``type`` and ``enum``; ``path`` is the list of
    keys from the top of the value; ``expected`` names what the schema wants.
    """

    kind: str
    path: tuple[str, ...]
    expected: str
    got: Json

    @property
    def field(self) -> str:
        """Return the path as written in messages, for example ``Filters.NetIds``."""
        return ".".join(self.path)


@dataclass(frozen=True)
class ActionSpec:
    """One action of the document: its schemas, its answer keys and who may call it."""

    name: str
    tag: str
    request: str
    response: str
    parameters: frozenset[str]
    required: tuple[str, ...]
    answers: tuple[str, ...]
    needs_key: bool
    allows_login: bool

    @property
    def is_read(self) -> bool:
        """Tell whether the action only looks."""
        return self.name.startswith("Read") or self.name == "CheckAuthentication"


class Document:
    """Answer questions about the API document; shapes are compiled when first asked for."""

    def __init__(self, raw: dict[str, Json]) -> None:
        self.raw = raw
        self.version: str = raw["info"]["version"]
        self.schemas: dict[str, Json] = raw["components"]["schemas"]
        self.actions = {name: self._action(name) for name in sorted(self._operations())}
        self._structs: dict[str, Any] = {}

    @property
    def regions(self) -> list[str]:
        """Return the names of the regions, as listed in the document's server variables."""
        return list(self.raw["servers"][0]["variables"]["region"]["enum"])

    def _operations(self) -> dict[str, Json]:
        return {path.lstrip("/"): item["post"] for path, item in self.raw["paths"].items()}

    def _action(self, name: str) -> ActionSpec:
        operation = self.raw["paths"]["/" + name]["post"]
        security = operation.get("security", self.raw.get("security", []))
        schemes = {scheme for alternative in security for scheme in alternative}
        content = operation["requestBody"]["content"]["application/json"]
        answer = operation["responses"]["200"]["content"]["application/json"]
        request, response = _ref(content["schema"]), _ref(answer["schema"])
        return ActionSpec(
            name=name,
            tag=operation["tags"][0],
            request=request,
            response=response,
            parameters=frozenset(self.schemas[request].get("properties", {})),
            required=tuple(self.schemas[request].get("required", ())),
            answers=tuple(self.schemas[response].get("properties", {})),
            needs_key=bool(schemes),
            allows_login="BasicAuth" in schemes,
        )

    def examples(self, action: str) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return the request and the response examples of an action, by example name."""
        operation = self.raw["paths"]["/" + action]["post"]
        request = operation["requestBody"]["content"]["application/json"]
        answer = operation["responses"]["200"]["content"]["application/json"]
        return (
            {name: item["value"] for name, item in request.get("examples", {}).items()},
            {name: item["value"] for name, item in answer.get("examples", {}).items()},
        )

    def properties(self, schema: str) -> dict[str, Json]:
        """Return the properties of a schema, or nothing when it is not an object."""
        properties: dict[str, Json] = self.schemas[schema].get("properties", {})
        return properties

    def resolve(self, part: Json) -> Json:
        """Follow a ``$ref`` to the schema that it names."""
        return self.schemas[_ref(part)] if "$ref" in part else part

    def shape(self, schema: str) -> Any:
        """Return the msgspec type of a schema; unknown keys are refused, as the document says."""
        found = self._structs.get(schema)
        if found is None:
            found = self._compile(schema)
        return found

    def fits(self, schema: str, value: Json) -> bool:
        """Tell whether ``value`` fits a schema. The reasons come from :meth:`problems`."""
        try:
            msgspec.convert(value, self.shape(schema))
        except msgspec.ValidationError:
            return False
        return True

    def _compile(self, name: str) -> Any:
        schema = self.schemas[name]
        if schema.get("type") != "object":
            self._structs[name] = self._type(schema)
            return self._structs[name]
        required = set(schema.get("required", ()))
        properties = schema.get("properties", {})
        ordered = sorted(properties, key=lambda key: key not in required)
        # A placeholder breaks the loop of schemas that contain themselves.
        self._structs[name] = dict
        fields: list[Any] = []
        for key in ordered:
            kind = self._type(properties[key])
            if key in required:
                fields.append((key, kind))
            else:
                fields.append((key, kind | msgspec.UnsetType, msgspec.UNSET))
        closed = schema.get("additionalProperties") is False
        self._structs[name] = msgspec.defstruct(name, fields, forbid_unknown_fields=closed)
        return self._structs[name]

    def _type(self, part: Json) -> Any:
        if "$ref" in part:
            return self.shape(_ref(part))
        kind: Any = _kind(part)
        if "enum" in part:
            found: Any = Literal[tuple(part["enum"])]
        elif kind == "array":
            found = list[self._type(part["items"])]  # type: ignore[misc]
        else:
            found = _SCALARS.get(kind, dict)
        return found | None if part.get("nullable") else found

    def problems(self, schema: str, value: Json) -> list[Problem]:
        """Return everything in ``value`` that does not fit a schema, in the document's order."""
        return list(self._walk({"$ref": "#/" + schema}, value, ()))

    def _walk(self, part: Json, value: Json, path: tuple[str, ...]) -> Iterator[Problem]:
        part = self.resolve(part)
        if value is None and part.get("nullable"):
            return
        kind = _kind(part)
        if not _is(kind, value):
            yield Problem("type", path, kind, value)
        elif "enum" in part and value not in part["enum"]:
            yield Problem("enum", path, ", ".join(map(str, part["enum"])), value)
        elif kind == "array":
            for item in value:
                yield from self._walk(part["items"], item, path)
        elif kind == "object":
            yield from self._walk_object(part, value, path)

    def _walk_object(self, part: Json, value: Json, path: tuple[str, ...]) -> Iterator[Problem]:
        properties = part.get("properties", {})
        if part.get("additionalProperties") is False:
            for key in value:
                if key not in properties:
                    yield Problem("unknown", (*path, key), ", ".join(properties), value[key])
        for key in part.get("required", ()):
            if key not in value:
                yield Problem("missing", (*path, key), properties[key].get("type", "object"), None)
        for key, item in properties.items():
            if key in value:
                yield from self._walk(item, value[key], (*path, key))


_SCALARS: dict[str | None, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
}


def _kind(part: Json) -> str:
    """Return the type of a value; the alternatives of a ``oneOf`` all have the same."""
    kind: str = part.get("type") or part.get("oneOf", [{}])[0].get("type", "object")
    return kind


def _is(kind: str, value: Json) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, list if kind == "array" else dict)


def _ref(part: Json) -> str:
    name: str = part["$ref"].rsplit("/", 1)[1]
    return name


@functools.cache
def load() -> Document:
    """Return the document of the installed osc-sdk-python; parsed at most once per process."""
    source = _shipped("outscale.yaml")
    facts = source.stat()
    cached = _cache_folder() / f"outscale-{facts.st_size}-{facts.st_mtime_ns}.json"
    try:
        return Document(msgspec.json.decode(cached.read_bytes()))
    except (OSError, msgspec.DecodeError):
        raw = _parse(source.read_bytes())
    _keep(cached, msgspec.json.encode(raw))
    return Document(raw)


@functools.cache
def known_errors() -> dict[int, tuple[str, str]]:
    """Return code -> (name, type) of ``gateway_errors.yaml``, which ships beside the document."""
    rows = _parse(_shipped("gateway_errors.yaml").read_bytes())
    return {int(code): (row["Name"], row["Type"]) for code, row in rows.items()}


def _shipped(name: str) -> pathlib.Path:
    # Found without importing the client and, with it, `requests`: that takes longer than all here.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed. Install osc-sdk-python.")
    return pathlib.Path(found.submodule_search_locations[0]) / "resources" / name


def _parse(text: bytes) -> Any:
    import yaml  # Only needed when the cache is cold.

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Keep dates as the text that is written in the document."""

    Loader.yaml_implicit_resolvers = {
        letter: [item for item in items if item[0] != "tag:yaml.org,2002:timestamp"]
        for letter, items in Loader.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader=Loader)  # noqa: S506 - derived from a safe loader


def _cache_folder() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "fakecloud"


def _keep(path: pathlib.Path, content: bytes) -> None:
    # A cache that cannot be written costs half a second at the next start and nothing else.
    import tempfile  # As for _parse.

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
            draft.write(content)
        pathlib.Path(draft.name).replace(path)
    except OSError:
        return
