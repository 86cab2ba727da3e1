"""NAT services: the way out of private subnets, one for each subregion.

Identity: the owner's tag; before it is tagged, an intent and the client token.
https://docs.outscale.com/en/userguide/About-NAT-Gateways.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.api import v1beta2
from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.resources import public_ip, route_table, subnet
from provider.resources import want as wants
from provider.resources.internet_service import InternetService
from provider.resources.net import Net
from provider.resources.public_ip import PublicIp
from provider.resources.subnet import Subnet
from provider.rules import names


@dataclasses.dataclass(frozen=True, kw_only=True)
class NatService(Resource):
    """One NAT service; its key is the IP range of the public subnet it is in."""

    KIND: ClassVar[str] = "natService"
    CONDITION: ClassVar[str] = "NatServicesReady"
    HAS_TOKEN: ClassVar[bool] = True
    GOING: ClassVar[str] = "deleting"
    ID_FILTER: ClassVar[str] = "NatServiceIds"

    subnet: Subnet
    public_ip: PublicIp | None = dataclasses.field(default=None, compare=False)
    """Its own one; None when it comes from a pool."""
    pool: str = dataclasses.field(default="", compare=False)
    route_table: Resource | None = dataclasses.field(default=None, compare=False)
    """The one that makes its subnet public, without which it cannot be created."""
    internet: InternetService | None = dataclasses.field(default=None, compare=False)
    token: str = dataclasses.field(default="", compare=False)
    addresses: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return one for each subnet with the role ``nat``, or for those that the spec names."""
        if not want.has_internet:
            return
        pool = want.network.nat_public_ip_pool or ""
        tables = {each.key: each for each in route_table.public(want)}
        tokens: set[str] = set()
        for place, name in _places(want):
            key = place.ip_range
            token = names.nat_service_token(name, place.subregion, want.uid)
            if token in tokens:  # A second one in a subregion would be answered with the first.
                token = names.nat_service_token(key, place.subregion, want.uid)
            tokens.add(token)
            called = name or names.nat_service(want.name, place.subregion)
            address = f"{cls.KIND}/{key}"
            yield cls(
                key=key,
                subnet=place,
                pool=pool,
                public_ip=None if pool else PublicIp.wanted(address, called, place),
                route_table=tables.get(place.key),
                internet=want.of(InternetService)[0],
                token=token,
                tags={names.NAME: called},
            )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find NAT services by the owner's tag."""
        for row in cloud.read("ReadNatServices", Filters=scope.filters):
            if row["State"] != "deleted":
                place = world.by_id(row["SubnetId"])
                if not isinstance(place, Subnet):
                    place = _stranger(row)
                yield cls._seen(row, place.ip_range or place.key, place, world)

    @classmethod
    def _seen(
        cls, row: Mapping[str, Any], key: str, place: Subnet, world: worlds.World | None = None
    ) -> Self:
        own = [
            PublicIp(key=f"{cls.KIND}/{key}", id=each["PublicIpId"], address=each["PublicIp"])
            for each in row.get("PublicIps", ())
        ]
        internet = world.places.get((InternetService.KIND, "default")) if world else None
        return cls(
            key=key,
            id=row["NatServiceId"],
            state=row["State"],
            subnet=place,
            public_ip=own[0] if own else None,
            addresses=tuple(each.address for each in own),
            internet=internet if isinstance(internet, InternetService) else None,
            token=row.get("ClientToken", ""),
            tags=wants.tags_of(row),
        )

    def fresh(self, cloud: clouds.Cloud) -> Self:
        """Return it with a token for which the API does not answer with one that is gone."""
        token = self.token
        while rows := cloud.read("ReadNatServices", Filters={"ClientTokens": [token]}):
            row = rows[0]
            if row["State"] not in ("deleting", "deleted") and row["SubnetId"] == self.subnet.id:
                break
            token = names.renewed_token(self.token, row["NatServiceId"])
        return dataclasses.replace(self, token=token)

    def recalled(self, filters: Mapping[str, Any]) -> Self:
        """Return it with the token of its intent."""
        return dataclasses.replace(self, token=filters["ClientTokens"][0])

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find a NAT service by its client token."""
        return {"ClientTokens": [self.token]}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the NAT services with this client token."""
        rows = cloud.read("ReadNatServices", Filters=dict(filters))
        return wants.alike(
            cls._seen(row, key, _stranger(row))
            for row in rows
            if row["State"] not in ("deleting", "deleted")
        )

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create it, with its own public IP or a free one of the pool."""
        address = self.public_ip or public_ip.from_pool(cloud, self.pool)
        answer = cloud.call(
            "CreateNatService",
            PublicIpId=address.id,
            SubnetId=self.subnet.id,
            ClientToken=self.token,
        )
        made = self._seen(answer["NatService"], self.key, self.subnet)
        return dataclasses.replace(made, internet=self.internet)

    def delete(self, cloud: clouds.Cloud) -> None:
        """Delete it; its public IP is free once it is gone."""
        cloud.call("DeleteNatService", NatServiceId=self.id)


def _stranger(row: Mapping[str, Any]) -> Subnet:
    """Return a subnet of which only the id is known."""
    net = Net(key=str(row.get("NetId", "")), id=str(row.get("NetId", "")))
    id_ = str(row["SubnetId"])
    return Subnet(key=id_, id=id_, net=net, ip_range="", subregion="")


def _places(want: wants.Want) -> Iterator[tuple[Subnet, str]]:
    """Return the subnets that get a NAT service, each with the name that the spec gives it.

    The name of a subnet that no subnet has is passed over, as by the Go provider. Raise ``Refusal``
    when the spec has a NAT service for which there is no subnet left.
    """
    public = subnet.with_role(want, names.NAT)
    if not want.network.nat_services:
        yield from ((each, "") for each in public)
        return
    known = {each.tags.get(names.NAME) for each in want.of(Subnet)}
    free = public or list(want.of(Subnet))
    for index, each in enumerate(want.network.nat_services):
        name = each.subnet_name if each.subnet_name in known else ""
        place = next((place for place in free if _fits(each, name, place)), None)
        if place is None:
            asked = each.subnet_name or each.subregion or "none in particular"
            raise Refusal(
                f"spec.network.natServices[{index}] is for the subnet or subregion {asked}, but no "
                f"subnet with the role {names.NAT} is left for it. Give another subnet that role, "
                "or remove the NAT service."
            )
        free = [other for other in free if other is not place]
        yield place, each.name or ""


def _fits(spec: v1beta2.NatService, name: str | None, place: Subnet) -> bool:
    if name:
        return place.tags.get(names.NAME) == name
    return spec.subregion in ("", place.subregion)
