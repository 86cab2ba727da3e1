"""What stands beside a cluster: a bastion, a peered Net, and what existed before."""

import requests

from fakecloud import FakeCloud
from fakecloud import metadata as fake_metadata
from provider.osc import metadata
from tests.functional.provider import clusters, driver, worlds
from tests.functional.provider.clusters import ANYWHERE

ADDRESS = "169.254.169.254"

# --- Bastion -------------------------------------------------------------------------------------


def with_bastion(**more):
    fake = FakeCloud(seed=1)
    return clusters.ready({"bastion": clusters.bastion(fake, **more)}, fake)


def vm(run):
    return clusters.one(run, "Vms")


def test_a_bastion_has_an_address_and_lets_people_in():
    run = with_bastion()
    assert vm(run)["State"] == "running"
    assert run.status["vmState"] == "running"
    address = next(r for r in clusters.live(run, "PublicIps") if r.get("VmId"))
    assert vm(run)["PublicIp"] == address["PublicIp"]
    (group,) = vm(run)["SecurityGroups"]
    assert group["SecurityGroupName"] == f"demo-bastion-{driver.UID}"
    assert ("tcp", 22, 22, ANYWHERE) in clusters.rules(clusters.group(run, "demo-bastion"))
    assert ("tcp", 22, 22, "10.0.2.0/24") in clusters.rules(clusters.group(run, "demo-node"))


def test_a_bastion_that_is_switched_off_goes_with_all_that_it_had():
    run = with_bastion()
    clusters.change(run, {}).settle()
    assert run.is_ready, run.conditions
    assert clusters.live(run, "Vms") == []
    assert len(clusters.live(run, "PublicIps")) == 1
    assert "BastionReady" not in run.conditions
    assert "vmState" not in run.status
    names = {row["SecurityGroupName"] for row in clusters.live(run, "SecurityGroups")}
    assert f"demo-bastion-{driver.UID}" not in names


def test_a_bastion_can_be_switched_off_in_the_middle_of_its_birth():
    fake = FakeCloud(seed=1)
    run = clusters.start({"bastion": clusters.bastion(fake)}, fake)
    while not clusters.live(run, "Vms"):
        run.step()
        fake.clock.advance(1)
    clusters.change(run, {}).settle()
    assert run.is_ready, run.conditions
    assert clusters.live(run, "Vms") == []


def test_a_bastion_that_was_terminated_comes_back():
    run = with_bastion()
    old = vm(run)["VmId"]
    driver.Direct(run.fake).call("DeleteVms", VmIds=[old])
    run.fake.clock.advance(60)
    assert clusters.again(run).is_ready, run.conditions
    assert vm(run)["VmId"] != old
    assert vm(run)["PublicIp"]
    assert len(clusters.live(run, "PublicIps")) == 2


def test_a_bastion_that_was_stopped_is_started():
    run = with_bastion()
    driver.Direct(run.fake).call("StopVms", VmIds=[vm(run)["VmId"]])
    run.fake.clock.advance(60)
    clusters.again(run)
    assert vm(run)["State"] == "running"


def test_a_bastion_gets_its_public_ip_back():
    run = with_bastion()
    address = vm(run)["PublicIp"]
    driver.Direct(run.fake).call("UnlinkPublicIp", PublicIp=address)
    clusters.again(run)
    assert vm(run)["PublicIp"] == address


def test_a_bastion_gets_its_security_groups_back():
    run = with_bastion()
    other = clusters.group(run, "demo-node")["SecurityGroupId"]
    driver.Direct(run.fake).call("UpdateVm", VmId=vm(run)["VmId"], SecurityGroupIds=[other])
    clusters.again(run)
    (group,) = vm(run)["SecurityGroups"]
    assert group["SecurityGroupName"] == f"demo-bastion-{driver.UID}"


def test_a_bastion_in_quarantine_is_told():
    run = with_bastion()
    id_ = vm(run)["VmId"]
    store = run.fake.store("eu-west-2")
    with store.transaction():
        store.become(store.row("Vm", id_), "quarantine")
    clusters.again(run)
    status, reason, message = run.conditions["BastionReady"]
    assert (status, reason) == ("False", "Refused")
    assert "is quarantine. Delete it" in message


def test_the_image_of_a_bastion_has_to_exist():
    fake = FakeCloud(seed=1)
    spec = {**clusters.bastion(fake), "image": {"id": "ami-00000bad"}}
    run = clusters.start({"bastion": spec}, fake)
    for _ in range(40):
        run.step()
        fake.clock.advance(15)
    status, reason, message = run.conditions["BastionReady"]
    assert (status, reason) == ("False", "Refused")
    assert "spec.network.bastion.image.id is ami-00000bad, which does not exist" in message
    parts = [each for each in run.conditions if each not in ("Ready", "BastionReady", "Paused")]
    assert all(run.conditions[each][0] == "True" for each in parts if each != "Deleting")


def test_a_vm_that_somebody_added_to_the_cluster_is_no_bastion():
    run = clusters.ready()
    image = driver.Direct(run.fake).read("ReadImages")[0]["ImageId"]
    subnet = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    group = clusters.group(run, "demo-node")["SecurityGroupId"]
    made = driver.Direct(run.fake).call(
        "CreateVms", ImageId=image, SubnetId=subnet, SecurityGroupIds=[group]
    )["Vms"][0]["VmId"]
    clusters.mark(run.fake, made, **{clusters.OWNED: "owned"})
    run.fake.clock.advance(60)
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    assert vm(run)["State"] == "running"


# --- Peering -------------------------------------------------------------------------------------


def peered(more=None):
    """Return a cluster that is peered with a Net of another account, and that Net."""
    fake = FakeCloud(seed=1)
    fake.add_account(worlds.FAR)
    far = driver.Direct(fake, worlds.FAR)
    net = far.call("CreateNet", IpRange="172.16.0.0/16")["Net"]["NetId"]
    subnet = far.call("CreateSubnet", NetId=net, IpRange="172.16.1.0/24")["Subnet"]["SubnetId"]
    table = far.call("CreateRouteTable", NetId=net)["RouteTable"]["RouteTableId"]
    far.call("LinkRouteTable", RouteTableId=table, SubnetId=subnet)
    spec = {"enable": True, "managementNetId": net, "managementAccountId": worlds.FAR}
    more = {
        key: subnet if key == "managementSubnetId" else value for key, value in (more or {}).items()
    }
    run = clusters.start({"netPeering": {**spec, **more}}, fake, far=far)
    return run, far, net


def far_routes(far, net):
    """Return where routes of the other side lead through a peering, and their states."""
    return [
        (each["DestinationIpRange"], each["State"])
        for table in far.read("ReadRouteTables", Filters={"NetIds": [net]})
        for each in table["Routes"]
        if each.get("NetPeeringId")
    ]


def test_a_peering_has_routes_on_both_sides():
    run, far, net = peered()
    run.settle()
    assert run.is_ready, run.conditions
    peering = clusters.one(run, "NetPeerings")
    assert peering["State"]["Name"] == "active"
    assert far_routes(far, net) == [("10.0.0.0/16", "active")]
    for row in clusters.live(run, "Subnets"):
        routes = clusters.routes(run, row["SubnetId"])
        assert routes["172.16.0.0/16"] == peering["NetPeeringId"]


def test_a_peering_with_one_subnet_is_a_route_to_that():
    run, far, net = peered({"managementSubnetId": "it"})
    run.settle()
    assert run.is_ready, run.conditions
    assert far_routes(far, net) == [("10.0.0.0/16", "active")]
    place = clusters.live(run, "Subnets")[0]["SubnetId"]
    assert "172.16.1.0/24" in clusters.routes(run, place)


def test_a_peering_that_is_switched_off_goes_with_its_routes():
    run, far, net = peered()
    run.settle()
    clusters.change(run, {}).settle()
    assert run.is_ready, run.conditions
    assert clusters.live(run, "NetPeerings") == []
    assert far_routes(far, net) == []
    for row in clusters.live(run, "Subnets"):
        assert set(clusters.routes(run, row["SubnetId"])) == {ANYWHERE}


def test_a_peering_that_was_deleted_comes_back():
    run, far, net = peered()
    run.settle()
    old = clusters.one(run, "NetPeerings")["NetPeeringId"]
    driver.Direct(run.fake).call("DeleteNetPeering", NetPeeringId=old)
    run.fake.clock.advance(60)
    assert clusters.again(run).is_ready, run.conditions
    new = clusters.one(run, "NetPeerings")["NetPeeringId"]
    assert new != old
    assert far_routes(far, net) == [("10.0.0.0/16", "active")]
    place = clusters.live(run, "Subnets")[0]["SubnetId"]
    assert clusters.routes(run, place)["172.16.0.0/16"] == new


def test_a_route_of_the_other_side_comes_back():
    run, far, net = peered()
    run.settle()
    for table in far.read("ReadRouteTables", Filters={"NetIds": [net]}):
        if any(each.get("NetPeeringId") for each in table["Routes"]):
            far.call(
                "DeleteRoute",
                RouteTableId=table["RouteTableId"],
                DestinationIpRange="10.0.0.0/16",
            )
    clusters.again(run)
    assert far_routes(far, net) == [("10.0.0.0/16", "active")]


def test_the_other_side_of_a_peering_has_to_exist():
    run, _, _ = peered({"managementNetId": "vpc-0000dead"})
    run.step()
    assert clusters.changes(run, run.step) == []
    status, _, message = run.conditions["SpecReady"]
    assert status == "False"
    assert "managementNetId is vpc-0000dead, which the management credentials do not" in message


def test_outside_of_a_vm_the_other_side_of_a_peering_has_to_be_named():
    run, _, _ = peered({"managementNetId": "", "managementAccountId": ""})
    run.step()
    assert clusters.changes(run, run.step) == []
    message = run.conditions["SpecReady"][2]
    assert "managementNetId is not set, and the provider does not run on a VM" in message


def test_the_other_side_of_a_peering_is_where_the_provider_runs():
    run, far, net = peered({"managementNetId": "", "managementAccountId": ""})
    image = far.read("ReadImages")[0]["ImageId"]
    (subnet,) = far.read("ReadSubnets")
    vm = far.call("CreateVms", ImageId=image, SubnetId=subnet["SubnetId"])["Vms"][0]["VmId"]

    def get(url):
        status, text = fake_metadata.answer(run.fake, vm, url.removeprefix(f"http://{ADDRESS}/"))
        if status != 200:
            raise requests.HTTPError(text)
        return text

    run.here = lambda: metadata.here(get)
    run.settle()
    assert run.is_ready, run.conditions
    assert clusters.one(run, "NetPeerings")["AccepterNet"]["NetId"] == net
    run.here = lambda: metadata.Place("vpc-0000beef", worlds.FAR)
    assert clusters.changes(run, lambda: clusters.again(run)) == [], "A peering stays."


# --- What existed before -------------------------------------------------------------------------


def reused(**more):
    """Return a cluster in a Net that exists, and the ids of that Net's subnets by role."""
    fake = FakeCloud(seed=1)
    example = next(each for each in worlds.EXAMPLES if each.name == "a Net that exists")
    spec = example.spec(fake)
    spec["network"].update(more)
    return driver.ClusterDriver(spec, fake)


def _lasting(rows):
    """Return rows without the number of addresses that are free at the moment."""
    return [{key: row[key] for key in row if key != "AvailableIpsCount"} for row in rows]


def test_a_net_that_exists_is_used_as_it_is():
    run = reused()
    before = driver.inventory(run.fake)
    run.settle()
    assert run.is_ready, run.conditions
    after = driver.inventory(run.fake)
    for kind in ("Nets", "Subnets", "InternetServices", "NatServices", "RouteTables", "PublicIps"):
        assert _lasting(after[kind]) == _lasting(before[kind]), kind
    assert len(clusters.live(run, "SecurityGroups")) == 4
    (place,) = clusters.balancer(run)["Subnets"]
    assert place == run.object["spec"]["network"]["subnets"][0]["resourceId"]
    assert run.status["failureDomains"] == [{"name": "eu-west-2a", "controlPlane": True}]


def test_deleting_in_a_net_that_exists_leaves_everybody_elses_groups():
    run = reused()
    before = driver.inventory(run.fake)
    run.settle().delete().settle()
    assert run.is_gone
    assert driver.inventory(run.fake) == before


def test_deleting_does_not_need_to_know_that_a_net_was_only_used():
    run = reused()
    before = driver.inventory(run.fake)
    run.settle()
    run.set({})
    run.delete().settle()
    assert run.is_gone
    assert driver.inventory(run.fake) == before


def test_security_groups_that_exist_are_used_as_they_are():
    run = reused()
    cloud = driver.Direct(run.fake)
    net = run.object["spec"]["network"]["net"]["resourceId"]
    given = []
    for role in ("loadbalancer", "controlplane", "worker"):
        made = cloud.call(
            "CreateSecurityGroup", NetId=net, SecurityGroupName=f"my-{role}", Description="mine"
        )["SecurityGroup"]["SecurityGroupId"]
        given.append({"resourceId": made, "roles": [role]})
    spec = run.object["spec"]["network"]
    spec["useExisting"]["securityGroups"] = True
    spec["securityGroups"] = given
    before = driver.inventory(run.fake)["SecurityGroups"]
    run.settle()
    assert run.is_ready, run.conditions
    assert driver.inventory(run.fake)["SecurityGroups"] == before
    assert clusters.balancer(run)["SecurityGroups"] == [given[0]["resourceId"]]
    run.delete().settle()
    assert driver.inventory(run.fake)["SecurityGroups"] == before


def test_a_subnet_of_ours_can_stand_beside_one_that_exists():
    run = reused()
    spec = run.object["spec"]["network"]
    spec["useExisting"]["net"] = False
    spec["disable"] = ["internet"]
    spec["loadBalancer"] = {"type": "internal"}
    spec["subnets"].append({"name": "own", "ipRange": "10.9.7.0/24", "roles": ["worker"]})
    run.settle()
    assert run.is_ready, run.conditions
    assert [row["IpRange"] for row in clusters.live(run, "Subnets")] == ["10.9.7.0/24"]
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    run.delete().settle()
    assert run.is_gone
    assert clusters.live(run, "Subnets") == []
