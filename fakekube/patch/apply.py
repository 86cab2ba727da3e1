"""Server-side apply, and who owns which field after any other write.

``FieldManager`` does what the real server's does: ``apply`` merges what a manager wants into the
live object, takes away what it no longer wants, and refuses to overwrite what others own;
``update`` notes who has changed what. Neither changes an object that it is given. Callers default
and prune before ``update``, and after ``apply``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self

from fakekube import builtin, status
from fakekube.builtin import normal
from fakekube.patch import (
    conflicts,
    fields,
    fitting,
    last_applied,
    managed,
    resets,
    typed,
    types,
    valid,
)
from fakekube.patch.conflicts import Conflicts
from fakekube.patch.copies import copied
from fakekube.patch.managed import APPLY, UPDATE, Entry, Managed, Name
from fakekube.patch.types import Type

Json = Any
Object = dict[str, Any]
Convert = Callable[[Object, str], Object]

BEFORE: Final = "before-first-apply"


class FieldManager:
    """Tracks the managers of one kind, in all its versions."""

    def __init__(
        self,
        kind: str,
        schemas: Mapping[str, Type],
        *,
        empty: Object | None = None,
        is_custom: bool = False,
        has_status: bool = False,
        convert: Convert | None = None,
    ) -> None:
        """Take the types by API version; ``convert`` makes an object one of another version."""
        self.kind = kind
        self._types = dict(schemas)
        self._empty = empty or {}
        self._is_custom = is_custom
        self._has_status = has_status
        self._convert = convert or _relabelled

    @classmethod
    def built_in(cls, api_version: str, kind: str) -> Self:
        """Return the one for a built-in kind."""
        name = builtin.name_of(api_version, kind)
        empty: Object = {"apiVersion": api_version, "kind": kind}
        normal.complete(empty, name)
        has_status = builtin.has_status(api_version, kind)
        return cls(kind, {api_version: types.named(name)}, empty=empty, has_status=has_status)

    @classmethod
    def custom(
        cls,
        kind: str,
        schemas: Mapping[str, Json],
        *,
        has_status: bool = False,
        convert: Convert | None = None,
    ) -> Self:
        """Return the one for a custom kind; the schemas are those of its versions, or None."""
        compiled = {version: types.of_schema(schema) for version, schema in schemas.items()}
        return cls(kind, compiled, is_custom=True, has_status=has_status, convert=convert)

    # --- Update ------------------------------------------------------------------------------

    def update(
        self,
        old: Object | None,
        new: Object,
        manager: str,
        api_version: str,
        now: str,
        operation: str = UPDATE,
        subresource: str = "",
    ) -> Object:
        """Return the new object with the managers it has after the write; it is a new dict.

        ``old`` is None when the object is created. Parts are shared with ``new``.
        """
        metadata = dict(new.get("metadata") or {})
        given = metadata.pop("managedFields", None)
        found = {**new, "metadata": metadata}
        known = self._known(old, given, subresource)
        if not known and old is not None and old.get("metadata", {}).get("uid"):
            # Who was never tracked is not tracked from now on, before somebody applies.
            return found
        name = managed.name(manager, operation, api_version, subresource)
        try:
            after = self._tracked(_bare(old) or self._nothing(api_version), found, known, name, now)
        except typed.Unmergeable:
            return found
        if after:
            metadata["managedFields"] = managed.written(after)
        return found

    def _known(self, old: Object | None, given: Json, subresource: str) -> Managed:
        """Return who owns what before a write; a client may say so, but not on a subresource."""
        live = (old or {}).get("metadata", {}).get("managedFields")
        if not subresource and given != live:
            if managed.is_reset(given):
                return {}
            try:
                if found := managed.read(given, is_own=False):
                    return found
            except (ValueError, AttributeError, TypeError):
                pass
        try:
            return managed.read(live, is_own=True)
        except ValueError:
            return {}

    def _tracked(self, old: Object, new: Object, known: Managed, name: Name, now: str) -> Managed:
        """Return who owns what after a write by this manager."""
        api_version = name.api_version
        known = self._reconciled(known)
        diffs = self._diffs(old, new, api_version, name.subresource, known)
        after = self._taken(known, diffs)
        diff = diffs[api_version]
        own = fields.difference(fields.union(diff.modified, diff.added), managed.NEVER)
        own = self._kept(own, api_version, name.subresource)
        if own:
            previous = after.get(name)
            names = fields.union(previous.names, own) if previous else own
            after[name] = Entry(names, api_version, now)
        return managed.capped(after)

    def _diffs(
        self, old: Object, new: Object, api_version: str, subresource: str, known: Managed
    ) -> dict[str, typed.Diff]:
        """Return what changes, in every version in which somebody owns something."""
        versions = dict.fromkeys([api_version, *(entry.api_version for entry in known.values())])
        found: dict[str, typed.Diff] = {}

        def kept(names: fields.Set, version: str) -> fields.Set:
            # Of a custom resource, only the version of the request has a strategy.
            is_kept = self._is_custom and version != api_version
            return names if is_kept else self._kept(names, version, subresource)

        for version in versions:
            type_ = self._types.get(version)
            if type_ is None:
                continue
            left, right = self._in(old, version), self._in(new, version)
            diff = typed.compare(type_, left, right)
            if diff:
                diff.removed = kept(diff.removed, version)
                diff.modified = kept(diff.modified, version)
                diff.added = kept(diff.added, version)
            found[version] = diff
        return found

    def _taken(
        self, known: Managed, diffs: Mapping[str, typed.Diff], spared: Name | None = None
    ) -> Managed:
        """Return what is left to all managers after changes; those of lost versions are gone."""
        found: Managed = {}
        for name, entry in known.items():
            diff = diffs.get(entry.api_version)
            if name == spared:
                found[name] = entry
            elif diff is not None:
                names = entry.names
                if diff:
                    names = fields.difference(names, diff.modified)
                    names = fields.difference(names, diff.added)
                    names = fields.difference(names, diff.removed)
                if names is entry.names:
                    found[name] = entry
                elif names:
                    found[name] = Entry(names, entry.api_version, entry.time)
        return found

    def _reconciled(self, known: Managed) -> Managed:
        """Return the managers with sets that fit the schema of today."""
        found: Managed = {}
        for name, entry in known.items():
            type_ = self._types.get(entry.api_version)
            names = entry.names if type_ is None else fitting.reconciled(type_, entry.names)
            if names is entry.names:
                found[name] = entry
            else:
                found[name] = Entry(names, entry.api_version, entry.time)
        return found

    # --- Apply -------------------------------------------------------------------------------

    def apply(
        self,
        live: Object | None,
        applied: Object,
        manager: str,
        api_version: str,
        now: str,
        *,
        force: bool,
        subresource: str = "",
    ) -> Object:
        """Return the live object with what is applied; ``live`` is None if there is none yet."""
        self._check(applied, api_version)
        name = managed.name(manager, APPLY, api_version, subresource)
        base = live if live is not None else self._nothing(api_version)
        try:
            known = managed.read(base.get("metadata", {}).get("managedFields"), is_own=True)
        except ValueError as error:
            raise _unknown(f"failed to decode managed fields: {error}") from error
        bare = _bare(base) or {}
        try:
            if not known and live is not None:
                before = managed.name(BEFORE, UPDATE, api_version, subresource)
                known = self._tracked(self._nothing(api_version), bare, {}, before, now)
            found, after = self._applied(bare, applied, known, name, api_version, force=force)
        except Conflicts as met:
            found, after = self._upgraded(met, bare, applied, known, name, api_version=api_version)
        except typed.Unmergeable as error:
            raise _unknown(f"failed to create typed live object: {error}") from error
        if found is not None and name in after:
            after[name] = Entry(after[name].names, api_version, now)
        return self._result(bare if found is None else found, after, applied, name)

    def _result(self, found: Object, after: Managed, applied: Object, name: Name) -> Object:
        result: Object = copied(found)
        metadata = result.setdefault("metadata", {})
        if name.manager == last_applied.KUBECTL:
            last_applied.refresh(metadata, applied)
        if after:
            metadata["managedFields"] = managed.written(after)
        return result

    def _applied(
        self,
        live: Object,
        applied: Object,
        known: Managed,
        name: Name,
        api_version: str,
        *,
        force: bool,
    ) -> tuple[Object | None, Managed]:
        """Return the merged object, None if that is the live one; and who owns what."""
        type_ = self._types[api_version]
        after = self._reconciled(known)
        last = after.get(name)
        merged = typed.merge(type_, live, applied)
        names = self._kept(typed.mentioned(type_, applied), api_version, name.subresource)
        after[name] = Entry(names, api_version, last.time if last else None)
        if last is not None and last.names:
            merged = self._pruned(merged, after, name, last)
        diffs = self._diffs(live, merged, api_version, name.subresource, after)
        if not force:
            conflicts.refuse(after, diffs, name)
        after = self._taken(after, diffs, spared=name)
        own = fields.difference(after[name].names, managed.NEVER)
        if not own:
            del after[name]
        elif last is not None and last.raw is not None and _is_same(own, last, api_version):
            after[name] = last
        else:
            after[name].names = own
        return (None if typed.same(live, merged) else merged), after

    def _upgraded(
        self,
        met: Conflicts,
        live: Object,
        applied: Object,
        known: Managed,
        name: Name,
        *,
        api_version: str,
    ) -> tuple[Object | None, Managed]:
        """Let kubectl have what it applied on the client's side before; refuse the rest."""
        is_kubectl = name.manager == last_applied.KUBECTL
        type_ = self._types[api_version]
        allowed = last_applied.names(type_, live, api_version) if is_kubectl else None
        if allowed is not None:
            left = [(who, path) for who, path in met.found if not fields.has(allowed, path)]
            if not left:
                return self._applied(live, applied, known, name, api_version, force=True)
            met = Conflicts(left)
        raise met.refusal() from None

    # --- What is no longer applied -----------------------------------------------------------

    def _pruned(self, merged: Object, after: Managed, name: Name, last: Entry) -> Object:
        """Return the object without what the manager had applied, and nobody wants any more."""
        version = last.api_version
        type_ = self._types.get(version)
        if type_ is None:
            return merged
        own = after[name]
        if own.api_version == version and not fields.difference(last.names, own.names):
            return merged
        here = self._in(merged, version)
        had = fitting.with_parents(type_, last.names)
        pruned = typed.remove(type_, here, had)
        pruned = self._with_owned(here, pruned, version, after)
        kept = fitting.with_parents(type_, typed.mentioned(type_, pruned))
        all_ = fitting.with_parents(type_, typed.mentioned(type_, here))
        gone = fields.intersection(fields.difference(all_, kept), had)
        found = typed.remove(type_, here, gone)
        return self._in(found, own.api_version)

    def _with_owned(self, merged: Object, pruned: Object, version: str, after: Managed) -> Object:
        """Return the pruned object with what any manager still owns, put back."""
        owned: dict[str, fields.Set] = {version: {}}
        for entry in after.values():
            owned[entry.api_version] = fields.union(owned.get(entry.api_version, {}), entry.names)
        found = pruned
        for each, names in owned.items():
            type_ = self._types.get(each)
            if type_ is None:
                continue
            here, left = self._in(merged, each), self._in(found or {}, each)
            all_ = fitting.with_parents(type_, typed.mentioned(type_, here))
            kept = fitting.with_parents(type_, typed.mentioned(type_, left))
            kept = fields.union(kept, fitting.with_parents(type_, names))
            found = typed.remove(type_, here, fields.difference(all_, kept))
        return self._in(found or {}, version)

    # --- Small parts -------------------------------------------------------------------------

    def _check(self, applied: Object, api_version: str) -> None:
        given = (applied.get("apiVersion", ""), applied.get("kind", ""))
        if given != (api_version, self.kind):
            raise status.bad_request(f"invalid object type: {_spelled(*given)}")
        metadata = applied.get("metadata")
        entries = metadata.get("managedFields") if isinstance(metadata, dict) else None
        if isinstance(entries, list):
            raise status.bad_request("metadata.managedFields must be nil")
        causes = valid.errors(self._types[api_version], applied)
        if causes:
            whose = metadata if isinstance(metadata, dict) else {}
            where = f"{whose.get('namespace', '')}/{whose.get('name', '')}"
            text = f"({where}; {_spelled(*given)}): {valid.listed(causes)}"
            raise _unknown(f"failed to create typed patch object {text}")

    def _kept(self, names: fields.Set, version: str, subresource: str) -> fields.Set:
        kind = f"{version}/{self.kind}"
        return resets.kept(names, kind, subresource, has_status=self._has_status)

    def _nothing(self, api_version: str) -> Object:
        return self._empty or {"apiVersion": api_version, "kind": self.kind}

    def _in(self, obj: Object, api_version: str) -> Object:
        is_there = not obj or obj.get("apiVersion") == api_version
        return obj if is_there else self._convert(obj, api_version)


def _is_same(names: fields.Set, last: Entry, api_version: str) -> bool:
    return last.api_version == api_version and last.names == names


def _bare(obj: Object | None) -> Object | None:
    """Return an object without its managed fields; the rest is shared."""
    if obj is None or "managedFields" not in obj.get("metadata", {}):
        return obj
    metadata = {key: obj["metadata"][key] for key in obj["metadata"] if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _relabelled(obj: Object, api_version: str) -> Object:
    return {**obj, "apiVersion": api_version}


def _spelled(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def _unknown(message: str) -> status.ApiError:
    """Return the refusal for what the real server has no better word for."""
    return status.ApiError(500, "", message)


def versions(obj: Object) -> Iterable[str]:
    """Return the API versions in which somebody owns a field of an object."""
    entries = obj.get("metadata", {}).get("managedFields") or ()
    return dict.fromkeys(entry.get("apiVersion", "") for entry in entries)
