"""Which changes cannot be made: refused in words before any call is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provider.api import v1beta2
from provider.problem import Problem
from provider.rules import names

Json = Any

MACHINE_FREE = frozenset({"securityGroupNames", "sourceDestCheck"})
"""What a VM can change."""

LOAD_BALANCER_FIXED = ("type", "subnetName")
BASTION_FREE = frozenset({"enable", "name", "securityGroupNames", "publicIpId", "publicIpPool"})
PEERING_FIXED = ("managementAccountId", "managementNetId")

_REPLACE = "Make a new template: its machines replace these."
_ANEW = "Make another cluster, or put the old value back."
_AGAIN = "Set enable to false, wait until it is gone, and set it to true again with the new value."


def differences(old: Json, new: Json, path: str) -> Iterator[tuple[str, Json, Json]]:
    """Return where two documents differ: the path, and both values; a list is one value."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}")
    elif old != new:
        yield path, old, new


def _shown(value: Json) -> str:
    return f'"{value}"' if isinstance(value, str) and value else str(value or "nothing")


def _refused(old: Json, new: Json, path: str, who: str, remedy: str) -> Iterator[Problem]:
    for where, before, after in differences(old, new, path):
        yield Problem(
            where,
            f"It is {_shown(before)} and would become {_shown(after)}, but {who} cannot change "
            f"that. {remedy}",
        )


# --- OscCluster ----------------------------------------------------------------------------------


def of_cluster(
    old: v1beta2.OscClusterSpec, new: v1beta2.OscClusterSpec, default_name: str
) -> Iterator[Problem]:
    """Return what of a change of an OscCluster cannot be made.

    ``default_name`` is that of a load balancer that was given none: to write it down is no change.
    """
    if old.control_plane_endpoint.is_set:
        yield from _refused(
            old.control_plane_endpoint.model_dump(by_alias=True),
            new.control_plane_endpoint.model_dump(by_alias=True),
            "spec.controlPlaneEndpoint",
            "a cluster",
            _ANEW,
        )
    path, before, after = "spec.network", old.network, new.network
    for name, was, now in (
        ("net.ipRange", before.net.ip_range, after.net.ip_range),
        ("net.resourceId", before.net.resource_id, after.net.resource_id),
        (
            "useExisting",
            before.use_existing.model_dump(by_alias=True),
            after.use_existing.model_dump(by_alias=True),
        ),
    ):
        yield from _refused(was, now, f"{path}.{name}", "a cluster", _ANEW)
    yield from _subnets(f"{path}.subnets", before.subnets, after.subnets)
    yield from _refused(
        before.nat_public_ip_pool,
        after.nat_public_ip_pool,
        f"{path}.natPublicIpPool",
        "a NAT service",
        _ANEW,
    )
    yield from _disable(path, old, new, default_name)
    yield from _balancer(f"{path}.loadBalancer", old, new, default_name)
    yield from _bastion(f"{path}.bastion", before.bastion, after.bastion)
    yield from _peering(f"{path}.netPeering", before.net_peering, after.net_peering)


def _subnets(path: str, old: list[v1beta2.Subnet], new: list[v1beta2.Subnet]) -> Iterator[Problem]:
    """Compare subnets by name or, without names, in their places.

    Subnets come and go, and may be listed in another order.
    """
    named = {each.name: each for each in old if each.name}
    known = {each.ip_range for each in old}
    for index, after in enumerate(new):
        before = named.get(after.name)
        if before is None and len(old) == len(new) and after.ip_range not in known:
            before = old[index]
        if before is None or (before.name != after.name):
            continue
        for name, was, now in (
            ("ipRange", before.ip_range, after.ip_range),
            ("subregion", before.subregion, after.subregion),
            ("resourceId", before.resource_id, after.resource_id),
        ):
            yield from _refused(
                was,
                now,
                f"{path}[{index}].{name}",
                "a subnet",
                "Add another subnet, move to it, then remove this one.",
            )


def way_to_the_api(host: str) -> str:
    """Return why a load balancer that the endpoint names cannot be switched off."""
    return (
        f"spec.network.disable has loadbalancer, but spec.controlPlaneEndpoint.host is {host}, "
        "which is the load balancer of this cluster: without it nobody would reach the Kubernetes "
        "API. Remove loadbalancer from spec.network.disable, or make another cluster."
    )


def _disable(
    path: str, old: v1beta2.OscClusterSpec, new: v1beta2.OscClusterSpec, default_name: str
) -> Iterator[Problem]:
    host, name = new.control_plane_endpoint.host, old.network.load_balancer.name or default_name
    if (
        "loadbalancer" in set(new.network.disable) - set(old.network.disable)
        and not old.network.use_existing.load_balancer
        and names.is_load_balancer_host(host, name)
    ):
        yield Problem(f"{path}.disable", way_to_the_api(host))


def _balancer(
    path: str, old: v1beta2.OscClusterSpec, new: v1beta2.OscClusterSpec, default_name: str
) -> Iterator[Problem]:
    if "loadbalancer" in (set(old.network.disable) | set(new.network.disable)):
        return
    before = old.network.load_balancer.model_dump(by_alias=True)
    after = new.network.load_balancer.model_dump(by_alias=True)
    for each in (before, after):
        each["name"] = each["name"] or default_name
    for name in ("name", *LOAD_BALANCER_FIXED):
        yield from _refused(before[name], after[name], f"{path}.{name}", "a load balancer", _ANEW)
    addresses = [each["publicIpId"] or each["publicIpPool"] for each in (before, after)]
    if addresses[0] and not addresses[1]:
        yield Problem(
            f"{path}.{'publicIpId' if before['publicIpId'] else 'publicIpPool'}",
            f"It is {_shown(addresses[0])} and would become nothing, but a load balancer does not "
            "give back a public IP before it gets another one. Name that one here, or put the old "
            "value back.",
        )
    if old.control_plane_endpoint.is_set:
        yield from _refused(
            before["listener"]["port"],
            after["listener"]["port"],
            f"{path}.listener.port",
            "a cluster whose endpoint is set",
            _ANEW,
        )


def _bastion(path: str, old: v1beta2.Bastion, new: v1beta2.Bastion) -> Iterator[Problem]:
    """Compare bastions; of one that exists already and is only used, nothing but its id matters."""
    if not (old.enable and new.enable):
        return
    before, after = old.model_dump(by_alias=True), new.model_dump(by_alias=True)
    same = bool(old.resource_id) and old.resource_id == new.resource_id
    for name in sorted(before.keys() - BASTION_FREE) if not same else ():
        yield from _refused(before[name], after[name], f"{path}.{name}", "a bastion", _AGAIN)


def _peering(path: str, old: v1beta2.NetPeering, new: v1beta2.NetPeering) -> Iterator[Problem]:
    """Compare peerings. To write down where the other side is, or no longer to, is no change."""
    if not (old.enable and new.enable):
        return
    before, after = old.model_dump(by_alias=True), new.model_dump(by_alias=True)
    for name in PEERING_FIXED:
        if before[name] and after[name]:
            yield from _refused(before[name], after[name], f"{path}.{name}", "a peering", _AGAIN)


# --- OscMachine ----------------------------------------------------------------------------------


def of_machine(old: v1beta2.OscMachineSpec, new: v1beta2.OscMachineSpec) -> Iterator[Problem]:
    """Return what of a change of an OscMachine cannot be made."""
    if old.provider_id and new.provider_id != old.provider_id:
        yield Problem(
            "spec.providerID",
            f"It is {old.provider_id} and would become {_shown(new.provider_id)}, but a machine "
            "is one VM for its whole life. Put the old value back.",
        )
    before, after = (
        {
            name: value
            for name, value in each.vm.model_dump(by_alias=True).items()
            if name not in MACHINE_FREE
        }
        for each in (old, new)
    )
    yield from _refused(before, after, "spec.vm", "a VM", _REPLACE)
    volumes = [[each.model_dump(by_alias=True) for each in spec.volumes] for spec in (old, new)]
    if volumes[0] != volumes[1]:
        yield Problem(
            "spec.volumes",
            f"They are {len(volumes[0])} volumes and would be other ones, but a machine gets its "
            f"volumes when it is made. {_REPLACE}",
        )


# --- Templates -----------------------------------------------------------------------------------


def of_template(old: Json, new: Json) -> Iterator[Problem]:
    """Return the problem of a template whose spec changes: machines were made from it."""
    changed = [path for path, _, _ in differences(old, new, "spec.template.spec")]
    if changed:
        yield Problem(
            changed[0],
            f"A template does not change once it is there, but {len(changed)} of its fields "
            "would. Make a new template, and let what refers to this one refer to that.",
        )
