"""The load balancer of the Kubernetes API, and those that the CCM puts beside it.

Identity: its name, which is unique in an account and region, and tags that the create carries.
https://docs.outscale.com/en/userguide/About-Load-Balancers.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar

from provider.engine import world as worlds
from provider.engine.resource import Difference, Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors
from provider.resources import public_ip, security_group, subnet
from provider.resources import want as wants
from provider.resources.internet_service import InternetService
from provider.resources.listener import HealthCheck, Listener
from provider.resources.net import Net
from provider.resources.security_group import SecurityGroup
from provider.resources.subnet import Subnet
from provider.rules import names

LB = TypeVar("LB", bound="LoadBalancer")

_PATHS = {"HTTP": "/", "HTTPS": "/readyz"}
"""What a health check asks for that is not told; the API server answers to anybody there."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadBalancer(Resource):
    """One load balancer; its key and its id are its name."""

    KIND: ClassVar[str] = "loadBalancer"
    CONDITION: ClassVar[str] = "LoadBalancerReady"
    MUTABLE: ClassVar[frozenset[str]] = frozenset(
        {"security_groups", "listeners", "health_check", "address"}
    )
    READY: ClassVar[frozenset[str]] = frozenset({"active"})
    BUSY: ClassVar[frozenset[str]] = frozenset({"reloading", "reconfiguring"})
    POLL_S: ClassVar[float] = 30.0
    NEEDS_INTENT: ClassVar[bool] = False
    TAKES_TAGS: ClassVar[bool] = False
    USUAL_S: ClassVar[float] = 60.0

    type: str
    subnet: Subnet
    security_groups: tuple[SecurityGroup, ...]
    listeners: frozenset[Listener]
    health_check: HealthCheck
    address: str = dataclasses.field(default="", compare=False)
    """The title of a public IP; empty for any one."""
    addresses: frozenset[str] = dataclasses.field(default=frozenset(), compare=False)
    """What a spec may call its public IP."""
    internet: InternetService | None = dataclasses.field(default=None, compare=False)
    dns_name: str = dataclasses.field(default="", compare=False)
    is_foreign: bool = dataclasses.field(default=False, compare=False)
    """Whether it is somebody else's, and has the name of ours."""
    backends: frozenset[str] = dataclasses.field(default=frozenset(), compare=False)

    @classmethod
    def desired(cls, want: wants.Want) -> Iterable[Self]:
        """Return the load balancer of the Kubernetes API, unless the spec does without."""
        spec = want.network.load_balancer
        if "loadbalancer" in want.network.disable:
            return
        name = spec.name or names.load_balancer(want.cluster, want.uid)
        first = Listener(
            spec.listener.port,
            spec.listener.protocol,
            spec.listener.backend_port,
            spec.listener.backend_protocol,
        )
        more = [
            Listener(each.port, each.protocol, each.backend_port, each.backend_protocol)
            for each in spec.additional_listeners
        ]
        internal = spec.type == "internal"
        owner, owned = names.owner(want.uid)
        yield cls(
            key=name,
            id=name,
            type=spec.type,
            subnet=_place(want, spec.subnet_name or ""),
            security_groups=_groups(want, spec.security_group_name or ""),
            listeners=frozenset([first, *more]),
            health_check=HealthCheck(
                spec.health_check.protocol,
                spec.health_check.port,
                spec.health_check.check_interval,
                spec.health_check.timeout,
                spec.health_check.healthy_threshold,
                spec.health_check.unhealthy_threshold,
                spec.health_check.path or _PATHS.get(spec.health_check.protocol, ""),
            ),
            address=public_ip.title(spec.public_ip_id, spec.public_ip_pool),
            internet=None if internal else next(iter(want.of(InternetService)), None),
            tags={owner: owned, names.NAME: names.load_balancer_mark(name, want.uid)},
            is_managed=not want.network.use_existing.load_balancer,
        )

    @property
    def refusal(self) -> str:
        """Say what can be done about a name that is taken."""
        if not self.is_foreign:
            return super().refusal
        return (
            f"a load balancer with the name {self.id} exists, and it is not this cluster's. Set "
            "spec.network.loadBalancer.name to another name, or "
            "spec.network.useExisting.loadBalancer to true"
        )

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find load balancers by the tags that they were created with; their Reads take no filter.

        Those that the CCM made for Services bear the owner's tag as well, and one more. The Go
        provider tagged its own one after creating it, so in a Net of ours, or with a group of ours,
        it may have no tag yet. One that has the name of ours elsewhere is somebody else's.
        """
        used = scope.existing.get(cls.KIND, {})
        key, value = scope.owner
        wanted, uid = scope.about.get("loadBalancer"), scope.about.get("uid", "")
        for row in cloud.read("ReadLoadBalancers"):
            name = row["LoadBalancerName"]
            tags = wants.tags_of(row)
            marked = tags.get(names.NAME) == names.load_balancer_mark(name, uid)
            if row["State"] == "deleted":
                continue
            seen = _seen(cls, row, world)
            parts = (seen.subnet, *seen.security_groups)
            inside = name == wanted and not tags and any(each.is_managed for each in parts)
            if name == wanted and scope.about.get("balancerAddress"):
                addresses = public_ip.titles(cloud, world, row.get("PublicIp", ""))
                seen = dataclasses.replace(seen, addresses=addresses)
            ours = marked or tags.get(key) == value or inside
            # Somebody else's is in the way of ours only as long as there is to be one.
            if ours or name in used or (name == wanted and "isGoing" not in scope.about):
                yield dataclasses.replace(
                    seen,
                    is_managed=ours and name not in used,
                    is_foreign=not ours and name not in used,
                    stays=names.CCM_SERVICE in tags and not marked,
                )

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create it with its tags; the update that follows sets the health check."""
        try:
            answer = cloud.call(
                "CreateLoadBalancer",
                LoadBalancerName=self.key,
                LoadBalancerType=self.type,
                Listeners=[each.request for each in sorted(self.listeners)],
                SecurityGroups=[each.id for each in self.security_groups],
                Subnets=[self.subnet.id],
                PublicIp=_public_ip(cloud, self.address),
                Tags=[{"Key": key, "Value": value} for key, value in sorted(self.tags.items())],
            )
        except errors.ApiError as error:
            if error.cause is errors.Cause.TAKEN:
                raise Refusal(
                    f"A load balancer with the name {self.key} exists, and it is not this "
                    "cluster's. Set spec.network.loadBalancer.name to another name, or "
                    "spec.network.useExisting.loadBalancer to true."
                ) from error
            raise
        made = _seen(type(self), answer["LoadBalancer"], worlds.World())
        return dataclasses.replace(
            made,
            subnet=self.subnet,
            security_groups=self.security_groups,
            internet=self.internet,
            addresses=frozenset([self.address]),
        )

    def differences(self, observed: Self) -> tuple[Difference, ...]:
        """Return what differs; a public IP that the spec does not name may be any one."""
        ports, groups = self._kept(observed)
        seen = dataclasses.replace(
            observed,
            listeners=observed.listeners - ports,
            security_groups=tuple(e for e in observed.security_groups if e not in groups),
        )
        found = super().differences(seen)
        if (before := observed.tags.get(names.KEPT, "")) != (after := _said(ports, groups)):
            found = (*found, KeptDifference("listeners", before, after))
        if self.address and self.address not in observed.addresses:
            there = observed.addresses
            found = (*found, Difference("address", ", ".join(sorted(there)), self.address))
        return found

    def _kept(self, observed: Self) -> tuple[frozenset[Listener], frozenset[SecurityGroup]]:
        """Return what people had added when it was taken over, but listeners on ports of the spec.

        The Go provider never looked at it again, and gave it no mark of the cluster.
        """
        is_new = not any(key.startswith(names.CLUSTER_PREFIX) for key in observed.tags)
        said = observed.tags.get(names.KEPT, "").split()
        wanted = {each.port for each in self.listeners}
        more = [each for each in observed.listeners if each.port not in wanted]
        theirs = security_group.theirs(self.security_groups, observed.security_groups)
        return (
            frozenset(each for each in more if is_new or str(each.port) in said),
            frozenset(each for each in theirs if is_new or each.id in said),
        )

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Set tags, address, listeners, groups and health check; it reloads in between."""
        kept, theirs = self._kept(observed)
        tags = {names.KEPT: "", **observed.tags}
        wanted = {**self.tags, names.KEPT: _said(kept, theirs)}
        fresh_tags = {key: value for key, value in wanted.items() if tags.get(key) != value}
        if fresh_tags:
            cloud.call(
                "CreateLoadBalancerTags",
                LoadBalancerNames=[self.key],
                Tags=[{"Key": key, "Value": value} for key, value in sorted(fresh_tags.items())],
            )
            observed = dataclasses.replace(observed, tags={**observed.tags, **fresh_tags})
        if self.address and self.address not in observed.addresses:
            address = _public_ip(cloud, self.address)
            cloud.call("UpdateLoadBalancer", LoadBalancerName=self.key, PublicIp=address)
            titles = frozenset([self.address])
            return dataclasses.replace(observed, addresses=titles, state="reconfiguring")
        gone = observed.listeners - self.listeners - kept
        fresh = self.listeners - observed.listeners
        if gone:
            cloud.call(
                "DeleteLoadBalancerListeners",
                LoadBalancerName=self.key,
                LoadBalancerPorts=sorted(each.port for each in gone),
            )
        if fresh:
            cloud.call(
                "CreateLoadBalancerListeners",
                LoadBalancerName=self.key,
                Listeners=[each.request for each in sorted(fresh)],
            )
        if gone or fresh:
            # It reloads now, and would refuse the rest until that is over.
            listeners = self.listeners | kept
            return dataclasses.replace(observed, listeners=listeners, state="reloading")
        groups = [each.id for each in (*self.security_groups, *theirs)]
        if sorted(groups) != sorted(each.id for each in observed.security_groups):
            cloud.call("UpdateLoadBalancer", LoadBalancerName=self.key, SecurityGroups=groups)
        if self.health_check != observed.health_check:
            check = self.health_check.request
            cloud.call("UpdateLoadBalancer", LoadBalancerName=self.key, HealthCheck=check)
        return dataclasses.replace(
            observed, security_groups=self.security_groups, health_check=self.health_check
        )

    def delete(self, cloud: clouds.Cloud) -> None:
        """Delete it."""
        cloud.call("DeleteLoadBalancer", LoadBalancerName=self.key)


@dataclasses.dataclass(frozen=True)
class KeptDifference(Difference):
    """That something else than before is to be kept."""

    def __str__(self) -> str:
        return f"of what people added, {self.wanted or 'nothing'} is kept from now on"


def _said(listeners: Iterable[Listener], groups: Iterable[SecurityGroup]) -> str:
    """Return ports and ids as the tag has them that says what is kept."""
    ports = [str(port) for port in sorted(each.port for each in listeners)]
    return " ".join([*ports, *sorted(each.id for each in groups)])


def _place(want: wants.Want, name: str) -> Subnet:
    """Return the subnet that the load balancer is in; raise ``Refusal`` when there is none.

    A name that no subnet has is passed over, as by the Go provider.
    """
    places = want.of(Subnet)
    found = [each for each in places if name and name in (each.tags.get(names.NAME), each.key)]
    found = found or subnet.with_role(want, names.LOAD_BALANCER)
    if found:
        return found[0]
    there = ", ".join(f"{each.ip_range} ({', '.join(sorted(each.roles))})" for each in places)
    raise Refusal(
        f"No subnet has the role {names.LOAD_BALANCER}; spec.network.subnets has "
        f"{there or 'none'}. Give one of them the role {names.LOAD_BALANCER}."
    )


def _groups(want: wants.Want, name: str) -> tuple[SecurityGroup, ...]:
    """Return the groups of the load balancer; raise ``Refusal`` when there is none."""
    groups = want.of(SecurityGroup)
    if name:
        found = [each for each in groups if name in (each.key, each.name)]
    else:
        found = security_group.with_role(want, names.LOAD_BALANCER)
    if found:
        return tuple(sorted(found, key=lambda each: each.key))
    there = ", ".join(each.key for each in groups)
    asked = f"is called {name}" if name else f"has the role {names.LOAD_BALANCER}"
    raise Refusal(
        f"No security group {asked}; spec.network.securityGroups has {there or 'none'}. Give one "
        f"of them the role {names.LOAD_BALANCER}."
    )


def _public_ip(cloud: clouds.Cloud, address: str) -> str | None:
    """Return the public IP to ask for, or None for one of OUTSCALE's own."""
    if address.startswith("pool:"):
        return public_ip.from_pool(cloud, address.removeprefix("pool:")).address
    if not address:
        return None
    return public_ip.named(cloud, address, "spec.network.loadBalancer").address


def _seen(cls: type[LB], row: Mapping[str, Any], world: worlds.World) -> LB:
    places = [world.by_id(each) for each in row.get("Subnets") or ()]
    place = next((each for each in places if isinstance(each, Subnet)), None)
    internet = world.places.get((InternetService.KIND, "default"))
    faces = row["LoadBalancerType"] == "internet-facing"
    check = row["HealthCheck"]
    return cls(
        key=row["LoadBalancerName"],
        id=row["LoadBalancerName"],
        state=row["State"],
        type=row["LoadBalancerType"],
        subnet=place or _stranger(row),
        security_groups=security_group.seen(row.get("SecurityGroups") or (), world),
        listeners=frozenset(
            Listener(
                each["LoadBalancerPort"],
                each["LoadBalancerProtocol"],
                each["BackendPort"],
                each.get("BackendProtocol", each["LoadBalancerProtocol"]),
            )
            for each in row["Listeners"]
        ),
        health_check=HealthCheck(
            check["Protocol"],
            check["Port"],
            check["CheckInterval"],
            check["Timeout"],
            check["HealthyThreshold"],
            check["UnhealthyThreshold"],
            check.get("Path", ""),
        ),
        internet=internet if faces and isinstance(internet, InternetService) else None,
        dns_name=row.get("DnsName", ""),
        backends=frozenset(row.get("BackendVmIds") or ()),
        tags=wants.tags_of(row),
    )


def _stranger(row: Mapping[str, Any]) -> Subnet:
    """Return a subnet of which only the id is known."""
    id_ = next(iter(row.get("Subnets") or ()), "")
    net = Net(key=str(row.get("NetId", "")), id=str(row.get("NetId", "")))
    return Subnet(key=id_, id=id_, net=net, ip_range="", subregion="", is_managed=False)
