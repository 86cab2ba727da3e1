"""The VM of a machine.

Identity: its client token, which makes creating it twice harmless; then the tags of the owner and
the machine, and the id in ``spec.providerID``.
https://docs.outscale.com/en/userguide/About-VMs.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from provider.api import v1beta2
from provider.engine import resource as resources
from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import image as images
from provider.resources import machine_ip, machine_scope, vm
from provider.resources import want as wants
from provider.resources.flexible_gpu import FlexibleGpu
from provider.resources.machine_ip import MachineIp
from provider.rules import names, user_data

_NAMESAKES_MOST = 20


@dataclasses.dataclass(frozen=True)
class Launch:
    """What a VM is made from; nothing of it can be changed later."""

    vm: v1beta2.Vm
    volumes: tuple[v1beta2.Volume, ...]
    subnet_id: str
    tags: Mapping[str, str]
    """What its user data says to OUTSCALE."""
    bootstrap: bytes = dataclasses.field(repr=False)
    """What its user data says to itself; it holds secrets."""
    form: str = user_data.CLOUD_CONFIG


@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineVm(Resource):
    """The VM of a machine; its key is ``default``."""

    KIND: ClassVar[str] = "vm"
    CONDITION: ClassVar[str] = "VmReady"
    MUTABLE: ClassVar[frozenset[str]] = frozenset(
        {"power", "gpu", "public_ip", "public_ip_pool", "checks_traffic", "security_groups"}
    )
    READY: ClassVar[frozenset[str]] = frozenset({"running", "stopped"})
    LEAVING: ClassVar[frozenset[str]] = frozenset({"shutting-down", "terminated"})
    GOING: ClassVar[str] = "shutting-down"
    BROKEN: ClassVar[frozenset[str]] = frozenset({"quarantine"})
    NEEDS_INTENT: ClassVar[bool] = False
    USUAL_S: ClassVar[float] = 60.0

    gpu: FlexibleGpu | None = None
    public_ip: MachineIp | None = None
    public_ip_pool: str = ""
    power: str = "running"
    checks_traffic: bool = True
    """Whether traffic that is neither from nor to it is dropped."""
    security_groups: frozenset[str] = frozenset()
    """The ids of all that it has, whoever gave it them."""
    token: str = dataclasses.field(default="", compare=False)
    older_token: str = dataclasses.field(default="", compare=False)
    """The one that the Go provider may have used, if that is another one."""
    launch: Launch | None = dataclasses.field(default=None, compare=False, repr=False)
    """None once it exists."""
    row: Mapping[str, Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    """What the cloud says of it."""

    @property
    def subregion(self) -> str:
        """Where it is."""
        return str((self.row.get("Placement") or {}).get("SubregionName", ""))

    @property
    def node_name(self) -> str:
        """The name of its Node, as the kubelet and the CCM have it."""
        return str(self.row.get("PrivateDnsName") or "")

    def facts(self) -> dict[str, Any]:
        """Return what a status says of it: its state, its subregion and its addresses."""
        facts: dict[str, Any] = {"vmState": self.state}
        if self.subregion:
            facts["failureDomain"] = self.subregion
        row = self.row
        private = [ip["PrivateIp"] for nic in row.get("Nics") or () for ip in nic["PrivateIps"]]
        pairs = [
            *(("InternalIP", each) for each in private or [row.get("PrivateIp", "")]),
            ("ExternalIP", row.get("PublicIp", "")),
            ("InternalDNS", self.node_name),
            ("ExternalDNS", row.get("PublicDnsName", "")),
            ("Hostname", self.node_name),
        ]
        addresses = [{"type": type_, "address": address} for type_, address in pairs if address]
        # What is terminated has no addresses any more, but had some.
        return facts | ({"addresses": addresses} if addresses else {})

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the VM in whatever state. Further ones, of which we know nothing, stay."""
        mine = machine_scope.of(scope)
        known = mine.known.get(cls.KIND, frozenset())
        rows = mine.rows(
            cloud,
            "ReadVms",
            cls.KIND,
            "VmId",
            also=lambda row: _has_token(row, mine.token) and not _is_of_another(row, mine.name),
        )
        # A machine of the same name may have had a VM before this one.
        over = {"terminated"} if mine.is_going else cls.LEAVING
        rows = [row for row in rows if row["VmId"] in known or row["State"] not in over]
        if not rows and mine.is_going:
            # It may have been made by a call whose answer nobody has seen.
            rows = _made_with(cloud, mine.token, mine.name)
            rows = rows or _left(cloud, mine.older_token, mine.name)
        used = scope.existing.get(cls.KIND, {})
        seen = [cls._seen(row, world, is_managed=row["VmId"] not in used) for row in rows]
        seen.sort(key=lambda each: (each.id not in known, each.state in cls.LEAVING, each.id))
        yield from seen[:1]
        for each in seen[1:]:
            yield dataclasses.replace(each, key=each.id, stays=True)

    @classmethod
    def _seen(cls, row: Mapping[str, Any], world: worlds.World, *, is_managed: bool = True) -> Self:
        gpus = [each for each in world.of(FlexibleGpu.KIND) if isinstance(each, FlexibleGpu)]
        addresses = [each for each in world.of(MachineIp.KIND) if isinstance(each, MachineIp)]
        return cls(
            key="default",
            id=row["VmId"],
            state=row["State"],
            power="stopped" if row["State"] == "stopped" else "running",
            gpu=next((each for each in gpus if each.vm_id == row["VmId"]), None),
            public_ip=next((each for each in addresses if each.vm_id == row["VmId"]), None),
            checks_traffic=row.get("IsSourceDestChecked", True),
            security_groups=frozenset(
                each["SecurityGroupId"] for each in row.get("SecurityGroups") or ()
            ),
            token=row.get("ClientToken", ""),
            row=row,
            tags=wants.tags_of(row),
            is_managed=is_managed,
        )

    def differences(self, observed: Self) -> tuple[resources.Difference, ...]:
        """Return what differs; of a pool, any public IP will do."""
        if not self.public_ip_pool:
            return super().differences(observed)
        linked = bool(observed.row.get("PublicIp"))
        seen = dataclasses.replace(observed, public_ip_pool=self.public_ip_pool if linked else "")
        own = observed.public_ip
        wanted = self if own is None or own.is_managed else dataclasses.replace(self, public_ip=own)
        return super(MachineVm, wanted).differences(seen)

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create the VM with its token, and tag it with the name of the Node that it becomes."""
        name = self.tags[names.MACHINE]
        left = _left(cloud, self.older_token, name)
        row = left[0] if left else _made(cloud, self.token, self._request(cloud), name)
        made = self._seen(row, worlds.World())
        marks = {**self.tags, names.NODE_NAME: made.node_name}
        tags = [{"Key": key, "Value": value} for key, value in sorted(marks.items())]
        cloud.call("CreateTags", ResourceIds=[made.id], Tags=tags)
        return dataclasses.replace(made, tags={**made.tags, **marks})

    def _request(self, cloud: clouds.Cloud) -> dict[str, Any]:
        launch = self.launch
        assert launch is not None, f"{self} is to be created, but nobody said from what."
        image = images.find(cloud, launch.vm.image, "spec.vm.image")
        vm.check_keypair(cloud, launch.vm.keypair_name, "spec.vm")
        _check_snapshots(cloud, launch.volumes)
        root = launch.vm.root_disk
        disks = [vm.disk(image.root_device, root.size, root.type, root.iops)]
        disks += [
            vm.disk(each.device, each.size, each.type, each.iops, each.from_snapshot)
            for each in launch.volumes
        ]
        return {
            "ImageId": image.id,
            "VmType": launch.vm.vm_type,
            "KeypairName": launch.vm.keypair_name,
            "SubnetId": launch.subnet_id,
            "SecurityGroupIds": sorted(self.security_groups),
            "PrivateIps": launch.vm.private_ips or None,
            "BlockDeviceMappings": disks,
            "UserData": self._user_data(launch, self._address(cloud)),
            # A GPU is attached while a VM is stopped, before it runs for the first time.
            "BootOnCreation": False if self.gpu is not None else None,
        }

    def _address(self, cloud: clouds.Cloud) -> str:
        """Return the public IP to have from the first moment on; nothing when it has none."""
        if self.public_ip is not None:
            return self.public_ip.address
        if self.public_ip_pool:
            return machine_ip.free(cloud, self.public_ip_pool, self.token)[0][1]
        return ""

    @staticmethod
    def _user_data(launch: Launch, address: str) -> str:
        attached = {names.AUTO_ATTACH: address} if address else {}
        try:
            return user_data.compose(launch.bootstrap, {**launch.tags, **attached}, launch.form)
        except user_data.TooLarge as error:
            raise Refusal(str(error)) from None

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Attach its GPU, set its groups, link or unlink its public IP, and start it."""
        if self.gpu is not None and observed.gpu is None:
            cloud.call("LinkFlexibleGpu", FlexibleGpuId=self.gpu.id, VmId=observed.id)
        if self.checks_traffic != observed.checks_traffic:
            cloud.call("UpdateVm", VmId=observed.id, IsSourceDestChecked=self.checks_traffic)
        if self.security_groups != observed.security_groups:
            groups = sorted(self.security_groups)
            cloud.call("UpdateVm", VmId=observed.id, SecurityGroupIds=groups)
        address = self._linked(cloud, observed)
        state = observed.state
        if observed.power == "stopped":
            cloud.call("StartVms", VmIds=[observed.id])
            state = "pending"
        return dataclasses.replace(
            observed,
            state=state,
            power=self.power,
            gpu=self.gpu,
            public_ip=self.public_ip,
            checks_traffic=self.checks_traffic,
            security_groups=self.security_groups,
            row={**observed.row, "PublicIp": address},
        )

    def _linked(self, cloud: clouds.Cloud, observed: Self) -> str:
        """Give the VM the public IP that it is to have, and return its address."""
        address = str(observed.row.get("PublicIp") or "")
        own = observed.public_ip
        if own is not None and own.is_managed and self.public_ip is None:
            cloud.call("UnlinkPublicIp", PublicIp=own.address)
            address = ""
        if self.public_ip is not None and own is None:
            cloud.call(
                "LinkPublicIp", PublicIpId=self.public_ip.id, VmId=observed.id, AllowRelink=False
            )
            return self.public_ip.address
        if self.public_ip_pool and not address:
            if observed.power == "stopped" and names.AUTO_ATTACH in observed.tags:
                return ""  # Its start attaches the one that its user data names, if that is free.
            return machine_ip.link_one(cloud, self.public_ip_pool, self.token, observed.id)
        return address

    def delete(self, cloud: clouds.Cloud) -> None:
        """Terminate the VM; its volumes go with it."""
        cloud.call("DeleteVms", VmIds=[self.id])


def _made(
    cloud: clouds.Cloud, token: str, request: Mapping[str, Any], name: str
) -> machine_scope.Row:
    """Create a VM, unless this machine has one by now, and return what is there.

    The API answers a token with what it was first used for, also when that is gone: then it was of
    another machine with this name. Or it is the bastion, which may have the name of a machine.
    """
    asked = token
    for _ in range(_NAMESAKES_MOST):
        try:
            rows = cloud.call("CreateVms", **request, ClientToken=asked)["Vms"]
        except errors.ApiError as error:
            # With the same token, something else was asked for: the bootstrap data has changed.
            rows = _with_token(cloud, asked) if error.cause is errors.Cause.TAKEN else []
            if not rows:
                raise
        row: machine_scope.Row = rows[0]
        if row["State"] not in MachineVm.LEAVING and not _is_of_another(row, name):
            return row
        asked = names.renewed_token(token, row["VmId"])
    raise Refusal(
        f"{_NAMESAKES_MOST} machines of this name had a VM within the last hour. Wait, or use "
        "another name."
    )


def _made_with(cloud: clouds.Cloud, token: str, name: str) -> list[machine_scope.Row]:
    """Return the VM that `_made` has made, without making it."""
    asked = token
    for _ in range(_NAMESAKES_MOST):
        rows = _with_token(cloud, asked)
        if not rows or not (rows[0]["State"] == "terminated" or _is_of_another(rows[0], name)):
            return rows
        asked = names.renewed_token(token, rows[0]["VmId"])
    return []


def _left(cloud: clouds.Cloud, token: str, name: str) -> list[machine_scope.Row]:
    """Return the VM that the Go provider made with a token and had not written down when it ended.

    Of a long name its token has the end only, which another machine may share.
    """
    return [
        row
        for row in (_with_token(cloud, token) if token else [])
        if row["State"] not in MachineVm.LEAVING
        and not _is_of_another(row, name)
        and wants.tags_of(row).get(names.NAME, name) == name
    ]


def _with_token(cloud: clouds.Cloud, token: str) -> list[machine_scope.Row]:
    return [*cloud.read("ReadVms", Filters={"ClientTokens": [token]})]


def _is_of_another(row: machine_scope.Row, name: str) -> bool:
    """Tell whether its tags say that a VM is of another machine, or the bastion."""
    tags = wants.tags_of(row)
    if names.MACHINE in tags:
        return tags[names.MACHINE] != name
    return names.BASTION in wants.roles_of(tags)


def _has_token(row: Mapping[str, Any], token: str) -> bool:
    return bool(token) and row.get("ClientToken") == token


def _check_snapshots(cloud: clouds.Cloud, volumes: Sequence[v1beta2.Volume]) -> None:
    wanted = {each.from_snapshot: index for index, each in enumerate(volumes) if each.from_snapshot}
    if not wanted:
        return
    rows = cloud.read("ReadSnapshots", Filters={"SnapshotIds": sorted(wanted)})
    states = {row["SnapshotId"]: row["State"] for row in rows}
    for id_, index in wanted.items():
        state = states.get(id_)
        if state == "completed":
            continue
        what = f"spec.volumes[{index}].fromSnapshot is {id_}, which"
        if state is None:
            raise Refusal(f"{what} does not exist in {cloud.region}. Set it to one that does.")
        raise Refusal(f"{what} is {state}. Wait until it is completed.")
