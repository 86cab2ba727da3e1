"""What belongs to one machine, among all that its cluster has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from provider.engine import world as worlds
from provider.osc import cloud as clouds
from provider.resources import want as wants
from provider.rules import names

Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class MachineScope(worlds.Scope):
    """Whose resources are meant: those of one OscMachine of the owner."""

    name: str = ""
    """The name of the OscMachine, unique in its cluster."""
    token: str = ""
    """The client token of its VM."""
    older_token: str = ""
    """The one that the Go provider made it with, if that is another one."""
    known: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    """Ids by kind that the OscMachine names. The Go provider's resources bear no machine's tag."""
    balancer: str = ""
    """The name of the load balancer of the Kubernetes API; empty when the cluster has none."""
    is_going: bool = False
    is_moved: bool = False
    """Whether its VM is known and no status tells of anything else."""

    def rows(
        self,
        cloud: clouds.Cloud,
        action: str,
        kind: str,
        id_: str,
        *,
        filters: Mapping[str, Any] | None = None,
        also: Callable[[Row], bool] = lambda _: False,
    ) -> list[Row]:
        """Return what the machine has: one Read for all machines, and one for what that lacks.

        ``id_`` is the field with the id; ``also`` recognises what bears no machine's tag. What is
        known by its id only was made by the Go provider, or is gone. What another cluster claims is
        nobody's here, whoever names it.
        """
        known = self.known.get(kind, frozenset())

        def is_mine(row: Row) -> bool:
            tags = wants.tags_of(row)
            if worlds.rivals(tags, self):
                return False
            if names.MACHINE in tags:
                return tags[names.MACHINE] == self.name
            return row[id_] in known or also(row)

        asked = self.filters if filters is None else dict(filters)
        found: list[Row] = [row for row in cloud.read(action, Filters=asked) if is_mine(row)]
        missing = known - {row[id_] for row in found}
        if missing:
            more = cloud.read(action, Filters={f"{id_}s": sorted(missing)})
            found += [row for row in more if is_mine(row)]
        return found


def of(scope: worlds.Scope) -> MachineScope:
    """Return a scope as that of a machine, which the kinds of a machine are only used with."""
    assert isinstance(scope, MachineScope), f"{scope} is not of a machine."
    return scope
