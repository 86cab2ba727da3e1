"""Tables, as ``kubectl get`` prints them: the columns and the texts of the real server.

A built-in kind has a function that makes its cells (``ROWS``); a custom resource has columns with
paths; what has neither shows its name and its age.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fakekube import status
from fakekube.resource import Column, Resource
from fakekube.tables import cells, jsonpath, pods, workloads
from fakekube.tables.ages import age, parse

Json = Any
Object = dict[str, Any]
Cells = Callable[[Object, float], list[Json]]

ROWS: Final[dict[tuple[str, str], Cells]] = {**cells.ROWS, **workloads.ROWS, **pods.ROWS}
INCLUDED: Final = ("", "Metadata", "Object", "None")
NAME: Final = Column("Name", format="name")
AGE: Final = Column("Age", type="date")
CREATED: Final = Column("Created At", type="date")
SCALE: Final = (
    NAME,
    Column("Desired", "integer"),
    Column("Available", "integer"),
    Column("Age"),
)
PARTIAL: Final = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}


def table(
    resource: Resource,
    objects: list[Object],
    meta: Json,
    now: float,
    *,
    include: str = "",
    has_columns: bool = True,
) -> Object:
    """Return objects as a table.

    ``include`` says what stands beside the cells: the metadata, the object, or nothing. Of a
    watch, only the first event has columns.
    """
    if include not in INCLUDED:
        text = (
            f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": '
            "must be 'Metadata', 'Object', 'None', or empty"
        )
        raise status.bad_request(text)
    is_scale = bool(objects) and objects[0].get("kind") == "Scale"
    columns, row = (SCALE, _scale) if is_scale else _columns(resource)
    shown = [_definition(column) for column in columns] if has_columns else None
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": shown,
        "rows": [_row(row, obj, now, include) for obj in objects],
    }


def _definition(column: Column) -> Json:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _row(row: Cells, obj: Object, now: float, include: str) -> Json:
    found: Json = {"cells": row(obj, now)}
    conditions = pods.conditions(obj) if obj.get("kind") == "Pod" else None
    if conditions:
        found["conditions"] = conditions
    if include == "Object":
        found["object"] = obj
    elif include == "None":
        found["object"] = None
    else:
        found["object"] = {**PARTIAL, "metadata": obj.get("metadata", {})}
    return found


def _columns(resource: Resource) -> tuple[tuple[Column, ...], Cells]:
    if not resource.is_custom:
        found = ROWS.get((resource.group, resource.plural))
        if found is not None:
            return resource.columns, found
        return (NAME, CREATED), _plain
    if not resource.columns:
        return (NAME, AGE), _named
    return (NAME, *resource.columns), custom(resource.columns)


def _scale(obj: Object, now: float) -> list[Json]:
    wanted, state = obj.get("spec") or {}, obj.get("status") or {}
    return [*_named(obj, now)[:1], wanted.get("replicas", 0), state.get("replicas", 0),
            _named(obj, now)[1]]  # fmt: skip


def _plain(obj: Object, _: float) -> list[Json]:
    return [obj["metadata"].get("name", ""), obj["metadata"].get("creationTimestamp")]


def _named(obj: Object, now: float) -> list[Json]:
    return [obj["metadata"].get("name", ""), age(obj["metadata"].get("creationTimestamp"), now)]


def custom(columns: tuple[Column, ...]) -> Cells:
    """Return the function that makes the cells of a custom resource."""
    paths = [(column, jsonpath.compiled(column.path)) for column in columns]

    def row(obj: Object, now: float) -> list[Json]:
        found: list[Json] = [obj["metadata"].get("name", "")]
        for column, find in paths:
            values = find(obj)
            found.append(_cell(column.type, values, now) if values else None)
        return found

    return row


def _cell(kind: str, values: list[Json], now: float) -> Json:
    value = values[0]
    if value is None:
        return None
    if kind == "string":
        return jsonpath.shown(value)
    if kind == "date":
        if not isinstance(value, str) or parse(value) is None:
            return "<invalid>"
        return age(value, now)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "integer" else value
