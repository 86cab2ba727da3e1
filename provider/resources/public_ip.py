"""Public IPs: of NAT services and of the bastion.

Identity: the owner's tag, with a tag that says what uses it; before it is tagged, an intent.
https://docs.outscale.com/en/userguide/About-Public-IPs.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import holders
from provider.resources import want as wants
from provider.resources.subnet import Subnet
from provider.rules import names

USED_BY = "OscK8sUsedBy"
"""The tag that says what a public IP is for, whether it is linked or not."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublicIp(Resource):
    """One public IP; its key is the place of what uses it: ``natService/10.0.2.0/24``."""

    KIND: ClassVar[str] = "publicIp"
    CONDITION: ClassVar[str] = "PublicIpsReady"
    ID_FILTER: ClassVar[str] = "PublicIpIds"
    IS_PART: ClassVar[bool] = False
    LATER: ClassVar[frozenset[str]] = frozenset({"place_of_user"})

    address: str = dataclasses.field(default="", compare=False)
    place_of_user: Subnet | None = dataclasses.field(default=None, compare=False)
    """Where what uses it is wanted; its name changes only when that can."""

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return those that NAT services and the bastion ask for: one each, unless from a pool."""
        users = (*want.named("natService"), *want.named("bastion"))
        for user in users:
            own = getattr(user, "public_ip", None)
            if isinstance(own, cls):
                yield own

    @classmethod
    def wanted(cls, user: str, name: str, place: Subnet) -> Self:
        """Return the public IP of a user in a subnet, with the name of the user."""
        return cls(key=user, tags={USED_BY: user, names.NAME: name}, place_of_user=place)

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find public IPs by the owner's tag.

        Those of machines are the machines' own as long as there are machines, and what nobody can
        name stays until the owner goes.
        """
        key, value = scope.owner
        if scope.about.get("publicIps") and not scope.only:
            found = of_account(cloud, world)
            rows = [row for row in found if wants.tags_of(row).get(key) == value]
        else:
            rows = cloud.read("ReadPublicIps", Filters=scope.filters)
        for row in rows:
            tags = wants.tags_of(row)
            user = _user(row, tags, world)
            yield dataclasses.replace(
                cls._seen(row, user or row["PublicIpId"]),
                stays=not user,
                is_managed=not names.is_kept(tags),
            )

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str) -> Self:
        return cls(
            key=key,
            id=row["PublicIpId"],
            state="available" if is_free(row) else "in-use",
            address=row["PublicIp"],
            tags=wants.tags_of(row),
        )

    def likeness(self) -> dict[str, Any]:
        """Return no filter: a public IP has nothing to be found by before it is tagged."""
        return {}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return all public IPs; those that are linked, or of a pool, are in use."""
        rows = cloud.read("ReadPublicIps", Filters=dict(filters))
        return wants.alike((cls._seen(row, key) for row in rows), in_use(rows))

    def create(self, cloud: clouds.Cloud) -> Self:
        """Allocate a public IP."""
        return self._seen(cloud.call("CreatePublicIp")["PublicIp"], self.key)

    def delete(self, cloud: clouds.Cloud) -> None:
        """Release the public IP; when it is in use, tell by what."""
        try:
            cloud.call("DeletePublicIp", PublicIpId=self.id)
        except errors.ApiError as error:
            holders.explain_link(error, cloud, self.id)
            raise


def _user(row: Mapping[str, Any], tags: Mapping[str, str], world: worlds.World) -> str:
    """Return the key of what uses a public IP, or nothing when that is not the cluster's own."""
    user = world.by_id(row.get("NatServiceId", "")) or world.by_id(row.get("VmId", ""))
    if user is not None:
        return str(user)
    return "" if names.MACHINE in tags else tags.get(USED_BY, "")


def in_use(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of public IPs that are linked, or kept in a pool."""
    return {
        row["PublicIpId"] for row in rows if not is_free(row) or names.POOL in wants.tags_of(row)
    }


def is_free(row: Mapping[str, Any]) -> bool:
    """Tell whether nothing uses a public IP."""
    return not any(row.get(link) for link in ("LinkPublicIpId", "NatServiceId", "VmId", "NicId"))


def title(id_: str, pool: str) -> str:
    """Return what a spec calls a public IP that is not its own: an id or a pool; or nothing."""
    return id_ or (f"pool:{pool}" if pool else "")


def of_account(cloud: clouds.Cloud, world: worlds.World) -> list[dict[str, Any]]:
    """Return all public IPs of the account, with one Read for all who ask in a snapshot."""
    if "ReadPublicIps" not in world.answers:
        world.answers["ReadPublicIps"] = cloud.read("ReadPublicIps")
    return world.answers["ReadPublicIps"]


def titles(cloud: clouds.Cloud, world: worlds.World, address: str) -> frozenset[str]:
    """Return what a spec may call the public IP with an address; nothing for OUTSCALE's own."""
    rows = [row for row in of_account(cloud, world) if row["PublicIp"] == address]
    ids = {title(row["PublicIpId"], "") for row in rows}
    pools = {title("", wants.tags_of(row).get(names.POOL, "")) for row in rows}
    return frozenset(ids | pools - {""})


def named(cloud: clouds.Cloud, id_: str, path: str) -> PublicIp:
    """Return the public IP that the spec names at ``path``; raise ``Refusal`` for none."""
    rows = cloud.read("ReadPublicIps", Filters={"PublicIpIds": [id_]})
    if not rows:
        raise Refusal(
            f"{path}.publicIpId is {id_}, which does not exist. Set it to the id of a public IP of "
            "this account."
        )
    return PublicIp(key=id_, id=id_, address=rows[0]["PublicIp"])


def from_pool(cloud: clouds.Cloud, pool: str) -> PublicIp:
    """Return a free public IP of a pool.

    Raise ``Refusal`` when there is none.
    """
    rows = cloud.read("ReadPublicIps", Filters={"Tags": [f"{names.POOL}={pool}"]})
    free = sorted((row for row in rows if is_free(row)), key=lambda row: str(row["PublicIpId"]))
    if not free:
        raise Refusal(
            f"The pool {pool} has {len(rows)} public IPs, and all are in use. Tag another one "
            f"{names.POOL}={pool}."
        )
    row = free[0]
    return PublicIp(key=str(row["PublicIpId"]), id=row["PublicIpId"], address=row["PublicIp"])
