"""Whether the defaults of a schema are values that the schema allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fakekube.schema import causes, embedded, shape, values
from fakekube.schema.correlation import NOTHING, same
from fakekube.status import Cause

Schema = dict[str, Any]


def check_defaults(schema: Schema, path: str) -> list[Cause]:
    """Return all defaults that are not right; those inside of maps are not looked at."""
    properties = schema.get("properties") or {}
    # Whoever checks the rest forbids any default of the metadata.
    others = {name: member for name, member in properties.items() if name not in shape.TYPE_META}
    return list(_check({**schema, "properties": others}, path))


def _check(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.get("default") is not None:
        yield from _check_default(schema, f"{path}.default")
    if isinstance(schema.get("items"), dict):
        yield from _check(schema["items"], f"{path}.items")
    for name, member in (schema.get("properties") or {}).items():
        yield from _check(member, f"{path}.properties[{name}]")


def _check_default(schema: Schema, path: str) -> Iterator[Cause]:
    default = schema["default"]
    is_resource = bool(schema.get("x-kubernetes-embedded-resource"))
    pruned = shape.copied(default)
    shape.compile_prune(schema, resource=is_resource)(pruned, "", [])
    if not same(pruned, default):
        yield causes.invalid(path, default, "must not have unknown fields")
    found: list[Cause] = []
    walk = embedded.compile_embedded(schema)
    if walk:
        walk(default, path, found)
    if not found:
        wrong: list[Cause] = []
        values.compile_check(schema)(default, (), wrong, NOTHING)
        found = [Cause(_inside(path, each.field), each.reason, each.message) for each in wrong]
    if not found and values.has_rules(schema):
        found = _broken_rules(schema, default, path)
    yield from found


def _inside(path: str, field: str) -> str:
    return path if field == "<nil>" else f"{path}.{field}"


def _broken_rules(schema: Schema, default: Any, path: str) -> list[Cause]:
    from fakekube.schema import cel, rules

    try:
        made = rules.compile_rules(schema)
    except (cel.SyntaxProblem, cel.WrongType):
        # Whoever checks the rules says so.
        return []
    if made is None:
        return []
    return made.validate(default, default, path=path) or made.validate(default, path=path)
