"""The life of VMs: which state follows which, and what happens to what belongs to them."""

import base64

import pytest

from tests.functional.cloud import nets

REDUCED = {
    "BlockDeviceMappings", "State", "VmId", "ImageId", "Tags", "VmType", "StateReason",
}  # fmt: skip
GONE = {
    "NetId", "Nics", "PrivateDnsName", "PrivateIp", "PublicDnsName", "PublicIp", "SecurityGroups",
    "SubnetId",
}  # fmt: skip


@pytest.fixture
def world():
    return nets.make()


def change(world, action, *vms, **request):
    answer = world.call(action, VmIds=list(vms), **request)["Vms"]
    return [(each["PreviousState"], each["CurrentState"]) for each in answer]


def states(world, **request):
    found = world.call("ReadVmsState", **request)["VmStates"]
    return {each["VmId"]: each["VmState"] for each in found}


def bring(world, state):
    """Return a VM in a state."""
    steps = {
        "pending": (0, ()),
        "running": (nets.UNTIL_RUNNING_S, ()),
        "stopping": (nets.UNTIL_RUNNING_S, (("StopVms", 0),)),
        "stopped": (nets.UNTIL_RUNNING_S, (("StopVms", nets.UNTIL_STOPPED_S),)),
        "shutting-down": (nets.UNTIL_RUNNING_S, (("DeleteVms", 0),)),
        "terminated": (nets.UNTIL_RUNNING_S, (("DeleteVms", nets.UNTIL_TERMINATED_S),)),
    }
    wait, actions = steps[state]
    vm = world.launch(wait=wait)
    for action, after in actions:
        world.call(action, VmIds=[vm])
        world.wait(after)
    assert world.vm(vm)["State"] == state
    return vm


def test_a_vm_runs_after_some_seconds(world):
    vm = world.launch(wait=nets.UNTIL_RUNNING_S - 1)
    assert world.vm(vm)["State"] == "pending"
    world.wait(1)
    assert world.vm(vm)["State"] == "running"
    bsu = world.vm(vm)["BlockDeviceMappings"][0]["Bsu"]
    assert bsu["State"] == "attached"


@pytest.mark.parametrize(
    ("action", "state", "after"),
    [
        ("StartVms", "pending", "pending"),
        ("StartVms", "running", "running"),
        ("StartVms", "stopping", 6003),
        ("StartVms", "stopped", "pending"),
        ("StartVms", "shutting-down", 6003),
        ("StartVms", "terminated", 6003),
        ("StopVms", "pending", 9039),
        ("StopVms", "running", "stopping"),
        ("StopVms", "stopping", "stopping"),
        ("StopVms", "stopped", "stopped"),
        ("StopVms", "shutting-down", 6003),
        ("StopVms", "terminated", 6003),
        ("RebootVms", "pending", 6003),
        ("RebootVms", "stopping", 6003),
        ("RebootVms", "stopped", 6003),
        ("RebootVms", "terminated", 6003),
        ("DeleteVms", "pending", "shutting-down"),
        ("DeleteVms", "running", "shutting-down"),
        ("DeleteVms", "stopping", "shutting-down"),
        ("DeleteVms", "stopped", "shutting-down"),
        ("DeleteVms", "shutting-down", "shutting-down"),
        ("DeleteVms", "terminated", "terminated"),
    ],
)
def test_an_action_leads_from_state_to_state_or_is_refused(world, action, state, after):
    vm = bring(world, state)
    if isinstance(after, int):
        world.refused(after, action, VmIds=[vm])
        assert world.vm(vm)["State"] == state
    else:
        assert change(world, action, vm) == [(state, after)]


def test_a_rebooted_vm_runs_on(world):
    vm = bring(world, "running")
    assert set(world.call("RebootVms", VmIds=[vm])) == {"ResponseContext"}
    assert world.vm(vm)["State"] == "running"


@pytest.mark.parametrize("action", ["StartVms", "StopVms", "RebootVms", "DeleteVms"])
def test_one_unknown_vm_spares_the_others(world, action):
    vm = bring(world, "running")
    world.refused(5063, action, VmIds=[vm, "i-12345678"])
    world.refused(4104, action, VmIds=[vm, "foo"])
    world.refused(4105, action, VmIds=[vm, "i-1234567"])
    world.refused(7000, action, VmIds=[])
    world.refused(5063, action, VmIds=[vm], account=nets.OTHER)
    assert world.vm(vm)["State"] == "running"


def test_a_terminated_vm_is_shown_for_an_hour(world):
    vm = bring(world, "terminated")
    shown = world.vm(vm)
    assert set(shown) >= REDUCED
    assert not GONE & set(shown)
    assert shown["BlockDeviceMappings"] == []
    world.wait(3600)
    assert world.call("ReadVms")["Vms"] == []
    world.refused(5063, "DeleteVms", VmIds=[vm])


def test_what_was_to_die_with_the_vm_dies(world):
    before = world.free_ips()
    kept = {"DeviceName": "/dev/sdb", "Bsu": {"VolumeSize": 1, "DeleteOnVmDeletion": False}}
    vm = world.launch(BlockDeviceMappings=[kept])
    nic = world.new_nic()["NicId"]
    world.call("LinkNic", NicId=nic, VmId=vm, DeviceNumber=1)
    world.refused(9095, "DeleteSubnet", SubnetId=world.subnet)
    world.call("DeleteVms", VmIds=[vm])
    assert len(world.vm(vm)["Nics"]) == 2
    world.wait(nets.UNTIL_TERMINATED_S)
    volumes = world.call("ReadVolumes")["Volumes"]
    assert [(each["Size"], each["State"]) for each in volumes] == [(1, "available")]
    assert [each["NicId"] for each in world.call("ReadNics")["Nics"]] == [nic]
    assert world.nic(nic)["State"] == "available"
    world.call("DeleteNic", NicId=nic)
    assert world.free_ips() == before


def test_the_groups_of_a_terminated_vm_stay_in_use_for_a_while(world):
    group = world.new_group(NetId=world.net)
    vm = world.launch(SecurityGroupIds=[group])
    world.call("DeleteVms", VmIds=[vm])
    world.wait(nets.UNTIL_TERMINATED_S)
    world.refused(9085, "DeleteSecurityGroup", SecurityGroupId=group)
    world.wait(90)
    world.call("DeleteSecurityGroup", SecurityGroupId=group)


def test_a_net_is_deleted_once_its_vms_are_gone(world):
    net = world.call("CreateNet", IpRange="10.8.0.0/16")["Net"]["NetId"]
    subnet = world.call("CreateSubnet", NetId=net, IpRange="10.8.1.0/24")["Subnet"]["SubnetId"]
    vm = world.launch(SubnetId=subnet)
    world.refused(9097, "DeleteNet", NetId=net)
    world.call("DeleteVms", VmIds=[vm])
    world.wait(nets.UNTIL_TERMINATED_S + 90)
    world.call("DeleteSubnet", SubnetId=subnet)
    world.call("DeleteNet", NetId=net)


def test_a_protected_vm_is_not_deleted(world):
    vm = world.launch(DeletionProtection=True)
    world.refused(8018, "DeleteVms", VmIds=[vm])
    world.call("UpdateVm", VmId=vm, DeletionProtection=False)
    world.call("DeleteVms", VmIds=[vm])


@pytest.mark.parametrize(
    ("behavior", "then"),
    [("stop", "stopped"), ("restart", "pending"), ("terminate", "shutting-down")],
)
def test_the_shutdown_behavior_decides_what_follows_a_stop(world, behavior, then):
    vm = world.launch(VmInitiatedShutdownBehavior=behavior)
    world.call("StopVms", VmIds=[vm])
    world.wait(nets.UNTIL_STOPPED_S)
    assert world.vm(vm)["State"] == then


def test_a_stop_is_remembered(world):
    vm, other = world.launch(), world.launch()
    for each in (vm, other):
        world.call("StopVms", VmIds=[each])
        world.wait(nets.UNTIL_STOPPED_S)
    world.call("StartVms", VmIds=[vm])
    world.wait(nets.UNTIL_RUNNING_S)
    assert world.vm(vm)["StateReason"] == ""
    world.call("StopVms", VmIds=[vm])
    world.wait(nets.UNTIL_STOPPED_S)
    found = world.call("ReadVmsStopHistory", Filters={"VmIds": [vm]})["VmsStopHistory"]
    assert [set(each) for each in found] == 2 * [{"StateReason", "StopDate", "VmId"}]
    last = found[1]["StopDate"]
    by = {"StopDateAfter": last, "StateReasons": ["Client.*"]}
    after = world.call("ReadVmsStopHistory", Filters=by)["VmsStopHistory"]
    assert after == [found[1]]
    one = world.call("ReadVmsStopHistory", ResultsPerPage=1)
    assert len(one["VmsStopHistory"]) == 1
    assert "NextPageToken" in one


def test_only_running_vms_are_in_the_states_unless_all_are_asked_for(world):
    running, stopped = bring(world, "running"), bring(world, "stopped")
    gone = bring(world, "terminated")
    assert states(world) == {running: "running"}
    assert states(world, AllVms=True) == {
        running: "running", stopped: "stopped", gone: "terminated"
    }  # fmt: skip
    assert states(world, Filters={"VmStates": ["terminated"]}) == {}
    assert states(world, AllVms=True, Filters={"VmStates": ["terminated"]}) == {gone: "terminated"}
    assert states(world, Filters={"SubregionNames": ["nowhere"]}) == {}
    assert states(world, Filters={"VmIds": ["i-12345678"]}) == {}
    world.refused(4104, "ReadVmsState", Filters={"VmIds": ["foo"]})
    shown = world.call("ReadVmsState")["VmStates"][0]
    assert set(shown) == {"MaintenanceEvents", "SubregionName", "VmId", "VmState"}


def test_the_console_shows_that_the_vm_has_booted(world):
    vm = world.launch()
    answer = world.call("ReadConsoleOutput", VmId=vm)
    assert vm.encode() in base64.b64decode(answer["ConsoleOutput"])
    assert answer["VmId"] == vm
    world.refused(5063, "ReadConsoleOutput", VmId="i-12345678")
    assert world.call("ReadAdminPassword", VmId=vm)["AdminPassword"] == ""
    world.refused(5063, "ReadAdminPassword", VmId="i-12345678")


def test_another_account_sees_no_vm(world):
    vm = world.launch()
    assert world.call("ReadVms", account=nets.OTHER, Filters={"VmIds": [vm]})["Vms"] == []
    assert world.call("ReadVmsState", account=nets.OTHER)["VmStates"] == []


def its_own(account, group, ip, link, shown):
    """Return the filters that find one VM among others, by what only it has."""
    nic = shown["Nics"][0]
    return {
        "BlockDeviceMappingVolumeIds": [shown["BlockDeviceMappings"][0]["Bsu"]["VolumeId"]],
        "ClientTokens": ["t"],
        "KeypairNames": ["mine"],
        "NetIds": [shown["NetId"]],
        "NicAccountIds": [account],
        "NicDescriptions": ["Primary*"],
        "NicIsSourceDestChecked": True,
        "NicLinkNicDeleteOnVmDeletion": True,
        "NicLinkNicDeviceNumbers": [0],
        "NicLinkNicLinkNicDates": [shown["CreationDate"]],
        "NicLinkNicLinkNicIds": [nic["LinkNic"]["LinkNicId"]],
        "NicLinkNicStates": ["attached"],
        "NicLinkNicVmAccountIds": [account],
        "NicLinkNicVmIds": [shown["VmId"]],
        "NicLinkPublicIpAccountIds": [account],
        "NicLinkPublicIpLinkPublicIpIds": [link],
        "NicLinkPublicIpPublicIpIds": [ip["PublicIpId"]],
        "NicLinkPublicIpPublicIps": [ip["PublicIp"]],
        "NicMacAddresses": [nic["MacAddress"]],
        "NicNetIds": [shown["NetId"]],
        "NicNicIds": [nic["NicId"]],
        "NicPrivateIpsLinkPublicIpAccountIds": [account],
        "NicPrivateIpsLinkPublicIpIds": [ip["PublicIp"]],
        "NicPrivateIpsPrimaryIp": True,
        "NicPrivateIpsPrivateIps": [shown["PrivateIp"]],
        "NicSecurityGroupIds": [group],
        "NicSecurityGroupNames": ["lab"],
        "NicStates": ["in-use"],
        "NicSubnetIds": [shown["SubnetId"]],
        "NicSubregionNames": ["eu-west-2a"],
        "PrivateIps": [shown["PrivateIp"]],
        "PublicIps": [ip["PublicIp"]],
        "ReservationIds": [shown["ReservationId"]],
        "SecurityGroupIds": [group],
        "SecurityGroupNames": ["lab"],
        "SubnetIds": [shown["SubnetId"]],
        "SubregionNames": ["eu-west-2a"],
        "TagKeys": ["role"],
        "Tags": ["role=lab"],
        "VmIds": [shown["VmId"]],
        "VmSecurityGroupIds": [group],
        "VmSecurityGroupNames": ["lab"],
        "VmTypes": ["tinav5.c2r4p1"],
    }


def test_filters_find_vms_by_what_they_are(world):
    world.call("CreateKeypair", KeypairName="mine")
    group = world.new_group("lab", NetId=world.net)
    vm = world.launch(
        SecurityGroupIds=[group], KeypairName="mine", VmType="tinav5.c2r4p1", ClientToken="t"
    )
    ip = world.new_ip()
    link = world.call("LinkPublicIp", PublicIpId=ip["PublicIpId"], VmId=vm)["LinkPublicIpId"]
    world.launch(Public=True, Placement={"SubregionName": "eu-west-2b"})
    world.call("CreateTags", ResourceIds=[vm], Tags=[{"Key": "role", "Value": "lab"}])
    by = its_own(world.cloud.account, group, ip, link, world.vm(vm))
    for name, wanted in by.items():
        found = world.call("ReadVms", Filters={name: wanted})["Vms"]
        assert [each["VmId"] for each in found] == [vm], name


def test_filters_find_vms_by_what_all_have(world):
    vm = world.launch()
    shown = world.vm(vm)
    by = {
        "Architectures": ["x86_64"],
        "BlockDeviceMappingDeleteOnVmDeletion": True,
        "BlockDeviceMappingDeviceNames": ["/dev/sda1"],
        "BlockDeviceMappingLinkDates": [shown["CreationDate"]],
        "BlockDeviceMappingStates": ["attached"],
        "BootModes": [shown["BootMode"]],
        "CreationDates": [shown["CreationDate"]],
        "ImageIds": [world.image],
        "IsSourceDestChecked": True,
        "LaunchNumbers": [0],
        "ProductCodes": ["0001"],
        "RootDeviceNames": ["/dev/sda1"],
        "RootDeviceTypes": ["ebs"],
        "StateReasons": [""],
        "Tenancies": ["default"],
        "TpmEnabled": False,
        "VmStateCodes": [16],
        "VmStateNames": ["running"],
    }
    for name, wanted in by.items():
        found = world.call("ReadVms", Filters={name: wanted})["Vms"]
        assert [each["VmId"] for each in found] == [vm], name
    for name, wanted in {"Lifecycles": ["spot"], "Platforms": ["windows"]}.items():
        assert world.call("ReadVms", Filters={name: wanted})["Vms"] == [], name
    world.refused(4104, "ReadVms", Filters={"VmIds": ["foo"]})
