"""Creating VMs: what every one shows, where it lands, what it brings, and what is refused."""

import base64

import pytest

from tests.functional.cloud import nets

ALWAYS = {
    "ActionsOnNextBoot", "Architecture", "BlockDeviceMappings", "BootMode", "BsuOptimized",
    "CreationDate", "DeletionProtection", "Hypervisor", "ImageId", "IsSourceDestChecked",
    "LaunchNumber", "NestedVirtualization", "Performance", "Placement", "PrivateDnsName",
    "PrivateIp", "ProductCodes", "ReservationId", "RootDeviceName", "RootDeviceType",
    "SecurityGroups", "ShutdownBehaviorConfiguration", "State", "StateReason", "Tags",
    "TpmEnabled", "UserData", "VmId", "VmInitiatedShutdownBehavior", "VmType",
}  # fmt: skip
IN_A_NET = ALWAYS | {"NetId", "Nics", "SubnetId"}


@pytest.fixture
def world():
    return nets.make()


def create(world, **request):
    request = {"ImageId": world.image, **request}
    return world.call("CreateVms", **request)["Vms"]


def encoded(*lines):
    return base64.b64encode("\n".join(lines).encode()).decode()


def section(*lines):
    start, end = "-----BEGIN OUTSCALE SECTION-----", "-----END OUTSCALE SECTION-----"
    return encoded(start, *lines, end)


def test_a_vm_in_a_net_shows_what_the_api_shows(world):
    vm = create(world, SubnetId=world.subnet)[0]
    assert set(vm) == IN_A_NET
    assert (vm["State"], vm["VmType"], vm["Performance"]) == ("pending", "t2.small", "medium")
    assert (vm["NetId"], vm["SubnetId"], vm["PrivateIp"]) == (world.net, world.subnet, "10.0.1.4")
    assert vm["PrivateDnsName"] == "ip-10-0-1-4.eu-west-2.compute.internal"
    assert vm["Placement"] == {"SubregionName": "eu-west-2a", "Tenancy": "default"}
    nic = vm["Nics"][0]
    assert set(nic) == {
        "AccountId", "Description", "IsSourceDestChecked", "LinkNic", "MacAddress", "NetId",
        "NicId", "PrivateDnsName", "PrivateIps", "SecurityGroups", "State", "SubnetId",
    }  # fmt: skip
    assert (nic["State"], nic["Description"]) == ("in-use", "Primary network interface")
    assert set(nic["LinkNic"]) == {"DeleteOnVmDeletion", "DeviceNumber", "LinkNicId", "State"}
    bsu = vm["BlockDeviceMappings"][0]["Bsu"]
    assert (bsu["State"], bsu["LinkDate"]) == ("attaching", vm["CreationDate"])
    assert vm["SecurityGroups"] == nic["SecurityGroups"]
    assert [each["SecurityGroupName"] for each in vm["SecurityGroups"]] == ["default"]


def test_a_vm_of_the_public_cloud_has_no_nic(world):
    vm = create(world)[0]
    assert set(vm) == ALWAYS
    world.wait(nets.UNTIL_RUNNING_S)
    assert set(world.vm(vm["VmId"])) == ALWAYS | {"PublicDnsName", "PublicIp"}


def test_a_call_makes_as_many_vms_as_it_says(world):
    vms = create(world, SubnetId=world.subnet, MinVmsCount=2, MaxVmsCount=3)
    assert [vm["LaunchNumber"] for vm in vms] == [0, 1, 2]
    assert len({vm["PrivateIp"] for vm in vms}) == 3
    assert len({vm["ReservationId"] for vm in vms}) == 1


def test_a_quota_cuts_what_is_above_the_minimum():
    world = nets.make(quota={"vm_limit": 2})
    assert len(create(world, MinVmsCount=1, MaxVmsCount=5)) == 2
    world.refused(10010, "CreateVms", ImageId=world.image)


@pytest.mark.parametrize(
    ("quota", "code"), [({"core_limit": 7}, 10029), ({"memory_limit": 15}, 10042)]
)
def test_cores_and_memory_have_quotas(quota, code):
    world = nets.make(quota=quota)
    world.refused(code, "CreateVms", ImageId=world.image, VmType="tinav5.c8r16p1")
    vm = create(world, VmType="tinav5.c4r8p1")[0]["VmId"]
    world.refused(code, "CreateVms", ImageId=world.image, VmType="tinav5.c4r8p1")
    world.call("DeleteVms", VmIds=[vm])
    world.wait(nets.UNTIL_TERMINATED_S)
    create(world, VmType="tinav5.c4r8p1")


def test_a_full_subnet_cuts_what_is_above_the_minimum(world):
    small = world.new_subnet("10.0.2.0/29")
    assert len(create(world, SubnetId=small, MinVmsCount=1, MaxVmsCount=9)) == 3
    world.refused(10011, "CreateVms", ImageId=world.image, SubnetId=small)


def test_the_same_token_gives_the_same_vms(world):
    once = create(world, ClientToken="once", MinVmsCount=2, MaxVmsCount=2)
    assert once[0]["ClientToken"] == "once"
    assert create(world, ClientToken="once", MinVmsCount=2, MaxVmsCount=2) == once
    found = world.call("ReadVms", Filters={"ClientTokens": ["once"]})["Vms"]
    assert found == once
    images = world.call("ReadImages")["Images"]
    other = next(each["ImageId"] for each in images if each["ImageId"] != world.image)
    world.refused(4119, "CreateVms", ImageId=other, ClientToken="once")
    world.refused(4106, "CreateVms", ImageId=world.image, ClientToken="x" * 65)


@pytest.mark.parametrize(
    ("vm_type", "wanted", "performance"),
    [
        ("t2.small", None, "medium"),
        ("m4.xlarge", None, "high"),
        ("tinav5.c4r8p1", "medium", "highest"),
        ("tinav5.c4r8p3", None, "medium"),
        ("tinav5.c4r8", "medium", "medium"),
        ("tinav5.c4r8", None, "high"),
    ],
)
def test_the_type_goes_before_the_wanted_performance(world, vm_type, wanted, performance):
    request = {"Performance": wanted} if wanted else {}
    vm = create(world, VmType=vm_type, **request)[0]
    assert (vm["VmType"], vm["Performance"]) == (vm_type, performance)


def test_security_groups_are_given_by_id_or_name(world):
    one, two = world.new_group("one", NetId=world.net), world.new_group("two", NetId=world.net)
    vm = create(world, SubnetId=world.subnet, SecurityGroups=["two"], SecurityGroupIds=[one])[0]
    assert [each["SecurityGroupId"] for each in vm["SecurityGroups"]] == sorted([one, two])
    outside = world.new_group("one")
    vm = create(world, SecurityGroups=["one"])[0]
    assert vm["SecurityGroups"] == [{"SecurityGroupId": outside, "SecurityGroupName": "one"}]
    world.refused(9085, "DeleteSecurityGroup", SecurityGroupId=outside)
    world.refused(5021, "CreateVms", ImageId=world.image, SecurityGroupIds=[one])
    request = {"SubnetId": world.subnet, "SecurityGroupIds": [outside]}
    world.refused(5022, "CreateVms", ImageId=world.image, **request)


def test_the_first_private_ip_is_the_primary_one(world):
    vm = create(world, SubnetId=world.subnet, PrivateIps=["10.0.1.9", "10.0.1.8"])[0]
    assert vm["PrivateIp"] == "10.0.1.9"
    ips = vm["Nics"][0]["PrivateIps"]
    assert [(ip["PrivateIp"], ip["IsPrimary"]) for ip in ips] == [
        ("10.0.1.9", True),
        ("10.0.1.8", False),
    ]


def test_a_vm_can_bring_several_nics(world):
    nic = world.new_nic(Description="mine")
    group = world.new_group(NetId=world.net)
    items = [
        {"DeviceNumber": 1, "NicId": nic["NicId"]},
        {
            "DeviceNumber": 0,
            "SubnetId": world.subnet,
            "SecurityGroupIds": [group],
            "PrivateIps": [{"IsPrimary": True, "PrivateIp": "10.0.1.77"}],
            "SecondaryPrivateIpCount": 1,
            "Description": "new",
        },
    ]
    vm = create(world, Nics=items)[0]
    first, second = vm["Nics"]
    assert (first["Description"], second["Description"]) == ("new", "mine")
    assert first["LinkNic"]["DeleteOnVmDeletion"] is True
    assert second["LinkNic"]["DeleteOnVmDeletion"] is False
    assert len(first["PrivateIps"]) == 2
    assert vm["PrivateIp"] == "10.0.1.77"
    assert [each["SecurityGroupId"] for each in vm["SecurityGroups"]] == [group]


def test_the_volumes_are_those_of_the_image_and_the_request(world):
    mappings = [
        {"DeviceName": "/dev/sda1", "Bsu": {"VolumeSize": 50, "VolumeType": "gp2"}},
        {"DeviceName": "/dev/sdb", "Bsu": {"VolumeSize": 4, "VolumeType": "io1", "Iops": 100}},
        {
            "DeviceName": "/dev/sdc",
            "Bsu": {"VolumeSize": 2, "VolumeType": "", "DeleteOnVmDeletion": False},
        },
    ]
    vm = create(world, BlockDeviceMappings=mappings)[0]
    assert [each["DeviceName"] for each in vm["BlockDeviceMappings"]] == [
        "/dev/sda1", "/dev/sdb", "/dev/sdc",
    ]  # fmt: skip
    kept = [each["Bsu"]["DeleteOnVmDeletion"] for each in vm["BlockDeviceMappings"]]
    assert kept == [True, True, False]
    volumes = world.call("ReadVolumes")["Volumes"]
    found = [(each["VolumeType"], each["Size"]) for each in volumes]
    assert found == [("gp2", 50), ("io1", 4), ("standard", 2)]
    assert "SnapshotId" in volumes[0]
    assert {each["State"] for each in volumes} <= {"creating", "in-use"}


def test_a_device_of_the_image_can_be_left_out(world):
    vm = create(world, BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "NoDevice": ""}])[0]
    assert vm["BlockDeviceMappings"] == []


def test_a_vm_that_is_not_to_boot_ends_stopped(world):
    vm = create(world, BootOnCreation=False)[0]
    assert vm["State"] == "pending"
    world.wait(nets.UNTIL_RUNNING_S)
    shown = world.vm(vm["VmId"])
    assert shown["State"] == "stopped"
    assert shown["StateReason"]
    world.call("StartVms", VmIds=[vm["VmId"]])
    world.wait(nets.UNTIL_RUNNING_S)
    assert world.vm(vm["VmId"])["State"] == "running"


def test_the_outscale_section_sets_tags(world):
    data = section("tags.OscK8sNodeName=node-1", "  tags.a=b=c", "filter_private_section=true")
    vm = create(world, UserData=data)[0]
    assert vm["UserData"] == data
    assert vm["Tags"] == [
        {"Key": "OscK8sNodeName", "Value": "node-1"},
        {"Key": "a", "Value": "b=c"},
    ]


def test_the_outscale_section_can_link_a_public_ip(world):
    ip = world.new_ip()
    data = section(f"tags.osc.fcu.eip.auto-attach={ip['PublicIp']}")
    for where in ({}, {"SubnetId": world.subnet}):
        vm = create(world, UserData=data, **where)[0]["VmId"]
        world.wait(nets.UNTIL_RUNNING_S)
        assert world.vm(vm)["PublicIp"] == ip["PublicIp"]
        assert world.public_ip(ip["PublicIpId"])["VmId"] == vm
        world.call("DeleteVms", VmIds=[vm])
        world.wait(nets.UNTIL_TERMINATED_S)


def test_a_private_only_vm_has_no_public_ip(world):
    vm = create(world, UserData=section("private_only=true"))[0]["VmId"]
    world.wait(nets.UNTIL_RUNNING_S)
    assert "PublicIp" not in world.vm(vm)


def test_a_subnet_can_give_its_vms_public_ips(world):
    world.call("UpdateSubnet", SubnetId=world.subnet, MapPublicIpOnLaunch=True)
    assert "PublicIp" in world.vm(world.launch())


def test_a_vm_uses_the_subregion_of_its_subnet(world):
    other = world.new_subnet("10.0.2.0/24", SubregionName="eu-west-2b")
    vm = create(world, SubnetId=other)[0]
    assert vm["Placement"]["SubregionName"] == "eu-west-2b"
    request = {"SubnetId": other, "Placement": {"SubregionName": "eu-west-2a"}}
    world.refused(9071, "CreateVms", ImageId=world.image, **request)
    assert create(world, Placement={"SubregionName": "eu-west-2b"})[0]["Placement"] == {
        "SubregionName": "eu-west-2b", "Tenancy": "default"
    }  # fmt: skip


def test_a_dedicated_net_makes_dedicated_vms(world):
    made = world.call("CreateNet", IpRange="10.9.0.0/16", Tenancy="dedicated")
    net = made["Net"]["NetId"]
    subnet = world.call("CreateSubnet", NetId=net, IpRange="10.9.1.0/24")["Subnet"]["SubnetId"]
    vm = create(world, SubnetId=subnet, NestedVirtualization=True)[0]
    assert vm["Placement"]["Tenancy"] == "dedicated"
    assert vm["NestedVirtualization"] is True


def test_what_is_asked_for_is_shown(world):
    asked = {
        "ActionsOnNextBoot": {"SecureBoot": "enable"},
        "BsuOptimized": True,
        "DeletionProtection": True,
        "VmInitiatedShutdownBehavior": "restart",
        "TpmEnabled": True,
    }
    vm = create(world, **asked)[0]
    assert {name: vm[name] for name in asked} == asked
    behavior = create(world, ShutdownBehaviorConfiguration={"GuestAction": "terminate"})[0]
    assert behavior["ShutdownBehaviorConfiguration"]["GuestAction"] == "terminate"
    assert set(behavior["ShutdownBehaviorConfiguration"]) == {"GuestAction", "HostAction"}


def test_a_subregion_can_be_out_of_capacity(world):
    world.cloud.capacity = {"eu-west-2a": ["tinav5.c4r8p1"]}
    error = world.refused(10001, "CreateVms", ImageId=world.image, VmType="tinav5.c4r8p1")
    assert error.details == ""
    create(world, VmType="tinav5.c2r4p1")
    assert len(world.call("ReadVms")["Vms"]) == 1


NIC = {"DeviceNumber": 0, "SubnetId": "subnet-12345678"}


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {"ImageId": ""}),
        (4104, {"ImageId": "tata"}),
        (4105, {"ImageId": "ami-123456"}),
        (5023, {"ImageId": "ami-12345678"}),
        (5023, {"ImageId": "aki-12345678"}),
        (3002, {"ImageId": "ami-12345678", "SubnetId": "subnet-1", "Nics": [{"NicId": "eni-1"}]}),
        (3002, {"SecurityGroupIds": ["sg-12345678"], "Nics": [NIC]}),
        (3002, {"Placement": {"Tenancy": "dedicated"}, "Nics": [NIC]}),
        (7000, {"Nics": [{"NicId": "eni-12345678"}]}),
        (7000, {"Nics": [{"DeviceNumber": 0}]}),
        (7000, {"Nics": [{**NIC, "DeviceNumber": 1}]}),
        (9004, {"Nics": [NIC, NIC]}),
        (4047, {"Nics": [{**NIC, "DeviceNumber": 8}]}),
        (4104, {"Nics": [{"DeviceNumber": 0, "NicId": "abc-12345678"}]}),
        (4105, {"Nics": [{"DeviceNumber": 0, "NicId": "eni-1234567"}]}),
        (5036, {"Nics": [{"DeviceNumber": 0, "NicId": "eni-12345678"}]}),
        (5057, {"Nics": [NIC]}),
        (4104, {"Nics": [{**NIC, "SubnetId": "toto"}]}),
        (4104, {"Nics": [{**NIC, "SecurityGroupIds": ["toto"]}]}),
        (3002, {"Nics": [{**NIC, "NicId": "eni-12345678"}]}),
        (
            3002,
            {"Nics": [{"DeviceNumber": 0, "NicId": "eni-12345678", "DeleteOnVmDeletion": True}]},
        ),
        (4047, {"Nics": [{**NIC, "PrivateIps": [{"PrivateIp": "120.1.2.3000"}]}]}),
        (3002, {"Nics": [{**NIC, "PrivateIps": 2 * [{"IsPrimary": True}]}]}),
        (5057, {"SubnetId": "subnet-12345678"}),
        (7000, {"PrivateIps": ["10.0.1.5"]}),
        (4047, {"VmInitiatedShutdownBehavior": "shutdown"}),
        (4047, {"UserData": "abc"}),
        (4106, {"UserData": encoded("x" * (500 * 1024 + 1))}),
        (5024, {"VmType": "toto"}),
        (5024, {"VmType": "tinav5.c0r1"}),
        (5071, {"KeypairName": "nobody"}),
        (5020, {"SecurityGroups": ["nobody"]}),
        (5020, {"SecurityGroupIds": ["sg-12345678"]}),
        (5009, {"Placement": {"SubregionName": ""}}),
        (5009, {"Placement": {"SubregionName": "eu-west-2z"}}),
        (4007, {"Placement": {"Tenancy": "toto"}}),
        (4007, {"NestedVirtualization": True}),
        (4018, {"MinVmsCount": 3, "MaxVmsCount": 2}),
        (4018, {"MinVmsCount": 0}),
        (4019, {"BlockDeviceMappings": [{"DeviceName": "/dev/toto", "Bsu": {"VolumeSize": 1}}]}),
        (7000, {"BlockDeviceMappings": [{"Bsu": {"VolumeSize": 1}}]}),
        (7000, {"BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Bsu": {}}]}),
        (4047, {"BlockDeviceMappings": [
            {"DeviceName": "/dev/sdb", "Bsu": {"VolumeSize": 1, "VolumeType": "toto"}}
        ]}),
        (4076, {"BlockDeviceMappings": [
            {"DeviceName": "/dev/sdb", "Bsu": {"VolumeSize": 1}, "VirtualDeviceName": "ephemeral0"}
        ]}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(world, code, request_):
    before = world.free_ips()
    world.refused(code, "CreateVms", **{"ImageId": world.image, **request_})
    assert world.call("ReadVms")["Vms"] == []
    assert world.call("ReadVolumes")["Volumes"] == []
    assert world.free_ips() == before


def test_a_linked_nic_is_not_given_to_another_vm(world):
    nic = world.vm(world.launch())["Nics"][0]["NicId"]
    items = [{"DeviceNumber": 0, "NicId": nic}]
    world.refused(9029, "CreateVms", ImageId=world.image, Nics=items)


def test_the_nics_of_a_vm_are_in_one_net(world):
    net = world.call("CreateNet", IpRange="10.9.0.0/16")["Net"]["NetId"]
    other = world.call("CreateSubnet", NetId=net, IpRange="10.9.1.0/24")["Subnet"]["SubnetId"]
    items = [
        {"DeviceNumber": 0, "SubnetId": world.subnet},
        {"DeviceNumber": 1, "SubnetId": other},
    ]
    world.refused(4086, "CreateVms", ImageId=world.image, Nics=items)


def test_a_private_ip_is_for_one_vm(world):
    request = {"SubnetId": world.subnet, "PrivateIps": ["10.0.1.9"], "MinVmsCount": 2}
    world.refused(3002, "CreateVms", ImageId=world.image, **request)


def test_a_dry_run_creates_nothing(world):
    answer = world.call("CreateVms", ImageId=world.image, DryRun=True)
    assert set(answer) == {"ResponseContext"}
    assert world.call("ReadVms")["Vms"] == []
