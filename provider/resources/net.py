"""The Net: the private network that everything of a cluster is in.

Identity: the owner's tag; before it is tagged, an intent and the IP range.
https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import holders
from provider.resources import want as wants
from provider.rules import addressing, names


@dataclasses.dataclass(frozen=True, kw_only=True)
class Net(Resource):
    """One Net."""

    KIND: ClassVar[str] = "net"
    CONDITION: ClassVar[str] = "NetReady"
    ID_FILTER: ClassVar[str] = "NetIds"

    ip_range: str = ""

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return the one Net of a cluster."""
        spec = want.network.net
        yield cls(
            key="default",
            id=spec.resource_id or "",
            ip_range=spec.ip_range or addressing.DEFAULT_NET,
            tags={"Name": spec.name or names.net(want.name)},
            is_managed=not (want.uses_net or spec.resource_id),
        )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the Net by the owner's tag, or by its id when it exists already."""
        used = scope.existing.get(cls.KIND, {})
        filters = {"NetIds": sorted(used)} if used else scope.filters
        for row in cloud.read("ReadNets", Filters=filters):
            yield dataclasses.replace(cls._seen(row, "default"), is_managed=not used)

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str) -> Self:
        return cls(
            key=key,
            id=row["NetId"],
            state=row["State"],
            ip_range=row["IpRange"],
            tags=wants.tags_of(row),
        )

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find Nets of this range."""
        return {"IpRanges": [self.ip_range], "IsDefault": False}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the Nets of this range."""
        rows = cloud.read("ReadNets", Filters=dict(filters))
        found = [cls._seen(row, key) for row in rows]
        return wants.alike(each for each in found if each.state not in cls.LEAVING)

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create the Net."""
        return self._seen(cloud.call("CreateNet", IpRange=self.ip_range)["Net"], self.key)

    def delete(self, cloud: clouds.Cloud) -> None:
        """Delete the Net, with its default security group and main route table.

        When it is in use, tell by what.
        """
        try:
            cloud.call("DeleteNet", NetId=self.id)
        except errors.ApiError as error:
            holders.explain(error, cloud, "Net", self.id)
            raise
