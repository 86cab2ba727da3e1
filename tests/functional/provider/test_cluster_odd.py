"""Specs that few people write: each either works and stays as it is, or is refused in words."""

import pytest

from fakecloud import FakeCloud
from provider.rules import names
from tests.functional.provider import clusters, driver, worlds

# --- Load balancer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "path"),
    [
        ({"protocol": "HTTP"}, "/"),
        ({"protocol": "HTTPS"}, "/readyz"),
        ({"protocol": "HTTPS", "path": "/livez"}, "/livez"),
        ({"protocol": "SSL"}, None),
    ],
)
def test_a_health_check_asks_for_something_and_is_left_alone(check, path):
    run = clusters.ready({"loadBalancer": {"healthCheck": check}})
    assert clusters.balancer(run)["HealthCheck"].get("Path") == path
    assert clusters.changes(run, lambda: clusters.again(run)) == []


def test_a_public_load_balancer_without_the_internet_is_refused_before_any_call():
    run = clusters.start({"disable": ["internet"]})
    run.step()
    assert clusters.calls(run, run.step) == []
    assert run.conditions["SpecReady"][2].startswith("spec.network.loadBalancer.type: ")


# --- Security groups -----------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["icmp", "ICMP", "1"])
def test_a_type_of_icmp_without_a_code_is_meant_with_every_code(protocol):
    rule = {"flow": "Inbound", "ipProtocol": protocol, "fromPort": 11, "ipRanges": ["10.9.0.0/16"]}
    more = [{"roles": ["worker"], "rules": [rule]}]
    run = clusters.ready({"additionalSecurityRules": more})
    assert ("icmp", 11, -1, "10.9.0.0/16") in clusters.rules(clusters.group(run, "demo-worker"))
    assert clusters.changes(run, lambda: clusters.again(run)) == []


# --- A Net that exists ---------------------------------------------------------------------------


def test_what_was_put_into_a_net_that_exists_goes_and_the_net_stays():
    fake = FakeCloud(seed=1)
    net = driver.Direct(fake).call("CreateNet", IpRange="10.9.0.0/16")["Net"]["NetId"]
    before = driver.shape(fake)
    run = clusters.ready({"net": {"resourceId": net, "ipRange": "10.9.0.0/16"}}, fake)
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(fake) == before


def test_a_net_that_exists_with_a_way_to_the_internet_is_refused_in_words():
    fake = FakeCloud(seed=1)
    network = worlds.EXAMPLES[-1].spec(fake)["network"]
    before = driver.shape(fake)
    run = clusters.start({"net": network["net"]}, fake)
    for _ in range(4):
        run.step()
        fake.clock.advance(20)
    assert run.conditions["InternetServiceReady"][:2] == ("False", "Refused")
    assert "Set spec.network.useExisting.net to true" in run.conditions["Ready"][2]
    assert len(driver.inventory(fake)["InternetServices"]) == 1
    run.delete().settle()
    assert driver.shape(fake) == before


def test_an_internet_service_that_was_linked_to_another_net_comes_back():
    run = clusters.ready()
    cloud = driver.Direct(run.fake)
    gate = clusters.one(run, "InternetServices")
    net = clusters.one(run, "Nets")["NetId"]
    cloud.call("DeleteLoadBalancer", LoadBalancerName="demo-k8s")
    for nat in clusters.live(run, "NatServices"):
        cloud.call("DeleteNatService", NatServiceId=nat["NatServiceId"])
    run.fake.clock.advance(120)
    other = cloud.call("CreateNet", IpRange="10.9.0.0/16")["Net"]["NetId"]
    id_ = gate["InternetServiceId"]
    cloud.call("UnlinkInternetService", InternetServiceId=id_, NetId=net)
    cloud.call("LinkInternetService", InternetServiceId=id_, NetId=other)
    clusters.again(run)
    assert run.has_lost_endpoint
    assert run.is_whole, run.conditions
    assert clusters.one(run, "InternetServices")["NetId"] == net


def test_what_is_ignored_in_a_net_that_exists_is_not_looked_for():
    fake = FakeCloud(seed=1)
    network = worlds.EXAMPLES[-1].spec(fake)["network"]
    run = clusters.ready({**network, "netPeering": {"enable": True}}, fake)
    assert "NetPeeringReady" not in run.conditions


# --- Peering -------------------------------------------------------------------------------------


def _peered(ip_range, account):
    """Return a cluster that is to be peered with a Net of this range, said to be of an account."""
    fake = FakeCloud(seed=1)
    fake.add_account(worlds.FAR)
    far = driver.Direct(fake, worlds.FAR)
    net = far.call("CreateNet", IpRange=ip_range)["Net"]["NetId"]
    peering = {"enable": True, "managementNetId": net, "managementAccountId": account}
    return clusters.start({"netPeering": peering}, fake, far=far)


@pytest.mark.parametrize(
    ("ip_range", "account", "said"),
    [
        ("10.0.0.0/20", worlds.FAR, "10.0.0.0/16 of this cluster and 10.0.0.0/20"),
        ("172.16.0.0/16", "111111111111", "Account ID"),
    ],
)
def test_a_peering_that_cannot_be_is_told_and_does_not_hinder_deletion(ip_range, account, said):
    run = _peered(ip_range, account)
    before = driver.shape(run.fake, "", worlds.FAR)
    for _ in range(4):
        run.step()
        run.fake.clock.advance(5)
    assert run.conditions["Ready"][0] == "False"
    assert said in run.conditions["Ready"][2]
    run.delete().settle()
    assert run.is_gone
    run.fake.clock.advance(4000)
    assert driver.shape(run.fake, "", worlds.FAR) == before


def test_a_peering_that_failed_and_whose_answer_was_lost_does_not_hinder_deletion():
    run = _peered("172.16.0.0/16", "111111111111")
    run.fake.fail("lose", action="CreateNetPeering", calls=[1])
    for _ in range(3):
        run.step()
        run.fake.clock.advance(5)
    run.delete().settle()
    assert run.is_gone


# --- Bastion -------------------------------------------------------------------------------------


def test_the_bastion_may_have_the_name_of_a_machine():
    run = clusters.ready()
    cloud = driver.Direct(run.fake)
    bastion = clusters.bastion(run.fake)
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    token = f"bastion-{driver.UID}"
    image = bastion["image"]["id"]
    made = cloud.call("CreateVms", ImageId=image, SubnetId=place, ClientToken=token)["Vms"][0]
    marks = {names.MACHINE: "bastion", "OscK8sRole/worker": "", clusters.OWNED: "owned"}
    clusters.mark(run.fake, made["VmId"], **marks)
    run.fake.clock.advance(60)
    assert clusters.change(run, {"bastion": bastion}).settle().is_ready, run.conditions
    assert len(clusters.live(run, "Vms")) == 2
    clusters.change(run, {}).settle()
    assert clusters.one(run, "Vms")["VmId"] == made["VmId"]


# --- What is called alike ------------------------------------------------------------------------

LB_GROUP = {"name": "front", "roles": ["loadbalancer"]}


@pytest.mark.parametrize("first", [{"roles": ["worker"]}, {"name": "demo-worker"}])
def test_two_security_groups_of_one_name_are_refused_before_any_call(first):
    run = clusters.start({"securityGroups": [LB_GROUP, first, {"roles": ["worker"]}]})
    run.step()
    assert clusters.calls(run, run.step) == []
    assert "more than one demo-worker" in run.conditions["SpecReady"][2]


def test_security_groups_that_exist_need_no_names():
    fake = FakeCloud(seed=1)
    network = worlds.EXAMPLES[-1].spec(fake)["network"]
    ids = {}
    for name in ("a", "b", "c"):
        request = {"NetId": network["net"]["resourceId"], "SecurityGroupName": name}
        made = driver.Direct(fake).call("CreateSecurityGroup", **request, Description="theirs")
        ids[name] = made["SecurityGroup"]["SecurityGroupId"]
    groups = [{"resourceId": ids[each], "roles": ["loadbalancer"]} for each in ("a", "b")]
    network["securityGroups"] = [*groups, {"resourceId": ids["c"], "roles": ["worker"]}]
    network["useExisting"] = {"net": True, "securityGroups": True}
    run = clusters.ready(network, fake)
    assert set(clusters.balancer(run)["SecurityGroups"]) == {ids["a"], ids["b"]}


def test_a_cluster_may_be_called_as_the_ccm_calls_its_groups():
    fake = FakeCloud(seed=1)
    run = clusters.ready({"bastion": clusters.bastion(fake)}, fake, name="k8s-elb-prod")
    clusters.change(run, {}).settle()
    assert not clusters.with_role(run, "SecurityGroups", "bastion")


def test_a_subregion_of_another_region_is_refused_before_any_call():
    run = clusters.start({"subregions": ["us-east-2a"]})
    run.step()
    assert clusters.calls(run, run.step) == []
    assert "the credentials are for eu-west-2" in run.conditions["SpecReady"][2]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"keypairName": "lost"}, "spec.network.bastion.keypairName is lost, but there is no such"),
        (
            {"publicIpId": "eipalloc-12345678"},
            "spec.network.bastion.publicIpId is eipalloc-12345678, which does not exist",
        ),
        ({"subnetName": "lost"}, "spec.network.bastion.subnetName is lost, but the subnets are"),
        (
            {"securityGroupNames": ["demo-node", "lost"]},
            "spec.network.bastion.securityGroupNames has lost, but the security groups are",
        ),
    ],
)
def test_what_a_bastion_is_to_have_and_does_not_exist_is_refused_in_words(spec, said):
    fake = FakeCloud(seed=1)
    run = clusters.start({"bastion": clusters.bastion(fake, **spec)}, fake)
    for _ in range(12):
        run.step()
        fake.clock.advance(20)
    assert run.conditions["Ready"][:2] == ("False", "Refused")
    assert said in run.conditions["Ready"][2]


# --- Machines that are no more -------------------------------------------------------------------


def test_what_a_machine_left_that_was_removed_by_force_goes_with_the_cluster():
    """Somebody took the finalizer off an OscMachine, so that nobody deletes its VM."""
    run = clusters.ready()
    cloud = driver.Direct(run.fake)
    image = cloud.read("ReadImages")[0]["ImageId"]
    place = clusters.with_role(run, "Subnets", "controlplane")[0]["SubnetId"]
    group = clusters.group(run, "demo-node")["SecurityGroupId"]
    request = {"ImageId": image, "SubnetId": place, "SecurityGroupIds": [group]}
    made = cloud.call("CreateVms", **request)["Vms"][0]["VmId"]
    clusters.mark(run.fake, made, **{names.MACHINE: "demo-cp-1", clusters.OWNED: "owned"})
    run.fake.clock.advance(60)
    backends = {"LoadBalancerName": "demo-k8s", "BackendVmIds": [made]}
    cloud.call("LinkLoadBalancerBackendMachines", **backends)
    run.fake.clock.advance(60)
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    run.machines = ({"metadata": {"name": "demo-cp-1"}},)
    assert clusters.changes(run, run.delete().step) == []
    run.machines = ()
    run.step()
    assert "VM of the machine demo-cp-1" in run.conditions["Ready"][2]
    run.settle()
    assert run.is_gone
    assert not driver.inventory(run.fake)["Vms"]


def test_what_is_in_the_way_of_a_deletion_is_told():
    run = clusters.ready()
    cloud = driver.Direct(run.fake)
    net = clusters.one(run, "Nets")["NetId"]
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    image = cloud.read("ReadImages")[0]["ImageId"]
    vm = cloud.call("CreateVms", ImageId=image, SubnetId=place)["Vms"][0]["VmId"]
    run.fake.clock.advance(60)
    for _ in range(20):
        run.delete().step()
        run.fake.clock.advance(30)
    assert f"In the subnet {place} there is still {vm}" in run.conditions["Ready"][2]
    cloud.call("DeleteVms", VmIds=[vm])
    request = {"NetId": net, "SecurityGroupName": "theirs", "Description": "theirs"}
    group = cloud.call("CreateSecurityGroup", **request)["SecurityGroup"]["SecurityGroupId"]
    for _ in range(20):
        run.step()
        run.fake.clock.advance(30)
    assert f"In the Net {net} there is still {group}" in run.conditions["Ready"][2]
    cloud.call("DeleteSecurityGroup", SecurityGroupId=group)
    run.settle()
    assert run.is_gone
