"""What belongs to a cluster in a cloud that others use at the same time."""

import pytest

from e2e.cloud import Fake, Footprint

MINE, OTHERS = "uid-of-mine", "uid-of-others"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Fake(tmp_path_factory.mktemp("footprint") / "cloud") as made:
        yield made


@pytest.fixture
def footprint(cloud):
    made = Footprint(cloud, "mine")
    made.learn(MINE)
    return made


def net_of(cloud, uid):
    """Make a Net as the provider does: first the Net, then the tag that says whose it is."""
    id_ = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    tags = [{"Key": f"OscK8sClusterID/{uid}", "Value": "owned"}]
    cloud.call("CreateTags", ResourceIds=[id_], Tags=tags)
    return id_


def test_what_is_in_a_net_of_the_cluster_is_its_own_without_a_tag(cloud, footprint):
    net = net_of(cloud, MINE)
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert {f"Nets {net}", f"Subnets {subnet}"} <= footprint.inventory()


def test_what_others_have_is_not_there(cloud, footprint):
    net = net_of(cloud, OTHERS)
    assert f"Nets {net}" not in footprint.inventory()
    assert f"Nets {net}" in cloud.inventory()


def test_what_was_known_and_is_left_behind_is_still_there(cloud, footprint):
    net = net_of(cloud, MINE)
    footprint.inventory()
    cloud.call("DeleteTags", ResourceIds=[net], Tags=[{"Key": f"OscK8sClusterID/{MINE}"}])
    assert f"Nets {net}" in footprint.inventory()


def test_only_its_own_writes_are_counted(cloud, footprint):
    before = len(footprint.writes())
    other, net = net_of(cloud, OTHERS), net_of(cloud, MINE)
    for each in (other, net):
        cloud.call("CreateSubnet", NetId=each, IpRange="10.0.2.0/24")
    cloud.call("ReadSubnets", Filters={"NetIds": [net]})
    assert footprint.writes()[before:] == ["CreateTags", "CreateSubnet"]


def test_what_is_left_is_told_with_whose_it_is(cloud):
    marked = net_of(cloud, OTHERS)
    bare = cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    told = cloud.tell({f"Nets {marked}", f"PublicIps {bare}"})
    assert told == (
        f"Nets {marked} (available, OscK8sClusterID/{OTHERS}=owned); "
        f"PublicIps {bare} (there, without tags)"
    )


def test_it_is_in_the_region_that_is_asked_for(tmp_path):
    with Fake(tmp_path / "cloud", region="us-east-2") as made:
        names = [row["SubregionName"] for row in made.rows("Subregions")]
    assert names == ["us-east-2a", "us-east-2b"]
