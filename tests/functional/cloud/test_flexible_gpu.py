"""Flexible GPUs: their catalog, and the states that a link goes through."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

ZONE = "eu-west-2a"


@pytest.fixture
def cloud():
    return FakeCloud()


@pytest.fixture
def gpu(cloud):
    return gpu_of(cloud)


def gpu_of(cloud, **request):
    request = {"ModelName": "nvidia-k2", "Generation": "v4", "SubregionName": ZONE, **request}
    return cloud.call("CreateFlexibleGpu", **request)["FlexibleGpu"]["FlexibleGpuId"]


def vm_of(cloud, vm_type="tinav4.c2r4p1", **request):
    image = cloud.call("ReadImages")["Images"][0]["ImageId"]
    vm = cloud.call("CreateVms", ImageId=image, VmType=vm_type, **request)["Vms"][0]["VmId"]
    cloud.clock.advance(60)
    return vm


def stop(cloud, vm):
    cloud.call("StopVms", VmIds=[vm])
    cloud.clock.advance(60)


def shown(cloud, gpu):
    found = cloud.call("ReadFlexibleGpus", Filters={"FlexibleGpuIds": [gpu]})["FlexibleGpus"]
    return found[0] if found else None


def state(cloud, gpu):
    return shown(cloud, gpu)["State"]


def refused(cloud, code, action, **request):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request)
    assert error.value.code == str(code)
    return error.value


def test_the_catalog_is_open_to_all(cloud):
    catalog = cloud.call("ReadFlexibleGpuCatalog")["FlexibleGpuCatalog"]
    by_name = {entry["ModelName"]: entry for entry in catalog}
    assert by_name["nvidia-p100"] == {
        "Generations": ["v5"],
        "MaxCpu": 80,
        "MaxRam": 512,
        "ModelName": "nvidia-p100",
        "VRam": 16000,
    }


def test_a_new_gpu_is_allocated_for_the_oldest_generation(cloud):
    made = cloud.call("CreateFlexibleGpu", ModelName="nvidia-k2", SubregionName=ZONE)
    gpu = made["FlexibleGpu"]
    assert gpu == {
        "DeleteOnVmDeletion": False,
        "FlexibleGpuId": gpu["FlexibleGpuId"],
        "Generation": "v3",
        "ModelName": "nvidia-k2",
        "State": "allocated",
        "SubregionName": ZONE,
        "Tags": [],
    }


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {"ModelName": "nvidia-k2"}),
        (7000, {"SubregionName": ZONE}),
        (4047, {"ModelName": "foo", "SubregionName": ZONE}),
        (4047, {"ModelName": "nvidia-k2", "SubregionName": ZONE, "Generation": "v5"}),
        (4047, {"ModelName": "nvidia-k2", "SubregionName": ZONE, "Generation": "4"}),
        (4110, {"ModelName": "nvidia-k2", "SubregionName": ZONE, "Generation": ["v4"]}),
        (5009, {"ModelName": "nvidia-k2", "SubregionName": "alpha"}),
    ],
)
def test_an_impossible_gpu_is_refused(cloud, code, request_):
    refused(cloud, code, "CreateFlexibleGpu", **request_)


def test_a_subregion_runs_out_of_gpus(cloud):
    cloud.capacity[ZONE] = ["nvidia-k2"]
    refused(cloud, 10001, "CreateFlexibleGpu", ModelName="nvidia-k2", SubregionName=ZONE)
    gpu_of(cloud, ModelName="nvidia-p6", Generation="v5")


def test_a_link_to_a_stopped_vm_is_done_at_once(cloud, gpu):
    vm = vm_of(cloud)
    stop(cloud, vm)
    cloud.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    assert shown(cloud, gpu)["VmId"] == vm
    assert state(cloud, gpu) == "attached"
    refused(cloud, 6003, "LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    refused(cloud, 6003, "DeleteFlexibleGpu", FlexibleGpuId=gpu)
    cloud.call("UnlinkFlexibleGpu", FlexibleGpuId=gpu)
    assert state(cloud, gpu) == "allocated"
    assert "VmId" not in shown(cloud, gpu)
    refused(cloud, 6003, "UnlinkFlexibleGpu", FlexibleGpuId=gpu)
    cloud.call("DeleteFlexibleGpu", FlexibleGpuId=gpu)
    refused(cloud, 5074, "DeleteFlexibleGpu", FlexibleGpuId=gpu)


def test_a_link_to_a_running_vm_waits_for_its_stop(cloud, gpu):
    vm = vm_of(cloud)
    cloud.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    cloud.clock.advance(3600)
    assert state(cloud, gpu) == "attaching"
    cloud.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    refused(cloud, 6003, "DeleteFlexibleGpu", FlexibleGpuId=gpu)
    stop(cloud, vm)
    assert state(cloud, gpu) == "attached"
    cloud.call("StartVms", VmIds=[vm])
    cloud.clock.advance(60)
    cloud.call("UnlinkFlexibleGpu", FlexibleGpuId=gpu)
    cloud.call("UnlinkFlexibleGpu", FlexibleGpuId=gpu)
    assert state(cloud, gpu) == "detaching"
    cloud.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    assert state(cloud, gpu) == "attached"
    cloud.call("UnlinkFlexibleGpu", FlexibleGpuId=gpu)
    stop(cloud, vm)
    assert state(cloud, gpu) == "allocated"


def test_a_link_that_has_not_begun_is_taken_back_at_once(cloud, gpu):
    vm = vm_of(cloud)
    cloud.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    cloud.call("UnlinkFlexibleGpu", FlexibleGpuId=gpu)
    assert state(cloud, gpu) == "allocated"


@pytest.mark.parametrize("goes", [True, False])
def test_a_gpu_goes_with_its_vm_when_told_so(cloud, gpu, goes):
    vm = vm_of(cloud)
    cloud.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    answer = cloud.call("UpdateFlexibleGpu", FlexibleGpuId=gpu, DeleteOnVmDeletion=goes)
    assert answer["FlexibleGpu"]["DeleteOnVmDeletion"] is goes
    cloud.call("DeleteVms", VmIds=[vm])
    cloud.clock.advance(60)
    left = shown(cloud, gpu)
    assert (left is None) if goes else (left["State"] == "allocated")


@pytest.mark.parametrize(
    "vm_type", ["tinav3.c2r4p1", "tinav4.c81r4p1", "tinav4.c2r513p1", "tinav4.c2r4p2", "t2.small"]
)
def test_a_gpu_needs_a_vm_that_fits(cloud, gpu, vm_type):
    vm = vm_of(cloud, vm_type)
    error = refused(cloud, 9072, "LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    assert error.status == 409


def test_the_gpus_of_a_vm_are_of_one_model(cloud, gpu):
    vm = vm_of(cloud)
    for each in (gpu, gpu_of(cloud)):
        cloud.call("LinkFlexibleGpu", FlexibleGpuId=each, VmId=vm)
    other = gpu_of(cloud, ModelName="nvidia-m60")
    refused(cloud, 9072, "LinkFlexibleGpu", FlexibleGpuId=other, VmId=vm)


@pytest.mark.parametrize(
    ("code", "gpu_id", "vm_id"),
    [
        (4104, "fgpu-12345678", "XXXXXXXX"),
        (5063, "fgpu-12345678", "i-99999999"),
        (4104, "XXX", None),
        (5074, "fgpu-99999999", None),
    ],
)
def test_a_link_of_what_is_not_there_is_refused(cloud, code, gpu_id, vm_id):
    vm = vm_id or vm_of(cloud)
    refused(cloud, code, "LinkFlexibleGpu", FlexibleGpuId=gpu_id, VmId=vm)


def test_an_update_without_a_change_is_fine(cloud, gpu):
    before = shown(cloud, gpu)
    assert cloud.call("UpdateFlexibleGpu", FlexibleGpuId=gpu)["FlexibleGpu"] == before


def test_every_filter_of_gpus_keeps_what_it_should(cloud, gpu):
    vm = vm_of(cloud)
    cloud.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    cloud.call("CreateTags", ResourceIds=[gpu], Tags=[{"Key": "env", "Value": "test"}])
    gpu_of(cloud, ModelName="nvidia-p6", Generation="v5", SubregionName="eu-west-2b",
           DeleteOnVmDeletion=True)  # fmt: skip
    for name, value in {
        "DeleteOnVmDeletion": False,
        "FlexibleGpuIds": [gpu],
        "Generations": ["v4"],
        "ModelNames": ["nvidia-k*"],
        "States": ["attaching"],
        "SubregionNames": [ZONE],
        "Tags": [{"Key": "env", "Value": "test"}],
        "VmIds": [vm],
    }.items():
        found = cloud.call("ReadFlexibleGpus", Filters={name: value})["FlexibleGpus"]
        assert [each["FlexibleGpuId"] for each in found] == [gpu], name
    assert cloud.call("ReadFlexibleGpus", Filters={"Tags": [{"Key": "e"}]})["FlexibleGpus"] == []
