"""Route tables: one for each subnet, with its link and its routes.

Identity: the owner's tag; before it is tagged, an intent: in a Net, untagged, and unlinked.
https://docs.outscale.com/en/userguide/About-Route-Tables.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.api import v1beta2
from provider.engine import world as worlds
from provider.engine.resource import Difference, Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import want as wants
from provider.resources.internet_service import InternetService
from provider.resources.net import Net
from provider.resources.subnet import Subnet
from provider.rules import names

ANYWHERE = "0.0.0.0/0"
_TARGETS = {
    # Kind: the field of a route that names it.
    "internetService": "GatewayId",
    "natService": "NatServiceId",
    "netPeering": "NetPeeringId",
}


@dataclasses.dataclass(frozen=True)
class Route:
    """Where a table sends what goes to a destination."""

    destination: str
    target: Resource | str
    """A resource of ours, or the id of one that is not; empty for one that is no more."""

    @property
    def aim(self) -> dict[str, str]:
        """The target as the API takes it."""
        assert isinstance(self.target, Resource)
        return {_TARGETS[self.target.KIND]: self.target.id}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RouteTable(Resource):
    """The route table of a subnet; its key is the IP range of that subnet."""

    KIND: ClassVar[str] = "routeTable"
    CONDITION: ClassVar[str] = "RouteTablesReady"
    ID_FILTER: ClassVar[str] = "RouteTableIds"
    OWN_TAGS: ClassVar[tuple[str, ...]] = names.OWN_TAGS
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"subnet", "further_subnets", "routes"})
    LATER: ClassVar[frozenset[str]] = MUTABLE

    net: Net
    subnet: Subnet | None
    """The subnet that it is linked to."""
    further_subnets: frozenset[Subnet] = frozenset()
    """Those of ours that somebody else has linked to it as well; none is wanted."""
    routes: frozenset[Route] = frozenset()
    link_id: str = dataclasses.field(default="", compare=False)

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[RouteTable]:
        """Return one for each managed subnet: public ones first, then those behind a NAT."""
        if want.uses_net:
            return ()
        first = public(want)
        seen = {each.key for each in first}
        others = (_private(want, each) for each in _managed(want) if each.key not in seen)
        return [*first, *(each for each in others if each is not None)]

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[RouteTable]:
        """Find route tables by the owner's tag.

        One without a link is that of the subnet with its name, unless that has one already. Those
        of the Go provider v0.4 bear a tag that has the uid in it only, and no status knows them.
        That of a subnet that is only used, which the Go provider gave one too, stays.
        """
        rows = cloud.read("ReadRouteTables", Filters=scope.filters)
        rows += _older(cloud, scope, world)
        taken: set[str] = set()
        for row in sorted(rows, key=lambda row: not row["LinkRouteTables"]):
            seen = _seen(row, "", world)
            if seen.subnet is None and seen.key in taken:
                seen = dataclasses.replace(seen, key=seen.id)
            taken.add(seen.key)
            place = seen.subnet
            yield dataclasses.replace(seen, stays=place is not None and not place.is_managed)

    @property
    def is_linked(self) -> bool:
        """Whether it is linked to a subnet, which takes no second one."""
        return self.subnet is not None

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find the tables of this Net."""
        return {"NetIds": [self.net.id]}

    @classmethod
    def lookalikes(
        cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str
    ) -> list[RouteTable]:
        """Return the tables of this Net; those that are linked are in use."""
        rows = cloud.read("ReadRouteTables", Filters=dict(filters))
        used = {row["RouteTableId"] for row in rows if row["LinkRouteTables"]}
        return wants.alike((_seen(row, key, worlds.World()) for row in rows), used)

    def create(self, cloud: clouds.Cloud) -> RouteTable:
        """Create it; the update that follows links it and gives it its routes."""
        row = cloud.call("CreateRouteTable", NetId=self.net.id)["RouteTable"]
        return dataclasses.replace(_seen(row, self.key, worlds.World()), net=self.net)

    def differences(self, observed: Self) -> tuple[Difference, ...]:
        """Return what differs, whatever routes somebody has added to what is their own."""
        seen = dataclasses.replace(observed, routes=observed.routes - self._theirs(observed))
        return super().differences(seen)

    def _theirs(self, observed: RouteTable) -> frozenset[Route]:
        wanted = {each.destination for each in self.routes}
        return frozenset(
            each
            for each in observed.routes
            if isinstance(each.target, str) and each.target and each.destination not in wanted
        )

    def update(self, cloud: clouds.Cloud, observed: Resource) -> RouteTable:
        """Link it to its subnet, add or replace its routes, and take away others of ours."""
        assert isinstance(observed, RouteTable)
        assert self.subnet is not None
        theirs = self._theirs(observed)
        there = {each.destination: each for each in observed.routes - theirs}
        for route in sorted(self.routes, key=lambda each: each.destination):
            old = there.pop(route.destination, None)
            if old is None or str(old.target) != str(route.target):
                cloud.call(
                    "UpdateRoute" if old else "CreateRoute",
                    RouteTableId=observed.id,
                    DestinationIpRange=route.destination,
                    **route.aim,
                )
        for destination in sorted(there):
            cloud.call("DeleteRoute", RouteTableId=observed.id, DestinationIpRange=destination)
        link_id = observed.link_id
        if observed.subnet is None or observed.subnet.id != self.subnet.id:
            if link_id:
                cloud.call("UnlinkRouteTable", LinkRouteTableId=link_id)
            link_id = _link(cloud, observed.id, self.subnet.id)
        _let_go(cloud, observed)
        return dataclasses.replace(
            observed,
            subnet=self.subnet,
            further_subnets=frozenset(),
            routes=self.routes | theirs,
            link_id=link_id,
        )

    def delete(self, cloud: clouds.Cloud) -> None:
        """Unlink it and delete it."""
        _let_go(cloud, self)
        if self.link_id:
            cloud.call("UnlinkRouteTable", LinkRouteTableId=self.link_id)
        cloud.call("DeleteRouteTable", RouteTableId=self.id)


def _link(cloud: clouds.Cloud, table_id: str, subnet_id: str) -> str:
    """Link a subnet to a table, away from the table that it may be linked to."""
    try:
        answer = cloud.call("LinkRouteTable", RouteTableId=table_id, SubnetId=subnet_id)
    except errors.ApiError:
        rows = cloud.read("ReadRouteTables", Filters={"LinkSubnetIds": [subnet_id]})
        links = [link for row in rows for link in row["LinkRouteTables"]]
        held = [link for link in links if link.get("SubnetId") == subnet_id]
        if not held:
            raise
        answer = cloud.call(
            "UpdateRouteTableLink",
            LinkRouteTableId=held[0]["LinkRouteTableId"],
            RouteTableId=table_id,
        )
    return str(answer["LinkRouteTableId"])


def _let_go(cloud: clouds.Cloud, table: RouteTable) -> None:
    """Unlink from a table the further subnets that no table of their own has taken back by now."""
    ids = {each.id for each in table.further_subnets}
    rows = cloud.read("ReadRouteTables", Filters={"RouteTableIds": [table.id]}) if ids else []
    for link in (link for row in rows for link in row["LinkRouteTables"]):
        if link.get("SubnetId") in ids:
            cloud.call("UnlinkRouteTable", LinkRouteTableId=link["LinkRouteTableId"])


def _seen(row: Mapping[str, Any], key: str, world: worlds.World) -> RouteTable:
    tags = wants.tags_of(row)
    links = _links(row, tags, world)
    link, linked = next(iter(links), ("", None))
    net = world.by_id(row["NetId"])
    routes = frozenset(
        Route(each["DestinationIpRange"], _target(each, world))
        for each in row["Routes"]
        if each.get("CreationMethod") == "CreateRoute"
        and each.get("GatewayId") != "local"
        and each.get("DestinationIpRange")
        and not each.get("DestinationServiceId")
    )
    return RouteTable(
        key=key or (linked.key if linked else _named(tags, world) or row["RouteTableId"]),
        id=row["RouteTableId"],
        net=net if isinstance(net, Net) else Net(key="default", id=row["NetId"]),
        subnet=linked,
        further_subnets=frozenset(each for _, each in links[1:] if each and each.is_managed),
        routes=routes,
        link_id=link,
        tags=tags,
    )


def _older(cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World) -> list[dict[str, Any]]:
    """Return the tables that the Go provider v0.4 made for subnets that bear its tag."""
    places = [each.id for each in world.lost if each.KIND == Subnet.KIND]
    if not places or scope.only:
        return []
    rows = cloud.read("ReadRouteTables", Filters={"LinkSubnetIds": places})
    owner = scope.owner[0]
    return [
        row
        for row in rows
        if (keys := wants.tags_of(row).keys())
        and owner not in keys
        and any(worlds.is_mark(key, scope) for key in keys)
    ]


def _links(
    row: Mapping[str, Any], tags: Mapping[str, str], world: worlds.World
) -> list[tuple[str, Subnet | None]]:
    """Return the links of a table and their subnets, that of the subnet with its name first."""
    found: list[tuple[str, Subnet | None]] = []
    for link in row["LinkRouteTables"]:
        if link.get("SubnetId"):
            place = world.by_id(link["SubnetId"])
            found.append((link["LinkRouteTableId"], place if isinstance(place, Subnet) else None))
    name = tags.get("Name")
    return sorted(found, key=lambda each: each[1] is None or each[1].tags.get("Name") != name)


def _named(tags: Mapping[str, str], world: worlds.World) -> str:
    """Return the key of the subnet that a table without a link was made for."""
    for each in world.of(Subnet.KIND):
        if tags.get("Name") and each.tags.get("Name") == tags["Name"]:
            return each.key
    return ""


def _target(route: Mapping[str, Any], world: worlds.World) -> Resource | str:
    fields = ("GatewayId", "NatServiceId", "NetPeeringId", "VmId", "NicId")
    id_ = next((str(route[each]) for each in fields if route.get(each)), "")
    # One to a VM that is stopped, or to what is unlinked, may come back to life.
    is_dead = route.get("State") == "blackhole" and not _RETURNING.intersection(route)
    return world.by_id(id_) or ("" if is_dead else id_)


_RETURNING = frozenset({"GatewayId", "VmId", "NicId"})


# --- What is wanted ------------------------------------------------------------------------------


def _managed(want: wants.Want) -> list[Subnet]:
    return [each for each in want.of(Subnet) if each.is_managed]


def public(want: wants.Want) -> list[RouteTable]:
    """Return the wanted tables of public subnets, which lead to the internet service."""
    if want.uses_net or not want.has_internet:
        return []
    if want.network.route_tables:
        return [
            table
            for table in (_from_spec(want, each, only_public=True) for each in _managed(want))
            if table is not None
        ]
    (internet,) = want.of(InternetService)
    return [
        _table(want, each, {ANYWHERE: internet})
        for each in _managed(want)
        if names.is_public(each.roles)
    ]


def _private(want: wants.Want, place: Subnet) -> RouteTable | None:
    if want.network.route_tables:
        return _from_spec(want, place)
    return _table(want, place, _ways_out(want, place))


def _ways_out(want: wants.Want, place: Subnet) -> dict[str, Resource]:
    nats = _nats(want)
    near = [each for each in nats if each.subnet.subregion == place.subregion]
    found = [*near, *nats]
    return {ANYWHERE: found[0]} if found else {}


def _nats(want: wants.Want) -> list[Any]:
    """Return the wanted NAT services; their module imports this one."""
    return list(want.named("natService"))


def _table(want: wants.Want, place: Subnet, routes: Mapping[str, Resource]) -> RouteTable:
    peered: list[Any] = list(want.named("netPeering"))
    routes = {**routes, **{each.peer_range: each for each in peered if each.peer_range}}
    return RouteTable(
        key=place.key,
        net=place.net,
        subnet=place,
        routes=frozenset(Route(destination, target) for destination, target in routes.items()),
        # The same tags as its subnet, so that one call marks both.
        tags=place.tags,
    )


def _from_spec(want: wants.Want, place: Subnet, *, only_public: bool = False) -> RouteTable | None:
    """Return the table that the spec asks for in so many words, if there is one.

    With ``only_public``, one that leads to a NAT service is left out, and nothing asks for those.
    """
    for each in want.network.route_tables:
        by_name = place.tags.get("Name") in each.subnets
        by_role = bool(each.role) and each.role in place.roles
        if by_name or (by_role and (each.subregion or place.subregion) == place.subregion):
            break
    else:
        return None
    if only_public and any(route.target_type != "gateway" for route in each.routes):
        return None
    routes = {route.destination: _aimed(want, route, place) for route in each.routes}
    return _table(want, place, routes)


def _aimed(want: wants.Want, route: v1beta2.Route, place: Subnet) -> Resource:
    """Return where a route of the spec leads; raise ``Refusal`` when there is no such thing."""
    found: list[Any] = list(want.of(InternetService))
    if route.target_type == "nat":
        found = sorted(_nats(want), key=lambda nat: nat.subnet.subregion != place.subregion)
        # A name that no NAT service has is passed over, as by the Go provider.
        found = [each for each in found if each.tags.get("Name") == route.target_name] or found
    if not found:
        what = "a NAT service" if route.target_type == "nat" else "the internet service"
        raise Refusal(
            f"spec.network.routeTables has a route to {what}, but the cluster has none. Remove "
            "the route."
        )
    return found[0]  # type: ignore[no-any-return]
