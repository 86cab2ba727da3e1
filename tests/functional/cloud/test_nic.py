"""NICs: their addresses, their links to VMs, and what is refused."""

import pytest

from tests.functional.cloud import nets


@pytest.fixture
def world():
    return nets.make()


def test_a_nic_shows_what_the_api_shows(world):
    nic = world.new_nic(PrivateIps=[{"IsPrimary": True, "PrivateIp": "10.0.1.20"}])
    assert set(nic) == {
        "AccountId", "Description", "IsSourceDestChecked", "MacAddress", "NetId", "NicId",
        "PrivateDnsName", "PrivateIps", "SecurityGroups", "State", "SubnetId", "SubregionName",
        "Tags",
    }  # fmt: skip
    assert nic["State"] == "available"
    assert nic["MacAddress"].startswith("aa:")
    assert nic["PrivateDnsName"] == "ip-10-0-1-20.eu-west-2.compute.internal"
    assert [group["SecurityGroupName"] for group in nic["SecurityGroups"]] == ["default"]


def test_the_first_four_addresses_and_the_last_one_are_reserved(world):
    small = world.new_subnet("10.0.2.0/29")
    got = [world.new_nic(SubnetId=small)["PrivateIps"][0]["PrivateIp"] for _ in range(3)]
    assert got == ["10.0.2.4", "10.0.2.5", "10.0.2.6"]
    world.refused(10011, "CreateNic", SubnetId=small)
    for ip in ("10.0.2.3", "10.0.2.7", "10.0.3.4"):
        world.refused(
            4047, "CreateNic", SubnetId=small, PrivateIps=[{"IsPrimary": True, "PrivateIp": ip}]
        )


def test_a_nic_gives_its_addresses_back(world):
    before = world.free_ips()
    nic = world.new_nic(PrivateIps=[{"PrivateIp": "10.0.1.20"}])
    assert world.free_ips() == before - 2
    world.call("DeleteNic", NicId=nic["NicId"])
    assert world.free_ips() == before


def test_a_secondary_address_alone_comes_after_a_chosen_primary_one(world):
    ips = world.new_nic(PrivateIps=[{"PrivateIp": "10.0.1.4"}])["PrivateIps"]
    assert [(ip["PrivateIp"], ip["IsPrimary"]) for ip in ips] == [
        ("10.0.1.5", True),
        ("10.0.1.4", False),
    ]


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {"SubnetId": ""}),
        (4104, {"SubnetId": "sub-12345678"}),
        (4105, {"SubnetId": "subnet-1234567"}),
        (5057, {"SubnetId": "subnet-12345678"}),
        (4104, {"SecurityGroupIds": ["tata"]}),
        (5020, {"SecurityGroupIds": ["sg-12345678"]}),
        (4047, {"PrivateIps": [{"PrivateIp": "tata"}]}),
        (4047, {"PrivateIps": [{"PrivateIp": "296.15.2.25"}]}),
        (4047, {"PrivateIps": [{"IsPrimary": True}]}),
        (
            3002,
            {
                "PrivateIps": [
                    {"IsPrimary": True, "PrivateIp": "10.0.1.8"},
                    {"IsPrimary": True, "PrivateIp": "10.0.1.9"},
                ]
            },
        ),
    ],
)
def test_a_nic_that_cannot_be_is_refused(world, code, request_):
    world.refused(code, "CreateNic", **{"SubnetId": world.subnet, **request_})


def test_an_address_is_not_given_twice(world):
    wanted = [{"IsPrimary": True, "PrivateIp": "10.0.1.20"}]
    world.new_nic(PrivateIps=wanted)
    world.refused(4045, "CreateNic", SubnetId=world.subnet, PrivateIps=wanted)


def test_a_group_of_another_place_is_refused(world):
    public = world.new_group("public")
    world.refused(5022, "CreateNic", SubnetId=world.subnet, SecurityGroupIds=[public])


def test_a_nic_is_linked_for_as_long_as_it_is_not_unlinked(world):
    vm = world.launch()
    nic = world.new_nic()["NicId"]
    link = world.call("LinkNic", NicId=nic, VmId=vm, DeviceNumber=1)["LinkNicId"]
    assert link.startswith("eni-attach-")
    assert world.nic(nic)["State"] == "attaching"
    world.wait(3)
    shown = world.nic(nic)
    assert shown["State"] == "in-use"
    assert shown["LinkNic"] == {
        "DeleteOnVmDeletion": False, "DeviceNumber": 1, "LinkNicId": link, "State": "attached",
        "VmAccountId": world.cloud.account, "VmId": vm,
    }  # fmt: skip
    assert [each["NicId"] for each in world.vm(vm)["Nics"]][1] == nic
    world.refused(9029, "DeleteNic", NicId=nic)
    world.refused(9029, "LinkNic", NicId=nic, VmId=vm, DeviceNumber=2)
    world.refused(9004, "LinkNic", NicId=world.new_nic()["NicId"], VmId=vm, DeviceNumber=1)
    world.call("UnlinkNic", LinkNicId=link)
    assert world.nic(nic)["State"] == "detaching"
    world.wait(3)
    assert world.nic(nic)["State"] == "available"
    assert len(world.vm(vm)["Nics"]) == 1
    world.call("DeleteNic", NicId=nic)


def test_a_vm_has_as_many_nics_as_its_type_allows(world):
    vm = world.launch(VmType="t2.small")
    for device in (1, 2):
        world.call("LinkNic", NicId=world.new_nic()["NicId"], VmId=vm, DeviceNumber=device)
    world.refused(10015, "LinkNic", NicId=world.new_nic()["NicId"], VmId=vm, DeviceNumber=3)


def test_a_nic_stays_in_its_net(world):
    nic = world.new_nic()["NicId"]
    outside = world.launch(Public=True)
    world.refused(4045, "LinkNic", NicId=nic, VmId=outside, DeviceNumber=1)


@pytest.mark.parametrize(
    ("code", "action", "request_"),
    [
        (4104, "LinkNic", {"NicId": "toto"}),
        (4105, "LinkNic", {"NicId": "eni-123154678"}),
        (4105, "LinkNic", {"VmId": "i-123456789"}),
        (5036, "LinkNic", {"NicId": "eni-12345678", "VmId": "i-12345678"}),
        (5063, "LinkNic", {"VmId": "i-12345678"}),
        (7000, "LinkNic", {"VmId": ""}),
        (4047, "LinkNic", {"DeviceNumber": 8}),
        (4047, "LinkNic", {"DeviceNumber": 0}),
        (4104, "UnlinkNic", {"LinkNicId": "toto"}),
        (4105, "UnlinkNic", {"LinkNicId": "eni-attach-123154678"}),
        (5007, "UnlinkNic", {"LinkNicId": "eni-attach-12345678"}),
        (5036, "DeleteNic", {"NicId": "eni-12345678"}),
        (7000, "UpdateNic", {"NicId": "eni-12345678"}),
        (7000, "UpdateNic", {"NicId": "eni-12345678", "SecurityGroupIds": []}),
        (5036, "UpdateNic", {"NicId": "eni-12345678", "Description": ""}),
        (4104, "UpdateNic", {"NicId": "eni-12345678", "SecurityGroupIds": ["tata", "toto"]}),
        (4105, "UpdateNic", {"NicId": "eni-12345678", "SecurityGroupIds": ["sg-123456789"]}),
        (7000, "LinkPrivateIps", {"NicId": "eni-12345678"}),
        (4104, "LinkPrivateIps", {"NicId": "toto"}),
        (5036, "LinkPrivateIps", {"NicId": "eni-12345678", "SecondaryPrivateIpCount": 1}),
        (5036, "UnlinkPrivateIps", {"NicId": "eni-12345678", "PrivateIps": ["10.0.1.5"]}),
    ],
)
def test_what_does_not_fit_is_refused(world, code, action, request_):
    if action == "LinkNic":
        whole = {"NicId": world.new_nic()["NicId"], "VmId": world.launch(), "DeviceNumber": 1}
        request_ = {**whole, **request_}
    world.refused(code, action, **request_)


def test_every_wrong_group_is_named(world):
    error = world.refused(
        4104, "CreateNic", SubnetId=world.subnet, SecurityGroupIds=["tata", "toto"]
    )
    assert "'tata, toto'" in error.details


def test_the_primary_nic_is_not_unlinked(world):
    link = world.vm(world.launch())["Nics"][0]["LinkNic"]["LinkNicId"]
    world.refused(8003, "UnlinkNic", LinkNicId=link)


def test_an_update_changes_what_it_names(world):
    nic = world.new_nic()["NicId"]
    group = world.new_group(NetId=world.net)
    world.call("UpdateNic", NicId=nic, Description="changed")
    shown = world.call("UpdateNic", NicId=nic, SecurityGroupIds=[group])["Nic"]
    assert shown["Description"] == "changed"
    assert [each["SecurityGroupId"] for each in shown["SecurityGroups"]] == [group]
    world.refused(9085, "DeleteSecurityGroup", SecurityGroupId=group)


def test_a_linked_nic_can_be_told_to_die_with_its_vm(world):
    vm, nic = world.launch(), world.new_nic()["NicId"]
    link = world.call("LinkNic", NicId=nic, VmId=vm, DeviceNumber=1)["LinkNicId"]
    update = {"LinkNicId": link, "DeleteOnVmDeletion": True}
    shown = world.call("UpdateNic", NicId=nic, LinkNic=update)["Nic"]
    assert shown["LinkNic"]["DeleteOnVmDeletion"] is True
    world.call("DeleteVms", VmIds=[vm])
    world.wait(nets.UNTIL_TERMINATED_S)
    assert world.call("ReadNics")["Nics"] == []


def test_secondary_addresses_come_and_go(world):
    nic = world.new_nic()["NicId"]
    world.call("LinkPrivateIps", NicId=nic, PrivateIps=["10.0.1.50", "10.0.1.51"])
    world.call("LinkPrivateIps", NicId=nic, SecondaryPrivateIpCount=2)
    assert len(world.nic(nic)["PrivateIps"]) == 5
    world.refused(4045, "UnlinkPrivateIps", NicId=nic, PrivateIps=["10.0.1.50", "10.0.1.99"])
    assert len(world.nic(nic)["PrivateIps"]) == 5
    world.call("UnlinkPrivateIps", NicId=nic, PrivateIps=["10.0.1.50", "10.0.1.51"])
    assert len(world.nic(nic)["PrivateIps"]) == 3
    primary = world.nic(nic)["PrivateIps"][0]["PrivateIp"]
    world.refused(4045, "UnlinkPrivateIps", NicId=nic, PrivateIps=[primary])


def test_an_address_moves_only_when_relinking_is_allowed(world):
    one = world.new_nic(PrivateIps=[{"PrivateIp": "10.0.1.50"}])
    two = world.new_nic()["NicId"]
    wanted = {"NicId": two, "PrivateIps": ["10.0.1.50"]}
    world.refused(4045, "LinkPrivateIps", **wanted)
    world.call("LinkPrivateIps", **wanted, AllowRelink=True)
    assert len(world.nic(one["NicId"])["PrivateIps"]) == 1
    assert world.nic(two)["PrivateIps"][1]["PrivateIp"] == "10.0.1.50"
    primary = one["PrivateIps"][0]["PrivateIp"]
    world.refused(4045, "LinkPrivateIps", NicId=two, PrivateIps=[primary], AllowRelink=True)
    mine = world.nic(two)["PrivateIps"][0]["PrivateIp"]
    world.call("LinkPrivateIps", NicId=two, PrivateIps=[mine], AllowRelink=True)


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (4047, {"PrivateIps": ["toto"]}),
        (4047, {"PrivateIps": ["295.0.1.35"]}),
        (4047, {"SecondaryPrivateIpCount": -2}),
        (10021, {"SecondaryPrivateIpCount": 50000}),
        (3002, {"PrivateIps": ["10.0.1.50"], "SecondaryPrivateIpCount": 1}),
    ],
)
def test_secondary_addresses_that_cannot_be_are_refused(world, code, request_):
    world.refused(code, "LinkPrivateIps", NicId=world.new_nic()["NicId"], **request_)


def test_filters_find_nics_by_what_they_show(world):
    vm = world.launch()
    nic = world.new_nic(Description="mine", PrivateIps=[{"PrivateIp": "10.0.1.50"}])
    linked = world.vm(vm)["Nics"][0]["NicId"]
    by = {
        "Descriptions": ["mine"],
        "MacAddresses": [nic["MacAddress"]],
        "PrivateIpsPrivateIps": ["10.0.1.50"],
        "PrivateIpsPrimaryIp": False,
        "States": ["available"],
    }
    for name, wanted in by.items():
        found = world.call("ReadNics", Filters={name: wanted})["Nics"]
        assert [each["NicId"] for each in found] == [nic["NicId"]], name
    for name, wanted in {"LinkNicVmIds": [vm], "LinkNicDeviceNumbers": [0]}.items():
        found = world.call("ReadNics", Filters={name: wanted})["Nics"]
        assert [each["NicId"] for each in found] == [linked], name


def test_another_account_sees_no_nic(world):
    nic = world.new_nic()["NicId"]
    assert world.call("ReadNics", account=nets.OTHER)["Nics"] == []
    world.refused(5036, "DeleteNic", NicId=nic, account=nets.OTHER)
