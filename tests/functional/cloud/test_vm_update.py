"""Changing VMs: what can be changed when, and what is refused."""

import base64

import pytest

from tests.functional.cloud import nets


@pytest.fixture
def world():
    return nets.make()


def stopped(world, **request):
    vm = world.launch(**request)
    world.call("StopVms", VmIds=[vm])
    world.wait(nets.UNTIL_STOPPED_S)
    return vm


@pytest.mark.parametrize(
    "change",
    [
        {"DeletionProtection": True},
        {"VmInitiatedShutdownBehavior": "restart"},
        {"IsSourceDestChecked": False},
        {"ActionsOnNextBoot": {"SecureBoot": "disable"}},
    ],
)
def test_a_running_vm_takes_some_changes(world, change):
    vm = world.launch()
    shown = world.call("UpdateVm", VmId=vm, **change)["Vm"]
    assert {name: shown[name] for name in change} == change
    assert world.vm(vm) == shown


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (6003, {"VmType": "tinav5.c2r4p2"}),
        (6003, {"Performance": "medium"}),
        (6003, {"UserData": ""}),
        (6003, {"BsuOptimized": False}),
        (6006, {"NestedVirtualization": False}),
    ],
)
def test_some_changes_need_a_stopped_vm(world, code, change):
    vm = world.launch()
    world.refused(code, "UpdateVm", VmId=vm, **change)
    world.call("StopVms", VmIds=[vm])
    world.wait(nets.UNTIL_STOPPED_S)
    shown = world.call("UpdateVm", VmId=vm, **change)["Vm"]
    if change != {"Performance": "medium"}:
        assert {name: shown[name] for name in change} == change


def test_another_type_brings_its_performance(world):
    vm = stopped(world)
    shown = world.call("UpdateVm", VmId=vm, VmType="tinav5.c2r4p1")["Vm"]
    assert (shown["VmType"], shown["Performance"]) == ("tinav5.c2r4p1", "highest")
    shown = world.call("UpdateVm", VmId=vm, VmType="tinav5.c2r4", Performance="medium")["Vm"]
    assert shown["Performance"] == "medium"
    shown = world.call("UpdateVm", VmId=vm, Performance="highest")["Vm"]
    assert shown["Performance"] == "highest"


def test_another_type_stays_within_the_quotas():
    world = nets.make(quota={"core_limit": 4})
    vm = stopped(world)
    world.refused(10029, "UpdateVm", VmId=vm, VmType="tinav5.c8r4p1")
    world.call("UpdateVm", VmId=vm, VmType="tinav5.c4r4p1")
    world.refused(10029, "CreateVms", ImageId=world.image)


def test_user_data_may_have_line_breaks(world):
    vm = stopped(world)
    text = base64.encodebytes(b"#!/bin/sh\n" * 20).decode()
    assert world.call("UpdateVm", VmId=vm, UserData=text)["Vm"]["UserData"] == text


def test_the_groups_of_a_vm_are_those_of_its_primary_nic(world):
    vm, group = world.launch(), world.new_group(NetId=world.net)
    shown = world.call("UpdateVm", VmId=vm, SecurityGroupIds=[group])["Vm"]
    assert [each["SecurityGroupId"] for each in shown["SecurityGroups"]] == [group]
    assert shown["Nics"][0]["SecurityGroups"] == shown["SecurityGroups"]
    outside, public = world.launch(Public=True), world.new_group("public")
    shown = world.call("UpdateVm", VmId=outside, SecurityGroupIds=[public])["Vm"]
    assert [each["SecurityGroupId"] for each in shown["SecurityGroups"]] == [public]
    world.refused(5022, "UpdateVm", VmId=vm, SecurityGroupIds=[public])


def test_a_volume_can_be_told_to_outlive_its_vm(world):
    vm = world.launch()
    mapping = {"DeviceName": "/dev/sda1", "Bsu": {"DeleteOnVmDeletion": False}}
    shown = world.call("UpdateVm", VmId=vm, BlockDeviceMappings=[mapping])["Vm"]
    assert shown["BlockDeviceMappings"][0]["Bsu"]["DeleteOnVmDeletion"] is False
    world.call("DeleteVms", VmIds=[vm])
    world.wait(nets.UNTIL_TERMINATED_S)
    assert len(world.call("ReadVolumes")["Volumes"]) == 1


def test_a_keypair_can_be_replaced(world):
    world.call("CreateKeypair", KeypairName="mine")
    vm = world.launch()
    assert world.call("UpdateVm", VmId=vm, KeypairName="mine")["Vm"]["KeypairName"] == "mine"
    world.refused(5071, "UpdateVm", VmId=vm, KeypairName="nobody")


def test_private_only_user_data_works_from_the_next_start(world):
    vm = stopped(world, Public=True)
    text = "-----BEGIN OUTSCALE SECTION-----\nprivate_only=true\n-----END OUTSCALE SECTION-----"
    world.call("UpdateVm", VmId=vm, UserData=base64.b64encode(text.encode()).decode())
    world.call("StartVms", VmIds=[vm])
    world.wait(nets.UNTIL_RUNNING_S)
    assert "PublicIp" not in world.vm(vm)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (4047, {"VmInitiatedShutdownBehavior": "toto"}),
        (5024, {"VmType": "toto"}),
        (4017, {"BsuOptimized": True}),
        (4047, {"UserData": "abc"}),
        (4104, {"SecurityGroupIds": ["toto"]}),
        (7000, {"SecurityGroupIds": []}),
        (7000, {"BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Bsu": {}}]}),
        (4003, {"BlockDeviceMappings": [
            {"DeviceName": "/dev/sdz", "Bsu": {"DeleteOnVmDeletion": True}}
        ]}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(world, code, change):
    vm = stopped(world, VmType="t2.small")
    before = world.vm(vm)
    world.refused(code, "UpdateVm", VmId=vm, **change)
    assert world.vm(vm) == before


def test_a_vm_that_is_not_there_is_not_changed(world):
    world.refused(5063, "UpdateVm", VmId="i-12345678", DeletionProtection=True)
    world.refused(4104, "UpdateVm", VmId="foo")
    world.refused(7000, "UpdateVm", VmId="")
    world.refused(9062, "UpdateVm", VmId=world.launch(Public=True), IsSourceDestChecked=False)
