"""VMs: what every VM of ours has in common, and the bastion.

Identity: the owner's tag; before it is tagged, an intent and the client token.
https://docs.outscale.com/en/userguide/About-VMs.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.api import v1beta2
from provider.engine import world as worlds
from provider.engine.resource import Difference, Refusal, Resource
from provider.osc import cloud as clouds
from provider.resources import image as images
from provider.resources import public_ip, security_group, subnet
from provider.resources import want as wants
from provider.resources.internet_service import InternetService
from provider.resources.net import Net
from provider.resources.public_ip import PublicIp
from provider.resources.security_group import SecurityGroup
from provider.resources.subnet import Subnet
from provider.rules import names

OVER = frozenset({"terminated"})
"""States of VMs that do not come back."""
_MACHINES = frozenset({names.MACHINE, names.NODE_NAME})
"""Tags that only the VMs of machines have."""


def disk(device: str, size_gib: int, type_: str, iops: int, snapshot: str = "") -> dict[str, Any]:
    """Return a block device as CreateVms takes it; it goes when its VM goes."""
    bsu: dict[str, Any] = {"DeleteOnVmDeletion": True, "VolumeType": type_}
    if size_gib:
        bsu["VolumeSize"] = size_gib
    if type_ == "io1" and iops:
        bsu["Iops"] = iops
    if snapshot:
        bsu["SnapshotId"] = snapshot
    return {"DeviceName": device, "Bsu": bsu}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bastion(Resource):
    """The VM through which people reach the nodes."""

    KIND: ClassVar[str] = "bastion"
    CONDITION: ClassVar[str] = "BastionReady"
    ID_FILTER: ClassVar[str] = "VmIds"
    MUTABLE: ClassVar[frozenset[str]] = frozenset({"power", "security_groups", "public_ip"})
    READY: ClassVar[frozenset[str]] = frozenset({"running", "stopped"})
    LEAVING: ClassVar[frozenset[str]] = frozenset({"shutting-down"})
    GOING: ClassVar[str] = "shutting-down"
    BROKEN: ClassVar[frozenset[str]] = frozenset({"quarantine"})
    HAS_TOKEN: ClassVar[bool] = True
    USUAL_S: ClassVar[float] = 60.0

    subnet: Subnet
    security_groups: frozenset[SecurityGroup]
    public_ip: PublicIp | None = None
    """The public IP by which it is reached, unless it comes from a pool or the spec."""
    power: str = "running"
    spec: v1beta2.Bastion = dataclasses.field(
        default_factory=v1beta2.Bastion, compare=False, repr=False
    )
    token: str = dataclasses.field(default="", compare=False)
    internet: InternetService | None = dataclasses.field(default=None, compare=False)
    address: str = dataclasses.field(default="", compare=False)
    addresses: frozenset[str] = dataclasses.field(default=frozenset(), compare=False)
    """What a spec may call its public IP."""

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return the bastion when the spec enables it."""
        spec = want.network.bastion
        if not spec.enable or want.uses_net:
            return
        own = not public_ip.title(spec.public_ip_id, spec.public_ip_pool)
        name = spec.name or names.bastion(want.cluster)
        place = _place(want, spec.subnet_name)
        yield cls(
            key="default",
            id=spec.resource_id,
            subnet=place,
            security_groups=frozenset(_groups(want, spec.security_group_names)),
            public_ip=PublicIp.wanted(cls.KIND, name, place) if own else None,
            spec=spec,
            token=names.bastion_token(spec.name, want.uid),
            internet=next(iter(want.of(InternetService)), None),
            tags=names.role_tags([names.BASTION]) | {names.NAME: name},
            is_managed=not spec.resource_id,
        )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the bastion by the owner's tag and its role, or by its id, else by its token.

        The VMs of machines bear the owner's tag as well, and so may a VM that somebody added. That
        of the Go provider bears only a name. When the owner goes there are no machines any more: a
        VM of one that was removed by force goes too.
        """
        used = scope.existing.get(cls.KIND, {})
        filters = {"VmIds": sorted(used)} if used else scope.filters
        rows = cloud.read("ReadVms", Filters=filters)
        seen = [cls._seen(row, world) for row in rows if row["State"] not in OVER]
        found = [each for each in seen if used or scope.only or each.has_role]
        token = scope.about.get("bastionToken")
        if not found and token and not used:
            rows = cloud.read("ReadVms", Filters={"ClientTokens": [token]})
            rows = [row for row in rows if row["State"] not in OVER and not _is_of_machine(row)]
            found = [cls._seen(row, world) for row in rows]
        asked = scope.about.get("bastionAddress")
        for each in found:
            titles = public_ip.titles(cloud, world, each.address) if asked else frozenset[str]()
            # That which is asked for is not its own one, which may still be there beside it.
            own = None if asked in titles else each.public_ip
            yield dataclasses.replace(each, is_managed=not used, addresses=titles, public_ip=own)

        for each in seen if scope.about.get("isGoing") else ():
            if names.MACHINE in each.tags:
                yield dataclasses.replace(each, key=each.id)

    @classmethod
    def _seen(cls, row: Mapping[str, Any], world: worlds.World) -> Self:
        place = world.by_id(row.get("SubnetId", ""))
        groups = [each["SecurityGroupId"] for each in row.get("SecurityGroups") or ()]
        internet = world.places.get((InternetService.KIND, "default"))
        address = row.get("PublicIp", "")
        return cls(
            key="default",
            id=row["VmId"],
            state=row["State"],
            power="stopped" if row["State"] == "stopped" else "running",
            subnet=place if isinstance(place, Subnet) else _nowhere(row),
            security_groups=frozenset(security_group.seen(groups, world)),
            public_ip=PublicIp(key=cls.KIND, address=address) if address else None,
            address=address,
            internet=internet if isinstance(internet, InternetService) else None,
            token=row.get("ClientToken", ""),
            tags=wants.tags_of(row),
        )

    def __str__(self) -> str:
        machine = self.tags.get(names.MACHINE)
        return f"VM of the machine {machine}" if machine else super().__str__()

    @property
    def has_role(self) -> bool:
        """Whether its tags or its security groups say that it is a bastion, and no machine's VM."""
        if not self.tags.keys().isdisjoint(_MACHINES):
            return False
        roles = [wants.roles_of(self.tags), *(each.roles for each in self.security_groups)]
        return any(names.BASTION in each for each in roles)

    @property
    def asked(self) -> str:
        """The public IP that the spec names; empty for its own one."""
        return public_ip.title(self.spec.public_ip_id, self.spec.public_ip_pool)

    def differences(self, observed: Self) -> tuple[Any, ...]:
        """Return what differs; the public IP is compared by what the spec says of it."""
        wanted = dataclasses.replace(self, public_ip=observed.public_ip)
        found = super(Bastion, wanted).differences(observed)
        if not self._has_its_address(observed):
            asked = self.asked or "its own one"
            found = (*found, Difference("public_ip", observed.address, asked))
        return found

    def _has_its_address(self, observed: Self) -> bool:
        if self.asked:
            return self.asked in observed.addresses
        own = observed.public_ip
        return bool(own and own.id and observed.address == own.address)

    def fresh(self, cloud: clouds.Cloud) -> Self:
        """Return it with a token for which the API does not answer with a VM that is gone.

        Nor with that of a machine, which may have the name of the bastion.
        """
        token = self.token
        while rows := cloud.read("ReadVms", Filters={"ClientTokens": [token]}):
            if rows[0]["State"] not in OVER | self.LEAVING and not _is_of_machine(rows[0]):
                break
            token = names.renewed_token(self.token, rows[0]["VmId"])
        return dataclasses.replace(self, token=token)

    def recalled(self, filters: Mapping[str, Any]) -> Self:
        """Return it with the token of its intent."""
        return dataclasses.replace(self, token=filters["ClientTokens"][0])

    def likeness(self) -> dict[str, Any]:
        """Return the filters that find a VM by its client token."""
        return {"ClientTokens": [self.token]}

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return the VMs with this client token."""
        rows = cloud.read("ReadVms", Filters=dict(filters))
        found = [cls._seen(row, worlds.World()) for row in rows if row["State"] not in OVER]
        return wants.alike(dataclasses.replace(each, key=key) for each in found)

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create the VM; the update that follows links its public IP."""
        found = images.find(cloud, self.spec.image, "spec.network.bastion.image")
        check_keypair(cloud, self.spec.keypair_name, "spec.network.bastion")
        root = self.spec.root_disk
        addresses = list(self.spec.private_ips)
        answer = cloud.call(
            "CreateVms",
            ImageId=found.id,
            VmType=self.spec.vm_type,
            KeypairName=self.spec.keypair_name,
            SubnetId=self.subnet.id,
            SecurityGroupIds=sorted(each.id for each in self.security_groups),
            PrivateIps=addresses or None,
            BlockDeviceMappings=[disk(found.root_device, root.size, root.type, root.iops)],
            ClientToken=self.token,
        )
        made = self._seen(answer["Vms"][0], worlds.World())
        return dataclasses.replace(
            made,
            subnet=self.subnet,
            security_groups=self.security_groups,
            internet=self.internet,
        )

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Start it, set its groups, link its public IP."""
        state = observed.state
        if observed.power == "stopped":
            cloud.call("StartVms", VmIds=[observed.id])
            state = "pending"
        if self.security_groups != observed.security_groups:
            groups = sorted(each.id for each in self.security_groups)
            cloud.call("UpdateVm", VmId=observed.id, SecurityGroupIds=groups)
        address, addresses = observed.address, observed.addresses
        if not self._has_its_address(observed):
            found = self._address(cloud)
            if observed.address:
                cloud.call("UnlinkPublicIp", PublicIp=observed.address)
            cloud.call("LinkPublicIp", VmId=observed.id, PublicIpId=found)
            address = self.public_ip.address if self.public_ip is not None else "linked"
            addresses = frozenset([self.asked])
        return dataclasses.replace(
            observed,
            state=state,
            power="running",
            security_groups=self.security_groups,
            public_ip=self.public_ip,
            address=address,
            addresses=addresses,
        )

    def _address(self, cloud: clouds.Cloud) -> str:
        if self.public_ip is not None:
            return self.public_ip.id
        if self.spec.public_ip_id:
            return public_ip.named(cloud, self.spec.public_ip_id, "spec.network.bastion").id
        return public_ip.from_pool(cloud, self.spec.public_ip_pool).id

    def delete(self, cloud: clouds.Cloud) -> None:
        """Terminate the VM."""
        cloud.call("DeleteVms", VmIds=[self.id])


def _place(want: wants.Want, name: str) -> Subnet:
    """Return the subnet of the bastion; raise ``Refusal`` when there is none."""
    if name:
        found = [e for e in want.of(Subnet) if name in (e.tags.get(names.NAME), e.key)]
    else:
        found = subnet.with_role(want, names.BASTION)
    if found:
        return found[0]
    if not name:
        raise Refusal(
            f"spec.network.bastion.enable is true, but no subnet has the role {names.BASTION}. "
            "Give one that role."
        )
    there = ", ".join(f"{e.key} ({e.tags.get(names.NAME)})" for e in want.of(Subnet)) or "none"
    raise Refusal(
        f"spec.network.bastion.subnetName is {name}, but the subnets are {there}. Name one of them."
    )


def _groups(want: wants.Want, given: list[str]) -> list[SecurityGroup]:
    """Return the security groups of the bastion; raise ``Refusal`` when one of them is missing."""
    groups = want.of(SecurityGroup)
    keys = [each.key for each in groups]
    unknown = [name for name in given if name not in keys]
    if unknown:
        raise Refusal(
            f"spec.network.bastion.securityGroupNames has {', '.join(unknown)}, but the security "
            f"groups are {', '.join(keys)}. Use these names."
        )
    found = [each for each in groups if each.key in given]
    found = found or security_group.with_role(want, names.BASTION)
    if found:
        return found
    raise Refusal(
        f"spec.network.bastion.enable is true, but no security group has the role {names.BASTION}. "
        "Give one that role."
    )


def check_keypair(cloud: clouds.Cloud, name: str, path: str) -> None:
    """Raise ``Refusal`` for a keypair, said at ``path``, that does not exist."""
    if not cloud.read("ReadKeypairs", Filters={"KeypairNames": [name]}):
        raise Refusal(
            f"{path}.keypairName is {name or 'empty'}, but there is no such keypair in "
            f"{cloud.region}. Create it, or set the field to the name of one that exists."
        )


def _is_of_machine(row: Mapping[str, Any]) -> bool:
    return not wants.tags_of(row).keys().isdisjoint(_MACHINES)


def _nowhere(row: Mapping[str, Any]) -> Subnet:
    """Return a subnet of which only the id is known."""
    id_ = str(row.get("SubnetId", ""))
    net = Net(key="", id=str(row.get("NetId", "")))
    return Subnet(key=id_, id=id_, net=net, ip_range="", subregion="")
