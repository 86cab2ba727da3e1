"""What CreateVms refuses before it looks at any resource, and what it means by its parameters."""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import check_id
from fakecloud.kinds import KINDS, Data
from fakecloud.rules import nics, parameters, volumes

SHUTDOWN_BEHAVIORS = ("stop", "restart", "terminate")
OTHER_IMAGES = ("aki-", "ari-")
"""Prefixes of kernels and RAM disks, which the API accepts as images, though there are none."""


def check(image_id: str, wish: Data) -> None:
    """Check the parameters of CreateVms against each other and their form.

    Raise 3002 and 7000 for the wrong combinations, 4104 and 4105 for identifiers, and 4047,
    4018, 4019 and 4076 for values.
    """
    for name in ("SubnetId", "SecurityGroupIds", "SecurityGroups", "PrivateIps", "Placement"):
        parameters.at_most_one(Nics=wish.get("Nics"), **{name: wish.get(name)})
    for item in wish.get("Nics") or ():
        _check_nic(item)
    _check_devices(wish.get("Nics") or [])
    if wish.get("PrivateIps") and not wish.get("SubnetId"):
        raise errors.refusal(7000, parameters="SubnetId", least="1")
    if not image_id.startswith(OTHER_IMAGES):
        check_id(KINDS["Image"], image_id)
    if wish.get("SubnetId"):
        check_id(KINDS["Subnet"], wish["SubnetId"])
    parameters.ids("SecurityGroup", wish.get("SecurityGroupIds") or [])
    check_behavior(wish.get("VmInitiatedShutdownBehavior"))
    for mapping in wish.get("BlockDeviceMappings") or ():
        _check_mapping(mapping)
    least, most = counts(wish)
    if not 1 <= least <= most:
        raise errors.refusal(
            4018, f"MinVmsCount is {least} and MaxVmsCount is {most}: 1 <= min <= max is needed."
        )


def counts(wish: Data) -> tuple[int, int]:
    """Return how many VMs are wanted at least and at most."""
    least = wish.get("MinVmsCount")
    most = wish.get("MaxVmsCount")
    if least is None:
        return 1, 1 if most is None else most
    return least, max(least, 1) if most is None else most


def check_behavior(behavior: str | None) -> None:
    """Raise 4047 for a shutdown behavior that does not exist."""
    if behavior is not None and behavior not in SHUTDOWN_BEHAVIORS:
        raise errors.refusal(
            4047,
            f"VmInitiatedShutdownBehavior is '{behavior}', but must be one of "
            f"{', '.join(SHUTDOWN_BEHAVIORS)}.",
        )


def _check_nic(item: Data) -> None:
    if item.get("NicId"):
        for name in ("SubnetId", "SecurityGroupIds", "PrivateIps", "SecondaryPrivateIpCount"):
            parameters.at_most_one(NicId=item["NicId"], **{name: item.get(name)})
        if item.get("DeleteOnVmDeletion"):
            raise errors.refusal(
                3002, "DeleteOnVmDeletion is for new NICs. Use UpdateNic for one that exists."
            )
    parameters.required(DeviceNumber=item.get("DeviceNumber"))
    if not 0 <= item["DeviceNumber"] <= nics.DEVICE_LAST:
        raise errors.refusal(
            4047,
            f"DeviceNumber is {item['DeviceNumber']}, but must be between 0 and "
            f"{nics.DEVICE_LAST}.",
        )
    if item.get("NicId"):
        check_id(KINDS["Nic"], item["NicId"])
        return
    parameters.required(SubnetId=item.get("SubnetId"))
    nics.wish(item.get("PrivateIps"), item.get("SecondaryPrivateIpCount"))
    check_id(KINDS["Subnet"], item["SubnetId"])
    parameters.ids("SecurityGroup", item.get("SecurityGroupIds") or [])


def _check_devices(items: list[Data]) -> None:
    devices = [item["DeviceNumber"] for item in items]
    if items and 0 not in devices:
        raise errors.refusal(7000, parameters="Nics.DeviceNumber 0", least="1")
    for device in devices:
        if devices.count(device) > 1:
            raise errors.refusal(9004, f"The device number {device} is given twice.")


def _check_mapping(mapping: Data) -> None:
    parameters.required(DeviceName=mapping.get("DeviceName"))
    volumes.check_device(mapping["DeviceName"])
    if mapping.get("Bsu") and mapping.get("VirtualDeviceName"):
        raise errors.refusal(
            4076, f"{mapping['DeviceName']} has a Bsu and a VirtualDeviceName. Give one of them."
        )


def merged(of_image: list[Data], wanted: list[Data]) -> list[Data]:
    """Return the mappings of an image as changed by those of a request: what volumes to create."""
    found = {item["DeviceName"]: dict(item["Bsu"]) for item in of_image if "Bsu" in item}
    for item in wanted:
        name = item["DeviceName"]
        if item.get("NoDevice") is not None or item.get("VirtualDeviceName"):
            found.pop(name, None)
            continue
        bsu = {key: value for key, value in item.get("Bsu", {}).items() if value != ""}
        before = found.get(name, {})
        if bsu.get("SnapshotId", before.get("SnapshotId")) != before.get("SnapshotId"):
            before = {}
        if bsu.get("VolumeType", before.get("VolumeType")) != before.get("VolumeType"):
            before.pop("Iops", None)
        found[name] = {**before, **bsu}
    return [{"DeviceName": name, "Bsu": bsu} for name, bsu in found.items()]
