"""Subnets: the parts of a Net, one for each role and subregion.

Identity: the owner's tag; before it is tagged, an intent and the IP range inside the Net.
https://docs.outscale.com/en/userguide/About-Nets.html
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import holders
from provider.resources import want as wants
from provider.resources.net import Net
from provider.rules import addressing, names

_NO_SUBREGION = "5009"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subnet(Resource):
    """One subnet; its key is its IP range."""

    KIND: ClassVar[str] = "subnet"
    CONDITION: ClassVar[str] = "SubnetsReady"
    ID_FILTER: ClassVar[str] = "SubnetIds"
    OWN_TAGS: ClassVar[tuple[str, ...]] = names.OWN_TAGS

    net: Net
    ip_range: str
    subregion: str

    @functools.cached_property
    def roles(self) -> frozenset[str]:
        """What is put into it."""
        return wants.roles_of(self.tags)

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return the subnets of the spec, or the automatic ones."""
        (net,) = want.of(Net)
        for each in want.network.subnets or ():
            roles = frozenset(str(role) for role in each.roles)
            subregion = each.subregion or want.subregions[0]
            managed = not (want.uses_net or each.resource_id)
            key = each.ip_range or each.resource_id or each.name or ""
            yield cls(
                key=key,
                id=each.resource_id or "",
                net=net,
                ip_range=each.ip_range or "",
                subregion=subregion,
                tags=names.role_tags(roles)
                | {"Name": each.name or names.subnet(want.name, roles, subregion)},
                is_managed=managed,
            )
        if not want.network.subnets and not want.uses_net:
            for auto in addressing.automatic_subnets(net.ip_range, want.subregions):
                yield cls(
                    key=auto.ip_range,
                    net=net,
                    ip_range=auto.ip_range,
                    subregion=auto.subregion,
                    tags=names.role_tags(auto.roles)
                    | {"Name": names.subnet(want.name, auto.roles, auto.subregion)},
                )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find subnets by the owner's tag; used ones by their ids, in the same Net."""
        used = scope.existing.get(cls.KIND, {})
        key, value = scope.owner
        for row in cloud.read("ReadSubnets", Filters=wants.filters(scope, world, used)):
            is_used = row["SubnetId"] in used
            if row["State"] == "deleted" or (
                used and not is_used and wants.tags_of(row).get(key) != value
            ):
                continue
            net = world.by_id(row["NetId"]) or Net(key=row["NetId"], id=row["NetId"])
            assert isinstance(net, Net)
            place = used.get(row["SubnetId"], row["IpRange"])
            yield dataclasses.replace(cls._seen(row, place, net), is_managed=not is_used)

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str, net: Net) -> Self:
        return cls(
            key=key,
            id=row["SubnetId"],
            state=row["State"],
            net=net,
            ip_range=row["IpRange"],
            subregion=row["SubregionName"],
            tags=wants.tags_of(row),
        )

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find a subnet of this range in this Net."""
        return {"NetIds": [self.net.id], "IpRanges": [self.ip_range]}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the subnets of this range in this Net."""
        rows = cloud.read("ReadSubnets", Filters=dict(filters))
        return wants.alike(
            cls._seen(row, key, Net(key="default", id=str(row["NetId"])))
            for row in rows
            if row["State"] != "deleted"
        )

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create the subnet in its subregion, or return the one that a create has left there."""
        try:
            answer = cloud.call(
                "CreateSubnet",
                NetId=self.net.id,
                IpRange=self.ip_range,
                SubregionName=self.subregion,
            )
        except errors.ApiError as error:
            if error.code == _NO_SUBREGION:
                raise self._elsewhere(cloud) from error
            left = wants.left_there(self, cloud, error) if self.net.is_managed else None
            if left is None or left.subregion != self.subregion:
                raise
            return left
        return self._seen(answer["Subnet"], self.key, self.net)

    def _elsewhere(self, cloud: clouds.Cloud) -> Refusal:
        known = sorted(row["SubregionName"] for row in cloud.read("ReadSubregions"))
        return Refusal(
            f"spec.network has the subregion {self.subregion}, but {cloud.region} has "
            f"{', '.join(known)}. Use one of these."
        )

    def delete(self, cloud: clouds.Cloud) -> None:
        """Delete the subnet; when it is in use, tell by what.

        Its own table went before it: a link that it still has is to a table of somebody else.
        """
        try:
            cloud.call("DeleteSubnet", SubnetId=self.id)
        except errors.ApiError as error:
            if error.cause is not errors.Cause.BUSY:
                raise
            found = holders.explain(error, cloud, "subnet", self.id)
            links = [] if found else self._links(cloud)
            if not links:
                raise
            for link in links:
                cloud.call("UnlinkRouteTable", LinkRouteTableId=link)
            cloud.call("DeleteSubnet", SubnetId=self.id)

    def _links(self, cloud: clouds.Cloud) -> list[str]:
        """Return its links to route tables."""
        rows = cloud.read("ReadRouteTables", Filters={"LinkSubnetIds": [self.id]})
        links = [link for row in rows for link in row["LinkRouteTables"]]
        return [link["LinkRouteTableId"] for link in links if link.get("SubnetId") == self.id]


def with_role(want: wants.Want, role: str, subregion: str = "") -> list[Subnet]:
    """Return the wanted subnets with a role, in the default subregion first."""
    found = [each for each in want.of(Subnet) if role in each.roles]
    if subregion:
        return [each for each in found if each.subregion == subregion]
    return sorted(found, key=lambda each: each.subregion != want.subregions[0])
