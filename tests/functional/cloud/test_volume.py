"""Volumes: what they may be, what happens to them over time, and what VMs do to them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

ZONE = "eu-west-2a"
UNKNOWN_VM = "i-99999999"


@pytest.fixture
def cloud():
    return FakeCloud()


def volume_of(cloud, **request):
    made = cloud.call("CreateVolume", SubregionName=ZONE, **request)["Volume"]
    cloud.clock.advance(4)
    return shown(cloud, made["VolumeId"])


def shown(cloud, volume_id):
    found = cloud.call("ReadVolumes", Filters={"VolumeIds": [volume_id]})["Volumes"]
    return found[0] if found else None


def vm_of(cloud, **request):
    image = cloud.call("ReadImages", Filters={"ImageNames": ["Ubuntu-24.04*"]})["Images"][0]
    made = cloud.call("CreateVms", ImageId=image["ImageId"], **request)["Vms"][0]
    cloud.clock.advance(120)
    return made["VmId"]


def refused(cloud, code, action, **request):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request)
    assert error.value.code == str(code)
    return error.value


def test_a_volume_is_available_after_some_seconds(cloud):
    made = cloud.call("CreateVolume", SubregionName=ZONE, Size=10, VolumeType="io1", Iops=100)
    volume = made["Volume"]
    assert set(volume) == {
        "CreationDate", "Iops", "LinkedVolumes", "Size", "State", "SubregionName", "Tags",
        "VolumeId", "VolumeType",
    }  # fmt: skip
    assert volume["State"] == "creating"
    cloud.clock.advance(4)
    assert shown(cloud, volume["VolumeId"])["State"] == "available"


@pytest.mark.parametrize(
    ("request_", "kind", "iops"),
    [
        ({"Size": 10}, "standard", None),
        ({"Size": 10, "VolumeType": ""}, "standard", None),
        ({"Size": 10, "VolumeType": "gp2"}, "gp2", 100),
        ({"Size": 1000, "VolumeType": "gp2"}, "gp2", 3000),
        ({"Size": 14901, "VolumeType": "gp2"}, "gp2", 10000),
        ({"Size": 4, "VolumeType": "io1", "Iops": 1200}, "io1", 1200),
    ],
)
def test_the_type_decides_about_iops(cloud, request_, kind, iops):
    volume = volume_of(cloud, **request_)
    assert (volume["VolumeType"], volume.get("Iops")) == (kind, iops)


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {"SubregionName": ZONE}),
        (7000, {"Size": 10}),
        (5009, {"SubregionName": "alpha", "Size": 10}),
        (4047, {"SubregionName": ZONE, "Size": 10, "VolumeType": "mytype"}),
        (4078, {"SubregionName": ZONE, "Size": -1}),
        (4078, {"SubregionName": ZONE, "Size": 0}),
        (4078, {"SubregionName": ZONE, "Size": 14902, "VolumeType": "gp2"}),
        (4078, {"SubregionName": ZONE, "Size": 2, "VolumeType": "io1", "Iops": 100}),
        (7000, {"SubregionName": ZONE, "Size": 4, "VolumeType": "io1"}),
        (4202, {"SubregionName": ZONE, "Size": 4, "VolumeType": "io1", "Iops": 1300}),
        (4029, {"SubregionName": ZONE, "Size": 100, "VolumeType": "io1", "Iops": 20000}),
        (4029, {"SubregionName": ZONE, "Size": 4, "VolumeType": "io1", "Iops": 99}),
        (4029, {"SubregionName": ZONE, "Size": 4, "VolumeType": "io1", "Iops": -1}),
        (4045, {"SubregionName": ZONE, "Size": 10, "Iops": 100}),
        (4104, {"SubregionName": ZONE, "SnapshotId": "vol-12345678"}),
        (4105, {"SubregionName": ZONE, "SnapshotId": "snap-1234567"}),
        (5054, {"SubregionName": ZONE, "SnapshotId": "snap-12345678"}),
        (4106, {"SubregionName": ZONE, "Size": 10, "ClientToken": "x" * 65}),
    ],
)
def test_an_impossible_volume_is_refused(cloud, code, request_):
    assert refused(cloud, code, "CreateVolume", **request_).status == 400
    assert cloud.call("ReadVolumes")["Volumes"] == []


def test_the_refusal_of_too_many_iops_has_no_details(cloud):
    error = refused(
        cloud, 4029, "CreateVolume", SubregionName=ZONE, Size=100, VolumeType="io1", Iops=20000
    )
    assert error.details == ""


def test_a_client_token_makes_one_volume(cloud):
    first = cloud.call("CreateVolume", SubregionName=ZONE, Size=10, ClientToken="one")
    again = cloud.call("CreateVolume", SubregionName=ZONE, Size=10, ClientToken="one")
    assert again["Volume"] == first["Volume"]
    found = cloud.call("ReadVolumes", Filters={"ClientTokens": ["one"]})["Volumes"]
    assert found == [first["Volume"]]


def test_a_volume_from_a_snapshot_has_at_least_its_size(cloud):
    volume = volume_of(cloud, Size=10, VolumeType="gp2")
    snapshot = cloud.call("CreateSnapshot", VolumeId=volume["VolumeId"])["Snapshot"]["SnapshotId"]
    copy = volume_of(cloud, SnapshotId=snapshot)
    assert (copy["Size"], copy["VolumeType"], copy["SnapshotId"]) == (10, "standard", snapshot)
    refused(cloud, 4125, "CreateVolume", SubregionName=ZONE, SnapshotId=snapshot, Size=9)


def test_the_snapshot_of_a_public_image_makes_no_volume_by_itself(cloud):
    image = cloud.call("ReadImages")["Images"][0]
    snapshot = image["BlockDeviceMappings"][0]["Bsu"]["SnapshotId"]
    refused(cloud, 5054, "CreateVolume", SubregionName=ZONE, SnapshotId=snapshot)


def test_a_deleted_volume_is_seen_going_and_then_gone(cloud):
    volume = volume_of(cloud, Size=1)["VolumeId"]
    cloud.call("DeleteVolume", VolumeId=volume)
    assert shown(cloud, volume)["State"] == "deleting"
    refused(cloud, 5064, "DeleteVolume", VolumeId=volume)
    cloud.clock.advance(2)
    assert shown(cloud, volume) is None


@pytest.mark.parametrize(
    ("code", "volume_id"), [(4104, "tata"), (4105, "vol-123456"), (5064, "vol-12345678")]
)
@pytest.mark.parametrize("action", ["DeleteVolume", "UnlinkVolume", "UpdateVolume"])
def test_a_volume_that_is_not_there_is_refused(cloud, action, code, volume_id):
    extra = {"Size": 20} if action == "UpdateVolume" else {}
    refused(cloud, code, action, VolumeId=volume_id, **extra)


def test_another_account_does_not_see_a_volume(cloud):
    volume = volume_of(cloud, Size=1)["VolumeId"]
    other = cloud.client(account="987654321098")
    assert other.ReadVolumes(Filters={"VolumeIds": [volume]})["Volumes"] == []
    with pytest.raises(ApiError, match="5064"):
        other.DeleteVolume(VolumeId=volume)


@pytest.mark.parametrize("wrong", ["tata", "vol-123456", "vol-99999999"])
def test_a_malformed_id_in_a_filter_of_volumes_finds_nothing(cloud, wrong):
    volume_of(cloud, Size=1)
    for name in ("VolumeIds", "SnapshotIds"):
        assert cloud.call("ReadVolumes", Filters={name: [wrong]})["Volumes"] == []


def test_every_filter_of_volumes_keeps_what_it_should(cloud):
    vm = vm_of(cloud)
    kept = volume_of(cloud, Size=7, VolumeType="gp2")["VolumeId"]
    cloud.call("LinkVolume", VolumeId=kept, VmId=vm, DeviceName="/dev/xvdc")
    cloud.call("CreateTags", ResourceIds=[kept], Tags=[{"Key": "env", "Value": "test"}])
    linked_at = cloud.call("ReadVms", Filters={"VmIds": [vm]})["Vms"][0]
    (date,) = [
        each["Bsu"]["LinkDate"]
        for each in linked_at["BlockDeviceMappings"]
        if each["DeviceName"] == "/dev/xvdc"
    ]
    cloud.clock.advance(1000)
    volume_of(cloud, Size=8)
    for name, value in {
        "CreationDates": [shown(cloud, kept)["CreationDate"]],
        "LinkVolumeDeviceNames": ["/dev/xvdc"],
        "LinkVolumeLinkDates": [date],
        "Tags": ["env=test"],
        "TagKeys": ["env"],
        "TagValues": ["test"],
        "VolumeIds": [kept],
        "VolumeSizes": [7],
        "VolumeTypes": ["gp2"],
        "LinkVolumeDeleteOnVmDeletion": False,
    }.items():
        found = cloud.call("ReadVolumes", Filters={name: value})["Volumes"]
        assert [volume["VolumeId"] for volume in found] == [kept], name
    for name, value, count in (
        ("SubregionNames", [ZONE], 3),
        ("SubregionNames", ["alpha"], 0),
        ("LinkVolumeVmIds", [vm], 2),
        ("LinkVolumeLinkStates", ["attached"], 2),
        ("VolumeStates", ["in-use"], 2),
        ("VolumeStates", ["available"], 1),
        ("ClientTokens", ["none"], 0),
    ):
        found = cloud.call("ReadVolumes", Filters={name: value})["Volumes"]
        assert len(found) == count, name


# Updating.


def test_a_bigger_size_comes_with_a_task(cloud):
    volume = volume_of(cloud, Size=10, VolumeType="gp2")["VolumeId"]
    answer = cloud.call("UpdateVolume", VolumeId=volume, Size=500)["Volume"]
    assert answer["Size"] == 10
    task = cloud.call("ReadVolumeUpdateTasks", Filters={"TaskIds": [answer["TaskId"]]})
    assert task["VolumeUpdateTasks"][0]["State"] == "pending"
    refused(cloud, 6003, "UpdateVolume", VolumeId=volume, Size=600)
    cloud.clock.advance(3)
    task = cloud.call("ReadVolumeUpdateTasks", Filters={"VolumeIds": [volume]})
    assert task["VolumeUpdateTasks"][0]["State"] == "active"
    cloud.clock.advance(60)
    after = shown(cloud, volume)
    assert (after["Size"], after["Iops"]) == (500, 1500)
    assert "TaskId" not in after
    task = cloud.call("ReadVolumeUpdateTasks")["VolumeUpdateTasks"][0]
    assert (task["State"], task["Progress"]) == ("completed", 100)
    # It happened at its own time, not when somebody looked.
    assert task["CompletionDate"] == "2026-01-01T00:00:14.000Z"
    assert task["VolumeUpdate"] == {
        "Origin": {"Iops": 100, "Size": 10, "VolumeType": "gp2"},
        "Target": {"Iops": 1500, "Size": 500, "VolumeType": "gp2"},
    }


def test_type_and_iops_change_at_once(cloud):
    volume = volume_of(cloud, Size=10)["VolumeId"]
    refused(cloud, 7000, "UpdateVolume", VolumeId=volume, VolumeType="io1")
    answer = cloud.call("UpdateVolume", VolumeId=volume, VolumeType="io1", Iops=200)["Volume"]
    assert (answer["VolumeType"], answer["Iops"]) == ("io1", 200)
    cloud.clock.advance(60)
    answer = cloud.call("UpdateVolume", VolumeId=volume, Iops=100)["Volume"]
    assert answer["Iops"] == 100
    cloud.clock.advance(60)
    cloud.call("UpdateVolume", VolumeId=volume, VolumeType="standard")
    cloud.clock.advance(60)
    assert "Iops" not in shown(cloud, volume)


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {}),
        (4047, {"Size": 0}),
        (4047, {"Iops": 0}),
        (4047, {"VolumeType": "foo"}),
        (4078, {"Size": 9}),
        (4078, {"Size": 10000000000}),
        (4029, {"Iops": 13001}),
        (4202, {"Iops": 3001}),
        (4110, {"Size": "foo"}),
    ],
)
def test_an_impossible_update_is_refused(cloud, code, request_):
    volume = volume_of(cloud, Size=10, VolumeType="io1", Iops=150)
    refused(cloud, code, "UpdateVolume", VolumeId=volume["VolumeId"], **request_)
    assert shown(cloud, volume["VolumeId"]) == volume


def test_an_update_that_changes_nothing_makes_no_task(cloud):
    volume = volume_of(cloud, Size=10)["VolumeId"]
    assert "TaskId" not in cloud.call("UpdateVolume", VolumeId=volume, Size=10)["Volume"]
    assert cloud.call("ReadVolumeUpdateTasks")["VolumeUpdateTasks"] == []


# Linking.


def test_a_link_attaches_holds_and_lets_go(cloud):
    vm = vm_of(cloud)
    volume = volume_of(cloud, Size=10)["VolumeId"]
    answer = cloud.call("LinkVolume", VolumeId=volume, VmId=vm, DeviceName="/dev/xvdb")
    assert set(answer) == {"ResponseContext"}
    link = {
        "DeleteOnVmDeletion": False,
        "DeviceName": "/dev/xvdb",
        "State": "attaching",
        "VmId": vm,
        "VolumeId": volume,
    }
    assert shown(cloud, volume)["LinkedVolumes"] == [link]
    assert shown(cloud, volume)["State"] == "in-use"
    refused(cloud, 6003, "DeleteVolume", VolumeId=volume)
    cloud.clock.advance(2)
    assert shown(cloud, volume)["LinkedVolumes"] == [{**link, "State": "attached"}]
    cloud.call("UnlinkVolume", VolumeId=volume)
    cloud.call("UnlinkVolume", VolumeId=volume)
    assert shown(cloud, volume)["LinkedVolumes"] == [{**link, "State": "detaching"}]
    cloud.clock.advance(2)
    assert shown(cloud, volume)["LinkedVolumes"] == []
    assert shown(cloud, volume)["State"] == "available"
    refused(cloud, 6003, "UnlinkVolume", VolumeId=volume)
    cloud.call("DeleteVolume", VolumeId=volume)


def test_the_vm_is_looked_at_before_the_volume(cloud):
    refused(
        cloud, 5063, "LinkVolume", VmId=UNKNOWN_VM, VolumeId="vol-99999999", DeviceName="/dev/xvdb"
    )
    refused(
        cloud, 5064, "LinkVolume", VmId=vm_of(cloud), VolumeId="vol-99999999", DeviceName="/dev/sdb"
    )


@pytest.mark.parametrize(
    ("code", "device"),
    [(9003, "/dev/sda1"), (4019, "/dev/sda"), (4019, "xvdb"), (4019, "/dev/xvdaa"), (7000, "")],
)
def test_a_device_name_is_well_formed_and_free(cloud, code, device):
    vm = vm_of(cloud)
    volume = volume_of(cloud, Size=10)["VolumeId"]
    refused(cloud, code, "LinkVolume", VmId=vm, VolumeId=volume, DeviceName=device)


def test_a_volume_is_linked_once_and_in_its_subregion(cloud):
    vm, other = vm_of(cloud), vm_of(cloud)
    volume = volume_of(cloud, Size=10)["VolumeId"]
    cloud.call("LinkVolume", VolumeId=volume, VmId=vm, DeviceName="/dev/xvdb")
    refused(cloud, 6003, "LinkVolume", VolumeId=volume, VmId=other, DeviceName="/dev/xvdb")
    far = cloud.call("CreateVolume", SubregionName="eu-west-2b", Size=1)["Volume"]["VolumeId"]
    refused(cloud, 6003, "LinkVolume", VolumeId=far, VmId=vm, DeviceName="/dev/xvdc")
    cloud.clock.advance(4)
    refused(cloud, 9071, "LinkVolume", VolumeId=far, VmId=vm, DeviceName="/dev/xvdc")


def test_the_root_device_leaves_only_a_stopped_vm(cloud):
    vm = vm_of(cloud)
    found = cloud.call("ReadVolumes", Filters={"LinkVolumeVmIds": [vm]})["Volumes"]
    root = found[0]["VolumeId"]
    refused(cloud, 8003, "UnlinkVolume", VolumeId=root)
    cloud.call("StopVms", VmIds=[vm])
    cloud.clock.advance(120)
    cloud.call("UnlinkVolume", VolumeId=root)
    cloud.clock.advance(2)
    assert shown(cloud, root)["State"] == "available"


def test_a_vm_takes_some_volumes_with_it(cloud):
    vm = vm_of(cloud)
    root = cloud.call("ReadVolumes", Filters={"LinkVolumeVmIds": [vm]})["Volumes"][0]["VolumeId"]
    data = volume_of(cloud, Size=10)["VolumeId"]
    cloud.call("LinkVolume", VolumeId=data, VmId=vm, DeviceName="/dev/xvdb")
    cloud.call("DeleteVms", VmIds=[vm])
    cloud.clock.advance(120)
    assert shown(cloud, root) is None
    assert shown(cloud, data)["State"] == "available"


# Laws.

DEVICES = ("/dev/xvdb", "/dev/xvdc")
STEPS = some.tuples(
    some.sampled_from(
        ["LinkVolume", "UnlinkVolume", "DeleteVolume", "UpdateVolume", "StopVms", "DeleteVms", ""]
    ),
    some.integers(0, 1),
    some.integers(0, 1),
    some.sampled_from(DEVICES),
)


def rows(cloud):
    return [row["data"] for row in cloud.state()["regions"][cloud.region]["rows"]]


@settings(max_examples=40)
@given(some.lists(STEPS, max_size=12))
def test_a_volume_is_in_use_exactly_while_it_is_linked_and_a_refusal_changes_nothing(steps):
    cloud = FakeCloud()
    vms = [vm_of(cloud), vm_of(cloud)]
    volumes = [volume_of(cloud, Size=10)["VolumeId"] for _ in range(2)]
    for action, volume, vm, device in steps:
        requests = {
            "LinkVolume": {"VolumeId": volumes[volume], "VmId": vms[vm], "DeviceName": device},
            "UpdateVolume": {"VolumeId": volumes[volume], "Size": 20 + len(action)},
        }
        ours = {"VmIds": [vms[vm]]} if action.endswith("Vms") else {"VolumeId": volumes[volume]}
        request = requests.get(action, ours)
        before = rows(cloud)
        if not action:
            cloud.clock.advance(7)
        else:
            try:
                cloud.call(action, **request)
            except ApiError:
                assert rows(cloud) == before
        for shown_now in cloud.call("ReadVolumes")["Volumes"]:
            assert (shown_now["State"] == "in-use") == bool(shown_now["LinkedVolumes"])
            assert len(shown_now["LinkedVolumes"]) <= 1
        for each in vms:
            linked = cloud.call("ReadVolumes", Filters={"LinkVolumeVmIds": [each]})["Volumes"]
            names = [link["DeviceName"] for one in linked for link in one["LinkedVolumes"]]
            assert len(names) == len(set(names))
