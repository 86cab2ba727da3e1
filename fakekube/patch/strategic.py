"""Strategic merge patch: a merge patch that knows how the lists of built-in types are merged.

Directives in the patch say what a merge alone cannot: ``$patch: delete`` and ``replace``,
``$deleteFromPrimitiveList/x``, ``$setElementOrder/x`` and ``$retainKeys``. Custom resources have
no such patches; callers refuse them before they come here.
"""

from __future__ import annotations

import json
from typing import Any, Final

from fakekube import builtin, status
from fakekube.builtin import Field, Kind
from fakekube.patch import golang
from fakekube.patch.copies import copied
from fakekube.patch.lists import checked_order, element_kind, in_order, keyed, partitioned

Json = Any
Object = dict[str, Any]

DIRECTIVE: Final = "$patch"
RETAIN: Final = "$retainKeys"
DELETE_FROM: Final = "$deleteFromPrimitiveList"
ORDER: Final = "$setElementOrder"
BAD_RETAIN: Final = "invalid patch format of retainKeys"
BAD_DELETE: Final = "invalid patch format of primitive list"
BAD_ORDER: Final = "invalid patch format of setElementOrder list"


def strategic_merge(obj: Object, patch: Json, kind: str) -> Object:
    """Return the object, of a built-in kind, with a patch merged into it; it is a new one."""
    if not isinstance(patch, dict):
        what = f"cannot unmarshal {golang.json_type(patch)} into Go value of type"
        raise status.bad_request(f"json: {what} map[string]interface {{}}")
    name = builtin.name_of(obj["apiVersion"], kind)
    return _map(copied(obj), copied(patch), Kind("@", name))


def _map(old: Object | None, patch: Object, kind: Kind) -> Object:
    """Merge a patch into a map, in place."""
    if DIRECTIVE in patch:
        directive = patch.pop(DIRECTIVE)
        if directive == "replace":
            return patch
        if directive == "delete":
            return {}
        shown = {DIRECTIVE: directive, **patch}
        raise _broken(f"unknown patch type: {golang.plain(directive)} in map: {_shown(shown)}")
    found = {} if old is None else old
    _retain(found, patch)
    for key in [key for key in patch if key.startswith(ORDER)]:
        _reorder(found, patch, key, kind)
    for key, value in patch.items():
        is_deletion = key.startswith(DELETE_FROM)
        name = _named(key, DELETE_FROM, BAD_DELETE) if is_deletion else key
        if value is None:
            found.pop(name, None)
        elif name not in found or type(found[name]) is not type(value):
            if not is_deletion:
                _take(found, name, value)
        else:
            _merge_value(found, name, value, kind, is_deletion=is_deletion)
    return found


def _merge_value(found: Object, name: str, value: Json, kind: Kind, *, is_deletion: bool) -> None:
    if isinstance(value, dict):
        field = _field(kind, name)
        # A map that is replaced keeps even its directives; the schema then refuses them.
        if field.strategy != "replace":
            value = _map(found[name], value, field.kind)
        found[name] = value
    elif isinstance(value, list):
        field, item = _list_field(kind, name)
        if is_deletion or "merge" in field.strategy:
            value = _list(found[name], value, field, item, is_deletion=is_deletion)
        found[name] = value
    else:
        found[name] = value


def _take(found: Object, name: str, value: Json) -> None:
    """Take over a value that was not there: without nulls, and without directives."""
    kept, is_kept = _undirected(_without_nulls(value))
    if is_kept:
        found[name] = kept
    else:
        found.pop(name, None)


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _undirected(value: Json) -> tuple[Json, bool]:
    """Return a value without what carries a directive, and whether anything stays."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return None, False
        pairs = ((key, *_undirected(item)) for key, item in value.items())
        return {key: item for key, item, is_kept in pairs if is_kept}, True
    if isinstance(value, list):
        return [item for item, is_kept in map(_undirected, value) if is_kept], True
    return value, True


def _retain(found: Object, patch: Object) -> None:
    """Drop the keys that a patch does not name in its ``$retainKeys``."""
    if RETAIN not in patch:
        return
    kept = patch.pop(RETAIN)
    if not isinstance(kept, list):
        raise status.bad_request(BAD_RETAIN)
    for key, value in patch.items():
        if value is not None and key not in kept and not key.startswith((DELETE_FROM, ORDER)):
            raise status.bad_request(BAD_RETAIN)
    for key in [key for key in found if key not in kept]:
        del found[key]


def _reorder(found: Object, patch: Object, key: str, kind: Kind) -> None:
    """Merge a list in the order that a ``$setElementOrder`` wants."""
    order = patch.pop(key)
    if not isinstance(order, list):
        raise _bad_type([], order)
    name = _named(key, ORDER, BAD_ORDER)
    old, new = found.get(name), patch.get(name)
    for there, value in ((name in found, old), (name in patch, new)):
        if there and not isinstance(value, list):
            raise _bad_type([], value)
    field, item = _list_field(kind, name)
    merge_key = field.merge_key
    checked_order(new or [], order, merge_key, key=ORDER)
    if name not in found and name not in patch:
        return
    merged: list[Json] = new or []
    if name not in patch:
        merged = old or []
    elif name not in found:
        merged, _ = _undirected(new)
    elif "merge" in field.strategy:
        merged = _list(list(old or []), merged, field, item, is_deletion=False)
    wanted, others = partitioned(merged, order, merge_key)
    element_kind(old or [], new or [])
    found[name] = in_order(wanted, others, order, old or [], merge_key)
    patch.pop(name, None)


def _list(
    old: list[Json], patch: list[Json], field: Field, item: Kind, *, is_deletion: bool
) -> list[Json]:
    """Merge two lists."""
    if not old and not patch:
        return old
    if element_kind(old, patch) is not dict:
        if is_deletion:
            return [value for value in old if value not in patch]
        merged = [*dict.fromkeys([*old, *patch])]
        wanted, others = partitioned(merged, patch, "")
        return in_order(wanted, others, patch, old, "")
    key = field.merge_key
    if not key:
        raise _broken(f"cannot merge lists without merge key for {_go_kind(item)}")
    old, patch = _directed(old, patch, key)
    merged = list(old)
    for value in patch:
        place = keyed(merged, key, _key_of(value, key))
        if place is None:
            merged.append(value)
        else:
            merged[place] = _map(merged[place], value, item)
    wanted, others = partitioned(merged, patch, key)
    return in_order(wanted, others, patch, old, key)


def _directed(old: list[Json], patch: list[Json], key: str) -> tuple[list[Json], list[Json]]:
    """Do what the directives among the items say; return what is left to be merged."""
    left: list[Json] = []
    is_replaced = False
    for value in patch:
        directive = value.get(DIRECTIVE)
        if DIRECTIVE not in value:
            left.append(value)
        elif directive == "delete":
            gone = _key_of(value, key)
            while (place := keyed(old, key, gone)) is not None:
                old = old[:place] + old[place + 1 :]
        elif directive == "replace":
            is_replaced = True
        elif directive == "merge":
            raise _broken("merging lists cannot yet be specified in the patch")
        else:
            shown = f"{golang.plain(directive)} in map: {_shown(value)}"
            raise _broken(f"unknown patch type: {shown}")
    return (left, []) if is_replaced else (old, left)


def _key_of(value: Object, key: str) -> Json:
    if key not in value:
        raise _broken(f"map: {_shown(value)} does not contain declared merge key: {key}")
    return value[key]


def _named(key: str, prefix: str, message: str) -> str:
    before, slash, name = key.partition("/")
    if not slash or before != prefix:
        raise status.bad_request(message)
    return name


def _field(kind: Kind, name: str) -> Field:
    if kind.code != "@":
        what = (
            f"merging an object in json but data type is not struct, instead is: {_go_kind(kind)}"
        )
        raise _broken(what)
    fields = builtin.struct(kind.name).fields
    found = fields.get(name)
    if found is None:
        folded = (field for key, field in fields.items() if key.lower() == name.lower())
        found = next(folded, None)
    if found is None:
        struct = kind.name.rsplit(".", 1)[1]
        where = f"struct {struct} for the json field {json.dumps(name)}"
        raise _broken(f"unable to find api field in {where}")
    return found


def _list_field(kind: Kind, name: str) -> tuple[Field, Kind]:
    field = _field(kind, name)
    if field.kind.item is None or field.kind.code != "[":
        raise _broken("expected slice or array type, but got: struct")
    return field, field.kind.item


def _go_kind(kind: Kind) -> str:
    if kind.code in "{[":
        return "map" if kind.code == "{" else "slice"
    return {"s": "string", "b": "bool", "i": "int32"}.get(kind.code, "struct")


def _shown(value: Object) -> str:
    return golang.plain(value)


def _bad_type(wanted: Json, value: Json) -> status.ApiError:
    names = f"expected a {golang.type_of(wanted)}, but received a {golang.type_of(value)}"
    return _broken(names)


def _broken(message: str) -> status.ApiError:
    """Return the refusal for what the real server has no better word for."""
    return status.ApiError(500, "", message)
