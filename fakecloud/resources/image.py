"""Images (OMIs): CreateImage, UpdateImage, DeleteImage and ReadImages; the public images.

https://docs.outscale.com/en/userguide/About-OMIs.html
"""

from __future__ import annotations

import re
from typing import Any

from fakecloud import errors, reads
from fakecloud.call import Call, action, prune, seed
from fakecloud.rules import images, sharing, volumes
from fakecloud.store import KINDS, Data, Row, Then, clone, kind

_NAME = re.compile(r"[A-Za-z0-9_ ()/.-]{3,128}")
FILE_GIB = 10
"""The size of an image from a bucket: there is no bucket, so its manifest cannot be read."""


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
def CreateImage(
    call: Call,
    Architecture: str | None = None,
    BlockDeviceMappings: list[Data] | None = None,
    BootModes: list[str] | None = None,
    Description: str | None = None,
    FileLocation: str | None = None,
    ImageName: str | None = None,
    NoReboot: bool | None = None,
    ProductCodes: list[str] | None = None,
    RootDeviceName: str | None = None,
    SourceImageId: str | None = None,
    SourceRegionName: str | None = None,
    TpmMandatory: bool | None = None,
    VmId: str | None = None,
) -> Data:
    """Create an image from a VM, as a copy of another, from snapshots, or from a bucket.

    A running VM goes on running: its reboot (``NoReboot``) is not simulated.
    """
    registered = {
        "Architecture": Architecture,
        "BlockDeviceMappings": BlockDeviceMappings,
        "RootDeviceName": RootDeviceName,
    }
    copied = {"SourceImageId": SourceImageId, "SourceRegionName": SourceRegionName}
    if VmId is not None:
        sharing.exclusive("VmId", FileLocation=FileLocation, **copied, **registered)
        if ImageName is None:
            raise errors.refusal(3002, "An image from a VM needs a name. Give ImageName.")
    elif SourceImageId is not None or SourceRegionName is not None:
        sharing.exclusive("SourceImageId", FileLocation=FileLocation, **registered)
    elif FileLocation is not None:
        sharing.exclusive("FileLocation", NoReboot=NoReboot, **registered)
    if ImageName is not None and not _NAME.fullmatch(ImageName):
        raise errors.refusal(
            4026,
            f"The image name '{ImageName}' is invalid: it has 3 to 128 letters, digits, spaces "
            "and _ ( ) / . -",
        )
    if VmId is not None:
        source, state = _from_vm(call, VmId), "pending"
    elif SourceImageId is not None or SourceRegionName is not None:
        source, state = _from_image(call, SourceImageId, SourceRegionName), "available"
    elif BlockDeviceMappings is not None:
        source, state = _from_snapshots(call, BlockDeviceMappings, RootDeviceName), "available"
    else:
        source, state = _from_file(call, FileLocation), "pending"
    name = ImageName or source.get("ImageName")
    if name is None:
        raise errors.refusal(7000, parameters="ImageName", least="1")
    given = prune(
        Architecture=Architecture,
        BootModes=BootModes,
        Description=Description,
        ProductCodes=ProductCodes,
        TpmMandatory=TpmMandatory,
    )
    data = {**_common(call), **source, **given, "ImageName": name}
    data["FileLocation"] = f"{call.account}/{name}"
    return {"Image": call.create("Image", data, state=state)}


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


def _from_image(call: Call, image_id: str | None, region: str | None) -> Data:
    """Take over what an image is made of; the copy keeps its permission for everybody."""
    if image_id is None or region is None:
        raise errors.refusal(7000, parameters="SourceImageId, SourceRegionName", least="2")
    sharing.here(call, region)
    source = call.get("Image", image_id)
    if source.state != "available":
        raise errors.refusal(
            6001, f"The image {image_id} is {source.state}. Wait until it is available."
        )
    kept = ("Architecture", "BlockDeviceMappings", "BootModes", "Description", "ProductCodes",
            "RootDeviceName", "SecureBoot", "TpmMandatory")  # fmt: skip
    copy: Data = clone({name: source[name] for name in kept})
    copy["ImageName"] = f"{source['ImageName'][:123]}-copy"
    everybody = source["PermissionsToLaunch"]["GlobalPermission"]
    copy["PermissionsToLaunch"] = {"AccountIds": [], "GlobalPermission": everybody}
    return copy


def _from_snapshots(call: Call, mappings: list[Data], root: str | None) -> Data:
    """Check the devices of a new image; a virtual device is accepted and left out."""
    if root is None:
        raise errors.refusal(7000, parameters="RootDeviceName", least="1")
    kept = []
    for mapping in mappings:
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


def _from_file(call: Call, location: str | None) -> Data:
    """Make up the disk of an image from a bucket, since there is no bucket to read."""
    if location is None:
        raise errors.refusal(
            7000,
            parameters="BlockDeviceMappings, FileLocation, SourceImageId, VmId",
            least="1",
        )
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
    if Description is None and PermissionsToLaunch is None and ProductCodes is None:
        raise errors.refusal(
            7000, parameters="Description, PermissionsToLaunch, ProductCodes", least="1"
        )
    if PermissionsToLaunch is not None:
        sharing.check("PermissionsToLaunch", PermissionsToLaunch)
    image = call.own("Image", ImageId)
    data = call.edit(image)
    data.update(prune(Description=Description, ProductCodes=ProductCodes))
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
