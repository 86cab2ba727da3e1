"""Capacity: what the name of a VM type tells."""

import pytest

from fakecloud.rules import vm_types
from provider.api import v1beta2
from provider.rules import capacity


def of(**vm):
    return capacity.capacity(v1beta2.Vm.model_validate(vm))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tinav4.c4r8p1", {"cpu": "4", "memory": "8Gi"}),
        ("tinav7.c1r1p2", {"cpu": "1", "memory": "1Gi"}),
        ("tinav10.c78r312p3", {"cpu": "78", "memory": "312Gi"}),
        ("tinav6.c2r4", {"cpu": "2", "memory": "4Gi"}),
        ("t2.small", {"cpu": "1", "memory": "2Gi"}),
        ("c4.large", {"cpu": "2", "memory": "3840Mi"}),
        ("m4.10xlarge", {"cpu": "40", "memory": "160Gi"}),
    ],
)
def test_a_type_tells_vcores_and_memory(name, expected):
    assert of(vmType=name) == {**expected, "ephemeral-storage": "60Gi"}


@pytest.mark.parametrize("name", ["inference7-l40.medium", "inference7-h200.4xlargeA"])
def test_an_inference_type_tells_its_generation_only(name):
    assert of(vmType=name) == {}
    assert capacity.gpu_generation(name) == "v7"


@pytest.mark.parametrize("name", ["", "tina.c1r1", "tinav5.c0r1p1", "tinav5.c1r1p4", "x1.large"])
def test_what_is_no_type_has_no_capacity(name):
    assert of(vmType=name) == {}
    assert capacity.vm_type(name) is None
    assert capacity.gpu_generation(name) == ""


def test_the_default_machine_has_a_capacity():
    assert of() == {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "60Gi"}


def test_the_root_disk_is_ephemeral_storage():
    assert of(rootDisk={"size": 200})["ephemeral-storage"] == "200Gi"


@pytest.mark.parametrize(
    ("model", "expected"), [("nvidia-h100", "1"), ("nvidia-a100-80", "1"), ("", None)]
)
def test_a_flexible_gpu_counts(model, expected):
    assert of(vmType="tinav7.c8r16p1", flexibleGpu={"model": model}).get("nvidia.com/gpu") == (
        expected
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("tinav5.c1r1p1", "v5"), ("tinav10.c1r1", "v10"), ("m4.large", "")]
)
def test_a_flexible_gpu_has_the_generation_of_its_vm(name, expected):
    assert capacity.gpu_generation(name) == expected


def test_every_type_of_the_simulated_cloud_has_the_capacity_that_it_has_there():
    for each in vm_types.listed():
        known = capacity.vm_type(each.name)
        assert (known.cores, known.memory_mib) == (each.cores, int(each.memory_gib * 1024))


def test_a_node_is_what_every_vm_of_outscale_is():
    info = v1beta2.NodeInfo.model_validate(capacity.node_info())
    assert (info.architecture, info.operating_system) == ("amd64", "linux")
