"""The document read a second time, apart from fakecloud.

fakecloud validates its own answers with its own reading of the document. A mistake of that reading
must not hide itself, so the tests that compare with the document read it here.
"""

import datetime as dt
import functools
import json
import re

import jsonschema_rs

from fakecloud import document

BOOK = document.load()
REFERENCE = re.compile(r'"#/components/schemas/(\w+)"')
SCALARS = {str: "text", bool: "boolean", type(None): "null", int: "number", float: "number"}


def _is_moment(text):
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return "T" in text


def _is_day(text):
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _nullable(part):
    if isinstance(part, list):
        return [_nullable(item) for item in part]
    if not isinstance(part, dict):
        return part
    part = {key: _nullable(item) for key, item in part.items()}
    if part.get("nullable") is True:
        part["type"] = [part["type"], "null"]
    return part


def _needed(schema, found):
    """Collect a schema and all that it refers to: compiling the whole document takes long."""
    if schema not in found:
        found[schema] = _nullable(BOOK.schemas[schema])
        for name in set(REFERENCE.findall(json.dumps(BOOK.schemas[schema]))):
            _needed(name, found)
    return found


@functools.cache
def validator(schema, *, dates=True):
    """Return the validator of a schema.

    The document says ``oneOf: [date, date-time]``. Without a look at the ``dates``, every text is
    both, and so it is not one of them.
    """
    whole = {
        "allOf": [{"$ref": f"#/components/schemas/{schema}"}],
        "components": {"schemas": _needed(schema, {})},
    }
    # The dates of EIM end in +0000, which ISO 8601 has and RFC 3339 has not.
    formats = {"date": _is_day, "date-time": _is_moment}
    return jsonschema_rs.Draft4Validator(whole, validate_formats=dates, formats=formats)


def problems(schema, value, *, dates=True):
    """Return what the document says against a value."""
    found = validator(schema, dates=dates).iter_errors(value)
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in found]


def shape(schema, value):
    """Return type of object -> the keys that at least one such object has, with their JSON types.

    A type of object is the name of its schema, or where it stands (``Vm.Placement``) when its
    schema has no name of its own.
    """
    found = {}
    _collect({"$ref": f"#/{schema}"}, value, schema, found)
    return found


def _collect(part, value, place, found):
    if "$ref" in part:
        place = part["$ref"].rsplit("/", 1)[1]
        part = BOOK.schemas[place]
    if isinstance(value, list):
        for item in value:
            _collect(part["items"], item, place, found)
    elif isinstance(value, dict):
        keys = found.setdefault(place, {})
        for key, item in value.items():
            inner = part.get("properties", {}).get(key, {})
            keys.setdefault(key, set()).add(_type(item))
            _collect(inner, item, f"{place}.{key}", found)


def _type(value):
    if isinstance(value, dict):
        return "object"
    return "list" if isinstance(value, list) else SCALARS[type(value)]


def differences(schema, expected, got):
    """Return the differences of two answers: ``+Vm.Key`` is ours alone, ``-Vm.Key`` theirs alone.

    ``-Vm`` means that they show such an object and we show none. What they do not show (an empty
    list) cannot be compared.
    """
    theirs, ours = shape(schema, expected), shape(schema, got)
    found = set()
    for name, keys in theirs.items():
        if name not in ours:
            if not _is_reported(name, theirs, ours):
                found.add(f"-{name}")
            continue
        found |= {f"-{name}.{key}" for key in keys.keys() - ours[name].keys()}
        found |= {f"+{name}.{key}" for key in ours[name].keys() - keys.keys()}
        found |= {
            f"~{name}.{key}: {sorted(ours[name][key])} instead of {sorted(keys[key])}"
            for key in keys.keys() & ours[name].keys()
            if keys[key] != ours[name][key]
        }
    return found


def _is_reported(name, theirs, ours):
    """Tell whether the object is missing only because the key that holds it is."""
    holders = [
        (owner, key) for owner, keys in theirs.items() for key in keys if name in _inner(owner, key)
    ]
    return bool(holders) and all(
        owner not in ours or key not in ours[owner] for owner, key in holders
    )


def _inner(owner, key):
    part = BOOK.schemas.get(owner, {}).get("properties", {}).get(key, {})
    item = part.get("items", part)
    if "$ref" in item:
        return {item["$ref"].rsplit("/", 1)[1]}
    return {f"{owner}.{key}"}
