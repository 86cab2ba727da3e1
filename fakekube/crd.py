"""CustomResourceDefinitions: what they make the server serve, and their own life.

The schema checks are in ``fakekube.schema``. A definition is served from the moment it is
committed; the conditions follow in a commit of their own, as a watcher of the real server sees it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from fakekube import clock, crd_rules, status, store
from fakekube.call import Call
from fakekube.resource import Column, Resource, Scale, Strategy
from fakekube.status import Cause
from fakekube.store import DELETED, Event, Record

Json = Any
Object = dict[str, Any]

TABLE = "customresourcedefinitions.apiextensions.k8s.io"
FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_VERSION_PARTS = 3


def default(obj: Object) -> None:
    """Fill in the defaults of a definition."""
    crd_rules.complete(obj)


def prepare_create(obj: Object) -> None:
    """Set the status that a new definition has."""
    stored = [each["name"] for each in obj["spec"].get("versions", ()) if each.get("storage")]
    obj["status"] = {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": stored,
    }


def prepare_update(new: Object, _old: Object) -> None:
    """Remember each version that was ever the stored one."""
    stored = new.setdefault("status", {}).setdefault("storedVersions", [])
    for each in new["spec"].get("versions", ()):
        if each.get("storage") and each["name"] not in stored:
            stored.append(each["name"])


def validate(new: Object, old: Object | None) -> list[Cause]:
    """Return what is wrong with a definition."""
    return crd_rules.check_definition(new, old)


STRATEGY = Strategy(
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate=validate,
)


def resources(obj: Object, *, is_changed: bool = False) -> list[Resource]:
    """Return what a definition serves, the most preferred version first."""
    spec = obj["spec"]
    given = spec["names"]
    structural = importlib.import_module("fakekube.schema.structural").Structural
    served = sorted(
        (each for each in spec["versions"] if each.get("served")),
        key=lambda each: version_order(each["name"]),
    )
    stored = next(each["name"] for each in spec["versions"] if each.get("storage"))
    conversion = spec.get("conversion") or {}
    found = []
    for version in served:
        schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        subresources = version.get("subresources") or {}
        found.append(
            Resource(
                group=spec["group"],
                version=version["name"],
                plural=given["plural"],
                kind=given["kind"],
                singular=given.get("singular", ""),
                list_kind=given.get("listKind", ""),
                namespaced=spec["scope"] == "Namespaced",
                short_names=tuple(given.get("shortNames") or ()),
                categories=tuple(given.get("categories") or ()),
                subresources=frozenset(subresources),
                columns=_columns(version),
                schema=structural(schema),
                openapi=schema,
                storage_version=stored,
                versions=tuple(each["name"] for each in served),
                is_custom=True,
                has_generation=True,
                unconditional_update=False,
                scale=_scale(subresources.get("scale")),
                selectable=_selectable(version),
                warning=_deprecation(spec, version),
                defaults_on_read=is_changed,
                conversion_webhook=conversion.get("webhook"),
            )
        )
    return found


def _deprecation(spec: Object, version: Object) -> str:
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        found: str = version["deprecationWarning"]
        return found
    group, kind = spec["group"], spec["names"]["kind"]
    order = version_order(version["name"])
    better = sorted(
        (version_order(each["name"]), each["name"])
        for each in spec["versions"]
        if each.get("served") and not each.get("deprecated") and version_order(each["name"]) < order
    )
    advice = f"; use {group}/{better[0][1]} {kind}" if better else ""
    return f"{group}/{version['name']} {kind} is deprecated{advice}"


def _columns(version: Object) -> tuple[Column, ...]:
    return tuple(
        Column(
            each["name"],
            each.get("type", "string"),
            each.get("jsonPath", ""),
            each.get("format", ""),
            each.get("description", ""),
            each.get("priority", 0),
        )
        for each in version.get("additionalPrinterColumns") or ()
    )


def _scale(given: Object | None) -> Scale | None:
    if given is None:
        return None
    return Scale(
        given.get("specReplicasPath", ""),
        given.get("statusReplicasPath", ""),
        given.get("labelSelectorPath", ""),
    )


def _selectable(version: Object) -> dict[str, Callable[[Object], str]]:
    def reader(path: str) -> Callable[[Object], str]:
        parts = path.strip(".").split(".")

        def read(obj: Object) -> str:
            found: Json = obj
            for part in parts:
                found = found.get(part) if isinstance(found, dict) else None
            if found is None:
                return ""
            return str(found).lower() if isinstance(found, bool) else str(found)

        return read

    fields = version.get("selectableFields") or ()
    return {each["jsonPath"].strip("."): reader(each["jsonPath"]) for each in fields}


def version_order(name: str) -> tuple[int, int, int, str]:
    """Return the key that sorts versions by preference: v2, v1, v1beta2, v1alpha1, then others."""
    import re

    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", name)
    if match is None:
        return (1, 0, 0, name)
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (0, stage * 10**6 - int(match[1]), -int(match[3] or 0), "")


class Definitions:
    """The definitions of one server and what they serve."""

    def __init__(
        self,
        data: store.Store,
        add: Callable[[Resource], None],
        remove: Callable[[Resource], None],
        empty: Callable[[str], None],
        track: Callable[[Object, Object], None],
    ) -> None:
        self._store = data
        self._empty = empty
        self._track = track
        self._add = add
        self._remove = remove
        self._served: dict[str, list[Resource]] = {}
        self._specs: dict[str, Json] = {}
        self._dirty: dict[str, None] = {}
        data.listeners.append(self._listen)

    def _listen(self, table: str, event: Event) -> None:
        if table == TABLE:
            self._dirty[event.record.name] = None
        elif self._specs and event.type == DELETED:
            name = table
            if name in self._specs:
                self._dirty[name] = None

    def settle(self, time: clock.Clock) -> None:
        """Serve what was defined and set the conditions; called after each write."""
        while self._dirty:
            name = next(iter(self._dirty))
            del self._dirty[name]
            record = self._store.get(TABLE, "", name)
            if record is None:
                self._withdraw(name)
            else:
                self._serve(record, time)

    def _withdraw(self, name: str) -> None:
        # The names are free now, maybe for a definition that waits for them.
        self._dirty |= {each.name: None for each in self._store.table(TABLE).list()}
        for resource in self._served.pop(name, ()):
            self._remove(resource)
        self._specs.pop(name, None)

    def _serve(self, record: Record, time: clock.Clock) -> None:
        name = record.name
        spec = record.obj["spec"]
        problem = self._name_conflict(record) if name not in self._specs else None
        if problem is not None and not record.obj["metadata"].get("deletionTimestamp"):
            self._refuse(record, problem, time)
            return
        if problem is None and self._specs.get(name) != spec:
            before = self._served.get(name, [])
            self._served[name] = resources(record.obj, is_changed=bool(before))
            self._specs[name] = store.clone(spec)
            for resource in self._served[name]:
                self._add(resource)
            for resource in before:
                self._remove(resource)
        obj = record.copy()
        if obj["metadata"].get("deletionTimestamp"):
            self._terminate(record, obj)
            return
        given = obj.setdefault("status", {})
        given["acceptedNames"] = store.clone(spec["names"])
        rows = [
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ]
        for type_, reason, message in rows:
            set_condition(given, type_, "True", reason, message, time.stamp())
        if obj != record.obj:
            self._track(obj, record.obj)
            self._store.update(TABLE, obj, record)

    def _name_conflict(self, record: Record) -> tuple[str, str] | None:
        """Return reason and message when another definition of the group has one of the names."""
        spec = record.obj["spec"]
        taken_words, taken_kinds = set(), set()
        for name, other in self._specs.items():
            if name != record.name and other["group"] == spec["group"]:
                theirs = other["names"]
                taken_words |= {theirs["plural"], theirs.get("singular")}
                taken_words |= set(theirs.get("shortNames") or ())
                taken_kinds |= {theirs["kind"], theirs.get("listKind")}
        given = spec["names"]
        rows = [
            ("PluralConflict", given["plural"], taken_words),
            ("SingularConflict", given.get("singular"), taken_words),
            *(("ShortNamesConflict", word, taken_words) for word in given.get("shortNames") or ()),
            ("KindConflict", given["kind"], taken_kinds),
            ("ListKindConflict", given.get("listKind"), taken_kinds),
        ]
        found = [(reason, word) for reason, word, taken in rows if word in taken]
        if not found:
            return None
        # Each conflict overwrites the one before.
        reason, word = found[-1]
        return reason, f'"{word}" is already in use'

    def _refuse(self, record: Record, problem: tuple[str, str], time: clock.Clock) -> None:
        obj = record.copy()
        given = obj.setdefault("status", {})
        now = time.stamp()
        set_condition(given, "NamesAccepted", "False", *problem, now)
        text = "not all names are accepted"
        set_condition(given, "Established", "False", "NotAccepted", text, now)
        if obj != record.obj:
            self._track(obj, record.obj)
            self._store.update(TABLE, obj, record)

    def _terminate(self, record: Record, obj: Object) -> None:
        finalizers = obj["metadata"].get("finalizers", [])
        if FINALIZER not in finalizers:
            return
        if self._store.table(record.name).records:
            self._empty(record.name)
        else:
            kept = [each for each in finalizers if each != FINALIZER]
            if kept:
                obj["metadata"]["finalizers"] = kept
                self._store.update(TABLE, obj, record)
            else:
                obj["metadata"].pop("finalizers")
                self._store.delete(TABLE, record, obj)


def mark_terminating(obj: Object, now: str) -> None:
    """Say in the status of a definition that its objects are about to go."""
    text = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    given = obj.setdefault("status", {})
    set_condition(given, "Terminating", "True", "InstanceDeletionPending", text, now)


def set_condition(
    given: Object, type_: str, value: str, reason: str, message: str, now: str
) -> None:
    """Set a condition of a status; its time changes only with its value."""
    rows = given.get("conditions") or []
    given["conditions"] = rows
    for row in rows:
        if row["type"] == type_:
            if row["status"] != value:
                row.update(status=value, lastTransitionTime=now, reason=reason, message=message)
            return
    rows.append(
        {
            "type": type_,
            "status": value,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        }
    )


def refuse_terminating(data: store.Store, call: Call, name: str) -> None:
    """Refuse to create an object whose definition is on its way out."""
    record = data.get(TABLE, "", call.resource.storage_key)
    if record is not None and record.obj["metadata"].get("deletionTimestamp"):
        text = "create not allowed while custom resource definition is terminating"
        resource = call.resource
        raise status.forbidden(resource.plural, name, text, resource.group)
