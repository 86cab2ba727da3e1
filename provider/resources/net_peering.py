"""The Net peering with the management cluster's Net, and the routes on its side.

Identity: the owner's tag; before it is tagged, an intent and the two Nets. The routes of the other
side have no tags: they are found by the peering that they lead to, also once that is gone.
https://docs.outscale.com/en/userguide/About-Net-Peerings.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.resources import want as wants
from provider.resources.net import Net
from provider.rules import addressing, names

_OVER = frozenset({"deleted", "expired", "rejected"})
_ROUTES = "/routes"
"""What follows the id of a peering in that of its routes."""
_FAILED = "failed"
"""The state of what never came about; it goes by itself, and cannot even be tagged."""


@dataclasses.dataclass(frozen=True)
class Peer:
    """The other side of a peering."""

    net_id: str
    account_id: str
    ip_range: str
    """The range that is reached there: of the Net, or of one subnet of it."""
    subnet_id: str = ""


class TwoSided:
    """The cloud of a cluster that also knows the way to the other side of its peering."""

    def __init__(self, clouds_: clouds.Clouds, near: clouds.Cloud | None = None) -> None:
        """Take another ``near`` side than that of ``clouds_``; ask for the far one when needed."""
        self._clouds = clouds_
        self._near = near or clouds_.workload()
        self.region, self.alone = self._near.region, self._near.alone

    @property
    def far(self) -> clouds.Cloud:
        """The cloud of the management cluster."""
        return self._clouds.management()

    def call(self, action: str, /, **request: Any) -> dict[str, Any]:
        """Carry out an action on the near side."""
        return self._near.call(action, **request)

    def read(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Read from the near side."""
        return self._near.read(action, **request)


def _far(cloud: clouds.Cloud) -> clouds.Cloud:
    assert isinstance(cloud, TwoSided), "A peering needs a cloud with two sides."
    return cloud.far


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetPeering(Resource):
    """The one peering of a cluster."""

    KIND: ClassVar[str] = "netPeering"
    CONDITION: ClassVar[str] = "NetPeeringReady"
    ID_FILTER: ClassVar[str] = "NetPeeringIds"
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"acceptance"})
    READY: ClassVar[frozenset[str]] = frozenset({"active", "pending-acceptance"})
    BROKEN: ClassVar[frozenset[str]] = frozenset({_FAILED})

    net: Net
    peer_net_id: str
    peer_account_id: str = dataclasses.field(default="", compare=False)
    peer_range: str = dataclasses.field(default="", compare=False)
    acceptance: str = "active"

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return one when the spec asks for a peering."""
        if want.peer is not None and not want.uses_net:
            (net,) = want.of(Net)
            _check_ranges(net.ip_range, want.peer)
            yield cls(
                key="default",
                net=net,
                peer_net_id=want.peer.net_id,
                peer_account_id=want.peer.account_id,
                peer_range=want.peer.ip_range,
                tags={names.NAME: names.net_peering(want.name)},
            )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find peerings by the owner's tag."""
        for row in cloud.read("ReadNetPeerings", Filters=scope.filters):
            if row["State"]["Name"] not in _OVER:
                net = world.by_id(row["SourceNet"]["NetId"])
                yield cls._seen(row, "default", net if isinstance(net, Net) else None)

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str, net: Net | None = None) -> Self:
        source = row["SourceNet"]["NetId"]
        return cls(
            key=key,
            id=row["NetPeeringId"],
            state=row["State"]["Name"],
            net=net or Net(key="default", id=source),
            peer_net_id=row["AccepterNet"]["NetId"],
            acceptance=row["State"]["Name"],
            tags=wants.tags_of(row),
        )

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find peerings between the two Nets."""
        return {"SourceNetNetIds": [self.net.id], "AccepterNetNetIds": [self.peer_net_id]}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the peerings between these Nets."""
        rows = cloud.read("ReadNetPeerings", Filters=dict(filters))
        found = [cls._seen(row, key) for row in rows]
        return wants.alike(each for each in found if each.state not in _OVER | {_FAILED})

    def create(self, cloud: clouds.Cloud) -> Self:
        """Ask for the peering; the update that follows accepts it on the other side."""
        answer = cloud.call(
            "CreateNetPeering",
            SourceNetId=self.net.id,
            AccepterNetId=self.peer_net_id,
            AccepterOwnerId=self.peer_account_id or None,
        )
        made = self._seen(answer["NetPeering"], self.key, self.net)
        if made.state == _FAILED:
            said = answer["NetPeering"]["State"].get("Message", "")
            raise Refusal(
                f"The peering with the Net {self.peer_net_id} of the account "
                f"{self.peer_account_id or 'of this cluster'} failed: {said}. Correct "
                "spec.network.netPeering.managementNetId and managementAccountId."
            )
        return made

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Accept the peering on the other side."""
        answer = _far(cloud).call("AcceptNetPeering", NetPeeringId=observed.id)
        after = self._seen(answer["NetPeering"], self.key, self.net)
        return dataclasses.replace(after, tags=observed.tags)

    def delete(self, cloud: clouds.Cloud) -> None:
        """Delete the peering."""
        cloud.call("DeleteNetPeering", NetPeeringId=self.id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PeerRoutes(Resource):
    """The routes of the other side that lead to the Net of the cluster."""

    KIND: ClassVar[str] = "netPeeringRoutes"
    CONDITION: ClassVar[str] = "NetPeeringReady"
    ID_FILTER: ClassVar[str] = "RouteNetPeeringIds"
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"missing", "surplus"})
    NEEDS_INTENT: ClassVar[bool] = False
    TAKES_TAGS: ClassVar[bool] = False

    peering: NetPeering
    destination: str
    peer: Peer = dataclasses.field(compare=False)
    missing: tuple[str, ...] = ()
    """The ids of the route tables that lack the route."""
    surplus: tuple[str, ...] = ()
    """The ids of those that have it and need not."""

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return them when there is a peering."""
        for peering in want.of(NetPeering):
            assert want.peer is not None
            net = peering.net
            yield cls(key="default", peering=peering, destination=net.ip_range, peer=want.peer)

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the routes by the peering that they lead to, or led to when they lead nowhere."""
        if scope.only:
            for id_ in scope.only[cls.ID_FILTER]:
                yield from cls._left_by(cloud, id_.removesuffix(_ROUTES))
            return
        for peering in world.of(NetPeering.KIND):
            assert isinstance(peering, NetPeering)
            if peering.state != "active":
                continue
            subnet_id = scope.about.get("peerSubnet", "")
            tables = _tables(_far(cloud), peering.peer_net_id)
            chosen = {table["RouteTableId"] for table in _chosen(tables, subnet_id)}
            held = {t["RouteTableId"]: there for t in tables if (there := _leads(t, peering.id))}
            if held:
                yield cls(
                    key="default",
                    id=f"{peering.id}{_ROUTES}",
                    peering=peering,
                    destination=min(held.values()),
                    peer=Peer(peering.peer_net_id, "", "", subnet_id),
                    missing=tuple(sorted(chosen - held.keys())),
                    surplus=tuple(sorted(held.keys() - chosen)),
                )

    @classmethod
    def _left_by(cls, cloud: clouds.Cloud, peering_id: str) -> Iterator[Self]:
        """Find the routes of a peering that was ours until others deleted it."""
        if held := [
            there for t in _leading(_far(cloud), peering_id) if (there := _leads(t, peering_id))
        ]:
            gone = NetPeering(
                key=peering_id, id=peering_id, net=Net(key=peering_id), peer_net_id=""
            )
            yield cls(
                key=peering_id,
                id=f"{peering_id}{_ROUTES}",
                peering=gone,
                destination=min(held),
                peer=Peer("", "", ""),
            )

    def create(self, cloud: clouds.Cloud) -> Self:
        """Add the route to the tables of the other side, in the place of one that leads nowhere."""
        far = _far(cloud)
        for table in _chosen(_tables(far, self.peer.net_id), self.peer.subnet_id):
            if _leads(table, self.peering.id):
                continue
            dead = any(
                each.get("DestinationIpRange") == self.destination
                and each.get("State") == "blackhole"
                for each in table["Routes"]
            )
            far.call(
                "UpdateRoute" if dead else "CreateRoute",
                RouteTableId=table["RouteTableId"],
                DestinationIpRange=self.destination,
                NetPeeringId=self.peering.id,
            )
        return dataclasses.replace(self, id=f"{self.peering.id}{_ROUTES}")

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Add the route where it is missing, and take it away where it is too much."""
        if observed.surplus:
            observed.delete(cloud, only=observed.surplus)
        return self.create(cloud)

    def delete(self, cloud: clouds.Cloud, only: Sequence[str] = ()) -> None:
        """Take the routes away, from all tables that have one or ``only`` from these."""
        far = _far(cloud)
        for table in _leading(far, self.peering.id):
            destination = _leads(table, self.peering.id)
            if destination and (not only or table["RouteTableId"] in only):
                far.call(
                    "DeleteRoute",
                    RouteTableId=table["RouteTableId"],
                    DestinationIpRange=destination,
                )


def _leads(table: Mapping[str, Any], peering_id: str) -> str:
    """Return the destination for which a table leads to a peering, or nothing."""
    found = [each for each in table["Routes"] if each.get("NetPeeringId") == peering_id]
    return str(found[0]["DestinationIpRange"]) if found else ""


def _leading(far: clouds.Cloud, peering_id: str) -> list[dict[str, Any]]:
    """Return the tables of the other side that lead to a peering."""
    return far.read("ReadRouteTables", Filters={"RouteNetPeeringIds": [peering_id]})


def _tables(far: clouds.Cloud, net_id: str) -> list[dict[str, Any]]:
    """Return the tables of the other side."""
    return far.read("ReadRouteTables", Filters={"NetIds": [net_id]})


def _chosen(tables: Sequence[dict[str, Any]], subnet_id: str) -> Sequence[dict[str, Any]]:
    """Return the tables that get the route.

    That is the one of the given subnet, else all but the main one, else the main one.
    """
    if subnet_id:
        linked = [
            table
            for table in tables
            if any(link.get("SubnetId") == subnet_id for link in table["LinkRouteTables"])
        ]
        return linked or [table for table in tables if wants.is_main(table)]
    return [table for table in tables if not wants.is_main(table)] or tables


def _check_ranges(ip_range: str, peer: Peer) -> None:
    """Raise ``Refusal`` for two Nets that have addresses in common."""
    if addressing.overlaps(ip_range, peer.ip_range):
        raise Refusal(
            f"A peering needs Nets that do not overlap, but there are {ip_range} of this cluster "
            f"and {peer.ip_range} of {peer.net_id}. Give the cluster another "
            "spec.network.net.ipRange."
        )


def find_peer(clouds_: clouds.Clouds, net_id: str, account_id: str, subnet_id: str) -> Peer | None:
    """Look up the other side; None when it does not exist there."""
    far = clouds_.management()
    if subnet_id:
        rows = far.read("ReadSubnets", Filters={"SubnetIds": [subnet_id]})
    else:
        rows = far.read("ReadNets", Filters={"NetIds": [net_id]})
    if not rows:
        return None
    return Peer(net_id, account_id, str(rows[0]["IpRange"]), subnet_id)
