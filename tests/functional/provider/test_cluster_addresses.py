"""Public IPs of a cluster that come from elsewhere: a pool, or the spec."""

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import clusters, driver, worlds


@pytest.fixture
def cloud():
    fake = FakeCloud(seed=1)
    worlds.keypair(fake)
    return driver.Direct(fake)


@pytest.mark.parametrize("by", ["publicIpPool", "publicIpId"])
def test_a_bastion_gets_a_public_ip_that_exists(cloud, by):
    address = cloud.call("CreatePublicIp")["PublicIp"]
    tags = [{"Key": "OscK8sIPPool", "Value": "jump"}]
    cloud.call("CreateTags", ResourceIds=[address["PublicIpId"]], Tags=tags)
    image = {"id": cloud.read("ReadImages")[0]["ImageId"]}
    value = {"publicIpPool": "jump", "publicIpId": address["PublicIpId"]}[by]
    bastion = {"enable": True, "image": image, "keypairName": "ops", by: value}
    run = driver.ClusterDriver({"network": {"bastion": bastion}}, cloud.fake).settle()
    assert [vm["PublicIp"] for vm in cloud.read("ReadVms")] == [address["PublicIp"]]
    run.delete().settle()
    assert [row["PublicIpId"] for row in cloud.read("ReadPublicIps")] == [address["PublicIpId"]]


# --- Changed while it lives ----------------------------------------------------------------------


def address(fake, pool=""):
    made = driver.Direct(fake).call("CreatePublicIp")["PublicIp"]
    if pool:
        clusters.mark(fake, made["PublicIpId"], OscK8sIPPool=pool)
    return made


def bastion(run):
    return clusters.one(run, "Vms")


def test_a_bastion_changes_its_public_ip_while_it_runs(cloud):
    pooled, given = address(cloud.fake, "jump"), address(cloud.fake)
    spec = clusters.bastion(cloud.fake)
    run = clusters.ready({"bastion": spec}, cloud.fake)
    born, own = bastion(run)["VmId"], bastion(run)["PublicIp"]
    for more, expected in (
        ({"publicIpPool": "jump"}, pooled["PublicIp"]),
        ({"publicIpId": given["PublicIpId"]}, given["PublicIp"]),
        ({"publicIpPool": "jump"}, pooled["PublicIp"]),
    ):
        clusters.change(run, {"bastion": {**spec, **more}}).settle()
        assert run.is_ready, run.conditions
        assert bastion(run)["PublicIp"] == expected
        left = {row["PublicIp"] for row in cloud.read("ReadPublicIps")}
        assert own not in left, "What was its own is released."
        assert clusters.changes(run, lambda: clusters.again(run)) == []
    clusters.change(run, {"bastion": spec}).settle()
    assert run.is_ready, run.conditions
    assert bastion(run)["PublicIp"] not in {own, pooled["PublicIp"], given["PublicIp"]}
    assert bastion(run)["VmId"] == born
    run.delete().settle()
    left = {row["PublicIp"] for row in cloud.read("ReadPublicIps")}
    assert left == {pooled["PublicIp"], given["PublicIp"]}


@pytest.mark.parametrize("more", [{}, {"publicIpPool": "jump"}])
def test_a_bastion_that_somebody_gave_another_public_ip_gets_its_own_back(cloud, more):
    address(cloud.fake, "jump")
    run = clusters.ready({"bastion": clusters.bastion(cloud.fake, **more)}, cloud.fake)
    before, other = bastion(run), address(cloud.fake)
    cloud.call("UnlinkPublicIp", PublicIp=before["PublicIp"])
    cloud.call("LinkPublicIp", PublicIpId=other["PublicIpId"], VmId=before["VmId"])
    clusters.again(run)
    assert run.is_ready, run.conditions
    assert bastion(run)["PublicIp"] == before["PublicIp"]
    assert other["PublicIp"] in {row["PublicIp"] for row in cloud.read("ReadPublicIps")}


def test_a_bastion_keeps_its_public_ip_while_there_is_no_other(cloud):
    spec = clusters.bastion(cloud.fake)
    run = clusters.ready({"bastion": spec}, cloud.fake)
    before = bastion(run)["PublicIp"]
    clusters.change(run, {"bastion": {**spec, "publicIpPool": "empty"}})
    for _ in range(4):
        run.step()
        cloud.fake.clock.advance(20)
    status, reason, message = run.conditions["BastionReady"]
    assert (status, reason) == ("False", "Refused")
    assert "The pool empty has 0 public IPs" in message
    assert bastion(run)["PublicIp"] == before


def test_a_load_balancer_changes_its_public_ip_while_it_works(cloud):
    pooled, given = address(cloud.fake, "api"), address(cloud.fake)
    run = clusters.ready({}, cloud.fake)
    endpoint = run.object["spec"]["controlPlaneEndpoint"]
    for more, expected in (
        ({"publicIpPool": "api"}, pooled["PublicIp"]),
        ({"publicIpId": given["PublicIpId"]}, given["PublicIp"]),
    ):
        clusters.change(run, {"loadBalancer": more}).settle()
        assert run.is_ready, run.conditions
        assert clusters.balancer(run)["PublicIp"] == expected
        assert run.object["spec"]["controlPlaneEndpoint"] == endpoint
        assert clusters.changes(run, lambda: clusters.again(run)) == []
    run.delete().settle()
    rows = cloud.read("ReadPublicIps")
    assert [row["PublicIp"] for row in rows if row.get("LinkPublicIpId")] == []


@pytest.mark.parametrize("effect", ["refuse", "lose", "die before", "die after"])
def test_every_call_of_a_change_of_public_ips_may_fail(effect):
    for place in range(1, 30):
        fake = FakeCloud(seed=1)
        pooled, spec = address(fake, "jump"), clusters.bastion(fake)
        run = clusters.ready({"bastion": spec}, fake)
        network = {"bastion": {**spec, "publicIpPool": "jump"}, "loadBalancer": {}}
        clusters.change(run, network)
        run.cloud.strike_at, run.cloud.effect = len(run.cloud.calls) + place, effect
        run.settle()
        is_over, run.cloud.strike_at = len(run.cloud.calls) < run.cloud.strike_at, 0
        assert run.is_ready, run.conditions
        assert bastion(run)["PublicIp"] == pooled["PublicIp"]
        assert len(clusters.live(run, "PublicIps")) == 1, "That of the NAT service."
        if is_over:
            return
    raise AssertionError("There are more calls than positions tried.")
