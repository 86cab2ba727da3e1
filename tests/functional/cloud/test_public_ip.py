"""Public IPs: what they can be linked to, when a link ends, and what is refused."""

import pytest

from tests.functional.cloud import nets

TAG = "osc.fcu.eip.auto-attach"
UNLINKED = {"PublicIp", "PublicIpId", "Tags"}


@pytest.fixture
def world():
    return nets.make()


def linked(world, **request):
    ip = world.new_ip()
    link = world.call("LinkPublicIp", PublicIpId=ip["PublicIpId"], **request)["LinkPublicIpId"]
    return ip["PublicIpId"], link


def test_an_unlinked_public_ip_shows_three_fields(world):
    ip = world.new_ip()
    assert set(ip) == UNLINKED
    assert world.call("ReadPublicIps")["PublicIps"] == [ip]


def test_no_public_ip_comes_twice(world):
    got = {world.new_ip()["PublicIp"] for _ in range(50)}
    assert len(got) == 50


def test_the_vm_and_its_nic_show_the_public_ip_that_is_linked(world):
    vm = world.launch()
    id_, link = linked(world, VmId=vm)
    shown = world.public_ip(id_)
    nic = world.vm(vm)["Nics"][0]
    assert set(shown) == {
        "LinkPublicIpId", "NicAccountId", "NicId", "PrivateIp", "PublicIp", "PublicIpId", "Tags",
        "VmId",
    }  # fmt: skip
    assert (shown["LinkPublicIpId"], shown["VmId"], shown["NicId"]) == (link, vm, nic["NicId"])
    ip = shown["PublicIp"]
    name = f"ows-{ip.replace('.', '-')}.eu-west-2.compute.outscale.com"
    assert (world.vm(vm)["PublicIp"], world.vm(vm)["PublicDnsName"]) == (ip, name)
    assert nic["LinkPublicIp"] == {
        "PublicDnsName": name, "PublicIp": ip, "PublicIpAccountId": world.cloud.account
    }  # fmt: skip
    assert set(world.nic(nic["NicId"])["LinkPublicIp"]) == {
        "LinkPublicIpId", "PublicDnsName", "PublicIp", "PublicIpAccountId", "PublicIpId"
    }  # fmt: skip


def test_an_unlinked_public_ip_is_free_again(world):
    vm = world.launch()
    id_, link = linked(world, VmId=vm)
    world.refused(9029, "DeletePublicIp", PublicIpId=id_)
    world.call("UnlinkPublicIp", LinkPublicIpId=link)
    assert set(world.public_ip(id_)) == UNLINKED
    assert "PublicIp" not in world.vm(vm)
    world.call("DeletePublicIp", PublicIpId=id_)
    assert world.call("ReadPublicIps")["PublicIps"] == []


def test_a_net_needs_an_internet_service(world):
    net = world.call("CreateNet", IpRange="10.1.0.0/16")["Net"]["NetId"]
    made = world.call("CreateSubnet", NetId=net, IpRange="10.1.1.0/24")["Subnet"]
    nic = world.new_nic(SubnetId=made["SubnetId"])["NicId"]
    world.refused(9027, "LinkPublicIp", PublicIp=world.new_ip()["PublicIp"], NicId=nic)


def test_in_a_net_a_link_is_moved_only_when_that_is_allowed(world):
    one, two = world.launch(), world.launch()
    id_, first = linked(world, VmId=one)
    world.refused(9029, "LinkPublicIp", PublicIpId=id_, VmId=two)
    second = world.call("LinkPublicIp", PublicIpId=id_, VmId=two, AllowRelink=True)
    assert second["LinkPublicIpId"] != first
    assert "PublicIp" not in world.vm(one)
    assert world.public_ip(id_)["VmId"] == two


def test_in_the_public_cloud_a_link_is_moved_unless_that_is_refused(world):
    one, two = world.launch(Public=True), world.launch(Public=True)
    id_, _ = linked(world, VmId=one)
    world.refused(9029, "LinkPublicIp", PublicIpId=id_, VmId=two, AllowRelink=False)
    world.call("LinkPublicIp", PublicIpId=id_, VmId=two)
    assert world.public_ip(id_)["VmId"] == two


def test_a_secondary_address_can_have_a_public_ip_of_its_own(world):
    nic = world.new_nic(PrivateIps=[{"PrivateIp": "10.0.1.50"}])["NicId"]
    id_, _ = linked(world, NicId=nic, PrivateIp="10.0.1.50")
    shown = world.nic(nic)
    assert "LinkPublicIp" not in shown
    assert shown["PrivateIps"][1]["LinkPublicIp"]["PublicIpId"] == id_
    world.call("UnlinkPrivateIps", NicId=nic, PrivateIps=["10.0.1.50"])
    assert set(world.public_ip(id_)) == UNLINKED


def test_a_vm_with_several_nics_needs_the_nic_to_be_named(world):
    vm, nic = world.launch(), world.new_nic()["NicId"]
    world.call("LinkNic", NicId=nic, VmId=vm, DeviceNumber=1)
    world.refused(9001, "LinkPublicIp", PublicIp=world.new_ip()["PublicIp"], VmId=vm)
    id_, _ = linked(world, NicId=nic)
    assert world.public_ip(id_)["VmId"] == vm


def test_a_stop_ends_the_link_in_the_public_cloud(world):
    vm = world.launch(Public=True)
    before = world.vm(vm)["PublicIp"]
    id_, _ = linked(world, VmId=vm)
    assert world.vm(vm)["PublicIp"] == world.public_ip(id_)["PublicIp"] != before
    world.call("StopVms", VmIds=[vm])
    world.wait(nets.UNTIL_STOPPED_S)
    assert set(world.public_ip(id_)) == UNLINKED
    assert "PublicIp" not in world.vm(vm)


def test_the_auto_attach_tag_keeps_the_link(world):
    vm = world.launch(Public=True)
    id_, _ = linked(world, VmId=vm)
    ip = world.public_ip(id_)["PublicIp"]
    world.call("CreateTags", ResourceIds=[vm], Tags=[{"Key": TAG, "Value": ip}])
    world.call("StopVms", VmIds=[vm])
    world.wait(nets.UNTIL_STOPPED_S)
    world.call("StartVms", VmIds=[vm])
    world.wait(nets.UNTIL_RUNNING_S)
    assert world.vm(vm)["PublicIp"] == ip


def test_the_auto_attach_tag_links_at_the_next_start(world):
    vm, ip = world.launch(), world.new_ip()
    world.call("CreateTags", ResourceIds=[vm], Tags=[{"Key": TAG, "Value": ip["PublicIp"]}])
    world.call("StopVms", VmIds=[vm])
    world.wait(nets.UNTIL_STOPPED_S)
    world.call("StartVms", VmIds=[vm])
    world.wait(nets.UNTIL_RUNNING_S)
    assert world.public_ip(ip["PublicIpId"])["VmId"] == vm


def test_a_terminated_vm_has_no_public_ip(world):
    vm = world.launch()
    id_, _ = linked(world, VmId=vm)
    world.call("DeleteVms", VmIds=[vm])
    world.wait(nets.UNTIL_TERMINATED_S)
    assert set(world.public_ip(id_)) == UNLINKED


@pytest.mark.parametrize(
    ("code", "action", "request_"),
    [
        (7000, "LinkPublicIp", {"PublicIp": "198.18.0.1"}),
        (7000, "LinkPublicIp", {"VmId": "i-12345678"}),
        (3002, "LinkPublicIp", {"VmId": "i-1", "NicId": "eni-1", "PublicIp": "198.18.0.1"}),
        (5063, "LinkPublicIp", {"VmId": "i-12345678", "PublicIpId": "eipalloc-12345678"}),
        (5036, "LinkPublicIp", {"NicId": "eni-12345678", "PublicIpId": "eipalloc-12345678"}),
        (5036, "LinkPublicIp", {"NicId": "eni-12345678", "VmId": "", "PublicIp": "198.18.0.1"}),
        (7000, "UnlinkPublicIp", {}),
        (3002, "UnlinkPublicIp", {"LinkPublicIpId": "eipassoc-12345678", "PublicIp": "1.2.3.4"}),
        (5026, "UnlinkPublicIp", {"LinkPublicIpId": "eipassoc-12345678"}),
        (4104, "UnlinkPublicIp", {"LinkPublicIpId": "toto"}),
        (4105, "UnlinkPublicIp", {"LinkPublicIpId": "eipassoc-1234567"}),
        (5025, "UnlinkPublicIp", {"PublicIp": "1.2.3.4"}),
        (7000, "DeletePublicIp", {}),
        (4047, "DeletePublicIp", {"PublicIp": "123"}),
        (5025, "DeletePublicIp", {"PublicIp": "1.2.3.4"}),
        (5025, "DeletePublicIp", {"PublicIpId": "tata"}),
        (5080, "DeletePublicIp", {"PublicIpId": "eipalloc-12345678"}),
        (3002, "DeletePublicIp", {"PublicIpId": "eipalloc-12345678", "PublicIp": "1.2.3.4"}),
    ],
)
def test_what_does_not_fit_is_refused(world, code, action, request_):
    world.refused(code, action, **request_)


def test_unlinking_what_is_linked_to_nothing_is_refused(world):
    world.refused(5026, "UnlinkPublicIp", PublicIp=world.new_ip()["PublicIp"])


def test_the_quota_limits_public_ips():
    world = nets.make(quota={"ip_limit": 1})
    world.new_ip()
    world.refused(10011, "CreatePublicIp")


def test_filters_find_public_ips(world):
    vm = world.launch()
    id_, link = linked(world, VmId=vm)
    world.new_ip()
    shown = world.public_ip(id_)
    by = {
        "LinkPublicIpIds": [link],
        "NicAccountIds": [world.cloud.account],
        "NicIds": [shown["NicId"]],
        "Placements": ["vpc"],
        "PrivateIps": [shown["PrivateIp"]],
        "PublicIps": [shown["PublicIp"]],
        "VmIds": [vm],
    }
    for name, wanted in by.items():
        found = world.call("ReadPublicIps", Filters={name: wanted})["PublicIps"]
        assert [each["PublicIpId"] for each in found] == [id_], name


def test_the_ranges_hold_every_public_ip(world):
    ranges = world.call("ReadPublicIpRanges")["PublicIps"]
    assert all(each.endswith("/16") for each in ranges)
    start = world.new_ip()["PublicIp"].rsplit(".", 2)[0]
    assert any(each.startswith(start) for each in ranges)
