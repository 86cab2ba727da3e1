"""What goes with a cluster or a machine, and what people have put beside it."""

import pytest

from fakecloud import FakeCloud
from provider.osc import errors
from tests.functional.provider import clusters, driver, machine_driver, worlds

LISTENER = {
    "BackendPort": 6443,
    "BackendProtocol": "TCP",
    "LoadBalancerPort": 6443,
    "LoadBalancerProtocol": "TCP",
}


def reused(fake):
    """Return the spec of a cluster in a Net with groups and a load balancer that all exist."""
    cloud = driver.Direct(fake)
    example = next(each for each in worlds.EXAMPLES if each.name == "a Net that exists")
    network = example.spec(fake)["network"]
    net = network["net"]["resourceId"]
    network["securityGroups"] = [
        {
            "resourceId": cloud.call(
                "CreateSecurityGroup", NetId=net, SecurityGroupName=role, Description="theirs"
            )["SecurityGroup"]["SecurityGroupId"],
            "roles": [role],
        }
        for role in ("loadbalancer", "controlplane", "worker")
    ]
    cloud.call(
        "CreateLoadBalancer",
        LoadBalancerName="theirs",
        LoadBalancerType="internet-facing",
        Listeners=[LISTENER],
        Subnets=[network["subnets"][0]["resourceId"]],
        SecurityGroups=[network["securityGroups"][0]["resourceId"]],
    )
    fake.clock.advance(60)
    network["loadBalancer"] = {"name": "theirs"}
    network["useExisting"] = {"net": True, "securityGroups": True, "loadBalancer": True}
    return {"network": network}


@pytest.mark.parametrize("is_odd", [False, True], ids=["readable", "unreadable"])
def test_what_was_only_used_stays_whoever_has_tagged_it(is_odd):
    """The cloud controller manager wants the tag at the subnets that it is to use."""
    fake = FakeCloud(seed=1)
    spec = reused(fake)
    network = spec["network"]
    named = [*network["subnets"], *network["securityGroups"], network["net"]]
    for each in named:
        clusters.mark(fake, each["resourceId"], **{clusters.OWNED: "owned"})
    driver.Direct(fake).call(
        "CreateLoadBalancerTags",
        LoadBalancerNames=["theirs"],
        Tags=[{"Key": clusters.OWNED, "Value": "owned"}],
    )
    before = driver.inventory(fake)
    run = driver.ClusterDriver(spec, fake).settle()
    assert run.is_ready, run.conditions
    if is_odd:
        run.object["spec"]["network"]["natServices"] = "none"
    run.delete().settle()
    assert run.is_gone
    assert driver.inventory(fake) == before


def test_the_public_ip_of_a_bastion_that_existed_stays_whoever_has_tagged_it():
    fake = FakeCloud(seed=1)
    given = driver.Direct(fake).call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    clusters.mark(fake, given, **{clusters.OWNED: "owned"})
    run = clusters.ready({"bastion": clusters.bastion(fake, publicIpId=given)}, fake)
    run.delete().settle()
    assert run.is_gone
    assert [row["PublicIpId"] for row in driver.inventory(fake)["PublicIps"]] == [given]


def test_a_gpu_at_a_vm_that_is_only_used_stays():
    site = machine_driver.Site()
    place = driver.inventory(site.fake)["Subnets"][-1]["SubnetId"]
    image = site.outside.read("ReadImages")[0]["ImageId"]
    asked = {"ImageId": image, "SubnetId": place, "VmType": "tinav5.c4r8p1"}
    vm = site.outside.call("CreateVms", **asked)["Vms"][0]
    site.fake.clock.advance(60)
    given = gpu_for(site, vm)
    asked = {"resourceId": vm["VmId"], "flexibleGpu": {"model": "nvidia-p6"}}
    run = site.machine(spec={"vm": {"vmType": "tinav5.c4r8p1", **asked}}).settle()
    run.delete().settle()
    assert run.is_gone
    (left,) = driver.inventory(site.fake)["FlexibleGpus"]
    assert (left["FlexibleGpuId"], left["Tags"]) == (given, [])


def gpu_for(site, vm):
    """Link a GPU of somebody else to a VM."""
    place = vm["Placement"]["SubregionName"]
    made = site.outside.call("CreateFlexibleGpu", ModelName="nvidia-p6", SubregionName=place)
    id_ = made["FlexibleGpu"]["FlexibleGpuId"]
    for action, request in (
        ("StopVms", {"VmIds": [vm["VmId"]]}),
        ("LinkFlexibleGpu", {"VmId": vm["VmId"], "FlexibleGpuId": id_}),
        ("StartVms", {"VmIds": [vm["VmId"]]}),
    ):
        site.outside.call(action, **request)
        site.fake.clock.advance(60)
    return id_


# --- Specs that cannot be read -------------------------------------------------------------------


@pytest.mark.parametrize("which", ["OscMachine", "OscCluster"])
@pytest.mark.parametrize("labels", [machine_driver.CP_LABEL, machine_driver.MD_LABEL])
def test_a_machine_goes_whatever_nobody_can_read_of_its_spec_or_that_of_its_cluster(which, labels):
    site = machine_driver.Site()
    before = ids(site.fake)
    spec = {"volumes": [{"device": "/dev/xvdb", "size": 5}], "vm": {"publicIp": True}}
    run = site.machine(spec=spec, labels=labels).settle()
    assert run.is_ready, run.conditions
    if which == "OscMachine":
        run.spec["vm"] |= {"vmType": ["tinav5"], "securityGroupNames": [{"name": 7}]}
        run.spec["volumes"] = {"device": "/dev/xvdb"}
    else:
        site.osc_cluster["spec"]["network"] |= {"disable": "none", "subnets": [{"roles": "all"}]}
    run.step()
    assert run.vm["State"] == "running"
    status, reason, message = run.conditions["SpecReady"]
    assert (status, reason) == ("False", "Refused")
    assert "Correct it." in message
    run.delete().settle()
    assert run.is_gone
    assert ids(site.fake) == before


# --- What holds it up ----------------------------------------------------------------------------


def a_peering(cloud, net, *_):
    other = cloud.call("CreateNet", IpRange="10.77.0.0/16")["Net"]["NetId"]
    made = cloud.call("CreateNetPeering", SourceNetId=other, AccepterNetId=net)["NetPeering"]
    cloud.call("AcceptNetPeering", NetPeeringId=made["NetPeeringId"])
    return made["NetPeeringId"], lambda id_: cloud.call("DeleteNetPeering", NetPeeringId=id_)


def an_access_point(cloud, net, *_):
    service = "com.outscale.eu-west-2.oos"
    made = cloud.call("CreateNetAccessPoint", NetId=net, ServiceName=service)["NetAccessPoint"]
    id_ = made["NetAccessPointId"]
    return id_, lambda id_: cloud.call("DeleteNetAccessPoint", NetAccessPointId=id_)


def a_virtual_gateway(cloud, net, *_):
    made = cloud.call("CreateVirtualGateway", ConnectionType="ipsec.1")["VirtualGateway"]
    id_ = made["VirtualGatewayId"]
    cloud.call("LinkVirtualGateway", VirtualGatewayId=id_, NetId=net)
    return id_, lambda id_: cloud.call("UnlinkVirtualGateway", VirtualGatewayId=id_, NetId=net)


def a_nic(cloud, _net, subnet, _group):
    id_ = cloud.call("CreateNic", SubnetId=subnet)["Nic"]["NicId"]
    return id_, lambda id_: cloud.call("DeleteNic", NicId=id_)


def a_balancer(cloud, _net, subnet, group):
    cloud.call(
        "CreateLoadBalancer",
        LoadBalancerName="theirs",
        LoadBalancerType="internal",
        Listeners=[LISTENER],
        Subnets=[subnet],
        SecurityGroups=[group],
    )
    return "theirs", lambda id_: cloud.call("DeleteLoadBalancer", LoadBalancerName=id_)


def a_rule(cloud, net, _subnet, group):
    """Let a group of ours into one of theirs."""
    request = {"NetId": net, "SecurityGroupName": "theirs", "Description": "theirs"}
    id_ = cloud.call("CreateSecurityGroup", **request)["SecurityGroup"]["SecurityGroupId"]
    members = [{"SecurityGroupId": group}]
    rule = {"IpProtocol": "tcp", "FromPortRange": 1, "ToPortRange": 2}
    rules = [{**rule, "SecurityGroupsMembers": members}]
    cloud.call("CreateSecurityGroupRule", SecurityGroupId=id_, Flow="Inbound", Rules=rules)
    return id_, lambda id_: cloud.call("DeleteSecurityGroup", SecurityGroupId=id_)


HOLDERS = [a_peering, an_access_point, a_virtual_gateway, a_nic, a_balancer, a_rule]
UNSEEN = [a_virtual_gateway, a_nic]
"""What a policy of an older version does not allow to look for."""


@pytest.mark.parametrize(
    ("make", "may_look"),
    [*((make, True) for make in HOLDERS), *((make, False) for make in UNSEEN)],
)
def test_what_holds_a_deletion_up_is_named_and_stays(make, may_look):
    run = clusters.ready({"subregions": ["eu-west-2a"]})
    before = ids(run.fake)
    net = clusters.one(run, "Nets")["NetId"]
    subnet = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    group = clusters.group(run, "demo-node")["SecurityGroupId"]
    cloud = driver.Direct(run.fake)
    id_, leave = make(cloud, net, subnet, group)
    theirs = ids(run.fake) - before
    if not may_look:
        run.cloud.call = refusing(run.cloud.call)
    run.delete()
    for _ in range(20):
        run.step()
        run.fake.clock.advance(30)
    assert not run.is_gone
    told = run.conditions["Deleting"][2]
    assert (f" {id_}. " in told) == may_look, told
    assert "ResourceConflict 90" in told
    assert theirs <= ids(run.fake)
    leave(id_)
    run.settle()
    assert run.is_gone
    assert clusters.live(run, "Nets") == []


@pytest.mark.parametrize("which", ["bastion", "machine"])
def test_a_public_ip_that_people_have_moved_is_told_and_can_be_kept(which):
    if which == "bastion":
        fake = FakeCloud(seed=1)
        run = clusters.ready({"bastion": clusters.bastion(fake)}, fake)
    else:
        site = machine_driver.Site()
        fake, run = site.fake, site.machine(spec={"vm": {"publicIp": True}}).settle()
    assert run.is_ready, run.conditions
    cloud = driver.Direct(fake)
    (row,) = [each for each in driver.inventory(fake)["PublicIps"] if each.get("VmId")]
    theirs, id_ = public_vm(fake, cloud), row["PublicIpId"]
    cloud.call("LinkPublicIp", PublicIpId=id_, VmId=theirs, AllowRelink=True)
    run.delete()
    for _ in range(20):
        run.step()
        fake.clock.advance(30)
    said = f"{row['PublicIp']} ({id_}) is linked to {theirs}. Unlink it, or tag it OscK8sNoDelete"
    assert said in run.conditions["Deleting"][2]
    clusters.mark(fake, id_, OscK8sNoDelete="true")
    run.settle()
    assert run.is_gone
    (left,) = [row for row in driver.inventory(fake)["PublicIps"] if row["PublicIpId"] == id_]
    assert left["VmId"] == theirs


def public_vm(fake, cloud):
    """Return a VM of somebody else that can have a public IP."""
    net = cloud.call("CreateNet", IpRange="10.77.0.0/16")["Net"]["NetId"]
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.77.0.0/24")["Subnet"]["SubnetId"]
    gate = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    cloud.call("LinkInternetService", InternetServiceId=gate, NetId=net)
    image = cloud.read("ReadImages")[0]["ImageId"]
    made = cloud.call("CreateVms", ImageId=image, SubnetId=subnet)["Vms"][0]["VmId"]
    fake.clock.advance(60)
    return made


def refusing(call):
    """Return a call that a policy of an older version allows less."""

    def checked(action, /, **request):
        if action in ("ReadNics", "ReadVirtualGateways"):
            raise errors.ApiError(action, status=403, code="4", type="AccessDenied")
        return call(action, **request)

    return checked


def ids(fake):
    """Return the ids of all that lives."""
    keys = {action.removeprefix("Read"): key for action, key in driver.READS.items()}
    found = driver.inventory(fake).items()
    return {row[keys[kind]] for kind, rows in found for row in rows}
