"""Conflicts of an apply: which fields belong to others, and how the client is told."""

from __future__ import annotations

from collections.abc import Mapping

from fakekube import status
from fakekube.patch import fields, typed
from fakekube.patch.managed import Managed, Name


class Conflicts(Exception):
    """An apply would take fields away from others: pairs of manager and path."""

    def __init__(self, found: list[tuple[Name, tuple[str, ...]]]) -> None:
        super().__init__()
        self.found = found

    def refusal(self) -> status.ApiError:
        """Return the refusal that the client gets."""
        shown = [(name.printed(), fields.text(path)) for name, path in self.found]
        causes = [
            status.Cause(path, "FieldManagerConflict", f"conflict with {name}")
            for name, path in shown
        ]
        if len(shown) == 1:
            name, path = shown[0]
            text = f"Apply failed with 1 conflict: conflict with {name}: {path}"
            return status.apply_conflict(causes, text)
        lines: list[str] = []
        for place, (name, path) in enumerate(shown):
            if not place or name != shown[place - 1][0]:
                lines.append(f"conflicts with {name}:")
            lines.append(f"- {path}")
        text = f"Apply failed with {len(shown)} conflicts: " + "\n".join(lines)
        return status.apply_conflict(causes, text)


def refuse(after: Managed, diffs: Mapping[str, typed.Diff], applier: Name) -> None:
    """Raise ``Conflicts`` if changes touch what managers other than the applier own."""
    found: list[tuple[Name, tuple[str, ...]]] = []
    for name in sorted(after, key=Name.text):
        diff = diffs.get(after[name].api_version)
        if name != applier and diff is not None and (diff.modified or diff.added):
            changed = fields.union(diff.modified, diff.added)
            common = fields.intersection(after[name].names, changed)
            found += [(name, path) for path in fields.paths(common)]
    if found:
        raise Conflicts(found)
