"""Images: the public ones, the four ways to make one, and who may use them."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

FRIEND = "987654321098"
STRANGER = "111111111111"
ROOT = "/dev/sda1"


@pytest.fixture
def cloud():
    return FakeCloud()


@pytest.fixture
def snapshot(cloud):
    made = cloud.call("CreateSnapshot", FileLocation="x", SnapshotSize=10 * 1024**3)
    cloud.clock.advance(60)
    return made["Snapshot"]["SnapshotId"]


@pytest.fixture
def image(cloud, snapshot):
    return registered(cloud, snapshot)["ImageId"]


@pytest.fixture
def public(cloud):
    return found(cloud, ImageNames=["Ubuntu-24.04*"])[0]["ImageId"]


def registered(cloud, snapshot, name="mine", **bsu):
    mapping = {"DeviceName": ROOT, "Bsu": {"SnapshotId": snapshot, **bsu}}
    return cloud.call(
        "CreateImage", ImageName=name, BlockDeviceMappings=[mapping], RootDeviceName=ROOT
    )["Image"]


def found(cloud, account="", **filters):
    return cloud.call("ReadImages", account=account, Filters=filters)["Images"]


def refused(cloud, code, action, **request):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request)
    assert error.value.code == str(code)
    return error.value


# The public images.


def test_the_public_images_are_there_for_everybody(cloud):
    images = found(cloud, AccountAliases=["Outscale"])
    assert images == found(cloud, account=STRANGER)
    names = {image["ImageName"] for image in images}
    assert "ubuntu-2204-kubernetes-v1.33.6-2025-11-17" in names
    starts = ("AlmaLinux-9-", "CentOS-Stream-9-", "Debian-12-", "RockyLinux-9-", "Ubuntu-24.04-",
              "Windows-Server-2022-")  # fmt: skip
    for start in starts:
        assert any(name.startswith(start) for name in names), start
    for image in images:
        assert image["PermissionsToLaunch"] == {"AccountIds": [], "GlobalPermission": True}
        assert image["State"] == "available"
        assert image["CreationDate"] < "2026"


def test_the_kubernetes_images_belong_to_the_account_that_clients_look_for(cloud):
    (image,) = found(
        cloud,
        ImageNames=["ubuntu-2204-kubernetes-v1.33.6-2025-11-17"],
        AccountIds=["671899555720"],
    )
    assert image["BlockDeviceMappings"][0]["DeviceName"] == ROOT


def test_public_images_keep_their_ids(public):
    assert found(FakeCloud(seed=7), ImageNames=["Ubuntu-24.04*"])[0]["ImageId"] == public
    other = FakeCloud().call("ReadImages", region="us-east-2")["Images"]
    assert public not in {image["ImageId"] for image in other}


def test_a_public_image_is_launched_though_its_snapshot_is_hidden(cloud, public):
    made = cloud.call("CreateVms", ImageId=public)["Vms"][0]
    (mapping,) = made["BlockDeviceMappings"]
    filters = {"VolumeIds": [mapping["Bsu"]["VolumeId"]]}
    (volume,) = cloud.call("ReadVolumes", Filters=filters)["Volumes"]
    assert volume["Size"] == 10
    assert cloud.call("ReadSnapshots")["Snapshots"] == []


# The four ways.


def test_an_image_from_a_vm_has_a_snapshot_of_each_volume(cloud, public):
    vm = cloud.call("CreateVms", ImageId=public)["Vms"][0]["VmId"]
    refused(cloud, 6003, "CreateImage", VmId=vm, ImageName="early")
    cloud.clock.advance(60)
    data = cloud.call(
        "CreateVolume", SubregionName="eu-west-2a", Size=20, VolumeType="io1", Iops=200
    )["Volume"]["VolumeId"]
    cloud.clock.advance(60)
    cloud.call("LinkVolume", VmId=vm, VolumeId=data, DeviceName="/dev/xvdb")
    made = cloud.call("CreateImage", VmId=vm, ImageName="from-vm", NoReboot=True)["Image"]
    assert made["State"] == "pending"
    root, extra = made["BlockDeviceMappings"]
    assert root["DeviceName"] == ROOT
    assert root["Bsu"]["VolumeSize"] == 10
    assert root["Bsu"]["VolumeType"] == "standard"
    assert extra["Bsu"] == {
        "DeleteOnVmDeletion": False,
        "Iops": 200,
        "SnapshotId": extra["Bsu"]["SnapshotId"],
        "VolumeSize": 20,
        "VolumeType": "io1",
    }
    cloud.clock.advance(60)
    assert found(cloud, ImageIds=[made["ImageId"]])[0]["State"] == "available"
    snapshots = cloud.call("ReadSnapshots", Filters={"VolumeIds": [data]})["Snapshots"]
    assert [each["SnapshotId"] for each in snapshots] == [extra["Bsu"]["SnapshotId"]]
    # And it can be launched again.
    cloud.call("CreateVms", ImageId=made["ImageId"])


def test_an_image_from_a_snapshot_is_available_at_once(cloud, snapshot):
    image = registered(cloud, snapshot, VolumeType="io1", Iops=150, VolumeSize=120)
    assert image == {
        "AccountId": cloud.account,
        "Architecture": "x86_64",
        "BlockDeviceMappings": [
            {
                "Bsu": {
                    "DeleteOnVmDeletion": True,
                    "Iops": 150,
                    "SnapshotId": snapshot,
                    "VolumeSize": 120,
                    "VolumeType": "io1",
                },
                "DeviceName": ROOT,
            }
        ],
        "BootModes": ["legacy"],
        "CreationDate": image["CreationDate"],
        "Description": "",
        "FileLocation": f"{cloud.account}/mine",
        "ImageId": image["ImageId"],
        "ImageName": "mine",
        "ImageType": "machine",
        "PermissionsToLaunch": {"AccountIds": [], "GlobalPermission": False},
        "ProductCodes": ["0001"],
        "RootDeviceName": ROOT,
        "RootDeviceType": "bsu",
        "SecureBoot": False,
        "State": "available",
        "StateComment": {},
        "Tags": [],
        "TpmMandatory": False,
    }


def test_a_virtual_device_is_left_out(cloud, snapshot):
    mappings = [
        {"DeviceName": ROOT, "Bsu": {"SnapshotId": snapshot}},
        {"DeviceName": "/dev/sdb", "VirtualDeviceName": "ephemeral1"},
    ]
    image = cloud.call(
        "CreateImage", ImageName="mine", BlockDeviceMappings=mappings, RootDeviceName=ROOT
    )["Image"]
    assert len(image["BlockDeviceMappings"]) == 1


def test_a_copy_belongs_to_who_made_it_and_stays_public(cloud, public):
    copy = cloud.call("CreateImage", SourceImageId=public, SourceRegionName="eu-west-2")["Image"]
    assert copy["ImageId"] != public
    assert copy["AccountId"] == cloud.account
    assert "AccountAlias" not in copy
    assert copy["ImageName"].endswith("-copy")
    assert copy["PermissionsToLaunch"]["GlobalPermission"] is True
    error = refused(cloud, 5, "DeleteImage", account=FRIEND, ImageId=copy["ImageId"])
    assert (error.status, error.type) == (401, "AccessDenied")
    cloud.call("DeleteImage", ImageId=copy["ImageId"])


def test_an_image_from_a_bucket_is_pending_first(cloud):
    image = cloud.call("CreateImage", ImageName="from-file", FileLocation="https://oos/x")["Image"]
    assert image["State"] == "pending"
    cloud.clock.advance(10)
    assert found(cloud, ImageIds=[image["ImageId"]])[0]["State"] == "available"


VM, SOURCE = {"VmId": "i-12345678"}, {"SourceImageId": "ami-12345678"}
MAPPING = [{"DeviceName": ROOT, "Bsu": {"SnapshotId": "snap-12345678"}}]


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {}),
        (7000, {"ImageName": "x-y"}),
        (3002, VM),
        (3002, {**VM, "ImageName": "x-y", "SourceImageId": "ami-12345678"}),
        (3002, {**VM, "ImageName": "x-y", "SourceRegionName": "eu-west-2"}),
        (3002, {**VM, "ImageName": "x-y", "BlockDeviceMappings": MAPPING}),
        (3002, {**VM, "ImageName": "x-y", "Architecture": "x86_64"}),
        (3002, {**VM, "ImageName": "x-y", "RootDeviceName": ROOT}),
        (3002, {**VM, "ImageName": "x-y", "FileLocation": "x"}),
        (3002, {**SOURCE, "RootDeviceName": ROOT}),
        (3002, {"FileLocation": "x", "NoReboot": True}),
        (3002, {"FileLocation": "x", "Architecture": "i386"}),
        (3002, {"FileLocation": "x", "RootDeviceName": ROOT}),
        (4026, {"ImageName": "x", "FileLocation": "x"}),
        (4026, {"ImageName": "x&y", "FileLocation": "x"}),
        (7000, {"FileLocation": "x"}),
        (4104, {"VmId": "tata", "ImageName": "x-y"}),
        (5063, {**VM, "ImageName": "x-y"}),
        (7000, SOURCE),
        (4104, {"SourceImageId": "tata", "SourceRegionName": "eu-west-2"}),
        (5023, {**SOURCE, "SourceRegionName": "eu-west-2"}),
        (8019, {**SOURCE, "SourceRegionName": "alpha"}),
        (7000, {"ImageName": "x-y", "BlockDeviceMappings": MAPPING}),
        (5054, {"ImageName": "x-y", "BlockDeviceMappings": MAPPING, "RootDeviceName": ROOT}),
    ],
)
def test_an_impossible_image_is_refused(cloud, code, request_):
    assert refused(cloud, code, "CreateImage", **request_).status == 400


@pytest.mark.parametrize(
    ("code", "mapping"),
    [
        (4045, {"Bsu": {"Iops": 100}}),
        (4047, {"Bsu": {"VolumeType": "foo"}}),
        (4125, {"Bsu": {"VolumeSize": 9}}),
        (4076, {"Bsu": {}, "VirtualDeviceName": "ephemeral1"}),
        (7003, {"Bsu": {"SnapshotId": None, "VolumeSize": 10}}),
        (7003, {"VirtualDeviceName": "ephemeral1"}),
        (4019, {"Bsu": {}, "DeviceName": "foo"}),
        (7000, {"Bsu": {}, "DeviceName": None}),
    ],
)
def test_an_impossible_device_is_refused(cloud, snapshot, code, mapping):
    item = {"DeviceName": ROOT, **mapping}
    if "Bsu" in item:
        item["Bsu"] = {"SnapshotId": snapshot, **item["Bsu"]}
        item["Bsu"] = {key: value for key, value in item["Bsu"].items() if value is not None}
    item = {key: value for key, value in item.items() if value is not None}
    refused(
        cloud,
        code,
        "CreateImage",
        ImageName="mine",
        BlockDeviceMappings=[item],
        RootDeviceName=ROOT,
    )


# Sharing.


def test_sharing_lets_another_account_launch_an_image(cloud, image):
    assert found(cloud, account=FRIEND, ImageIds=[image]) == []
    additions = {"Additions": {"AccountIds": [FRIEND]}}
    answer = cloud.call(
        "UpdateImage", ImageId=image, PermissionsToLaunch=additions, Description="shared"
    )
    assert answer["Image"]["PermissionsToLaunch"]["AccountIds"] == [FRIEND]
    assert answer["Image"]["Description"] == "shared"
    assert found(cloud, account=STRANGER, ImageIds=[image]) == []
    (shared,) = found(cloud, account=FRIEND, PermissionsToLaunchAccountIds=[FRIEND])
    assert shared["ImageId"] == image
    assert found(cloud, PermissionsToLaunchAccountIds=[cloud.account]) == []
    assert found(cloud, account=FRIEND, AccountAliases=["self"]) == []
    cloud.call("CreateVms", account=FRIEND, ImageId=image)
    refused(cloud, 5023, "UpdateImage", account=FRIEND, ImageId=image, Description="theirs")
    refused(cloud, 5, "DeleteImage", account=FRIEND, ImageId=image)
    removals = {"Removals": {"AccountIds": [FRIEND]}}
    cloud.call("UpdateImage", ImageId=image, PermissionsToLaunch=removals)
    refused(cloud, 5023, "DeleteImage", account=FRIEND, ImageId=image)


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {"ImageId": "tata"}),
        (7000, {"ImageId": "tata", "PermissionsToLaunch": {}}),
        (4105, {"ImageId": "tata", "PermissionsToLaunch": {"Removals": {"AccountIds": ["tata"]}}}),
        (
            3002,
            {
                "ImageId": "tata",
                "PermissionsToLaunch": {
                    "Additions": {"AccountIds": [FRIEND]},
                    "Removals": {"AccountIds": [FRIEND]},
                },
            },
        ),
        (4104, {"ImageId": "tata", "Description": "x"}),
        (5023, {"ImageId": "ami-12345678", "Description": "x"}),
    ],
)
def test_an_impossible_update_is_refused(cloud, code, request_):
    refused(cloud, code, "UpdateImage", **request_)


# Reading.


def test_every_filter_of_images_keeps_what_it_should(cloud, snapshot):
    kept = registered(cloud, snapshot, name="kept", VolumeSize=33, VolumeType="gp2")["ImageId"]
    cloud.call("UpdateImage", ImageId=kept, Description="about", ProductCodes=["0001", "0002"])
    cloud.call("CreateTags", ResourceIds=[kept], Tags=[{"Key": "env", "Value": "test"}])
    own = {"AccountAliases": ["self"]}
    registered(cloud, snapshot, name="kept2")
    for name, value in {
        "BlockDeviceMappingVolumeSizes": [33],
        "BlockDeviceMappingVolumeTypes": ["gp2"],
        "Descriptions": ["about"],
        "FileLocations": ["*/kept"],
        "ImageIds": [kept],
        "ImageNames": ["kept"],
        "ProductCodes": ["0002"],
        "ProductCodeNames": ["Windows"],
        "TagKeys": ["env"],
        "TagValues": ["test"],
        "Tags": ["env=test"],
    }.items():
        assert [each["ImageId"] for each in found(cloud, **own, **{name: value})] == [kept], name
    for name, value in {
        "AccountIds": [cloud.account],
        "Architectures": ["x86_64"],
        "BlockDeviceMappingDeleteOnVmDeletion": True,
        "BlockDeviceMappingDeviceNames": [ROOT],
        "BlockDeviceMappingSnapshotIds": [snapshot],
        "BootModes": ["legacy"],
        "Hypervisors": ["xen"],
        "PermissionsToLaunchGlobalPermission": False,
        "RootDeviceNames": [ROOT],
        "RootDeviceTypes": ["bsu"],
        "SecureBoot": False,
        "States": ["available"],
        "TpmMandatory": False,
        "VirtualizationTypes": ["hvm"],
    }.items():
        assert len(found(cloud, **own, **{name: value})) == 2, name
        if isinstance(value, list) and name != "BootModes":
            assert found(cloud, **own, **{name: ["other"]}) == [], name


def test_a_deleted_image_is_gone_and_its_snapshot_stays(cloud, image, snapshot):
    cloud.call("DeleteImage", ImageId=image)
    refused(cloud, 5023, "DeleteImage", ImageId=image)
    assert found(cloud, ImageIds=[image]) == []
    assert cloud.call("ReadSnapshots", Filters={"SnapshotIds": [snapshot]})["Snapshots"]


# Exports.

EXPORT = {"DiskImageFormat": "qcow2", "OsuBucket": "bucket", "OsuPrefix": "prefix"}


def test_an_export_of_an_image_runs_to_its_end(cloud, image):
    task = cloud.call("CreateImageExportTask", ImageId=image, OsuExport=EXPORT)["ImageExportTask"]
    assert task["State"] == "pending/queued"
    assert task["OsuExport"]["OsuPrefix"] == f"prefix/{image}/"
    cloud.clock.advance(600)
    (after,) = cloud.call("ReadImageExportTasks", Filters={"ImageIds": [image]})["ImageExportTasks"]
    assert (after["State"], after["Progress"]) == ("completed", 100)
    assert cloud.call("ReadImageExportTasks", account=FRIEND)["ImageExportTasks"] == []
    none = cloud.call("ReadImageExportTasks", Filters={"TaskIds": ["abcd"]})
    assert none["ImageExportTasks"] == []


def test_only_an_own_image_is_exported(cloud, public):
    refused(cloud, 8017, "CreateImageExportTask", ImageId=public, OsuExport=EXPORT)
    for missing in ("DiskImageFormat", "OsuBucket"):
        export = {key: value for key, value in EXPORT.items() if key != missing}
        refused(cloud, 7000, "CreateImageExportTask", ImageId=public, OsuExport=export)
