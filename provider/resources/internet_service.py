"""The internet service: the way from a Net to the internet and back.

Identity: the owner's tag; before it is tagged, an intent. Unlinked ones all look alike.
https://docs.outscale.com/en/userguide/About-Internet-Services.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.resources import want as wants
from provider.resources.net import Net
from provider.rules import names


@dataclasses.dataclass(frozen=True, kw_only=True)
class InternetService(Resource):
    """The internet service of a Net, linked to it."""

    KIND: ClassVar[str] = "internetService"
    CONDITION: ClassVar[str] = "InternetServiceReady"
    ID_FILTER: ClassVar[str] = "InternetServiceIds"
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"net"})
    LATER: ClassVar[frozenset[str]] = frozenset({"net"})
    IS_PART: ClassVar[bool] = False

    net: Net | None

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return one, unless the cluster has no internet."""
        if want.has_internet:
            (net,) = want.of(Net)
            name = want.network.internet_service.name or names.internet_service(want.name)
            yield cls(key="default", net=net, tags={"Name": name})

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the internet service by the owner's tag."""
        for row in cloud.read("ReadInternetServices", Filters=scope.filters):
            id_ = row.get("NetId", "")
            net = world.by_id(id_)
            # In a Net that is only used, or not even that, it has to be unlinked all the same.
            other = Net(key="used", id=id_, is_managed=False) if id_ else None
            yield cls._seen(row, "default", net if isinstance(net, Net) else other)

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str, net: Net | None) -> Self:
        return cls(
            key=key,
            id=row["InternetServiceId"],
            state=row.get("State", ""),
            net=net,
            tags=wants.tags_of(row),
        )

    @property
    def is_linked(self) -> bool:
        """Whether it is linked to a Net, which takes no second one."""
        return self.net is not None

    def likeness(self) -> dict[str, Any]:
        """Return no filter: an unlinked internet service has nothing to be found by."""
        return {}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return all internet services; those that are linked are in use."""
        rows = cloud.read("ReadInternetServices", Filters=dict(filters))
        used = {row["InternetServiceId"] for row in rows if row.get("NetId")}
        return wants.alike((cls._seen(row, key, None) for row in rows), used)

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create it; it is linked by the update that follows, so the Net must have none yet."""
        if self.net is not None and not self.net.is_managed:
            linked = {"LinkNetIds": [self.net.id]}
            for each in cloud.read("ReadInternetServices", Filters=linked):
                raise Refusal(
                    f"The Net {self.net.id}, which exists already, has the internet service "
                    f"{each['InternetServiceId']}. Set spec.network.useExisting.net to true and "
                    "list its subnets, or unlink it."
                )
        row = cloud.call("CreateInternetService")["InternetService"]
        return self._seen(row, self.key, None)

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Link it to the Net, and unlink it first from another one."""
        assert self.net is not None
        if observed.net is not None:
            cloud.call(
                "UnlinkInternetService", InternetServiceId=observed.id, NetId=observed.net.id
            )
        cloud.call("LinkInternetService", InternetServiceId=observed.id, NetId=self.net.id)
        return dataclasses.replace(observed, net=self.net, state="available")

    def delete(self, cloud: clouds.Cloud) -> None:
        """Unlink it from its Net and delete it."""
        if self.net is not None:
            cloud.call("UnlinkInternetService", InternetServiceId=self.id, NetId=self.net.id)
        cloud.call("DeleteInternetService", InternetServiceId=self.id)
