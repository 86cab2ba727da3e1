"""VM types: those that are listed, and those that are only written."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.rules import vm_types


@pytest.fixture(scope="module")
def listed():
    return FakeCloud().call("ReadVmTypes")["VmTypes"]


def names(**filters):
    found = FakeCloud().call("ReadVmTypes", Filters=filters)["VmTypes"]
    return [each["VmTypeName"] for each in found]


def test_the_default_type_is_listed(listed):
    assert next(each for each in listed if each["VmTypeName"] == "t2.small") == {
        "BsuOptimized": False, "MaxPrivateIps": 4, "MemorySize": 2.0, "VcoreCount": 1,
        "VmTypeName": "t2.small", "VolumeCount": 0,
    }  # fmt: skip


def test_a_type_has_a_disk_size_only_with_disks(listed):
    for each in listed:
        assert ("VolumeSize" in each) == (each["VolumeCount"] > 0), each["VmTypeName"]


def test_every_listed_type_can_be_used(listed):
    for each in listed:
        meant = vm_types.parse(each["VmTypeName"])
        assert (meant.cores, meant.memory_gib) == (each["VcoreCount"], each["MemorySize"])


def test_filters_find_types():
    assert names(VmTypeNames=["t2.nano"]) == ["t2.nano"]
    assert "m3.xlarge" in names(VolumeSizes=[40], VolumeCounts=[1], BsuOptimized=True)
    assert "t2.medium" in names(MemorySizes=[4], VcoreCounts=[2])
    assert names(MemorySizes=[40]) == []
    assert names(Gpus=[1]) == []


def test_types_come_in_pages():
    cloud = FakeCloud()
    found, token = [], {}
    for _ in range(100):
        page = cloud.call("ReadVmTypes", ResultsPerPage=50, **token)
        found += page["VmTypes"]
        if "NextPageToken" not in page:
            break
        token = {"NextPageToken": page["NextPageToken"]}
    assert found == cloud.call("ReadVmTypes")["VmTypes"]


@pytest.mark.parametrize(
    ("name", "cores", "memory_gib", "performance", "generation"),
    [
        ("tinav5.c3r7p1", 3, 7, "highest", 5),
        ("tinav7.c78r1039p2", 78, 1039, "high", 7),
        ("tinav4.c1r1p3", 1, 1, "medium", 4),
        ("tinav6.c2r8", 2, 8, "", 6),
        ("c4.large", 2, 3.75, "high", 0),
    ],
)
def test_a_name_says_what_the_type_has(name, cores, memory_gib, performance, generation):
    meant = vm_types.parse(name)
    assert (meant.cores, meant.memory_gib) == (cores, memory_gib)
    assert (meant.performance, meant.generation) == (performance, generation)


@pytest.mark.parametrize("name", ["toto", "tinav5.c0r1p1", "tinav5.c1r1p4", "tinav0.c1r1", "t2"])
def test_a_name_that_means_nothing_is_refused(name):
    with pytest.raises(ApiError) as error:
        vm_types.parse(name)
    assert error.value.code == "5024"
