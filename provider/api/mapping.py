"""Which field of v1beta1 is which field of v1beta2: one table, read in both directions.

What stands in no row has no counterpart; ``keeping`` sees to it that it is not lost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from provider.api import statuses

Json = Any
Path = tuple[str, ...]


def _as_is(value: Json) -> Json:
    return value


@dataclasses.dataclass(frozen=True)
class Row:
    """One field in both versions."""

    old: Path
    new: Path
    inner: tuple[Row, ...] = ()
    """The rows of the object, or of each object of the list, that the field holds."""
    into: Callable[[Json], Json] = _as_is
    """Turn a value of v1beta1 into one of v1beta2."""
    back: Callable[[Json], Json] = _as_is
    """Turn a value of v1beta2 into one of v1beta1."""
    single: Path = ()
    """Where v1beta1 may say the only item of the list, when it has no list."""
    unless: Path = ()
    """What in v1beta1, when it is said, makes this field be ignored."""
    zero_counts: bool = False
    """Whether v1beta1 means something by an empty string or a zero."""
    is_shown: bool = False
    """Whether v1beta1 only shows what another row says; what it says there itself is kept apart."""


# --- Walking -------------------------------------------------------------------------------------


def dig(document: Json, path: Path) -> Json:
    """Return the value at a path, or None."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def put(document: dict[str, Json], path: Path, value: Json) -> None:
    """Set the value at a path, and make the objects on the way."""
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value


def _each(rows: tuple[Row, ...], value: Json, turn: Callable[..., Json]) -> Json:
    """Turn an object, or each object of a list; leave anything else to the API server."""
    if not rows:
        return value
    if isinstance(value, list):
        return [_each(rows, item, turn) for item in value]
    return turn(value, rows) if isinstance(value, dict) else value


def forward(document: dict[str, Json], rows: Iterable[Row]) -> dict[str, Json]:
    """Turn a part of v1beta1 into one of v1beta2."""
    out: dict[str, Json] = {}
    for row in rows:
        if row.is_shown:
            continue
        value = dig(document, row.old)
        if not value and row.single:
            only = _each(row.inner, dig(document, row.single), forward)
            value = [only] if only else value
        else:
            value = _each(row.inner, value, forward)
        # The Go provider reads an empty string and a zero as if they were absent.
        is_zero = not isinstance(value, bool | dict | list) and not value
        is_ignored = bool(row.unless and dig(document, row.unless))
        if value is not None and not is_ignored and (row.zero_counts or not is_zero):
            put(out, row.new, row.into(value))
    return out


def backward(document: dict[str, Json], rows: Iterable[Row]) -> dict[str, Json]:
    """Turn a part of v1beta2 into one of v1beta1."""
    out: dict[str, Json] = {}
    for row in rows:
        value = dig(document, row.new)
        if value is not None:
            value = row.back(_each(row.inner, value, backward))
        if value is not None:
            put(out, row.old, value)
    return out


# --- Writing rows --------------------------------------------------------------------------------


def _path(text: str) -> Path:
    return tuple(text.split("."))


def same(*names: str) -> tuple[Row, ...]:
    """Return rows of fields with the same name in both versions."""
    return tuple(Row(_path(name), _path(name)) for name in names)


def moved(old: str, new: str, *inner: Row, **more: Any) -> Row:
    """Return the row of a field that has two names; dots separate the levels."""
    return Row(_path(old), _path(new), inner, **more)


def inside(name: str, *inner: Row) -> Row:
    """Return the row of an object, or a list of them, with the same name in both versions."""
    return moved(name, name, *inner)


def element(name: str, key: str) -> Row:
    """Return the row of a list that is one of objects with one key in v1beta1."""
    return moved(
        name,
        name,
        into=lambda items: [dig(item, (key,)) or "" for item in items],
        back=lambda items: [{key: item} for item in items],
    )


# --- The rows ------------------------------------------------------------------------------------

_TARGETS = {"nat-service": "nat"}  # The documents of the Go provider name it so.

_RULE = (
    *same("flow", "ipProtocol"),
    moved("ipRanges", "ipRanges", single=("ipRange",)),
    moved("fromPortRange", "fromPort", zero_counts=True),
    moved("toPortRange", "toPort", zero_counts=True),
)
_SUBNET = (
    *same("name", "roles", "resourceId"),
    moved("ipSubnetRange", "ipRange"),
    moved("subregionName", "subregion"),
)
_NAT_SERVICE = (
    *same("name"),
    moved("subnetname", "subnetName"),
    moved("subregionName", "subregion"),
)
_ROUTE = (
    *same("targetName", "destination"),
    moved("targetType", "targetType", into=lambda value: _TARGETS.get(value, value)),
)
_ROUTE_TABLE = (
    *same("name", "subnets", "role"),
    moved("subregionName", "subregion"),
    inside("routes", *_ROUTE),
)
_SECURITY_GROUP = (
    *same("name", "description", "resourceId", "tag", "roles", "authoritative"),
    moved("securityGroupRules", "rules", *_RULE),
)
_LISTENER = (
    moved("backendport", "backendPort"),
    moved("backendprotocol", "backendProtocol"),
    moved("loadbalancerport", "port"),
    moved("loadbalancerprotocol", "protocol"),
)
_HEALTH_CHECK = (
    *same("port", "protocol", "timeout"),
    moved("checkinterval", "checkInterval"),
    moved("healthythreshold", "healthyThreshold"),
    moved("unhealthythreshold", "unhealthyThreshold"),
)
_LOAD_BALANCER = (
    moved("loadbalancername", "name"),
    moved("loadbalancertype", "type"),
    moved("subnetname", "subnetName"),
    moved("securitygroupname", "securityGroupName"),
    inside("listener", *_LISTENER),
    inside("healthCheck", *_HEALTH_CHECK),
)
_ROOT_DISK = (
    moved("rootDiskSize", "size"),
    moved("rootDiskType", "type"),
    moved("rootDiskIops", "iops"),
)
_BASTION = (
    *same("enable", "name", "keypairName", "vmType", "subnetName", "resourceId"),
    moved("imageName", "image.name"),
    moved("imageAccountId", "image.accountId"),
    moved("imageId", "image.id", unless=("imageName",)),
    moved("PublicIpId", "publicIpId"),
    inside("rootDisk", *_ROOT_DISK),
    element("privateIps", "privateIp"),
    element("securityGroupNames", "name"),
)
_CREDENTIALS = same("fromSecret", "fromFile", "profile")
_NETWORK = (
    *same("disable", "netAccessPoints", "natPublicIpPool", "allowFromIPRanges", "allowToIPRanges"),
    inside("useExisting", *same("net", "securityGroups")),
    moved("subregions", "subregions", single=("subregionName",)),
    inside("net", *same("name", "ipRange", "resourceId")),
    inside("subnets", *_SUBNET),
    inside("internetService", *same("name")),
    moved("natServices", "natServices", *_NAT_SERVICE, single=("natService",)),
    inside("routeTables", *_ROUTE_TABLE),
    inside("securityGroups", *_SECURITY_GROUP),
    inside("additionalSecurityRules", *same("roles"), inside("rules", *_RULE)),
    inside("loadBalancer", *_LOAD_BALANCER),
    inside(
        "netPeering",
        *same("enable", "managementAccountId", "managementNetId", "managementSubnetId"),
        inside("managementCredentials", *_CREDENTIALS),
    ),
    inside("bastion", *_BASTION),
)
_ENDPOINT = inside("controlPlaneEndpoint", *same("host", "port"))
_CLUSTER = (_ENDPOINT, inside("credentials", *_CREDENTIALS), inside("network", *_NETWORK))

_PLACEMENT = (
    moved("repulseServer", "repulseServer", zero_counts=True),
    *same("attractServer", "serverStrict", "repulseCluster", "attractCluster", "clusterStrict"),
)
_VM = (
    *same("role", "vmType", "keypairName", "subregionMode", "subnetName", "publicIp"),
    *same("publicIpPool", "tags", "resourceId"),
    inside("rootDisk", *_ROOT_DISK),
    moved("subregionNames", "subregions", single=("subregionName",)),
    element("securityGroupNames", "name"),
    element("privateIps", "privateIp"),
    moved("fGPU", "flexibleGpu", *same("model")),
    inside("placement", *_PLACEMENT),
)
_VOLUME = (*same("name", "device", "size", "iops", "fromSnapshot"), moved("volumeType", "type"))
_MACHINE = (
    *same("providerID"),
    moved("node.vm", "vm", *_VM),
    moved("node.image.name", "vm.image.name"),
    moved("node.image.accountId", "vm.image.accountId"),
    moved("node.image.outscaleOpenSource", "vm.image.outscaleOpenSource"),
    moved("node.vm.imageId", "vm.image.id", unless=("node", "image", "name")),
    moved("node.volumes", "volumes", *_VOLUME),
)

_CONDITIONS = (
    moved(
        "conditions",
        "conditions",
        into=statuses.conditions_into,
        back=statuses.conditions_back,
        unless=("v1beta2", "conditions"),
    ),
    moved("v1beta2.conditions", "conditions"),
)
_RESOURCES = moved(
    "resources", "resources", into=statuses.resources_into, back=statuses.resources_back
)
_CLUSTER_STATUS = (
    *same("vmState"),
    moved("ready", "initialization.provisioned"),
    moved(
        "failureDomains", "failureDomains", into=statuses.domains_into, back=statuses.domains_back
    ),
    _RESOURCES,
    *_CONDITIONS,
)
_MACHINE_STATUS = (
    *same("vmState", "failureDomain", "addresses"),
    moved("ready", "initialization.provisioned"),
    _RESOURCES,
    *_CONDITIONS,
    moved("failureReason", "conditions", back=statuses.failure_reason, is_shown=True),
    moved("failureMessage", "conditions", back=statuses.failure_message, is_shown=True),
)


def _template(*rows: Row) -> Row:
    return inside("spec", inside("template", *same("metadata"), inside("spec", *rows)))


KINDS: dict[str, tuple[Row, ...]] = {
    "OscCluster": (inside("spec", *_CLUSTER), inside("status", *_CLUSTER_STATUS)),
    "OscClusterTemplate": (_template(*_CLUSTER),),
    "OscMachine": (inside("spec", *_MACHINE), inside("status", *_MACHINE_STATUS)),
    "OscMachineTemplate": (
        _template(*_MACHINE),
        inside("status", *same("capacity", "nodeInfo"), *_CONDITIONS),
    ),
}
"""The rows of a whole object, beside its metadata."""


def old_path(kind: str, path: str) -> str:
    """Return how v1beta1 calls a field of v1beta2; what has no name there keeps its own."""
    out: list[str] = []
    rows: tuple[Row, ...] = KINDS.get(kind, ())
    left = path.split(".")
    while left:
        plain = tuple(each.partition("[")[0] for each in left)
        row = max(
            (row for row in rows if plain[: len(row.new)] == row.new),
            key=lambda row: len(row.new),
            default=None,
        )
        if row is None or len(row.new) < len(plain):
            # An object that v1beta1 keeps elsewhere has no row of its own; its fields have.
            deeper = next((each for each in rows if each.new[: len(plain)] == plain), None)
            if deeper is not None:
                return ".".join([*out, *deeper.old[: len(plain) - len(deeper.new)]])
        if row is None:
            return ".".join([*out, *left])
        _, bracket, index = left[len(row.new) - 1].partition("[")
        out += [*row.old[:-1], row.old[-1] + bracket + index]
        left, rows = left[len(row.new) :], row.inner
    return ".".join(out)
