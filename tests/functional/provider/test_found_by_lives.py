"""Mistakes that random lives have found (tests/simulate), each as the shortest story."""

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import clusters, driver, machine_driver, worlds

FAR = worlds.FAR


def peered():
    example = next(each for each in worlds.EXAMPLES if each.name == "peering")
    return example.start().settle()


def leads(run):
    """Return the tables of the other side with a route to a peering."""
    tables = driver.Direct(run.fake, FAR).read("ReadRouteTables")
    return [t for t in tables if any(r.get("NetPeeringId") for r in t["Routes"])]


def test_routes_to_a_peering_go_from_tables_that_are_not_chosen_any_more():
    run = peered()
    far = driver.Direct(run.fake, FAR)
    main = next(t for t in far.read("ReadRouteTables") if t["LinkRouteTables"])
    peering = driver.Direct(run.fake).read("ReadNetPeerings")[0]["NetPeeringId"]
    far.call(
        "CreateRoute",
        RouteTableId=main["RouteTableId"],
        DestinationIpRange="10.0.0.0/16",
        NetPeeringId=peering,
    )
    run.memory.clear()
    run.settle()
    assert [t["RouteTableId"] for t in leads(run)] != [main["RouteTableId"]]
    assert len(leads(run)) == 1
    run.delete().settle()
    assert leads(run) == []


def test_a_new_peering_takes_over_the_routes_of_one_that_was_deleted():
    run = peered()
    near = driver.Direct(run.fake)
    near.call("DeleteNetPeering", NetPeeringId=near.read("ReadNetPeerings")[0]["NetPeeringId"])
    run.memory.clear()
    run.settle()
    assert run.is_ready, run.conditions
    (route,) = [r for t in leads(run) for r in t["Routes"] if r.get("NetPeeringId")]
    assert route["State"] == "active"


def test_the_addresses_of_nat_services_are_let_in_at_once():
    endpoint = {"host": "api.example.com", "port": 6443}
    groups = [
        {"name": "lb", "roles": ["loadbalancer"], "rules": []},
        {"name": "nodes", "roles": ["controlplane", "worker"], "rules": []},
    ]
    network = {
        "disable": ["loadbalancer"],
        "securityGroups": groups,
        "allowFromIPRanges": ["192.0.2.0/24"],
    }
    run = driver.ClusterDriver({"controlPlaneEndpoint": endpoint, "network": network}).settle()
    cloud = driver.Direct(run.fake)
    address = cloud.read("ReadNatServices")[0]["PublicIps"][0]["PublicIp"]
    rules = [
        rule
        for group in cloud.read("ReadSecurityGroups")
        if group["SecurityGroupName"].startswith("lb-")
        for rule in group["InboundRules"]
    ]
    assert any(f"{address}/32" in rule["IpRanges"] for rule in rules)


def test_a_machine_with_a_gpu_has_one_public_ip_of_a_pool():
    site = machine_driver.Site()
    cloud = driver.Direct(site.fake)
    ids = [cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"] for _ in range(9)]
    tags = [{"Key": "OscK8sIPPool", "Value": "nodes"}]
    cloud.call("CreateTags", ResourceIds=ids, Tags=tags)
    vm = {"vmType": "tinav5.c4r8p1", "flexibleGpu": {"model": "nvidia-p100"}}
    vm |= {"publicIp": True, "publicIpPool": "nodes"}
    for number in range(3):
        # Each chooses another one, and what is free has changed when it starts.
        site.machine(f"demo-md-0-{number}", spec={"vm": dict(vm)})
    site.settle()
    site.fake.clock.advance(60)
    linked = [
        row for row in cloud.read("ReadPublicIps") if row.get("VmId") and row["PublicIpId"] in ids
    ]
    assert len(linked) == 3


@pytest.mark.parametrize("how", ["deleted", "without its role"])
def test_no_machine_is_made_without_one_of_its_groups(how):
    site = machine_driver.Site()
    cloud = driver.Direct(site.fake)
    rows = cloud.read("ReadSecurityGroups")
    group = next(r for r in rows if r["SecurityGroupName"].startswith("demo-worker"))
    if how == "deleted":
        cloud.call("DeleteSecurityGroup", SecurityGroupId=group["SecurityGroupId"])
    else:
        role = [{"Key": "OscK8sRole/worker", "Value": ""}]
        cloud.call("DeleteTags", ResourceIds=[group["SecurityGroupId"]], Tags=role)
    run = site.machine()
    for _ in range(4):
        run.step()
        site.fake.clock.advance(5)
    assert all(len(vm["SecurityGroups"]) == 2 for vm in run.vms)
    assert bool(run.vms) == (how != "deleted")


def test_of_two_public_ips_in_one_place_the_one_in_use_stays():
    """The tag of the older one was lost, another was made, and somebody put the tag back."""
    fake = FakeCloud(seed=1)
    cloud = driver.Direct(fake)
    older = cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    run = driver.ClusterDriver(fake=fake).settle()
    (used,) = [row for row in cloud.read("ReadPublicIps") if row["Tags"]]
    assert older < used["PublicIpId"], "Without a better reason, the first id stays."
    cloud.call("CreateTags", ResourceIds=[older], Tags=used["Tags"])
    run.memory.clear()
    run.settle()
    assert run.is_ready, run.conditions
    assert [row["PublicIpId"] for row in cloud.read("ReadPublicIps")] == [used["PublicIpId"]]


def test_of_two_internet_services_the_linked_one_stays():
    fake = FakeCloud(seed=1)
    cloud = driver.Direct(fake)
    older = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    run = driver.ClusterDriver(fake=fake).settle()
    (used,) = [row for row in cloud.read("ReadInternetServices") if row["Tags"]]
    assert older < used["InternetServiceId"], "Without a better reason, the first id stays."
    cloud.call("CreateTags", ResourceIds=[older], Tags=used["Tags"])
    run.memory.clear()
    run.settle()
    assert run.is_ready, run.conditions
    left = [row["InternetServiceId"] for row in cloud.read("ReadInternetServices")]
    assert left == [used["InternetServiceId"]]


@pytest.mark.parametrize("how", ["switched off", "deleted"])
def test_routes_go_of_a_peering_that_others_deleted(how):
    run = peered()
    near, far = driver.Direct(run.fake), driver.Direct(run.fake, FAR)
    table = next(t for t in far.read("ReadRouteTables") if not t["LinkRouteTables"])
    other = near.call("CreateNet", IpRange="10.7.0.0/16")["Net"]["NetId"]
    about = {"SourceNetId": other, "AccepterNetId": table["NetId"], "AccepterOwnerId": FAR}
    theirs = near.call("CreateNetPeering", **about)["NetPeering"]["NetPeeringId"]
    far.call("AcceptNetPeering", NetPeeringId=theirs)
    aim = {"DestinationIpRange": "10.7.0.0/16", "NetPeeringId": theirs}
    far.call("CreateRoute", RouteTableId=table["RouteTableId"], **aim)
    ours = near.read("ReadNetPeerings")[0]["NetPeeringId"]
    for each in (ours, theirs):
        near.call("DeleteNetPeering", NetPeeringId=each)
    if how == "deleted":
        run.delete()
    else:
        run.set({"network": {}})
    run.settle()
    dead = [r["NetPeeringId"] for t in leads(run) for r in t["Routes"] if r.get("NetPeeringId")]
    assert dead == [theirs]


def test_a_route_to_a_peering_stays_until_that_is_no_more():
    run = driver.ClusterDriver().settle()
    cloud = driver.Direct(run.fake)
    net = next(each for each in cloud.read("ReadNets") if each["Tags"])["NetId"]
    other = cloud.call("CreateNet", IpRange="10.7.0.0/16")["Net"]["NetId"]
    ends = {"SourceNetId": other, "AccepterNetId": net}
    peering = cloud.call("CreateNetPeering", **ends)["NetPeering"]["NetPeeringId"]
    cloud.call("AcceptNetPeering", NetPeeringId=peering)
    tables = {"NetIds": [net], "LinkRouteTableMain": False}
    table = cloud.read("ReadRouteTables", Filters=tables)[0]["RouteTableId"]
    aim = {"DestinationIpRange": "10.7.0.0/16", "NetPeeringId": peering}
    cloud.call("CreateRoute", RouteTableId=table, **aim)
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    cloud.call("DeleteNetPeering", NetPeeringId=peering)
    assert clusters.changes(run, lambda: clusters.again(run)) == ["DeleteRoute"]


@pytest.mark.parametrize("tags", ["all but the owner's", "all"])
def test_a_public_ip_that_is_unlinked_and_has_lost_its_tags_is_not_doubled(tags):
    run = driver.ClusterDriver().settle()
    cloud = driver.Direct(run.fake)
    (nat,) = cloud.read("ReadNatServices")
    address = cloud.read("ReadPublicIps")[0]
    cloud.call("DeleteNatService", NatServiceId=nat["NatServiceId"])
    run.fake.clock.advance(300)
    gone = [t for t in address["Tags"] if tags == "all" or "OscK8sClusterID" not in t["Key"]]
    cloud.call("DeleteTags", ResourceIds=[address["PublicIpId"]], Tags=gone)
    run.memory.clear()
    run.settle()
    assert run.is_ready, run.conditions
    (left,) = cloud.read("ReadPublicIps")
    assert left["PublicIpId"] == address["PublicIpId"]
    assert {t["Key"] for t in left["Tags"]} == {t["Key"] for t in address["Tags"]}


@pytest.mark.parametrize("is_going", [False, True])
@pytest.mark.parametrize("linked", ["nowhere", "elsewhere"])
def test_an_internet_service_that_others_unlinked_is_found_without_its_tag(linked, is_going):
    network = {"disable": ["loadbalancer"], "subnets": []}
    endpoint = {"host": "api.example.com", "port": 6443}
    run = driver.ClusterDriver({"controlPlaneEndpoint": endpoint, "network": network}).settle()
    cloud = driver.Direct(run.fake)
    for nat in cloud.read("ReadNatServices"):
        cloud.call("DeleteNatService", NatServiceId=nat["NatServiceId"])
    run.fake.clock.advance(300)
    (gate,) = cloud.read("ReadInternetServices")
    about = {"InternetServiceId": gate["InternetServiceId"]}
    cloud.call("UnlinkInternetService", **about, NetId=gate["NetId"])
    cloud.call("DeleteTags", ResourceIds=[gate["InternetServiceId"]], Tags=gate["Tags"])
    run.memory.clear()
    if is_going:
        run.delete()
    if linked == "elsewhere":
        other = cloud.call("CreateNet", IpRange="10.9.0.0/16")["Net"]["NetId"]
        cloud.call("LinkInternetService", **about, NetId=other)
    run.settle()
    left = [(row["InternetServiceId"], row["NetId"]) for row in cloud.read("ReadInternetServices")]
    assert left == ([] if is_going else [(gate["InternetServiceId"], gate["NetId"])])


def test_a_route_table_with_the_subnet_of_another_gives_it_back():
    run = driver.ClusterDriver().settle()
    cloud = driver.Direct(run.fake)
    before = driver.shape(run.fake)
    one, other, *_ = [row for row in cloud.read("ReadRouteTables") if row["Tags"]]
    link = other["LinkRouteTables"][0]["LinkRouteTableId"]
    about = {"LinkRouteTableId": link, "RouteTableId": one["RouteTableId"]}
    cloud.call("UpdateRouteTableLink", **about)
    run.memory.clear()
    calls = len(run.cloud.calls)
    run.settle()
    changes = [each for each in run.cloud.calls[calls:] if not each.startswith("Read")]
    assert "DeleteRouteTable" not in changes
    assert driver.shape(run.fake) == before


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_route_table_with_the_subnet_of_another_lets_it_go(is_seen):
    run = driver.ClusterDriver({"network": {"subregions": ["eu-west-2a", "eu-west-2b"]}}).settle()
    cloud = driver.Direct(run.fake)
    places = {row["SubnetId"]: row["SubregionName"] for row in cloud.read("ReadSubnets")}
    tables = [row for row in cloud.read("ReadRouteTables") if row["Tags"]]
    of = {places[row["LinkRouteTables"][0]["SubnetId"]]: row for row in tables}
    if is_seen:
        run.memory.clear()
    link = of["eu-west-2b"]["LinkRouteTables"][0]["LinkRouteTableId"]
    about = {"LinkRouteTableId": link, "RouteTableId": of["eu-west-2a"]["RouteTableId"]}
    cloud.call("UpdateRouteTableLink", **about)
    run.set({"network": {"subregions": ["eu-west-2a"]}})
    run.settle()
    assert run.is_ready, run.conditions
    assert {row["SubregionName"] for row in cloud.read("ReadSubnets")} == {"eu-west-2a"}
    left = [row for row in cloud.read("ReadRouteTables") if row["Tags"]]
    assert {len(row["LinkRouteTables"]) for row in left} == {1}


def test_what_a_throttled_pass_did_not_ask_for_is_not_looked_for():
    run = driver.ClusterDriver({"network": {"subregions": ["eu-west-2a", "eu-west-2b"]}})
    cloud = driver.Direct(run.fake)
    run.fake.fail("refuse", action="CreatePublicIp", code=6, calls=[1])
    while "CreatePublicIp" not in run.cloud.calls:
        run.step()
    assert not run.status.get("intents")
    theirs = cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    run.fake.clock.advance(30)
    run.settle()
    assert run.is_ready, run.conditions
    (left,) = cloud.read("ReadPublicIps", Filters={"PublicIpIds": [theirs]})
    assert not left["Tags"]


@pytest.mark.parametrize("is_going", [True, False])
def test_a_subnet_that_somebody_linked_to_a_table_of_theirs_goes(is_going):
    run = driver.ClusterDriver({"network": {"subregions": ["eu-west-2a", "eu-west-2b"]}}).settle()
    cloud = driver.Direct(run.fake)
    far = [r["SubnetId"] for r in cloud.read("ReadSubnets") if r["SubregionName"] == "eu-west-2b"]
    (row, *_) = cloud.read("ReadRouteTables", Filters={"LinkSubnetIds": far})
    theirs = cloud.call("CreateRouteTable", NetId=row["NetId"])["RouteTable"]["RouteTableId"]
    link = row["LinkRouteTables"][0]["LinkRouteTableId"]
    cloud.call("UpdateRouteTableLink", LinkRouteTableId=link, RouteTableId=theirs)
    run.memory.clear()
    if is_going:
        run.delete()
    else:
        run.set({"network": {"subregions": ["eu-west-2a"]}})
    for _ in range(20):
        run.step()
        run.fake.clock.advance(10)
    left = {each["SubregionName"] for each in cloud.read("ReadSubnets")}
    assert left == (set() if is_going else {"eu-west-2a"})
    (there,) = cloud.read("ReadRouteTables", Filters={"RouteTableIds": [theirs]})
    assert there["LinkRouteTables"] == []
    assert run.is_ready != is_going
    assert not is_going or f"there is still {theirs}" in run.conditions["Ready"][2]


@pytest.mark.parametrize("is_known", [True, False])
def test_of_two_nets_the_one_with_everything_in_it_stays(is_known):
    fake = FakeCloud(seed=1)
    cloud = driver.Direct(fake)
    older = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    run = driver.ClusterDriver(fake=fake).settle()
    (used,) = [row for row in cloud.read("ReadNets") if row["Tags"]]
    assert older < used["NetId"], "Without a better reason, the first id stays."
    cloud.call("CreateTags", ResourceIds=[older], Tags=used["Tags"])
    run.memory.clear()
    if not is_known:
        run.object["status"] = {}
    run.settle()
    assert run.is_ready, run.conditions
    assert [row["NetId"] for row in cloud.read("ReadNets")] == [used["NetId"]]


def test_what_loses_its_tag_while_a_cluster_goes_goes_as_well():
    run = next(each for each in worlds.EXAMPLES if each.name == "bastion").start().settle()
    cloud = driver.Direct(run.fake)
    before = len(driver.inventory(run.fake)["Nets"])
    run.delete().step()
    key = f"OscK8sClusterID/{driver.UID}"
    held = cloud.read("ReadSecurityGroups", Filters={"TagKeys": [key]})
    assert held, "The bastion still holds its group."
    ids = [row["SecurityGroupId"] for row in held]
    cloud.call("DeleteTags", ResourceIds=ids, Tags=[{"Key": key, "Value": "owned"}])
    run.settle()
    assert run.is_gone
    assert len(driver.inventory(run.fake)["Nets"]) == before - 1


def test_what_loses_its_tag_is_known_while_the_likes_of_it_go():
    fake = FakeCloud(seed=1)
    bastion = clusters.bastion(fake)
    empty = driver.shape(fake)
    subregions = ["eu-west-2a", "eu-west-2b"]
    run = clusters.ready({"subregions": subregions, "bastion": bastion}, fake)
    run.delete().step()
    # The other public subnet goes with its NAT service, this one waits for the bastion.
    (vm,) = driver.inventory(fake)["Vms"]
    key = f"OscK8sClusterID/{driver.UID}"
    gone = [{"Key": key, "Value": "owned"}]
    run.cloud.call("DeleteTags", ResourceIds=[vm["SubnetId"]], Tags=gone)
    run.settle()
    assert run.is_gone
    assert driver.shape(fake) == empty
