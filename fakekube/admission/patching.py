"""Why the patch of a webhook does not apply; the real server says it, to clients it does not."""

from __future__ import annotations

from typing import Any

from fakekube import status
from fakekube.patch.json_patch import json_patch

Json = Any

OPERATIONS = {"add", "remove", "replace", "move", "copy", "test"}


def problem(document: Json, operations: list[Json]) -> str:
    """Return what is wrong with the first operation that does not apply."""
    for operation in operations:
        try:
            document = json_patch(document, [operation])
        except status.ApiError as refusal:
            return _text(document, operation) or refusal.message
    raise AssertionError("All operations apply, so there is no problem.")


def _text(document: Json, operation: Json) -> str:
    kind, path = operation.get("op"), operation.get("path")
    if kind not in OPERATIONS:
        return f"Unexpected kind: {kind}"
    if not isinstance(path, str):
        return f"{kind} operation failed to decode path: missing value"
    if kind in {"move", "copy"}:
        source = operation.get("from", "")
        if _container(document, source) is None:
            where = "doc is missing from path"
            return f"{kind} operation does not apply: {where}: {source}: missing value"
        if _container(document, path) is None:
            where = "doc is missing destination path"
            return f"{kind} operation does not apply: {where}: {path}: missing value"
        what = f"path: '{_key(source)}'" if kind == "move" else f"from: '{source}'"
        return f"error in {kind} for {what}: {_member(document, source)}"
    if _container(document, path) is None:
        where = f'"{path}"' if kind in {"add", "remove"} else path
        what = "is missing path" if kind == "test" else "doc is missing path"
        return f"{kind} operation does not apply: {what}: {where}: missing value"
    if kind == "test":
        return f"testing value {path} failed: test failed"
    if kind == "replace":
        return f"replace operation does not apply: doc is missing key: {path}: missing value"
    return f"error in {kind} for path: '{path}': {_member(document, path)}"


def _key(path: str) -> str:
    return path.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _container(document: Json, path: str) -> Json:
    """Return the object or list that a path ends in, or None."""
    found = document
    for part in path.split("/")[1:-1]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found if isinstance(found, dict | list) else None


def _member(document: Json, path: str) -> str:
    key = _key(path)
    if isinstance(_container(document, path), dict):
        return f"Unable to remove nonexistent key: {key}: missing value"
    return f"Unable to access invalid index: {key}: invalid index referenced"
