"""What goes with a cluster or a machine, and what people have put beside it."""

import pytest

from fakecloud import FakeCloud
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
