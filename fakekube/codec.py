"""Bodies in and out: which format a client reads and writes, and the texts of refusals."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import itertools
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from fakekube import status, store
from fakekube.resource import Resource

Json = Any
Object = dict[str, Any]

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
MEDIA_TYPES = (JSON, YAML, PROTOBUF)
CUSTOM_MEDIA_TYPES = (JSON, YAML)
SHAPES = {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"}


@dataclass(frozen=True, slots=True)
class Media:
    """What a client reads: the format, and which shape it wants instead of the object."""

    format: str = JSON
    shape: str = ""
    """``Table``, ``PartialObjectMetadata``, or nothing for the object itself."""

    @property
    def content_type(self) -> str:
        """Return the value of the header ``Content-Type``."""
        return self.format

    @property
    def is_plain(self) -> bool:
        """Tell whether stored bytes can be sent as they are."""
        return self.format == JSON and not self.shape


PLAIN = Media()
ALIASED_MAX = 400_000
"""Of how many values YAML may be once its aliases are written out; it is a little for 3 MB."""
ANYTHING = {"", JSON, "*/*"}
"""What a client accepts that gets JSON without further ado."""


@functools.lru_cache(maxsize=256)
def negotiate(accept: str, supported: tuple[str, ...] = MEDIA_TYPES) -> Media:
    """Return the first that the client accepts and the server writes."""
    if accept in ANYTHING:
        return PLAIN
    ranges = []
    for order, clause in enumerate(accept.split(",")):
        type_, *rest = (part.strip() for part in clause.split(";"))
        parameters = dict(part.partition("=")[::2] for part in rest)
        try:
            quality = float(parameters.get("q", 1))
        except ValueError:
            quality = 1.0
        ranges.append((-quality, order, type_.lower(), parameters))
    for _, _, type_, parameters in sorted(ranges, key=lambda each: each[:2]):
        format_ = JSON if type_ in {"*/*", "application/*"} else type_
        shape = parameters.get("as", "")
        if format_ not in supported and not (shape and format_ == PROTOBUF):
            continue
        if shape and (shape not in SHAPES or parameters.get("g") != "meta.k8s.io"):
            continue
        return Media(format_, shape.removesuffix("List"))
    raise status.not_acceptable(supported)


def media_type(header: str) -> str:
    """Return the media type of a ``Content-Type``, without its parameters."""
    found = header.partition(";")[0].strip().lower()
    return {"text/yaml": YAML, "application/x-yaml": YAML}.get(found, found)


def json_problem(body: bytes) -> str:
    """Return what is wrong with JSON, near enough to how Go says it."""
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return "unexpected end of JSON input"
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        found = str(error)
        if "truncated" in found:
            return "unexpected end of JSON input"
        where = found.rpartition("byte ")[2].rstrip(")")
        at = int(where) if where.isdigit() else 0
        if "trailing characters" in found:
            character = body[at - 1 : at].decode("latin-1")
            return f"invalid character '{character}' after top-level value"
        character = body[at : at + 1].decode("latin-1") or text[0]
        return f"invalid character '{character}' looking for beginning of value"
    except RecursionError:
        return "invalid character '{' exceeded max depth"
    return "json: cannot unmarshal array into Go value of type map[string]interface {}"


def unstructured(body: bytes, content_type: str) -> Json:
    """Read a body of JSON, YAML or protobuf; raise ``ValueError`` with Go's words."""
    if content_type == YAML:
        return _yaml(body)
    if content_type == PROTOBUF:
        return protobuf().decode(body)
    try:
        return store.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError(json_problem(body)) from None


def _yaml(body: bytes) -> Json:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Plain(loader):  # type: ignore[misc]
        """Leave dates as text, and count what aliases stand for, as Kubernetes does."""

        def construct_document(self, node: Any) -> Any:
            if b"*" in body and _expanded(node, {}) > ALIASED_MAX:
                raise yaml.YAMLError("document contains excessive aliasing")
            return super().construct_document(node)

    # Each has a letter of its own: y and n are booleans here, and dates are text.
    Plain.yaml_implicit_resolvers = {
        key: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for key, pairs in loader.yaml_implicit_resolvers.items()
    }
    boolean = ("tag:yaml.org,2002:bool", re.compile(r"[yYnN]$"))
    for letter in "yYnN":
        Plain.yaml_implicit_resolvers.setdefault(letter, []).append(boolean)
    Plain.bool_values = {**loader.bool_values, "y": True, "n": False}
    try:
        found = yaml.load(body, Plain)  # noqa: S506 - it is a safe loader
        return store.decode(store.encode(found))
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, RecursionError) as error:
        raise ValueError(f"error converting YAML to JSON: yaml: {error}") from None


def _expanded(node: Any, known: dict[int, float]) -> float:
    """Return how many values a node of YAML is when all its aliases are written out."""
    size = known.get(id(node))
    if size is None:
        known[id(node)] = float("inf")  # What contains itself has no end.
        inner = node.value if isinstance(node.value, list) else ()
        parts = (each if isinstance(each, tuple) else (each,) for each in inner)
        size = known[id(node)] = 1 + sum(
            _expanded(each, known) for each in itertools.chain.from_iterable(parts)
        )
    return size


def decode_object(body: bytes, header: str, resource: Resource, *, kind: str = "") -> Object:
    """Read the object of a request and check that it is one of these."""
    content_type = media_type(header) or JSON
    supported = CUSTOM_MEDIA_TYPES if resource.is_custom and not kind else MEDIA_TYPES
    if content_type not in supported:
        raise status.unsupported_media_type(supported)
    kind = kind or resource.kind
    try:
        found = unstructured(body, content_type)
    except ValueError as error:
        shown = body.decode("utf-8", "replace") or "<empty>"
        raise unrecognized(kind, f"couldn't get version/kind; json parse error: {error}", shown) \
            from None  # fmt: skip
    if not isinstance(found, dict):
        problem = (
            f"json: cannot unmarshal {_go_type(found)} into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; '
            'Kind string "json:\\"kind,omitempty\\"" }'
        )
        shown = body.hex()
        raise unrecognized(kind, f"couldn't get version/kind; json parse error: {problem}", shown)
    return found


def unrecognized(kind: str, problem: str, shown: str) -> status.ApiError:
    """Refuse a body that is no object."""
    return status.bad_request(
        f"the object provided is unrecognized (must be of type {kind}): {problem} ({shown[:1024]})"
    )


def _go_type(value: Json) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, list):
        return "array"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float) else "null"


def partial_metadata(obj: Object) -> Object:
    """Return only the metadata of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj.get("metadata", {}),
    }


def write(obj: Json, format_: str) -> bytes:
    """Encode an answer in a format."""
    if format_ == YAML:
        import yaml

        dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text: str = yaml.dump(obj, Dumper=dumper, default_flow_style=False, allow_unicode=True)
        return text.encode()
    if format_ == PROTOBUF:
        found: bytes = protobuf().encode(obj)
        return found
    return store.encode(obj)


@functools.cache
def protobuf() -> Any:
    """Return the protobuf codec; it is loaded when a client first speaks it."""
    return importlib.import_module("fakekube.protobuf")
