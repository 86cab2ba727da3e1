"""Images (OMIs): CreateImage, UpdateImage, DeleteImage and ReadImages; the public images.

https://docs.outscale.com/en/userguide/About-OMIs.html
"""

from __future__ import annotations

import re
from typing import Any

from fakecloud import errors, reads
from fakecloud.call import Call, action, prune, seed
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.rows import Row, clone
from fakecloud.rules import images, parameters, sharing, volumes

_NAME = re.compile(r"[A-Za-z0-9_ ()/.-]{3,128}")
FILE_GIB = 10
"""The size of an image from a bucket: there is no bucket, so its manifest cannot be read."""


_OF_SNAPSHOTS = ("Architecture", "BlockDeviceMappings", "RootDeviceName")
_APART = {
    "VmId": ("FileLocation", "SourceImageId", "SourceRegionName", *_OF_SNAPSHOTS),
    "SourceImageId": ("FileLocation", *_OF_SNAPSHOTS),
    "FileLocation": ("NoReboot", *_OF_SNAPSHOTS),
}
"""Parameters of one way to make an image, and those of the other ways that they exclude."""

_GIVEN = ("Architecture", "BootModes", "Description", "ProductCodes", "TpmMandatory")
_COPIED = ("Architecture", "BlockDeviceMappings", "BootModes", "Description", "ProductCodes",
           "RootDeviceName", "SecureBoot", "TpmMandatory")  # fmt: skip


def _visible(row: Row, account: str) -> bool:
    return sharing.may_use(row["PermissionsToLaunch"], account)


def _product_names(view: Data) -> list[str]:
    return [images.PRODUCTS[code] for code in view["ProductCodes"] if code in images.PRODUCTS]


kind(
    "Image",
    id="ImageId",
    prefix="ami",
    refs={"BlockDeviceMappings.Bsu.SnapshotId": "Snapshot"},
    index=("AccountId", "ImageName", "ProductCodes"),
    lifecycle={"pending": Then(10, "available")},
    absent=5023,
    resource_type="image",
    visible=_visible,
    read="ReadImages",
    answer="Images",
    filters={
        "AccountAliases": sharing.aliases,
        "BlockDeviceMappingDeleteOnVmDeletion": "BlockDeviceMappings.Bsu.DeleteOnVmDeletion",
        "BlockDeviceMappingSnapshotIds": "BlockDeviceMappings.Bsu.SnapshotId",
        "BlockDeviceMappingVolumeSizes": "BlockDeviceMappings.Bsu.VolumeSize",
        "BlockDeviceMappingVolumeTypes": "BlockDeviceMappings.Bsu.VolumeType",
        "Hypervisors": lambda image: "xen",
        "ProductCodeNames": _product_names,
        "VirtualizationTypes": lambda image: "hvm",
    },
)


@seed
def public_images(call: Call) -> None:
    """Give a region its public images, each with its snapshot."""
    for release in images.releases(call.region):
        snapshot_id = release.snapshot_id(call.region)
        call.create("Snapshot", release.snapshot(), state="completed", id_=snapshot_id)
        image_id = release.image_id(call.region)
        call.create("Image", release.image(call.region), state="available", id_=image_id)


@action
def CreateImage(call: Call, ImageName: str | None = None, **wish: Any) -> Data:
    """Create an image from a VM, as a copy of another, from snapshots, or from a bucket.

    The further parameters are those of the document. A running VM goes on running: its reboot
    (``NoReboot``) is not simulated.
    """
    _check_way(ImageName, wish)
    if wish.get("VmId"):
        source, state = _from_vm(call, wish["VmId"]), "pending"
    elif wish.get("SourceImageId") or wish.get("SourceRegionName"):
        source, state = _from_image(call, wish), "available"
    elif wish.get("BlockDeviceMappings"):
        source, state = _from_snapshots(call, wish), "available"
    else:
        source, state = _from_file(call, wish), "pending"
    name = ImageName or source.get("ImageName")
    parameters.required(ImageName=name)
    given = prune(**{field: wish.get(field) for field in _GIVEN})
    data = {**_common(call), **source, **given, "ImageName": name}
    data["FileLocation"] = f"{call.account}/{name}"
    return {"Image": call.create("Image", data, state=state)}


def _check_way(name: str | None, wish: Data) -> None:
    """Refuse parameters of more than one way to make an image (3002), and a bad name (4026)."""
    for first, others in _APART.items():
        for other in others:
            parameters.at_most_one(**{first: wish.get(first), other: wish.get(other)})
    if wish.get("VmId") and not name:
        raise errors.refusal(3002, "An image from a VM needs a name. Give ImageName.")
    if name and not _NAME.fullmatch(name):
        raise errors.refusal(
            4026,
            f"The image name '{name}' is invalid: it has 3 to 128 letters, digits, spaces "
            "and _ ( ) / . -",
        )


def _common(call: Call) -> Data:
    return {
        "AccountId": call.account,
        "Architecture": "x86_64",
        "BootModes": ["legacy"],
        "CreationDate": call.today,
        "Description": "",
        "ImageType": "machine",
        "PermissionsToLaunch": sharing.private(),
        "ProductCodes": ["0001"],
        "RootDeviceName": images.ROOT_DEVICE,
        "RootDeviceType": "bsu",
        "SecureBoot": False,
        "StateComment": {},
        "TpmMandatory": False,
    }


def _from_vm(call: Call, vm_id: str) -> Data:
    """Snapshot every volume of a VM and describe them as the image's devices."""
    vm = call.get("Vm", vm_id)
    if vm.state not in ("running", "stopped"):
        raise errors.refusal(
            6003, f"The VM {vm_id} is {vm.state}. Make images of running or stopped VMs."
        )
    mappings = []
    for link in call.find("LinkedVolume", "VmId", vm_id):
        volume = call.get("Volume", link["VolumeId"])
        made = call.run(
            "CreateSnapshot", VolumeId=volume.id, Description=f"Created by CreateImage({vm_id})"
        )
        bsu = prune(
            DeleteOnVmDeletion=link["DeleteOnVmDeletion"],
            Iops=volume.get("Iops") if volume["VolumeType"] == "io1" else None,
            SnapshotId=made["Snapshot"].id,
            VolumeSize=volume["Size"],
            VolumeType=volume["VolumeType"],
        )
        mappings.append({"Bsu": bsu, "DeviceName": link["DeviceName"]})
    return prune(
        Architecture=vm.get("Architecture"),
        BlockDeviceMappings=mappings,
        BootModes=[vm["BootMode"]] if vm.get("BootMode") else None,
        ProductCodes=list(vm.get("ProductCodes", ["0001"])),
        RootDeviceName=vm.get("RootDeviceName"),
    )


def _from_image(call: Call, wish: Data) -> Data:
    """Take over what an image is made of; the copy keeps its permission for everybody."""
    image_id, region = wish.get("SourceImageId"), wish.get("SourceRegionName")
    parameters.required(SourceImageId=image_id, SourceRegionName=region)
    sharing.here(call, str(region))
    source = call.get("Image", str(image_id))
    if source.state != "available":
        raise errors.refusal(
            6001, f"The image {image_id} is {source.state}. Wait until it is available."
        )
    copy: Data = clone({name: source[name] for name in _COPIED})
    copy["ImageName"] = f"{source['ImageName'][:123]}-copy"
    everybody = source["PermissionsToLaunch"]["GlobalPermission"]
    copy["PermissionsToLaunch"] = {"AccountIds": [], "GlobalPermission": everybody}
    return copy


def _from_snapshots(call: Call, wish: Data) -> Data:
    """Check the devices of a new image; a virtual device is accepted and left out."""
    root = wish.get("RootDeviceName")
    parameters.required(RootDeviceName=root)
    kept = []
    for mapping in wish["BlockDeviceMappings"]:
        bsu, virtual = mapping.get("Bsu"), mapping.get("VirtualDeviceName")
        if bsu is not None and virtual is not None:
            raise errors.refusal(4076, f"A device is either Bsu or '{virtual}', not both.")
        device = mapping.get("DeviceName")
        if device is None:
            raise errors.refusal(7000, parameters="BlockDeviceMappings.DeviceName", least="1")
        volumes.check_device(device)
        if bsu is not None:
            kept.append({"Bsu": _bsu(call, bsu, is_root=device == root), "DeviceName": device})
    if not any(mapping["DeviceName"] == root for mapping in kept):
        raise errors.refusal(7003, f"The root device {root} needs a snapshot. Map it to one.")
    return {"BlockDeviceMappings": kept, "RootDeviceName": root}


def _bsu(call: Call, bsu: Data, *, is_root: bool) -> Data:
    snapshot_id, size = bsu.get("SnapshotId"), bsu.get("VolumeSize")
    if snapshot_id is None and (is_root or size is None):
        raise errors.refusal(7003, "A device needs a snapshot. Give Bsu.SnapshotId.")
    snapshot = volumes.source(call, snapshot_id) if snapshot_id is not None else None
    volume_type = bsu.get("VolumeType") or "standard"
    volumes.check_type(volume_type)
    size = volumes.sized(size, snapshot, volume_type)
    iops = volumes.iops(volume_type, size, bsu.get("Iops"))
    return prune(
        DeleteOnVmDeletion=bsu.get("DeleteOnVmDeletion", True),
        Iops=iops if volume_type == "io1" else None,
        SnapshotId=snapshot_id,
        VolumeSize=size,
        VolumeType=volume_type,
    )


def _from_file(call: Call, wish: Data) -> Data:
    """Make up the disk of an image from a bucket, since there is no bucket to read."""
    location = wish.get("FileLocation")
    ways = ("BlockDeviceMappings", "FileLocation", "SourceImageId", "VmId")
    parameters.some(**{name: wish.get(name) for name in ways})
    made = call.run("CreateSnapshot", FileLocation=location, SnapshotSize=FILE_GIB * 1024**3)
    bsu = {
        "DeleteOnVmDeletion": True,
        "SnapshotId": made["Snapshot"].id,
        "VolumeSize": FILE_GIB,
        "VolumeType": "standard",
    }
    return {"BlockDeviceMappings": [{"Bsu": bsu, "DeviceName": images.ROOT_DEVICE}]}


@action
def UpdateImage(
    call: Call,
    ImageId: str,
    Description: str | None = None,
    PermissionsToLaunch: Data | None = None,
    ProductCodes: list[str] | None = None,
) -> Data:
    """Change the description or product codes of an image, or who may launch it."""
    changes = {"Description": Description, "ProductCodes": ProductCodes}
    if all(value is None for value in (PermissionsToLaunch, *changes.values())):
        raise errors.refusal(
            7000, parameters="Description, PermissionsToLaunch, ProductCodes", least="1"
        )
    if PermissionsToLaunch is not None:
        sharing.check("PermissionsToLaunch", PermissionsToLaunch)
    image = call.own("Image", ImageId)
    data = call.edit(image)
    data.update(prune(**changes))
    if PermissionsToLaunch is not None:
        permissions = sharing.changed(data["PermissionsToLaunch"], PermissionsToLaunch)
        data["PermissionsToLaunch"] = permissions
    return {"Image": image}


@action
def DeleteImage(call: Call, ImageId: str) -> Data:
    """Delete an image; its snapshots and the VMs made from it stay."""
    image = call.get("Image", ImageId)
    if image.account != call.account:
        raise errors.refusal(5)
    call.delete(image)
    return {}


@action
def ReadImages(call: Call, Filters: Data | None = None, **pages: Any) -> Data:
    """List the images of the account, those shared with it, and the public ones."""
    request = {**pages, "Filters": sharing.resolved(call, Filters)}
    return reads.read(call, KINDS["Image"], "ReadImages", "Images", request)
