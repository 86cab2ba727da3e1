"""What existed before a create that was cut short is never taken for what it made."""

import pytest

from tests.functional.provider import driver


def _theirs(cloud):
    """Make what a neighbour has; return what lets go of it."""
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.0.0/24")["Subnet"]["SubnetId"]
    gate = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    cloud.call("LinkInternetService", InternetServiceId=gate, NetId=net)
    nic = cloud.call("CreateNic", SubnetId=subnet)["Nic"]["NicId"]
    address = cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    link = cloud.call("LinkPublicIp", PublicIpId=address, NicId=nic)["LinkPublicIpId"]
    spare = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    other = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    tags = [{"Key": "OscK8sClusterID/another", "Value": "owned"}]
    for each in (spare, other):
        cloud.call("CreateTags", ResourceIds=[each], Tags=tags)

    def unlink():
        cloud.call("UnlinkPublicIp", LinkPublicIpId=link)
        cloud.call("UnlinkInternetService", InternetServiceId=gate, NetId=net)
        cloud.call("DeleteTags", ResourceIds=[spare, other], Tags=tags)

    return unlink


@pytest.mark.parametrize("effect", ["refuse", "die before"])
@pytest.mark.parametrize("action", ["CreateNet", "CreatePublicIp", "CreateInternetService"])
def test_what_a_neighbour_lets_go_of_meanwhile_stays_theirs(action, effect):
    happy = driver.ClusterDriver()
    _theirs(driver.Direct(happy.fake))
    happy.settle()
    run = driver.ClusterDriver()
    let_go = _theirs(driver.Direct(run.fake))
    run.cloud.strike_at = happy.cloud.calls.index(action) + 1
    run.cloud.effect = effect
    while len(run.cloud.calls) < run.cloud.strike_at:
        run.step()
    let_go()
    run.settle()
    assert run.is_ready, run.conditions
    run.delete().settle()
    left = driver.inventory(run.fake)
    assert {kind: len(left[kind]) for kind in ("Nets", "PublicIps", "InternetServices")} == {
        "Nets": 2,
        "PublicIps": 1,
        "InternetServices": 2,
    }
    assert not [row for row in left["Nets"] if row["Tags"]]
