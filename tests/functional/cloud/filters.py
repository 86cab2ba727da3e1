"""Where in an answer a filter looks: derived from names a second time, apart from fakecloud.

The name of a filter is the path of a field, written without dots and in the plural:
``NicLinkNicVmIds`` is ``Nics.LinkNic.VmId``. What is named otherwise is listed.
"""

import functools

from fakecloud import document

BOOK = document.load()
DEPTH = 4
FILTERED = [
    action for action, spec in BOOK.actions.items() if "Filters" in BOOK.properties(spec.request)
]

IRREGULAR = {
    "ReadImages": {
        "BlockDeviceMappingDeleteOnVmDeletion": "BlockDeviceMappings.Bsu.DeleteOnVmDeletion",
        "BlockDeviceMappingSnapshotIds": "BlockDeviceMappings.Bsu.SnapshotId",
        "BlockDeviceMappingVolumeSizes": "BlockDeviceMappings.Bsu.VolumeSize",
        "BlockDeviceMappingVolumeTypes": "BlockDeviceMappings.Bsu.VolumeType",
    },
    "ReadInternetServices": {"LinkNetIds": "NetId", "LinkStates": "State"},
    "ReadNics": {
        "IsSourceDestCheck": "IsSourceDestChecked",
        "LinkPublicIpAccountIds": "LinkPublicIp.PublicIpAccountId",
        "PrivateIpsLinkPublicIpAccountIds": "PrivateIps.LinkPublicIp.PublicIpAccountId",
        "PrivateIpsPrimaryIp": "PrivateIps.IsPrimary",
        "SecurityGroupIds": "SecurityGroups.SecurityGroupId",
        "SecurityGroupNames": "SecurityGroups.SecurityGroupName",
    },
    "ReadQuotas": {
        "Collections": "QuotaCollection",
        "QuotaNames": "Name",
        "QuotaTypes": "QuotaType",
        "ShortDescriptions": "ShortDescription",
    },
    "ReadRouteTables": {
        "LinkRouteTableIds": "LinkRouteTables.RouteTableId",
        "LinkSubnetIds": "LinkRouteTables.SubnetId",
    },
    "ReadSecurityGroups": {
        f"{flow}Rule{name}": f"{flow}Rules.{path}"
        for flow in ("Inbound", "Outbound")
        for name, path in (
            ("AccountIds", "SecurityGroupsMembers.AccountId"),
            ("Protocols", "IpProtocol"),
            ("SecurityGroupIds", "SecurityGroupsMembers.SecurityGroupId"),
        )
    },
    "ReadVirtualGateways": {
        "LinkNetIds": "NetToVirtualGatewayLinks.NetId",
        "LinkStates": "NetToVirtualGatewayLinks.State",
    },
    "ReadVms": {
        "BlockDeviceMappingDeleteOnVmDeletion": "BlockDeviceMappings.Bsu.DeleteOnVmDeletion",
        "BlockDeviceMappingLinkDates": "BlockDeviceMappings.Bsu.LinkDate",
        "BlockDeviceMappingStates": "BlockDeviceMappings.Bsu.State",
        "BlockDeviceMappingVolumeIds": "BlockDeviceMappings.Bsu.VolumeId",
        "NicPrivateIpsLinkPublicIpIds": "Nics.PrivateIps.LinkPublicIp.PublicIp",
        "NicLinkPublicIpAccountIds": "Nics.LinkPublicIp.PublicIpAccountId",
        "NicPrivateIpsLinkPublicIpAccountIds": "Nics.PrivateIps.LinkPublicIp.PublicIpAccountId",
        "NicPrivateIpsPrimaryIp": "Nics.PrivateIps.IsPrimary",
        "NicSecurityGroupIds": "Nics.SecurityGroups.SecurityGroupId",
        "NicSecurityGroupNames": "Nics.SecurityGroups.SecurityGroupName",
        "SecurityGroupIds": "SecurityGroups.SecurityGroupId",
        "SecurityGroupNames": "SecurityGroups.SecurityGroupName",
        "SubregionNames": "Placement.SubregionName",
        "StateReasonMessages": "StateReason",
        "Tenancies": "Placement.Tenancy",
        "VmSecurityGroupIds": "SecurityGroups.SecurityGroupId",
        "VmSecurityGroupNames": "SecurityGroups.SecurityGroupName",
        "VmStateNames": "State",
    },
    "ReadVolumes": {
        "LinkVolumeDeleteOnVmDeletion": "LinkedVolumes.DeleteOnVmDeletion",
        "LinkVolumeDeviceNames": "LinkedVolumes.DeviceName",
        "LinkVolumeLinkStates": "LinkedVolumes.State",
        "LinkVolumeVmIds": "LinkedVolumes.VmId",
        "VolumeSizes": "Size",
        "VolumeStates": "State",
    },
}


def _of_nics(path):
    """Look at what ReadNics shows of the NICs of a VM."""

    def look(cloud, vm):
        nics = cloud.call("ReadNics", Filters={"LinkNicVmIds": [vm["VmId"]]})["Nics"]
        return values(nics, path)

    return look


def _link_dates(cloud, volume):
    vms = cloud.call("ReadVms")["Vms"]
    disks = [disk for vm in vms for disk in vm["BlockDeviceMappings"]]
    return [
        disk["Bsu"]["LinkDate"] for disk in disks if disk["Bsu"]["VolumeId"] == volume["VolumeId"]
    ]


def _names_of_members(flow):
    """Look at the names of the groups that rules name, which answers leave out in a Net."""

    def look(cloud, group):
        groups = cloud.call("ReadSecurityGroups")["SecurityGroups"]
        names = {each["SecurityGroupId"]: each["SecurityGroupName"] for each in groups}
        ids = values(group, f"{flow}Rules.SecurityGroupsMembers.SecurityGroupId")
        return [names[id_] for id_ in ids]

    return look


def _asn(cloud, connection):
    filters = {"ClientGatewayIds": [connection["ClientGatewayId"]]}
    return values(cloud.call("ReadClientGateways", Filters=filters)["ClientGateways"], "BgpAsn")


# The document has one filter that takes tags as objects, and not as Key=Value.
AS_OBJECTS = {("ReadFlexibleGpus", "Tags")}
STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
# What is shown elsewhere: the values that a filter sees in an object.
ELSEWHERE = {
    ("ReadImages", "Hypervisors"): lambda cloud, image: ["xen"],
    ("ReadImages", "VirtualizationTypes"): lambda cloud, image: ["hvm"],
    ("ReadNets", "IsDefault"): lambda cloud, net: [False],
    ("ReadPublicIps", "Placements"): lambda cloud, ip: [
        "vpc" if "NicId" in ip or "NatServiceId" in ip else "standard"
    ],
    ("ReadSecurityGroups", "InboundRuleSecurityGroupNames"): _names_of_members("Inbound"),
    ("ReadSecurityGroups", "OutboundRuleSecurityGroupNames"): _names_of_members("Outbound"),
    ("ReadVms", "NicLinkNicVmIds"): _of_nics("LinkNic.VmId"),
    ("ReadVms", "NicLinkNicVmAccountIds"): _of_nics("LinkNic.VmAccountId"),
    ("ReadVms", "NicLinkPublicIpLinkPublicIpIds"): _of_nics("LinkPublicIp.LinkPublicIpId"),
    ("ReadVms", "NicLinkPublicIpPublicIpIds"): _of_nics("LinkPublicIp.PublicIpId"),
    ("ReadVms", "NicSubregionNames"): _of_nics("SubregionName"),
    ("ReadVms", "VmStateCodes"): lambda cloud, vm: [STATE_CODES[vm["State"]]],
    ("ReadVolumes", "LinkVolumeLinkDates"): _link_dates,
    ("ReadVpnConnections", "BgpAsns"): _asn,
}


def _since(path):
    return lambda item, wanted: any(found >= wanted for found in values(item, path))


def _until(path):
    return lambda item, wanted: any(found <= wanted for found in values(item, path))


LONG_AGO, SOME_DAY = "2026-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"
EARLY, LATE = "2025-12-30T00:00:00.000Z", "2026-03-01T00:00:00.000Z"


def _begins(path):
    return lambda item, wanted: item.get(path, wanted).startswith(wanted)


# Filters that compare otherwise: what tells, a value that finds something, one that finds nothing.
COMPARED = {
    ("ReadApiLogs", "QueryDateAfter"): (_since("QueryDate"), "2026-01-03", LATE),
    ("ReadApiLogs", "QueryDateBefore"): (_until("QueryDate"), "2026-01-03T23:00:00Z", EARLY),
    ("ReadLinkedPolicies", "PathPrefix"): (
        lambda item, wanted: f":policy{wanted}" in item["Orn"], "/example/", "/nowhere/",
    ),
    ("ReadManagedPoliciesLinkedToUserGroup", "PathPrefix"): (
        lambda item, wanted: f":policy{wanted}" in item["Orn"], "/example/", "/nowhere/",
    ),
    ("ReadManagedPoliciesLinkedToUserGroup", "UserGroupIds"): (
        lambda item, wanted: wanted == ["ug-12345678"], ["ug-12345678"], ["ug-ffffffff"],
    ),
    ("ReadPolicies", "PathPrefix"): (_begins("Path"), "/example/", "/nowhere/"),
    ("ReadPolicies", "Scope"): (lambda item, wanted: wanted == "LOCAL", "LOCAL", "OWS"),
    ("ReadUserGroups", "PathPrefix"): (_begins("Path"), "/example/", "/nowhere/"),
    ("ReadSnapshots", "FromCreationDate"): (_since("CreationDate"), LONG_AGO, SOME_DAY),
    ("ReadSnapshots", "ToCreationDate"): (_until("CreationDate"), SOME_DAY, EARLY),
    ("ReadVmsStopHistory", "StopDateAfter"): (_since("StopDate"), LONG_AGO, SOME_DAY),
    ("ReadVmsStopHistory", "StopDateBefore"): (_until("StopDate"), SOME_DAY, EARLY),
    ("ReadPolicies", "OnlyLinked"): (
        lambda item, wanted: not wanted or item["ResourcesCount"] > 0, True, None,
    ),
}  # fmt: skip

# Filters of which no object can have a value, and why. They still find nothing.
NOT_SHOWN = "The API does not show it, so no answer tells which objects have it."
NO_MAINTENANCE = "Nothing is under maintenance in the simulator."
NO_SUCH_TYPE = "No VM type of the simulator has this field."
UNSEEN = {
    ("ReadCatalogs", "CurrentCatalogOnly"): "There is no other catalog than the current one.",
    ("ReadCatalogs", "FromDate"): "It needs ToDate beside it. See test_catalog.py.",
    ("ReadCatalogs", "ToDate"): "It needs FromDate beside it. See test_catalog.py.",
    ("ReadImages", "ProductCodeNames"): NOT_SHOWN,
    ("ReadSnapshots", "AccountAliases"): "The snapshots of public images are not shown to others.",
    ("ReadVmTypes", "EphemeralsTypes"): NO_SUCH_TYPE,
    ("ReadVmTypes", "Eths"): NO_SUCH_TYPE,
    ("ReadVmTypes", "Gpus"): NO_SUCH_TYPE,
    ("ReadVms", "Lifecycles"): "There are no Spot Instances at OUTSCALE.",
    ("ReadVms", "NicLinkNicLinkNicDates"): NOT_SHOWN,
    ("ReadVms", "Platforms"): "It finds Windows, and no image of the simulator has it.",
    ("ReadVms", "StateReasonCodes"): NOT_SHOWN,
    ("ReadVmsState", "MaintenanceEventCodes"): NO_MAINTENANCE,
    ("ReadVmsState", "MaintenanceEventDescriptions"): NO_MAINTENANCE,
    ("ReadVmsState", "MaintenanceEventsNotAfter"): NO_MAINTENANCE,
    ("ReadVmsState", "MaintenanceEventsNotBefore"): NO_MAINTENANCE,
}


def names_of(action):
    """Return filter name -> its schema."""
    part = BOOK.properties(BOOK.actions[action].request)["Filters"]
    return BOOK.resolve(part)["properties"]


def answer_of(action):
    """Return the key of the answer that lists the objects, and their schema."""
    for key, part in BOOK.properties(BOOK.actions[action].response).items():
        if part.get("type") == "array" and "$ref" in part["items"]:
            return key, part["items"]["$ref"].rsplit("/", 1)[1]
    raise AssertionError(f"{action} lists nothing.")


def path_of(action, name):
    """Return the dotted path that a filter looks at, or None."""
    if name in IRREGULAR.get(action, {}):
        return IRREGULAR[action][name]
    _, schema = answer_of(action)
    if name == "Tags":
        return "Tags"
    if name in ("TagKeys", "TagValues"):
        return f"Tags.{name[3:-1]}"
    return paths(schema).get(name)


@functools.cache
def paths(schema):
    """Return written name -> dotted path, for every field below a schema."""
    found = {}
    _spell({"$ref": f"#/{schema}"}, (), ("",), found, DEPTH)
    return found


def _spell(part, path, spellings, found, depth):
    part = BOOK.resolve(part.get("items", part))
    for key, inner in part.get("properties", {}).items():
        grown = (*path, key)
        written = {start + form for start in spellings for form in {key, singular(key)}}
        for form in written:
            for name in (form, form + "s", form + "es", form[:-1] + "ies"):
                old = found.get(name)
                if old is None or old.count(".") > len(path):
                    found[name] = ".".join(grown)
        item = inner.get("items", inner)
        if "$ref" in item and depth:
            _spell(item, grown, tuple(written), found, depth - 1)


def singular(word):
    """Return a plural in the singular."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def values(data, path):
    """Return what stands at a dotted path of an answer, through all lists."""
    if isinstance(data, list):
        return [value for item in data for value in values(item, path)]
    if path == "":
        return [data]
    first, _, rest = path.partition(".")
    return values(data[first], rest) if isinstance(data, dict) and first in data else []
