"""Public IPs of a cluster that come from elsewhere: a pool, or the spec."""

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import driver, worlds


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
