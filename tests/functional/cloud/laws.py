"""Laws as functions, for tests that make their own worlds."""

import re

from fakecloud.kinds import KINDS
from tests.functional.cloud import shapes

PREFIXES = sorted({kind.prefix for kind in KINDS.values() if kind.prefix}, reverse=True)
IDENTIFIER = re.compile(rf"\b(?:{'|'.join(PREFIXES)})-[0-9a-f]{{8}}(?:[0-9a-f]{{24}})?\b")

# The list of what is there in every answer, of the vendor's own corrections of the document. What
# recorded answers contradict is left out, with the reason.
ALWAYS = {
    "BsuCreated": "DeleteOnVmDeletion LinkDate State VolumeId",
    "Image": (
        "AccountId Architecture BlockDeviceMappings BootModes CreationDate ImageId RootDeviceType "
        "SecureBoot State Tags"
    ),
    # Recorded: NetId and State are there while it is linked, and only then.
    "InternetService": "InternetServiceId Tags",
    "LinkNic": "DeleteOnVmDeletion DeviceNumber LinkNicId State VmAccountId VmId",
    # Recorded: the link of the main route table has no SubnetId.
    "LinkRouteTable": "LinkRouteTableId Main NetId RouteTableId",
    "LinkedVolume": "DeleteOnVmDeletion DeviceName State VmId VolumeId",
    "Listener": "BackendPort BackendProtocol LoadBalancerPort LoadBalancerProtocol",
    "LoadBalancer": (
        "AccessLog ApplicationStickyCookiePolicies BackendIps BackendVmIds DnsName HealthCheck "
        "Listeners LoadBalancerName LoadBalancerStickyCookiePolicies LoadBalancerType "
        "SecuredCookies SourceSecurityGroup SubregionNames Tags"
    ),
    "NatService": "NatServiceId NetId State SubnetId Tags",
    "Net": "DhcpOptionsSetId IpRange NetId State Tags Tenancy",
    "NetPeering": "AccepterNet NetPeeringId SourceNet State Tags",
    "NetPeeringState": "Message Name",
    "Nic": (
        "AccountId Description IsSourceDestChecked MacAddress NetId NicId PrivateDnsName "
        "PrivateIps SecurityGroups State SubnetId SubregionName Tags"
    ),
    "PublicIp": "PublicIp PublicIpId Tags",
    "ResourceTag": "Key Value",
    # A route to a service has DestinationServiceId instead of DestinationIpRange.
    "Route": "CreationMethod State",
    "RouteTable": "LinkRouteTables NetId RoutePropagatingVirtualGateways RouteTableId Routes Tags",
    "SecurityGroup": (
        "AccountId Description InboundRules OutboundRules SecurityGroupId SecurityGroupName Tags"
    ),
    "Snapshot": "AccountId CreationDate SnapshotId State VolumeId VolumeSize",
    "SnapshotExportTask": "Comment OsuExport Progress SnapshotId State Tags TaskId",
    "Subnet": (
        "AvailableIpsCount IpRange MapPublicIpOnLaunch NetId State SubnetId SubregionName Tags"
    ),
    # The vendor's recorded VMs have no OsFamily, Nics only in a Net.
    "Vm": (
        "ActionsOnNextBoot Architecture BlockDeviceMappings BootMode CreationDate "
        "DeletionProtection Hypervisor ImageId LaunchNumber NestedVirtualization Performance "
        "Placement ProductCodes ReservationId RootDeviceName RootDeviceType State StateReason "
        "Tags TpmEnabled UserData VmId VmInitiatedShutdownBehavior VmType"
    ),
    "VmStates": "MaintenanceEvents SubregionName VmId VmState",
    # Recorded: a standard volume has no Iops.
    "Volume": "CreationDate LinkedVolumes Size State SubregionName Tags VolumeId VolumeType",
}
# Recorded: a VM that is terminated shows less.
OF_LIVE_VMS = "PrivateIp SecurityGroups"
OF_TERMINATED_VMS_NOT = "NetId Nics PrivateIp SecurityGroups SubnetId"
# The example of a load balancer outside Nets has no security groups.
OF_BALANCERS_IN_NETS = "SecurityGroups Subnets"
# What has its fields in this answer only: the document shows the tags of a GPU as Tag as well.
OF_ANSWERS = {"ReadTagsResponse.Tags": "Key ResourceId ResourceType Value"}
# A NAT service that is gone has given back its public IP (recorded).
OF_LIVE_NATS = "PublicIps"


def missing_fields(action, answer):
    """Return the always-present fields that objects of an answer lack, and what is too much."""
    found = []
    _walk({"$ref": f"#/{shapes.BOOK.actions[action].response}"}, answer, "", found)
    return sorted(set(found))


def _walk(part, value, name, found):
    if "$ref" in part:
        name = part["$ref"].rsplit("/", 1)[1]
        part = shapes.BOOK.schemas[name]
    if isinstance(value, list):
        for item in value:
            _walk(part["items"], item, name, found)
    elif isinstance(value, dict):
        found += _missing(name, value)
        for key, item in value.items():
            for each in OF_ANSWERS.get(f"{name}.{key}", "").split():
                found += [f"{name}.{key} has no {each}" for one in item if each not in one]
            _walk(part.get("properties", {}).get(key, {}), item, f"{name}.{key}", found)


def _missing(name, item):
    wanted = ALWAYS.get(name, "").split()
    if name == "Vm" and item.get("State") == "terminated":
        too_much = [key for key in OF_TERMINATED_VMS_NOT.split() if key in item]
        yield from (f"terminated Vm has {key}" for key in too_much)
    elif name == "Vm":
        wanted = [*wanted, *OF_LIVE_VMS.split()]
    elif name == "NatService" and item.get("State") not in ("deleting", "deleted"):
        wanted = [*wanted, *OF_LIVE_NATS.split()]
    elif name == "LoadBalancer" and "NetId" in item:
        wanted = [*wanted, *OF_BALANCERS_IN_NETS.split()]
    elif name == "Route" and "DestinationServiceId" not in item:
        wanted = [*wanted, "DestinationIpRange"]
    yield from (f"{name} has no {key}" for key in wanted if key not in item)


def keep_answers(cloud):
    """Show every row of the cloud's account, so that there is something to become stale."""
    for store in cloud.regions.values():
        for row in rows(store):
            if row.account != cloud.account:
                continue
            store.view(row)
            if row.kind.schema:
                store.wire(row, cloud.writer.check)


def stale_answers(cloud, of=None):
    """Return the rows (of one account) whose kept answer is not what making it anew gives."""
    found = []
    for store in cloud.regions.values():
        for row in rows(store):
            if of is not None and row.account != of:
                continue
            kept_view, kept_wire = row.view, row.wire
            row.view = row.wire = None
            if kept_view is not None and store.view(row) != kept_view:
                found.append(f"{row!r}: kept {kept_view}, but it is {store.view(row)}")
            if kept_wire is not None and store.wire(row, cloud.writer.check) != kept_wire:
                found.append(f"{row!r}: kept {kept_wire!r}, but it is otherwise")
    return found


def rows(store):
    """Return all rows of a store."""
    return [row for name in sorted(store._tables) for row in store.table(name).rows.values()]


def state_of(cloud):
    """Return everything that a cloud knows, but for the number of calls it got."""
    state = cloud.state()
    del state["requests"]
    return state
