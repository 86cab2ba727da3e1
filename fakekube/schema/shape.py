"""The shape of objects: defaults are put in, and what the schema does not know is taken out.

Each walk follows only the parts of a schema that matter to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakekube.schema import embedded

Schema = dict[str, Any]
Change = Callable[[Any], None]
Prune = Callable[[Any, str, list[str]], None]

TYPE_META = frozenset({"apiVersion", "kind", "metadata"})


def copied(value: Any) -> Any:
    """Copy a JSON value."""
    if isinstance(value, dict):
        return {name: copied(member) for name, member in value.items()}
    if isinstance(value, list):
        return [copied(entry) for entry in value]
    return value


# --- Nulls and defaults --------------------------------------------------------------------------


def drop_nulls(value: Any, schema: Schema | None) -> None:
    """Take away nulls of fields that may not be null and have no default; others stay."""
    if isinstance(value, dict):
        properties = (schema or {}).get("properties") or {}
        rest = (schema or {}).get("additionalProperties")
        rest = rest if isinstance(rest, dict) else None
        unwanted = []
        for name, member in value.items():
            known = properties.get(name, rest)
            if member is None and known is not None:
                if not known.get("nullable") and known.get("default") is None:
                    unwanted.append(name)
            elif isinstance(member, dict | list):
                drop_nulls(member, known)
        for name in unwanted:
            del value[name]
    elif isinstance(value, list):
        items = (schema or {}).get("items")
        for entry in value:
            if isinstance(entry, dict | list):
                drop_nulls(entry, items)


def compile_defaults(schema: Schema) -> Change | None:  # noqa: C901 - One closure for each shape.
    """Compile the defaults at and below a schema, or return None if it has none."""
    properties = schema.get("properties") or {}
    defaults = {
        name: member["default"]
        for name, member in properties.items()
        if member.get("default") is not None
    }
    below = {
        name: change
        for name, member in properties.items()
        if (change := compile_defaults(member)) is not None
    }
    rest = schema.get("additionalProperties")
    others = compile_defaults(rest) if isinstance(rest, dict) else None
    items = compile_defaults(schema["items"]) if schema.get("items") else None
    fill_rest = _null_default(rest)
    fill_items = _null_default(schema.get("items"))
    if not defaults and not below and not others and not items and not fill_rest and not fill_items:
        return None

    def fill_map(value: dict[str, Any]) -> None:
        for name, default in defaults.items():
            if name not in value or (value[name] is None and not properties[name].get("nullable")):
                value[name] = copied(default)
        for name, change in below.items():
            if name in value:
                change(value[name])
        for name in value if others or fill_rest else ():
            if name not in properties:
                if value[name] is None and fill_rest:
                    value[name] = copied(fill_rest["default"])
                if others:
                    others(value[name])

    def fill(value: Any) -> None:
        if isinstance(value, dict):
            fill_map(value)
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                if entry is None and fill_items:
                    value[index] = copied(fill_items["default"])
                if items:
                    items(value[index])

    return fill


def _null_default(schema: Any) -> Schema | None:
    # Entries of maps and lists get their default only in the place of a null.
    if isinstance(schema, dict) and schema.get("default") is not None:
        return None if schema.get("nullable") else schema
    return None


# --- Unknown fields ------------------------------------------------------------------------------


def compile_prune(schema: Schema, *, resource: bool = False) -> Prune:  # noqa: C901 - One closure for each shape.
    """Compile what takes out unknown fields, and notes their paths.

    Below a schema that preserves unknown fields, only what it does specify is pruned.
    """
    properties = schema.get("properties") or {}
    rest = schema.get("additionalProperties")
    is_resource = resource or bool(schema.get("x-kubernetes-embedded-resource"))
    members = {
        name: compile_prune(member)
        for name, member in properties.items()
        if not (is_resource and name in TYPE_META)
    }
    others = compile_prune(rest) if isinstance(rest, dict) else None
    if isinstance(rest, bool):
        # A map of anything has no schema for its values, so their fields are unknown.
        others = _prune_all
    items = schema.get("items")
    preserves = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if preserves:
        entries = _prune_preserved(items) if items else _keep
    else:
        entries = compile_prune(items) if items else _prune_all

    def prune_map(value: dict[str, Any], path: str, unknown: list[str]) -> None:
        unwanted = []
        for name, member in value.items():
            change = members.get(name)
            if change is not None:
                if member.__class__ is dict or member.__class__ is list:
                    change(member, f"{path}.{name}" if path else name, unknown)
            elif is_resource and name in TYPE_META:
                continue
            elif others is not None:
                others(member, f"{path}.{name}" if path else name, unknown)
            elif not preserves:
                unwanted.append(name)
        for name in unwanted:
            del value[name]
            if path or name not in TYPE_META:
                unknown.append(f"{path}.{name}" if path else name)

    def prune(value: Any, path: str, unknown: list[str]) -> None:
        if value.__class__ is dict:
            prune_map(value, path, unknown)
        elif value.__class__ is list:
            for index, entry in enumerate(value):
                entries(entry, f"{path}[{index}]", unknown)

    return prune


def _prune_preserved(items: Schema) -> Prune:
    # Whether entries of a preserving list are pruned themselves, the real server answers with no.
    return compile_prune({**items, "x-kubernetes-preserve-unknown-fields": True})


def _keep(value: Any, path: str, unknown: list[str]) -> None:
    """Leave a value as it is."""


def _prune_all(value: Any, path: str, unknown: list[str]) -> None:
    """Take all fields away, because no schema says anything about them."""
    if isinstance(value, dict):
        unknown += [f"{path}.{name}" for name in value]
        value.clear()
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            _prune_all(entry, f"{path}[{index}]", unknown)


# --- Metadata of embedded resources --------------------------------------------------------------


def compile_coerce(schema: Schema, *, resource: bool = False) -> Prune | None:
    """Compile what takes unknown metadata out of embedded resources; None if there are none."""
    is_resource = resource or bool(schema.get("x-kubernetes-embedded-resource"))
    members = {
        name: change
        for name, member in (schema.get("properties") or {}).items()
        if (change := compile_coerce(member)) is not None
    }
    rest = schema.get("additionalProperties")
    others = compile_coerce(rest) if isinstance(rest, dict) else None
    items = compile_coerce(schema["items"]) if schema.get("items") else None
    if not is_resource and not members and not others and not items:
        return None

    def coerce(value: Any, path: str, unknown: list[str]) -> None:
        if isinstance(value, dict):
            if is_resource and isinstance(value.get("metadata"), dict):
                below = f"{path}.metadata" if path else "metadata"
                unknown += embedded.prune_metadata(value["metadata"], below)
            for name, member in value.items():
                change = members.get(name, others)
                if change:
                    change(member, f"{path}.{name}" if path else name, unknown)
        elif isinstance(value, list) and items:
            for index, entry in enumerate(value):
                items(entry, f"{path}[{index}]", unknown)

    return coerce
