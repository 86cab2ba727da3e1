"""Snapshots: where they come from, who may use them, and what holds them."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

FRIEND = "987654321098"
STRANGER = "111111111111"


@pytest.fixture
def cloud():
    return FakeCloud()


@pytest.fixture
def volume(cloud):
    made = cloud.call("CreateVolume", SubregionName="eu-west-2a", Size=10)
    cloud.clock.advance(4)
    return made["Volume"]["VolumeId"]


@pytest.fixture
def snapshot(cloud, volume):
    made = cloud.call("CreateSnapshot", VolumeId=volume, Description="mine")
    cloud.clock.advance(60)
    return made["Snapshot"]["SnapshotId"]


def shown(cloud, snapshot_id, **who):
    found = cloud.call("ReadSnapshots", Filters={"SnapshotIds": [snapshot_id]}, **who)
    return found["Snapshots"][0] if found["Snapshots"] else None


def refused(cloud, code, action, **request):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request)
    assert error.value.code == str(code)


def test_a_snapshot_goes_from_the_queue_to_completion(cloud, volume):
    made = cloud.call("CreateSnapshot", VolumeId=volume)["Snapshot"]
    assert made == {
        "AccountId": cloud.account,
        "CreationDate": "2026-01-01T00:00:04.000Z",
        "Description": "",
        "PermissionsToCreateVolume": {"AccountIds": [], "GlobalPermission": False},
        "Progress": 0,
        "SnapshotId": made["SnapshotId"],
        "State": "in-queue",
        "Tags": [],
        "VolumeId": volume,
        "VolumeSize": 10,
    }
    seen = []
    for _ in range(5):
        now = shown(cloud, made["SnapshotId"])
        seen.append((now["State"], now["Progress"]))
        cloud.clock.advance(2)
    assert seen == [
        ("in-queue", 0), ("pending", 34), ("pending", 68), ("completed", 100), ("completed", 100)
    ]  # fmt: skip


def test_one_long_step_passes_through_every_state(cloud, volume):
    made = cloud.call("CreateSnapshot", VolumeId=volume)["Snapshot"]["SnapshotId"]
    cloud.clock.advance(3600)
    assert shown(cloud, made)["State"] == "completed"


def test_a_volume_that_is_being_created_gives_no_snapshot(cloud):
    made = cloud.call("CreateVolume", SubregionName="eu-west-2a", Size=10)["Volume"]
    with pytest.raises(ApiError) as error:
        cloud.call("CreateSnapshot", VolumeId=made["VolumeId"])
    assert (error.value.code, error.value.status) == ("6007", 409)


def test_a_client_token_makes_one_snapshot(cloud, volume):
    first = cloud.call("CreateSnapshot", VolumeId=volume, ClientToken="one")
    again = cloud.call("CreateSnapshot", VolumeId=volume, ClientToken="one")
    assert again["Snapshot"] == first["Snapshot"]


def test_a_copy_is_complete_and_takes_over_size_and_description(cloud, snapshot):
    copy = cloud.call("CreateSnapshot", SourceSnapshotId=snapshot, SourceRegionName="eu-west-2")
    assert copy["Snapshot"]["SnapshotId"] != snapshot
    kept = ("Description", "VolumeId", "VolumeSize", "State", "Progress")
    source = shown(cloud, snapshot)
    assert {key: copy["Snapshot"][key] for key in kept} == {key: source[key] for key in kept}


def test_an_import_rounds_its_size_up(cloud):
    made = cloud.call("CreateSnapshot", FileLocation="https://oos/x", SnapshotSize=10 * 1024**3 + 1)
    assert made["Snapshot"]["VolumeSize"] == 11


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {}),
        (7000, {"FileLocation": "https://oos/x"}),
        (7000, {"SourceSnapshotId": "snap-12345678"}),
        (3002, {"VolumeId": "vol-12345678", "SourceRegionName": "eu-west-2"}),
        (3002, {"VolumeId": "vol-12345678", "SourceSnapshotId": "snap-12345678"}),
        (3002, {"VolumeId": "vol-12345678", "SnapshotSize": 10}),
        (3002, {"VolumeId": "vol-12345678", "FileLocation": "x"}),
        (3002, {"FileLocation": "x", "SourceRegionName": "eu-west-2"}),
        (3002, {"SnapshotSize": 10, "SourceSnapshotId": "snap-123456789"}),
        (4104, {"VolumeId": "tata"}),
        (5064, {"VolumeId": "vol-12345678"}),
        (4104, {"SourceSnapshotId": "tata", "SourceRegionName": "eu-west-2"}),
        (5054, {"SourceSnapshotId": "snap-12345678", "SourceRegionName": "eu-west-2"}),
        (8019, {"SourceSnapshotId": "snap-12345678", "SourceRegionName": "alpha"}),
        (4047, {"FileLocation": "x", "SnapshotSize": 0}),
    ],
)
def test_an_impossible_snapshot_is_refused(cloud, code, request_):
    refused(cloud, code, "CreateSnapshot", **request_)


def test_sharing_lets_another_account_use_a_snapshot(cloud, snapshot):
    assert shown(cloud, snapshot, account=FRIEND) is None
    answer = cloud.call(
        "UpdateSnapshot",
        SnapshotId=snapshot,
        PermissionsToCreateVolume={"Additions": {"AccountIds": [FRIEND, FRIEND]}},
    )
    permissions = {"AccountIds": [FRIEND], "GlobalPermission": False}
    assert answer["Snapshot"]["PermissionsToCreateVolume"] == permissions
    assert shown(cloud, snapshot, account=FRIEND)["AccountId"] == cloud.account
    assert shown(cloud, snapshot, account=STRANGER) is None
    made = cloud.call(
        "CreateVolume", account=FRIEND, SubregionName="eu-west-2a", SnapshotId=snapshot
    )
    assert made["Volume"]["Size"] == 10
    found = cloud.call(
        "ReadSnapshots",
        account=FRIEND,
        Filters={"PermissionsToCreateVolumeAccountIds": [FRIEND]},
    )
    assert [each["SnapshotId"] for each in found["Snapshots"]] == [snapshot]
    # To use is not to own.
    refused(cloud, 5054, "DeleteSnapshot", account=FRIEND, SnapshotId=snapshot)
    refused(
        cloud,
        5054,
        "UpdateSnapshot",
        account=FRIEND,
        SnapshotId=snapshot,
        PermissionsToCreateVolume={"Additions": {"GlobalPermission": True}},
    )
    cloud.call(
        "UpdateSnapshot",
        SnapshotId=snapshot,
        PermissionsToCreateVolume={"Removals": {"AccountIds": [FRIEND, STRANGER]}},
    )
    assert shown(cloud, snapshot, account=FRIEND) is None


def test_a_public_snapshot_is_seen_by_all_until_it_is_private_again(cloud, snapshot):
    for change, visible in (("Additions", True), ("Removals", False)):
        cloud.call(
            "UpdateSnapshot",
            SnapshotId=snapshot,
            PermissionsToCreateVolume={change: {"GlobalPermission": True}},
        )
        assert (shown(cloud, snapshot, account=STRANGER) is not None) is visible


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (7000, {}),
        (7000, {"Additions": {}}),
        (3002, {"Additions": {"AccountIds": [FRIEND]}, "Removals": {"AccountIds": [FRIEND]}}),
        (4105, {"Additions": {"AccountIds": ["tata"]}}),
        (4110, {"Additions": {"GlobalPermission": "tata"}}),
        (3001, {"Addition": {"AccountIds": [FRIEND]}}),
    ],
)
def test_an_impossible_permission_is_refused_before_the_id_is_looked_at(cloud, code, change):
    refused(cloud, code, "UpdateSnapshot", SnapshotId="tata", PermissionsToCreateVolume=change)


def test_an_image_holds_its_snapshot(cloud, snapshot):
    mappings = [{"DeviceName": "/dev/sda1", "Bsu": {"SnapshotId": snapshot}}]
    image = cloud.call(
        "CreateImage", ImageName="held", BlockDeviceMappings=mappings, RootDeviceName="/dev/sda1"
    )
    refused(cloud, 9002, "DeleteSnapshot", SnapshotId=snapshot)
    cloud.call("DeleteImage", ImageId=image["Image"]["ImageId"])
    cloud.call("DeleteSnapshot", SnapshotId=snapshot)
    assert shown(cloud, snapshot)["State"] == "deleting"
    refused(cloud, 5054, "DeleteSnapshot", SnapshotId=snapshot)
    cloud.clock.advance(2)
    assert shown(cloud, snapshot) is None


def test_volumes_do_not_hold_their_snapshot(cloud, snapshot):
    cloud.call("CreateVolume", SubregionName="eu-west-2a", SnapshotId=snapshot)
    cloud.call("DeleteSnapshot", SnapshotId=snapshot)


def test_every_filter_of_snapshots_keeps_what_it_should(cloud, volume, snapshot):
    cloud.call("CreateTags", ResourceIds=[snapshot], Tags=[{"Key": "env", "Value": "test"}])
    cloud.clock.advance(1000)
    late = cloud.call(
        "CreateSnapshot", FileLocation="x", SnapshotSize=1, ClientToken="late", Description="late"
    )["Snapshot"]["SnapshotId"]
    first, both, last = [snapshot], [snapshot, late], [late]
    for name, value, expected in (
        ("SnapshotIds", [snapshot], first),
        ("Descriptions", ["mi*"], first),
        ("Progresses", [100], first),
        ("States", ["completed"], first),
        ("States", ["pending/queued"], []),
        ("Tags", ["env=test"], first),
        ("TagKeys", ["env"], first),
        ("TagValues", ["test"], first),
        ("VolumeIds", [volume], first),
        ("VolumeSizes", [10], first),
        ("ToCreationDate", "2026-01-01T00:10:00.000Z", first),
        ("FromCreationDate", "2026-01-01T00:10:00.000Z", last),
        ("ClientTokens", ["late"], last),
        ("AccountIds", [cloud.account], both),
        ("AccountAliases", ["self"], both),
        ("AccountAliases", ["Outscale"], []),
        ("PermissionsToCreateVolumeGlobalPermission", False, both),
        ("PermissionsToCreateVolumeAccountIds", [cloud.account], []),
    ):
        found = cloud.call("ReadSnapshots", Filters={name: value})["Snapshots"]
        assert [each["SnapshotId"] for each in found] == expected, name


# Exports.

EXPORT = {"DiskImageFormat": "qcow2", "OsuBucket": "bucket", "OsuPrefix": "/foo%bar&"}


def test_an_export_of_a_snapshot_runs_to_its_end(cloud, snapshot):
    secret = {"OsuApiKey": {"ApiKeyId": "A", "SecretKey": "B"}}
    task = cloud.call(
        "CreateSnapshotExportTask", SnapshotId=snapshot, OsuExport={**EXPORT, **secret}
    )["SnapshotExportTask"]
    assert task["OsuExport"] == EXPORT
    assert (task["State"], task["Progress"]) == ("pending", 0)
    cloud.clock.advance(600)
    found = cloud.call("ReadSnapshotExportTasks", Filters={"TaskIds": [task["TaskId"]]})
    (after,) = found["SnapshotExportTasks"]
    assert (after["State"], after["Progress"]) == ("completed", 100)
    refused(cloud, 6003, "DeleteExportTask", ExportTaskId=task["TaskId"])


def test_a_waiting_export_is_cancelled(cloud, snapshot):
    task = cloud.call("CreateSnapshotExportTask", SnapshotId=snapshot, OsuExport=EXPORT)
    task_id = task["SnapshotExportTask"]["TaskId"]
    cloud.call("DeleteExportTask", ExportTaskId=task_id)
    cloud.clock.advance(600)
    found = cloud.call("ReadSnapshotExportTasks", Filters={"SnapshotIds": [snapshot]})
    assert found["SnapshotExportTasks"][0]["State"] == "cancelled"


@pytest.mark.parametrize("wrong", ["abcd", "snap-export-123456", "snap-export-99999999"])
def test_an_unknown_task_in_a_filter_finds_nothing(cloud, wrong):
    found = cloud.call("ReadSnapshotExportTasks", Filters={"TaskIds": [wrong]})
    assert found["SnapshotExportTasks"] == []


def test_an_impossible_export_is_refused(cloud, volume):
    young = cloud.call("CreateSnapshot", VolumeId=volume)["Snapshot"]["SnapshotId"]
    refused(cloud, 6003, "CreateSnapshotExportTask", SnapshotId=young, OsuExport=EXPORT)
    strange = {**EXPORT, "DiskImageFormat": "tata"}
    refused(cloud, 4047, "CreateSnapshotExportTask", SnapshotId=young, OsuExport=strange)
    refused(cloud, 7000, "CreateSnapshotExportTask", SnapshotId=young, OsuExport={})
    refused(cloud, 5058, "DeleteExportTask", ExportTaskId="snap-export-99999999")
    refused(cloud, 5058, "DeleteExportTask", ExportTaskId="image-export-99999999")
    refused(cloud, 4104, "DeleteExportTask", ExportTaskId="tata")
