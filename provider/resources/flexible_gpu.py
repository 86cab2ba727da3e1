"""Flexible GPUs: attached to the VM of a machine before it starts for the first time.

Identity: the tags of the owner and the machine; before it is tagged, an intent and the model.
https://docs.outscale.com/en/userguide/About-Flexible-GPUs.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Resource
from provider.osc import cloud as clouds
from provider.resources import machine_scope
from provider.resources import want as wants
from provider.rules import names


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlexibleGpu(Resource):
    """The GPU of a machine; its key is its subregion, because it cannot move to another one."""

    KIND: ClassVar[str] = "flexibleGpu"
    CONDITION: ClassVar[str] = "FlexibleGpuReady"
    READY: ClassVar[frozenset[str]] = frozenset({"allocated", "attaching", "attached"})
    IS_PART: ClassVar[bool] = False

    model: str
    generation: str = dataclasses.field(default="", compare=False)
    """Of the processor of its VM, such as ``v5``; empty for the oldest one that the model takes."""
    vm_id: str = dataclasses.field(default="", compare=False)

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the GPU of the machine. This Read alone takes tags as objects.

        That of the Go provider bears only the name of the machine: without a status it is known by
        that and its VM, to which people may have linked one of theirs.
        """
        mine = machine_scope.of(scope)
        tags = [{"Key": scope.owner[0], "Value": scope.owner[1]}]
        rows = mine.rows(
            cloud, "ReadFlexibleGpus", cls.KIND, "FlexibleGpuId", filters={"Tags": tags}
        )
        if not rows and mine.is_moved:
            vms = {"VmIds": sorted(mine.known["vm"])}
            found = cloud.read("ReadFlexibleGpus", Filters=vms)
            named = [row for row in found if wants.tags_of(row).get(names.NAME) == mine.name]
            rows = [row for row in named if not worlds.rivals(wants.tags_of(row), scope)]
        for row in rows:
            yield cls._seen(row, row["SubregionName"])

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str) -> Self:
        return cls(
            key=key,
            id=row["FlexibleGpuId"],
            state=row["State"],
            model=row["ModelName"],
            generation=row.get("Generation", ""),
            vm_id=row.get("VmId") or "",
            tags=wants.tags_of(row),
        )

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find GPUs of this model that are linked to no VM."""
        return {
            "ModelNames": [self.model],
            "SubregionNames": [self.key],
            "States": ["allocated"],
        }

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the GPUs of this model in this subregion."""
        rows = cloud.read("ReadFlexibleGpus", Filters=dict(filters))
        return wants.alike(cls._seen(row, key) for row in rows)

    def create(self, cloud: clouds.Cloud) -> Self:
        """Allocate the GPU; once it is attached, it goes with its VM."""
        answer = cloud.call(
            "CreateFlexibleGpu",
            ModelName=self.model,
            SubregionName=self.key,
            Generation=self.generation or None,
            DeleteOnVmDeletion=True,
        )
        return self._seen(answer["FlexibleGpu"], self.key)

    def delete(self, cloud: clouds.Cloud) -> None:
        """Give the GPU back."""
        cloud.call("DeleteFlexibleGpu", FlexibleGpuId=self.id)
