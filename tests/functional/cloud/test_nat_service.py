"""NAT services: where they can be, what they hold, and what is left of a deleted one."""

import pytest

from tests.functional.cloud import nets

HOUR_S = 3600


@pytest.fixture
def world():
    return nets.make()


def create(world, **request):
    ip = world.new_ip()["PublicIpId"]
    request = {"SubnetId": world.subnet, "PublicIpId": ip, **request}
    return world.call("CreateNatService", **request)["NatService"], ip


def shown(world, nat):
    wanted = {"NatServiceIds": [nat["NatServiceId"]]}
    found = world.call("ReadNatServices", Filters=wanted)["NatServices"]
    return found[0] if found else None


def test_a_nat_service_is_available_at_once(world):
    nat, ip = create(world)
    assert set(nat) == {"NatServiceId", "NetId", "PublicIps", "State", "SubnetId", "Tags"}
    assert nat["State"] == "available"
    assert nat["PublicIps"] == [
        {"PublicIp": world.public_ip(ip)["PublicIp"], "PublicIpId": ip},
    ]
    assert world.public_ip(ip)["NatServiceId"] == nat["NatServiceId"]
    assert "LinkPublicIpId" in world.public_ip(ip)


def test_a_nat_service_holds_its_public_ip_and_its_subnet(world):
    _, ip = create(world)
    world.refused(9029, "DeletePublicIp", PublicIpId=ip)
    world.refused(9029, "CreateNatService", SubnetId=world.subnet, PublicIpId=ip)
    world.refused(
        9029, "LinkPublicIp", PublicIpId=ip, NicId=world.new_nic()["NicId"], AllowRelink=True
    )
    world.refused(9029, "UnlinkPublicIp", PublicIp=world.public_ip(ip)["PublicIp"])
    world.refused(9095, "DeleteSubnet", SubnetId=world.subnet)


def test_a_subnet_has_one_nat_service(world):
    create(world)
    ip = world.new_ip()["PublicIpId"]
    world.refused(9037, "CreateNatService", SubnetId=world.subnet, PublicIpId=ip)


def test_a_subnet_without_a_route_to_the_internet_is_refused(world):
    net = world.call("CreateNet", IpRange="10.1.0.0/16")["Net"]["NetId"]
    made = world.call("CreateSubnet", NetId=net, IpRange="10.1.1.0/24")["Subnet"]
    ip = world.new_ip()["PublicIpId"]
    world.refused(9045, "CreateNatService", SubnetId=made["SubnetId"], PublicIpId=ip)


def test_a_deleted_nat_service_is_shown_for_an_hour(world):
    before = world.free_ips()
    nat, ip = create(world)
    assert world.free_ips() == before - 1
    world.call("DeleteNatService", NatServiceId=nat["NatServiceId"])
    assert shown(world, nat)["State"] == "deleting"
    assert set(world.public_ip(ip)) == {"PublicIp", "PublicIpId", "Tags"}
    world.wait(5)
    left = shown(world, nat)
    assert left["State"] == "deleted"
    assert "PublicIps" not in left
    assert world.free_ips() == before
    world.call("DeleteNatService", NatServiceId=nat["NatServiceId"])
    world.wait(HOUR_S)
    assert shown(world, nat) is None
    world.refused(5032, "DeleteNatService", NatServiceId=nat["NatServiceId"])


def test_the_same_token_gives_the_same_nat_service(world):
    nat, ip = create(world, ClientToken="once")
    request = {"SubnetId": world.subnet, "PublicIpId": ip, "ClientToken": "once"}
    assert world.call("CreateNatService", **request)["NatService"] == nat
    found = world.call("ReadNatServices", Filters={"ClientTokens": ["once"]})["NatServices"]
    assert found == [nat]
    other = world.new_subnet("10.0.2.0/24")
    world.refused(4091, "CreateNatService", **{**request, "SubnetId": other})


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {"SubnetId": "subnet-12345678", "PublicIpId": ""}),
        (4104, {"SubnetId": "foo", "PublicIpId": "eipalloc-12345678"}),
        (4104, {"SubnetId": "subnet-12345678", "PublicIpId": "foo"}),
        (5057, {"SubnetId": "subnet-12345678", "PublicIpId": "eipalloc-12345678"}),
    ],
)
def test_what_does_not_fit_is_refused(world, code, request_):
    world.refused(code, "CreateNatService", **request_)


def test_an_unknown_public_ip_is_refused(world):
    request = {"SubnetId": world.subnet, "PublicIpId": "eipalloc-12345678"}
    world.refused(5080, "CreateNatService", **request)


def test_filters_find_nat_services(world):
    nat, _ = create(world)
    by = {"NetIds": [world.net], "SubnetIds": [world.subnet], "States": ["available"]}
    for name, wanted in by.items():
        assert world.call("ReadNatServices", Filters={name: wanted})["NatServices"] == [nat], name
    assert world.call("ReadNatServices", Filters={"States": ["deleted"]})["NatServices"] == []
