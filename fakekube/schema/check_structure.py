"""Whether a schema is structural: types on the spine, only value rules beside it.

Every field that a value rule speaks of must be on the spine, which is what one reaches without
going through `allOf`, `anyOf`, `oneOf` and `not`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fakekube.schema import causes, patterns
from fakekube.status import Cause

Schema = dict[str, Any]

_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_JUNCTIONS = ("allOf", "anyOf", "oneOf")
# What must not be in a value rule: the field, and what it must be instead.
_FORBIDDEN = {
    "type": "empty",
    "additionalProperties": "undefined",
    "default": "undefined",
    "title": "empty",
    "description": "empty",
    "nullable": "false",
    "x-kubernetes-preserve-unknown-fields": "false",
    "x-kubernetes-embedded-resource": "false",
    "x-kubernetes-int-or-string": "false",
    "x-kubernetes-list-map-keys": "empty",
    "x-kubernetes-list-type": "undefined",
    "x-kubernetes-map-type": "undefined",
    "x-kubernetes-validations": "empty",
}
_EMPTY_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}


def check_structure(schema: Schema, path: str) -> list[Cause]:
    """Return all that keeps a schema from being structural, sorted."""
    found = [*_invariants(schema, path, "root"), *_complete(schema, schema, path, path)]
    return sorted(found, key=lambda cause: f"{cause.field}: {cause.message}")


def _invariants(schema: Schema, path: str, level: str) -> Iterator[Cause]:
    if schema.get("type") == "array" and not schema.get("items"):
        yield causes.required(f"{path}.items", "must be specified")
    if schema.get("items"):
        yield from _invariants(schema["items"], f"{path}.items", "item")
    for name, member in (schema.get("properties") or {}).items():
        yield from _invariants(member, f"{path}.properties[{name}]", "field")
    rest = schema.get("additionalProperties")
    if rest is not None and level == "root":
        yield causes.forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if isinstance(rest, dict):
        yield from _invariants(rest, f"{path}.additionalProperties", "field")
    yield from _extensions(schema, path)
    first = (schema.get("allOf") or [{}])[0]
    yield from _value_rules(
        schema,
        path,
        skip_any=schema.get("anyOf") == _INT_OR_STRING,
        skip_first=first.get("anyOf") == _INT_OR_STRING,
    )
    yield from _type(schema, path, level)
    yield from _metadata(schema, path, level)


def _extensions(schema: Schema, path: str) -> Iterator[Cause]:
    if not schema.get("x-kubernetes-int-or-string"):
        return
    for name in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
        if schema.get(name):
            detail = "must be false if x-kubernetes-int-or-string is true"
            yield causes.invalid(f"{path}.{name}", value=True, detail=detail)


def _type(schema: Schema, path: str, level: str) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    free = schema.get("x-kubernetes-int-or-string")
    free = free or schema.get("x-kubernetes-preserve-unknown-fields")
    if embedded and kind != "object":
        detail = "must be object if x-kubernetes-embedded-resource is true"
        yield _missing_or_wrong(f"{path}.type", kind, detail)
    elif not kind and not free:
        yield causes.required(f"{path}.type", _EMPTY_TYPE[level])
    if embedded and schema.get("additionalProperties") is not None:
        detail = "must not be used if x-kubernetes-embedded-resource is set"
        yield causes.forbidden(f"{path}.additionalProperties", detail)
    if level == "root" and kind and kind != "object":
        yield causes.invalid(f"{path}.type", kind, "must be object at the root")


def _missing_or_wrong(field: str, value: str, detail: str) -> Cause:
    return causes.invalid(field, value, detail) if value else causes.required(field, detail)


def _metadata(schema: Schema, path: str, level: str) -> Iterator[Cause]:
    properties = schema.get("properties") or {}
    embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    if level == "root" or embedded:
        for name in ("kind", "apiVersion"):
            kind = properties.get(name, {"type": "string"}).get("type") or ""
            if kind != "string":
                yield causes.invalid(f"{path}.properties[{name}].type", kind, "must be string")
        kind = properties.get("metadata", {"type": "object"}).get("type") or ""
        if kind != "object":
            yield causes.invalid(f"{path}.properties[metadata].type", kind, "must be object")
    if level == "root" and "metadata" in properties and not _is_plain(properties["metadata"]):
        detail = (
            "must not specify anything other than name and generateName, "
            "but metadata is implicitly specified"
        )
        yield causes.forbidden(f"{path}.properties[metadata]", detail)
    preserves = schema.get("x-kubernetes-preserve-unknown-fields")
    if embedded and not preserves and not properties:
        detail = (
            "must not be empty if x-kubernetes-embedded-resource is true "
            "without x-kubernetes-preserve-unknown-fields"
        )
        yield causes.required(f"{path}.properties", detail)


def _is_plain(metadata: Schema) -> bool:
    fields = {name for name, value in metadata.items() if value not in (None, "", [], {}, False)}
    names = set(metadata.get("properties") or {})
    return fields <= {"type", "default", "properties"} and names <= {"name", "generateName"}


def _value_rules(
    schema: Schema, path: str, *, skip_any: bool = False, skip_first: bool = False
) -> Iterator[Cause]:
    for junction in _JUNCTIONS:
        for index, each in enumerate(schema.get(junction) or ()):
            if junction == "anyOf" and skip_any:
                continue
            skip = junction == "allOf" and skip_first and index == 0
            yield from _nested(each, f"{path}.{junction}[{index}]", skip_any=skip)
    if schema.get("not") is not None:
        yield from _nested(schema["not"], f"{path}.not")
    pattern = schema.get("pattern")
    if pattern:
        try:
            patterns.compiled(pattern)
        except patterns.InvalidPattern as error:
            detail = f"must be a valid regular expression, but isn't: {error}"
            yield causes.invalid(f"{path}.pattern", pattern, detail)


def _nested(schema: Schema, path: str, *, skip_any: bool = False) -> Iterator[Cause]:
    yield from _value_rules(schema, path, skip_any=skip_any)
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], f"{path}.items")
    for name, member in (schema.get("properties") or {}).items():
        yield from _nested(member, f"{path}.properties[{name}]")
    for name, instead in _FORBIDDEN.items():
        if schema.get(name) not in (None, "", [], False):
            yield causes.forbidden(f"{path}.{name}", f"must be {instead} to be structural")
    if "metadata" in (schema.get("properties") or {}):
        detail = "must not be specified in a nested context"
        yield causes.forbidden(f"{path}.properties[metadata]", detail)


# --- Completeness --------------------------------------------------------------------------------


def _complete(rules: Schema, spine: Schema, at: str, path: str) -> Iterator[Cause]:
    for junction in ("not", *_JUNCTIONS):
        each = rules.get(junction)
        if isinstance(each, dict):
            yield from _complete_nested(each, spine, at, f"{path}.{junction}")
        for index, one in enumerate(each if isinstance(each, list) else ()):
            yield from _complete_nested(one, spine, at, f"{path}.{junction}[{index}]")


def _complete_nested(rules: Schema, spine: Schema | None, at: str, path: str) -> Iterator[Cause]:
    if spine is None:
        yield causes.required(at, f"because it is defined in {path}")
        return
    yield from _complete(rules, spine, at, path)
    if isinstance(rules.get("items"), dict):
        yield from _complete_nested(
            rules["items"], spine.get("items"), f"{at}.items", f"{path}.items"
        )
    known = spine.get("properties") or {}
    for name, member in (rules.get("properties") or {}).items():
        inner = f".properties[{name}]"
        yield from _complete_nested(member, known.get(name), f"{at}{inner}", f"{path}{inner}")
