"""Whether a schema may be that of a custom resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from fakekube.schema import causes, check_defaults, field_paths
from fakekube.schema.check_structure import check_structure
from fakekube.status import Cause

Schema = dict[str, Any]

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = {
    "id": "id is not supported",
    "additionalItems": "additionalItems is not supported",
    "patternProperties": "patternProperties is not supported",
    "definitions": "definitions is not supported",
    "dependencies": "dependencies is not supported",
    "$ref": "$ref is not supported",
}
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_META = frozenset({"metadata", "kind", "apiVersion"})
RULES = "x-kubernetes-validations"


@dataclass(frozen=True)
class _Place:
    """What is known about where a schema stands."""

    no_defaults: str | None = None
    in_metadata: bool = False
    uncorrelated: str = ""
    is_root: bool = False
    with_rules: bool = True


def check_schema(schema: Schema, path: str) -> list[Cause]:
    """Return all that is wrong with a schema; rules are compiled only if the rest is right."""
    found = []
    if schema.get("nullable"):
        found.append(causes.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    wrong = check_structure(schema, path) if not _is_misshapen(schema) else []
    if not wrong and not _is_misshapen(schema):
        wrong = check_defaults.check_defaults(schema, path)
    found += wrong
    place = _Place(is_root=True, with_rules=not wrong and not _is_misshapen(schema))
    found += _Checker().check(schema, path, place)
    return causes.without_repeats(found)


def _is_misshapen(schema: Any) -> bool:
    """Tell whether there is something in a schema that no walk could follow."""
    if not isinstance(schema, dict):
        return True
    if isinstance(schema.get("items"), list) or any(schema.get(name) for name in _UNSUPPORTED):
        return True
    below = [*(schema.get("properties") or {}).values()]
    below += [schema[name] for name in ("items", "not") if schema.get(name) is not None]
    below += [each for name in ("allOf", "anyOf", "oneOf") for each in schema.get(name) or ()]
    rest = schema.get("additionalProperties")
    below += [] if rest is None or isinstance(rest, bool) else [rest]
    return any(map(_is_misshapen, below))


class _Checker:
    """Walks through a schema; causes in rules come last, and only if there are no others."""

    def check(self, schema: Schema, path: str, place: _Place) -> list[Cause]:
        wrong, in_rules = self._walk(schema, path, place)
        return wrong + in_rules

    def _walk(self, schema: Schema, path: str, place: _Place) -> tuple[list[Cause], list[Cause]]:
        wrong = [*_allowed(schema, path, place)]
        in_rules: list[Cause] = []
        for member, inner, where in _below(schema, path, place):
            more, more_in_rules = self._walk(member, inner, where)
            wrong += more
            in_rules += more_in_rules
        wrong += [*_extensions(schema, path), *_list_type(schema, path), *_map_keys(schema, path)]
        for index, rule in enumerate(schema.get(RULES) or ()):
            wrong += _rule_shape(schema, rule, f"{path}.{RULES}[{index}]")
        if not wrong and place.with_rules and schema.get(RULES):
            in_rules += check_rules(schema, path, place.uncorrelated, is_root=place.is_root)
        return wrong, in_rules


def _allowed(schema: Schema, path: str, place: _Place) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    if kind and kind not in _TYPES:
        yield causes.not_supported(f"{path}.type", kind, _TYPES)
    if schema.get("default") is not None and place.no_defaults is not None:
        detail = f"must not be set {place.no_defaults}".rstrip()
        yield causes.forbidden(f"{path}.default", detail)
    for name, detail in _UNSUPPORTED.items():
        if schema.get(name) not in (None, "", {}):
            yield causes.forbidden(f"{path}.{name}", detail)
    if kind == "null":
        detail = "type cannot be set to null, use nullable as an alternative"
        yield causes.forbidden(f"{path}.type", detail)
    if isinstance(schema.get("items"), list):
        detail = "items must be a schema object and not an array"
        yield causes.forbidden(f"{path}.items", detail)
    if place.in_metadata and schema.get("x-kubernetes-embedded-resource"):
        detail = "must not be used inside of resource meta"
        yield causes.forbidden(f"{path}.x-kubernetes-embedded-resource", detail)
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden(f"{path}.uniqueItems", detail)
    rest = schema.get("additionalProperties")
    if schema.get("properties") and (rest is False or isinstance(rest, dict)):
        detail = "additionalProperties and properties are mutual exclusive"
        yield causes.forbidden(f"{path}.additionalProperties", detail)


def _below(schema: Schema, path: str, place: _Place) -> Iterator[tuple[Schema, str, _Place]]:
    inner = replace(place, is_root=False)
    nested = replace(inner, with_rules=False)
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        where = inner
        if place.in_metadata:
            reason = "inside additionalProperties applying to object metadata"
            where = replace(inner, no_defaults=reason)
        yield rest, f"{path}.additionalProperties", where
    for name, member in (schema.get("properties") or {}).items():
        yield member, f"{path}.properties[{name}]", _member_place(schema, name, inner, path, place)
    if isinstance(schema.get("not"), dict):
        yield schema["not"], f"{path}.not", nested
    for junction in ("allOf", "oneOf", "anyOf"):
        for index, each in enumerate(schema.get(junction) or ()):
            yield each, f"{path}.{junction}[{index}]", nested
    items = schema.get("items")
    if isinstance(items, dict):
        keyed = schema.get("x-kubernetes-list-type") == "map"
        away = place.uncorrelated or ("" if keyed else path)
        yield items, f"{path}.items", replace(inner, uncorrelated=away)


def _member_place(schema: Schema, name: str, inner: _Place, path: str, place: _Place) -> _Place:
    if schema.get("x-kubernetes-map-type") not in {None, "granular", "atomic"}:
        inner = replace(inner, uncorrelated=place.uncorrelated or path)
    embedded = schema.get("x-kubernetes-embedded-resource")
    if (place.is_root or embedded) and name in _META:
        inner = replace(inner, in_metadata=True)
        if place.is_root:
            inner = replace(inner, no_defaults=f"in top-level {name}")
    return inner


# --- Lists and maps ------------------------------------------------------------------------------


def _extensions(schema: Schema, path: str) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        field = f"{path}.x-kubernetes-preserve-unknown-fields"
        yield causes.invalid(field, value=False, detail="must be true or undefined")
    map_type = schema.get("x-kubernetes-map-type")
    if map_type is None:
        return
    if kind != "object":
        detail = "must be object if x-kubernetes-map-type is specified"
        field = f"{path}.type"
        yield causes.invalid(field, kind, detail) if kind else causes.required(field, detail)
    if map_type not in {"atomic", "granular"}:
        field = f"{path}.x-kubernetes-map-type"
        yield causes.not_supported(field, map_type, ["atomic", "granular"])


def _list_type(schema: Schema, path: str) -> Iterator[Cause]:
    list_type, kind = schema.get("x-kubernetes-list-type"), schema.get("type") or ""
    if list_type is None:
        return
    items = schema.get("items")
    if kind != "array":
        detail = "must be array if x-kubernetes-list-type is specified"
        field = f"{path}.type"
        yield causes.invalid(field, kind, detail) if kind else causes.required(field, detail)
    elif list_type == "set" and isinstance(items, dict):
        detail = "must be atomic as item of a list with x-kubernetes-list-type=set"
        inner = items.get("x-kubernetes-list-type")
        if items.get("type") == "array" and inner not in {None, "atomic"}:
            yield causes.invalid(f"{path}.items.x-kubernetes-list-type", inner, detail)
        if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
            yield causes.invalid(f"{path}.items.x-kubernetes-map-type", inner, detail)
    if list_type not in {"atomic", "set", "map"}:
        field = f"{path}.x-kubernetes-list-type"
        yield causes.not_supported(field, list_type, ["atomic", "set", "map"])
    if list_type in {"set", "map"} and isinstance(items, dict) and items.get("nullable"):
        detail = f"cannot be nullable when x-kubernetes-list-type is {list_type}"
        yield causes.forbidden(f"{path}.items.nullable", detail)


def _map_keys(schema: Schema, path: str) -> Iterator[Cause]:
    list_type = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or []
    if keys and list_type != "map":
        detail = "must be map if x-kubernetes-list-map-keys is non-empty"
        field = f"{path}.x-kubernetes-list-type"
        wrong = list_type is not None
        yield causes.invalid(field, list_type, detail) if wrong else causes.required(field, detail)
    if list_type != "map":
        return
    if not keys:
        detail = "must not be empty if x-kubernetes-list-type is map"
        yield causes.required(f"{path}.x-kubernetes-list-map-keys", detail)
    items = schema.get("items")
    if items is None:
        detail = "must have a schema if x-kubernetes-list-type is map"
        yield causes.required(f"{path}.items", detail)
    elif isinstance(items, dict) and items.get("type") != "object":
        detail = "must be object if parent array's x-kubernetes-list-type is map"
        yield causes.invalid(f"{path}.items.type", items.get("type") or "", detail)
    elif isinstance(items, dict):
        yield from _keys_of_items(items, keys, path)


def _keys_of_items(items: Schema, keys: list[str], path: str) -> Iterator[Cause]:
    properties, required = items.get("properties") or {}, items.get("required") or []
    field = f"{path}.x-kubernetes-list-map-keys"
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield causes.invalid(field, keys, "must not contain duplicate entries")
        if key not in properties:
            yield causes.invalid(field, keys, "entries must all be names of item properties")
            continue
        member, where = properties[key], f"{path}.items.properties[{key}]"
        if member.get("type") in {"array", "object"}:
            detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield causes.invalid(f"{where}.type", items.get("type"), detail)
        if key not in required and member.get("default") is None:
            detail = (
                "this property is in x-kubernetes-list-map-keys, "
                "so it must have a default or be a required property"
            )
            yield causes.required(f"{where}.default", detail)
        if member.get("nullable"):
            detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
            yield causes.forbidden(f"{where}.nullable", detail)


# --- Rules ---------------------------------------------------------------------------------------


def _rule_shape(schema: Schema, rule: Schema, path: str) -> Iterator[Cause]:
    text, message = (rule.get("rule") or "").strip(), rule.get("message") or ""
    if not text:
        yield causes.required(f"{path}.rule", "rule is not specified")
    elif message and not message.strip():
        yield causes.invalid(f"{path}.message", message, "must be non-empty if specified")
    elif re.search(r"[\n\r]", message.strip()):
        yield causes.invalid(f"{path}.message", message, "must not contain line breaks")
    elif re.search(r"[\n\r]", text) and not message.strip():
        detail = "message must be specified if rule contains line breaks"
        yield causes.required(f"{path}.message", detail)
    expression = rule.get("messageExpression") or ""
    if expression and not expression.strip():
        detail = "messageExpression must be non-empty if specified"
        yield causes.required(f"{path}.messageExpression", detail)
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        yield causes.not_supported(f"{path}.reason", reason, _REASONS)
    place = rule.get("fieldPath") or ""
    if place and not place.strip():
        yield causes.invalid(f"{path}.fieldPath", place, "must be non-empty if specified")
    if re.search(r"[\n\r]", place):
        yield causes.invalid(f"{path}.fieldPath", place, "must not contain line breaks")
    if place and not field_paths.normal(schema, place):
        yield causes.invalid(f"{path}.fieldPath", place, "must be a valid path")


def check_rules(schema: Schema, path: str, uncorrelated: str, *, is_root: bool) -> list[Cause]:
    """Compile the rules of one schema, and return what does not work."""
    from fakekube.schema import check_rules as rules

    return rules.check_rules(schema, path, uncorrelated, is_root=is_root)
