"""JSON merge patches (RFC 7386): what a patch makes of a document, and which patch is needed."""

from __future__ import annotations

from typing import Any

Json = Any


def applied(document: Json, patch: Json) -> Json:
    """Return what a patch makes of a document; both stay as they are."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = applied(result.get(key), value)
    return result


def needed(old: dict[str, Json], new: dict[str, Json]) -> dict[str, Json]:
    """Return the smallest patch that makes ``new`` of ``old``; empty when nothing differs.

    Lists are replaced as a whole. A value that is null counts as absent, as it does in a patch.
    """
    patch: dict[str, Json] = {}
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            if inner := needed(before, after):
                patch[key] = inner
        else:
            patch[key] = after
    return patch
