"""Net access points: the way from a Net to services of OUTSCALE without the internet.

Identity: the owner's tag; before it is tagged, an intent, the Net and the service.
https://docs.outscale.com/en/userguide/About-Net-Access-Points.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import want as wants
from provider.resources.net import Net
from provider.resources.route_table import RouteTable
from provider.rules import names


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetAccessPoint(Resource):
    """The access of a Net to one service; its key is the short name of the service."""

    KIND: ClassVar[str] = "netAccessPoint"
    CONDITION: ClassVar[str] = "NetAccessPointsReady"
    ID_FILTER: ClassVar[str] = "NetAccessPointIds"
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"route_tables"})

    net: Net
    service: str
    route_tables: frozenset[RouteTable]

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return one for each service of the spec, for the tables of all nodes."""
        if want.uses_net:
            return
        (net,) = want.of(Net)
        nodes = {names.CONTROL_PLANE, names.WORKER}
        tables = frozenset(
            each for each in want.of(RouteTable) if each.subnet and each.subnet.roles & nodes
        )
        for service in dict.fromkeys(str(each) for each in want.network.net_access_points):
            yield cls(
                key=service,
                net=net,
                service=names.net_access_service(want.region, service),
                route_tables=tables,
                tags={names.NAME: names.net_access_point(want.name, service)},
            )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find access points by the owner's tag."""
        for row in cloud.read("ReadNetAccessPoints", Filters=scope.filters):
            if row["State"] != "deleted":
                yield cls._seen(row, row["ServiceName"].rsplit(".", 1)[-1], world)

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str, world: worlds.World) -> Self:
        net = world.by_id(row["NetId"])
        tables = [world.by_id(each) for each in row["RouteTableIds"]]
        return cls(
            key=key,
            id=row["NetAccessPointId"],
            state=row["State"],
            net=net if isinstance(net, Net) else Net(key="default", id=row["NetId"]),
            service=row["ServiceName"],
            route_tables=frozenset(each for each in tables if isinstance(each, RouteTable)),
            tags=wants.tags_of(row),
        )

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find the access of this Net to this service."""
        return {"NetIds": [self.net.id], "ServiceNames": [self.service]}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the accesses of this Net to this service."""
        rows = cloud.read("ReadNetAccessPoints", Filters=dict(filters))
        found = [cls._seen(row, key, worlds.World()) for row in rows]
        return wants.alike(each for each in found if each.state not in ("deleting", "deleted"))

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create it with its route tables, or return the one that a create has left there."""
        try:
            answer = cloud.call(
                "CreateNetAccessPoint",
                NetId=self.net.id,
                ServiceName=self.service,
                RouteTableIds=sorted(each.id for each in self.route_tables),
            )
        except errors.ApiError as error:
            left = wants.left_there(self, cloud, error) if self.net.is_managed else None
            if left is None:
                raise
            return left
        made = self._seen(answer["NetAccessPoint"], self.key, worlds.World())
        return dataclasses.replace(made, net=self.net, route_tables=self.route_tables)

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Add and take away route tables."""
        wanted = {each.id for each in self.route_tables}
        there = {each.id for each in observed.route_tables}
        cloud.call(
            "UpdateNetAccessPoint",
            NetAccessPointId=observed.id,
            AddRouteTableIds=sorted(wanted - there) or None,
            RemoveRouteTableIds=sorted(there - wanted) or None,
        )
        return dataclasses.replace(observed, route_tables=self.route_tables)

    def delete(self, cloud: clouds.Cloud) -> None:
        """Delete it."""
        cloud.call("DeleteNetAccessPoint", NetAccessPointId=self.id)
