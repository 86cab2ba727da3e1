"""The annotation of client-side apply, by which kubectl becomes a server-side applier in peace."""

from __future__ import annotations

import json
from typing import Any, Final

from fakekube.patch import fields, typed
from fakekube.patch.copies import copied
from fakekube.patch.types import Type

Object = dict[str, Any]

KUBECTL: Final = "kubectl"
ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"


def names(type_: Type, live: Object, api_version: str) -> fields.Set | None:
    """Return the fields that kubectl applied, and that still are as it wanted them."""
    annotations = live.get("metadata", {}).get("annotations") or {}
    try:
        last = json.loads(annotations.get(ANNOTATION) or "null")
    except ValueError:
        return None
    if not isinstance(last, dict) or last.get("apiVersion") != api_version:
        return None
    diff = typed.compare(type_, last, live)
    found = typed.mentioned(type_, last)
    for gone in (diff.modified, diff.added, diff.removed):
        found = fields.difference(found, gone)
    return found


def refresh(metadata: Object, applied: Object) -> None:
    """Write what is applied into the annotation, in place, where there is one."""
    annotations = metadata.get("annotations") or {}
    if annotations.get(ANNOTATION):
        last = copied(applied)
        (last.get("metadata", {}).get("annotations") or {}).pop(ANNOTATION, None)
        annotations[ANNOTATION] = fields.dumped(last) + "\n"
