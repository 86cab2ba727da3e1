"""Public IPs of machines: one's own, or a free one of a pool.

Identity: the tags of the owner and the machine; before it is tagged, an intent. One of a pool is
never ours: it is only linked.
https://docs.outscale.com/en/userguide/About-Public-IPs.html
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import holders, machine_scope, public_ip
from provider.resources import want as wants
from provider.rules import names


@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineIp(Resource):
    """The public IP that a machine has of its own."""

    KIND: ClassVar[str] = "publicIp"
    CONDITION: ClassVar[str] = "PublicIpReady"
    IS_PART: ClassVar[bool] = False

    address: str = dataclasses.field(default="", compare=False)
    vm_id: str = dataclasses.field(default="", compare=False)

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the public IP of the machine; one that is to be kept is used, but not ours."""
        mine = machine_scope.of(scope)
        vms = mine.known.get("vm", frozenset())
        rows = mine.rows(
            cloud,
            "ReadPublicIps",
            cls.KIND,
            "PublicIpId",
            also=lambda row: row.get("VmId") in vms,
        )
        for row in rows:
            seen = cls._seen(row, "default")
            yield dataclasses.replace(seen, is_managed=not names.is_kept(seen.tags))

    @classmethod
    def _seen(cls, row: Mapping[str, Any], key: str) -> Self:
        return cls(
            key=key,
            id=row["PublicIpId"],
            address=row["PublicIp"],
            vm_id=row.get("VmId") or "",
            tags=wants.tags_of(row),
        )

    def likeness(self) -> dict[str, Any]:
        """Return no filter: a public IP has nothing to be found by before it is tagged."""
        return {}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return all public IPs; those that are linked, or of a pool, are in use."""
        rows = cloud.read("ReadPublicIps", Filters=dict(filters))
        return wants.alike((cls._seen(row, key) for row in rows), public_ip.in_use(rows))

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


def free(cloud: clouds.Cloud, pool: str, token: str) -> list[tuple[str, str]]:
    """Return id and address of the free public IPs of a pool, the best one for a machine first.

    Each machine begins elsewhere, so that machines that are made together do not all want the same
    one. Raise ``Refusal`` when there is none.
    """
    rows = cloud.read("ReadPublicIps", Filters={"Tags": [f"{names.POOL}={pool}"]})
    found = sorted((r["PublicIpId"], r["PublicIp"]) for r in rows if public_ip.is_free(r))
    if not found:
        raise Refusal(
            f"The pool {pool} has {len(rows)} public IPs, and all are in use. Tag another one "
            f"{names.POOL}={pool}."
        )
    first = zlib.crc32(token.encode()) % len(found)
    return [*found[first:], *found[:first]]


def link_one(cloud: clouds.Cloud, pool: str, token: str, vm_id: str) -> str:
    """Link a free public IP of a pool to a VM, and return its address.

    Another machine may have been faster, which the cloud tells, so each one is tried.
    """
    candidates = free(cloud, pool, token)
    for id_, address in candidates[:-1]:
        try:
            cloud.call("LinkPublicIp", PublicIpId=id_, VmId=vm_id, AllowRelink=False)
        except errors.ApiError as error:
            if error.cause is not errors.Cause.BUSY:
                raise
        else:
            return address
    id_, address = candidates[-1]
    cloud.call("LinkPublicIp", PublicIpId=id_, VmId=vm_id, AllowRelink=False)
    return address
