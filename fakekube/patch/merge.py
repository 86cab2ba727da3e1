"""JSON merge patch (RFC 7386), as the real server's library understands it."""

from __future__ import annotations

from typing import Any

from fakekube import status
from fakekube.patch import golang
from fakekube.patch.copies import copied

Json = Any


def merge_patch(obj: dict[str, Json], patch: Json) -> dict[str, Json]:
    """Return the object with a patch merged into it; it shares nothing with the old one."""
    if not isinstance(patch, dict):
        what = f"cannot unmarshal {golang.json_type(patch)} into Go value of type"
        raise status.bad_request(f"error decoding patch: json: {what} map[string]interface {{}}")
    return _merged(obj, patch)


def _merged(old: dict[str, Json], patch: dict[str, Json]) -> dict[str, Json]:
    found = {key: copied(value) for key, value in old.items() if key not in patch}
    for key, value in patch.items():
        before = old.get(key)
        if value is None:
            continue
        if isinstance(value, dict) and isinstance(before, dict):
            found[key] = _merged(before, value)
        elif isinstance(before, dict):
            # The library of the real server forgets to look into a list here.
            found[key] = copied(value)
        else:
            found[key] = _pruned(value)
    return found


def _pruned(value: Json) -> Json:
    """Return a new value without its nulls; those that are items of a list stay."""
    if isinstance(value, dict):
        return {key: _pruned(item) for key, item in value.items() if item is not None}
    return [_pruned(item) for item in value] if isinstance(value, list) else value
