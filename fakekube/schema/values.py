"""The value rules of a schema, compiled once into functions.

A compiled check takes the value, where it stands, the list that causes go to, and the old value of
an update (or `NOTHING`). It returns how many checks it made: of the alternatives of `anyOf` and
`oneOf`, the real server reports the one that came furthest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakekube.schema import causes, formats, patterns
from fakekube.schema.correlation import NOTHING, correlated, key_of, same, unchanged
from fakekube.status import Cause

Schema = dict[str, Any]
Path = tuple[Any, ...]
"""Nothing at the root; else the path of the parent, and a name or the index of an item."""
Check = Callable[[Any, Path, list[Cause], Any], int]
Rule = Callable[[Any, Path, list[Cause]], None]

NEARLY = 1e-9
"""How far from a whole number a float may be, relative to it, and still count as one."""
_INT64 = range(-(2**63), 2**63)
_JSON_TYPES = {bool: "boolean", str: "string", list: "array", dict: "object"}


def text(path: Path) -> str:
    """Write a path as the validation messages do; a key of a map looks like a field."""
    parts: list[str] = []
    while path:
        path, last = path
        parts.append(f"[{last}]" if isinstance(last, int) else f".{last}")
    return "".join(reversed(parts)).removeprefix(".")


def field_of(path: Path) -> str:
    """Write a path as the field of a cause does; the root has no name."""
    return text(path) or "<nil>"


def has_rules(schema: Schema) -> bool:
    """Tell whether there is a rule in CEL anywhere on the spine of a schema."""
    if schema.get("x-kubernetes-validations"):
        return True
    below = [*(schema.get("properties") or {}).values()]
    below += [schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, dict) and has_rules(each) for each in below)


def types_of(schema: Schema) -> list[str]:
    """Return the JSON types that a schema allows."""
    if schema.get("x-kubernetes-int-or-string"):
        return ["integer", "string"]
    return [schema["type"]] if schema.get("type") else []


def type_of(value: Any) -> tuple[str, str]:
    """Return the JSON type of a value and, of a number, its format."""
    found = _JSON_TYPES.get(value.__class__)
    if found:
        return found, ""
    if isinstance(value, int) and value in _INT64:
        return "integer", "int64"
    return "number", "float64"


def compile_check(schema: Schema, *, spine: bool = True) -> Check:  # noqa: C901 - One closure for each shape.
    """Compile all value rules of a schema.

    Outside the spine, which is below `allOf`, `anyOf`, `oneOf` and `not`, a mistake of an unchanged
    value is not forgiven.
    """
    types = types_of(schema)
    form = schema.get("format", "")
    form = form if formats.known(form) else ""
    type_rule = _type_rule(types, form, nullable=bool(schema.get("nullable")))
    junctions = _junctions(schema)
    numbers = _number_rules(schema)
    strings = _string_rules(schema, form)
    by_class: dict[type, Rule | None] = {str: strings, int: numbers, float: numbers}
    enum = _enum_rule(schema["enum"]) if schema.get("enum") else None
    items = _items_check(schema)
    members = _members_check(schema)
    # One for each of: junctions (two), enumeration, the schema itself; the type adds two.
    base = 4 + 2 * bool(types or form)
    extra = {str: 1 + bool(form), int: 2, float: 2, list: 2, dict: 1, bool: 0}

    def check(value: Any, path: Path, found: list[Cause], old: Any = NOTHING) -> int:
        before = len(found)
        made = base
        if value is None:
            made = int(type_rule(value, path, found))
            if enum:
                enum(value, path, found)
        else:
            kind = value.__class__
            made += extra[kind]
            if not type_rule(value, path, found):
                made -= 1
            if junctions:
                made += junctions(value, path, found, old)
            rules = by_class.get(kind)
            if rules:
                rules(value, path, found)
            elif kind is list:
                made += items(value, path, found, old)
            if enum:
                enum(value, path, found)
            if kind is dict:
                made += members(value, path, found, old)
        if spine and len(found) > before and old is not NOTHING and unchanged(schema, value, old):
            del found[before:]
        return made

    return check


def _type_rule(
    types: list[str], form: str, *, nullable: bool
) -> Callable[[Any, Path, list[Cause]], bool]:
    numeric = "number" in types or "integer" in types
    only = {"string": str, "boolean": bool, "array": list, "object": dict}.get(",".join(types))
    wanted = ",".join(types)

    def complain(found: list[Cause], path: Path, what: str, actual: str) -> bool:
        detail = f"{text(path)} in body must be of type {what}: {causes.quote(actual)}"
        found.append(causes.type_invalid(field_of(path), actual, detail))
        return False

    def rule(value: Any, path: Path, found: list[Cause]) -> bool:
        if value.__class__ is only or not (types or form):
            return True
        if value is None:
            return not types or nullable or complain(found, path, wanted, "null")
        actual, detail = type_of(value)
        whole = actual == "number" and "integer" in types and _is_whole(float(value))
        fits = actual in types or whole or (actual == "integer" and "number" in types)
        sized = actual in {"string", "array"}
        if form and not sized and not fits:
            return complain(found, path, form, detail)
        if form and sized and not numeric:
            return True
        return fits or complain(found, path, wanted, actual)

    return rule


def _is_whole(value: float) -> bool:
    # Numbers beyond what JSON readers keep exactly are not whole numbers.
    if not abs(value) <= 2**53 - 1:
        return False
    rest = abs(value - int(value))
    return not rest or (abs(value) >= 1 and rest / (abs(value) + abs(int(value))) < NEARLY)


def _enum_rule(allowed: list[Any]) -> Rule:
    quick = {item for item in allowed if isinstance(item, str)}

    def fits(value: Any, item: Any) -> bool:
        numbers = {value.__class__, item.__class__} == {int, float}
        return same(item.__class__(value), item) if numbers else same(value, item)

    def rule(value: Any, path: Path, found: list[Cause]) -> None:
        if value.__class__ is str and value in quick:
            return
        if value is None or not any(fits(value, item) for item in allowed):
            found.append(causes.not_supported(field_of(path), value, allowed))

    return rule


def _string_rules(schema: Schema, form: str) -> Rule | None:
    most, least = schema.get("maxLength"), schema.get("minLength")
    pattern = schema.get("pattern", "")
    is_form = formats.known(form) if form else None
    if most is None and not least and not pattern and not is_form:
        return None

    def length_or_pattern(value: str, path: Path, found: list[Cause]) -> None:
        if most is not None and len(value) > most:
            found.append(causes.too_long(field_of(path), most))
        elif least is not None and len(value) < least:
            detail = f"{text(path)} in body should be at least {least} chars long"
            found.append(causes.invalid(field_of(path), value, detail))
        elif pattern and not patterns.matcher(pattern)(value):
            detail = f"{text(path)} in body should match '{pattern}'"
            found.append(causes.invalid(field_of(path), value, detail))

    def rules(value: str, path: Path, found: list[Cause]) -> None:
        length_or_pattern(value, path, found)
        if is_form and not is_form(value):
            detail = f"{text(path)} in body must be of type {form}: {causes.quote(value)}"
            found.append(causes.type_invalid(field_of(path), value, detail))

    return rules


def _number_rules(schema: Schema) -> Rule | None:
    low, high = schema.get("minimum"), schema.get("maximum")
    over, under = bool(schema.get("exclusiveMinimum")), bool(schema.get("exclusiveMaximum"))
    factor = schema.get("multipleOf")
    if low is None and high is None and factor is None:
        return None

    def rules(value: Any, path: Path, found: list[Cause]) -> None:
        def complain(what: str) -> None:
            detail = f"{text(path)} in body should be {what}"
            found.append(causes.invalid(field_of(path), value, detail))

        # Compared with a whole number, a limit loses its fraction.
        whole = isinstance(value, int) and value in _INT64
        convert: Callable[[Any], Any] = int if whole else float
        if factor is not None and not convert(factor):
            detail = f"factor MultipleOf declared for {text(path)} must be positive: 0"
            found.append(causes.invalid(field_of(path), 0, detail))
        elif factor is not None and not _is_multiple(value, factor, whole=whole):
            complain(f"a multiple of {causes.number(convert(factor))}")
        if low is not None and (value <= convert(low) if over else value < convert(low)):
            limit = causes.number(convert(low))
            complain(f"greater than {limit}" if over else f"greater than or equal to {limit}")
        if high is not None and (value >= convert(high) if under else value > convert(high)):
            limit = causes.number(convert(high))
            complain(f"less than {limit}" if under else f"less than or equal to {limit}")

    return rules


def _is_multiple(value: Any, factor: float, *, whole: bool) -> bool:
    if whole:
        return bool(value % int(factor) == 0)
    return _is_whole(value / factor if factor >= 1 else 1 / factor * value)


def _items_check(schema: Schema) -> Check:
    most, least = schema.get("maxItems"), schema.get("minItems")
    item = compile_check(schema["items"]) if schema.get("items") else None
    keys = schema.get("x-kubernetes-list-map-keys") or ()

    def check(value: list[Any], path: Path, found: list[Cause], old: Any) -> int:
        made = 0
        if item:
            known = correlated(schema, old) if old is not NOTHING else {}
            for index, entry in enumerate(value):
                before = known.get(key_of(entry, keys), NOTHING) if known else NOTHING
                made += item(entry, (path, index), found, before)
        if least is not None and len(value) < least:
            detail = f"{text(path)} in body should have at least {least} items"
            found.append(causes.invalid(field_of(path), len(value), detail))
        if most is not None and len(value) > most:
            found.append(causes.too_many(field_of(path), len(value), most))
        return made

    return check


def _members_check(schema: Schema) -> Check:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    properties = {
        name: compile_check(member) for name, member in (schema.get("properties") or {}).items()
    }
    required = schema.get("required") or []
    rest = schema.get("additionalProperties")
    others = compile_check(rest) if isinstance(rest, dict) else None
    find = properties.get

    def counts(value: dict[str, Any], path: Path, found: list[Cause]) -> None:
        if least is not None and len(value) < least:
            detail = f"{text(path)} in body should have at least {least} properties"
            found.append(causes.invalid(field_of(path), len(value), detail))
        if most is not None and len(value) > most:
            found.append(causes.too_many(field_of(path), len(value), most))

    limited = most is not None or least is not None

    def check(value: dict[str, Any], path: Path, found: list[Cause], old: Any) -> int:
        made = 0
        if limited:
            counts(value, path, found)
        before = old if isinstance(old, dict) else {}
        for name, member in value.items():
            rules = find(name) or others
            if rules:
                typed = not path and name in {"apiVersion", "kind"}
                earlier = NOTHING if typed else before.get(name, NOTHING)
                made += rules(member, (path, name), found, earlier)
            elif rest is False:
                detail = f"{text(path)}.{name} in body is a forbidden property"
                found.append(causes.invalid(field_of(path), name, detail))
        missing = (name for name in required if name not in value)
        found.extend(causes.required(field_of((path, name))) for name in missing)
        return made

    return check


def _junctions(schema: Schema) -> Check | None:
    every = [compile_check(each, spine=False) for each in schema.get("allOf") or ()]
    some = [compile_check(each, spine=False) for each in schema.get("anyOf") or ()]
    one = [compile_check(each, spine=False) for each in schema.get("oneOf") or ()]
    none = compile_check(schema["not"], spine=False) if schema.get("not") else None
    if not every and not some and not one and not none:
        return None

    def check(value: Any, path: Path, found: list[Cause], old: Any) -> int:
        def complain(what: str) -> None:
            found.append(causes.invalid("<nil>", "", f"{causes.quote(text(path))} must {what}"))

        made = 0
        if some:
            made += _check_any(some, value, path, found, old, complain)
        if one:
            made += _check_one(one, value, path, found, old, complain)
        if every:
            made += _check_all(every, value, path, found, old, complain)
        if none:
            wrong: list[Cause] = []
            none(value, path, wrong, old)
            if not wrong:
                complain("not validate the schema (not)")
        return made

    return check


Complain = Callable[[str], None]


def _check_any(
    some: list[Check], value: Any, path: Path, found: list[Cause], old: Any, complain: Complain
) -> int:
    best, furthest = [], -1
    for each in some:
        wrong: list[Cause] = []
        made = each(value, path, wrong, old)
        if not wrong:
            return made
        if made > furthest:
            best, furthest = wrong, made
    complain("validate at least one schema (anyOf)")
    found += best
    return furthest


def _check_one(
    one: list[Check], value: Any, path: Path, found: list[Cause], old: Any, complain: Complain
) -> int:
    valid: list[int] = []
    best, furthest = [], -1
    for each in one:
        wrong: list[Cause] = []
        made = each(value, path, wrong, old)
        if not wrong:
            valid.append(made)
        elif not valid and made > furthest:
            best, furthest = wrong, made
    if len(valid) == 1:
        return valid[0]
    # After a valid alternative, failures are forgotten, but not those that come still later.
    many = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
    complain(f"validate one and only one schema (oneOf). {many}")
    if valid:
        return 0
    found += best
    return furthest


def _check_all(
    every: list[Check], value: Any, path: Path, found: list[Cause], old: Any, complain: Complain
) -> int:
    made, valid = 0, 0
    for each in every:
        wrong: list[Cause] = []
        made += each(value, path, wrong, old)
        valid += not wrong
        found += wrong
    if valid != len(every):
        complain(f"validate all the schemas (allOf){'' if valid else '. None validated'}")
    return made
