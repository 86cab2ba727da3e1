"""Machines that the Go provider made: known by token, provider id and status, never made again."""

import pytest

from provider.rules import names
from tests.functional.provider import driver, machine_driver

OWNER = f"OscK8sClusterID/{driver.UID}"


@pytest.fixture(name="site")
def _site():
    return machine_driver.Site()


def _tag(site, id_, **tags):
    rows = [{"Key": key, "Value": value} for key, value in tags.items()]
    site.outside.call("CreateTags", ResourceIds=[id_], Tags=rows)


def _made_by_go(site, run, *, is_running=True):
    """Make a VM as the Go provider v1.5 does, and an OscMachine as it leaves it."""
    subnets = site.osc_cluster["status"]["resources"]["subnet"]
    groups = site.osc_cluster["status"]["resources"]["securityGroup"]
    vm = site.outside.call(
        "CreateVms",
        ImageId=run.spec["vm"]["image"]["id"],
        KeypairName="ops",
        VmType="tinav4.c4r8p1",
        SubnetId=subnets["10.0.3.0/24"],
        SecurityGroupIds=[groups["demo-worker"], groups["demo-node"]],
        ClientToken=names.machine_token(run.name, driver.UID),
    )["Vms"][0]
    _tag(site, vm["VmId"], Name=run.name)
    run.object["metadata"]["finalizers"] = [names.MACHINE_FINALIZER]
    run.spec["providerID"] = names.provider_id("eu-west-2a", vm["VmId"])
    run.object["status"] = {"resources": {"vm": {"default": vm["VmId"]}}, "vmState": "pending"}
    if is_running:
        site.fake.clock.advance(30)
        _tag(site, vm["VmId"], **{OWNER: "owned", names.NODE_NAME: vm["PrivateDnsName"]})
        run.object["status"] |= {"initialization": {"provisioned": True}, "vmState": "running"}
    return vm["VmId"]


@pytest.mark.parametrize("is_running", [True, False], ids=["running", "pending"])
def test_a_vm_is_taken_over(site, is_running):
    run = site.machine()
    id_ = _made_by_go(site, run, is_running=is_running)
    provider_id = run.spec["providerID"]
    run.settle()
    assert run.is_ready
    assert [vm["VmId"] for vm in site.vms] == [id_]
    assert run.spec["providerID"] == provider_id
    assert run.tags[OWNER] == "owned"
    assert run.tags[names.MACHINE] == run.name
    assert run.tags[names.NODE_NAME] == run.vm["PrivateDnsName"]
    assert "CreateVms" not in site.cloud.calls
    assert run.object["metadata"]["labels"][names.CLUSTER_UID_LABEL] == driver.UID
    run.delete().settle()
    assert run.is_gone
    assert not site.vms


@pytest.mark.parametrize("lost", [("status",), ("providerID",), ("status", "providerID")])
def test_a_vm_is_taken_over_by_whatever_is_known_of_it(site, lost):
    run = site.machine()
    id_ = _made_by_go(site, run)
    if "status" in lost:
        run.object["status"] = {}
    if "providerID" in lost:
        del run.spec["providerID"]
    run.settle()
    assert run.is_ready
    assert [vm["VmId"] for vm in site.vms] == [id_]
    assert run.spec["providerID"].endswith(id_)


def test_a_vm_that_no_cluster_tag_has_is_found_by_its_token_when_it_goes(site):
    run = site.machine()
    _made_by_go(site, run, is_running=False)
    del run.spec["providerID"]
    run.object["status"] = {}
    run.delete().settle()
    assert run.is_gone
    assert not site.vms


@pytest.mark.parametrize("known", ["status", "link"])
def test_a_public_ip_is_taken_over(site, known):
    run = site.machine(spec={"vm": {"publicIp": True}})
    id_ = _made_by_go(site, run)
    address = site.outside.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    _tag(site, address, **{OWNER: "owned"})
    site.outside.call("LinkPublicIp", PublicIpId=address, VmId=id_)
    if known == "status":
        run.object["status"]["resources"]["publicIp"] = {"default": address}
    run.settle()
    assert run.is_ready
    assert "CreatePublicIp" not in site.cloud.calls
    assert "LinkPublicIp" not in site.cloud.calls
    assert run.status["resources"]["publicIp"] == {"default": address}
    run.delete().settle()
    assert not site.outside.read("ReadPublicIps", Filters={"PublicIpIds": [address]})


def test_a_public_ip_of_a_pool_stays_in_the_pool(site):
    run = site.machine(spec={"vm": {"publicIp": True, "publicIpPool": "nodes"}})
    id_ = _made_by_go(site, run)
    address = site.outside.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    _tag(site, address, **{names.POOL: "nodes"})
    site.outside.call("LinkPublicIp", PublicIpId=address, VmId=id_)
    run.object["status"]["resources"]["publicIp"] = {"default": address}
    run.settle()
    assert run.is_ready
    run.delete().settle()
    assert run.is_gone
    (row,) = site.outside.read("ReadPublicIps", Filters={"PublicIpIds": [address]})
    assert [each["Key"] for each in row["Tags"]] == [names.POOL]


def test_a_gpu_is_taken_over(site):
    model = {"model": "nvidia-p100"}
    run = site.machine(spec={"vm": {"vmType": "tinav5.c4r8p1", "flexibleGpu": model}})
    subnets = site.osc_cluster["status"]["resources"]["subnet"]
    gpu = site.outside.call(
        "CreateFlexibleGpu",
        ModelName="nvidia-p100",
        SubregionName="eu-west-2a",
        Generation="v5",
        DeleteOnVmDeletion=True,
    )["FlexibleGpu"]["FlexibleGpuId"]
    vm = site.outside.call(
        "CreateVms",
        ImageId=run.spec["vm"]["image"]["id"],
        VmType="tinav5.c4r8p1",
        SubnetId=subnets["10.0.3.0/24"],
        ClientToken=names.machine_token(run.name, driver.UID),
        BootOnCreation=False,
    )["Vms"][0]["VmId"]
    _tag(site, gpu, Name=run.name)
    site.fake.clock.advance(30)
    site.outside.call("LinkFlexibleGpu", FlexibleGpuId=gpu, VmId=vm)
    run.spec["providerID"] = names.provider_id("eu-west-2a", vm)
    run.object["status"] = {"resources": {"vm": {"default": vm}, "flexibleGpu": {"default": gpu}}}
    run.settle()
    assert run.is_ready
    assert "CreateFlexibleGpu" not in site.cloud.calls
    run.delete().settle()
    assert run.is_gone
    assert not site.outside.read("ReadFlexibleGpus")


def test_a_control_plane_stays_a_backend(site):
    run = site.control_plane()
    id_ = _made_by_go(site, run)
    site.outside.call(
        "LinkLoadBalancerBackendMachines", LoadBalancerName="demo-k8s", BackendVmIds=[id_]
    )
    run.settle()
    assert run.is_ready
    assert "LinkLoadBalancerBackendMachines" not in site.cloud.calls


def test_a_vm_that_the_spec_names_is_used_and_not_deleted(site):
    other = site.machine("other").settle()
    id_ = other.vm["VmId"]
    del site.machines["other"]
    gone = [each for each in other.vm["Tags"] if each["Key"].startswith("OscK8s")]
    site.outside.call("DeleteTags", ResourceIds=[id_], Tags=gone)
    site.cloud.calls.clear()
    run = site.machine(spec={"vm": {"resourceId": id_}}).settle()
    assert run.is_ready
    assert run.spec["providerID"].endswith(id_)
    run.delete().settle()
    assert run.is_gone
    assert [vm["VmId"] for vm in site.vms] == [id_]
    assert all(call.startswith("Read") for call in site.cloud.calls)


def test_a_vm_that_the_spec_names_has_to_exist(site):
    run = site.machine(spec={"vm": {"resourceId": "i-00000000"}})
    run.step()
    run.step()
    assert run.ready == ("False", "Refused")
    assert "i-00000000 does not exist" in run.conditions["Ready"][2]
    assert not site.vms


def test_subnets_and_groups_of_others_are_used_by_role():
    site = machine_driver.Site()
    network = site.osc_cluster["spec"].setdefault("network", {})
    resources = site.osc_cluster["status"]["resources"]
    network["subnets"] = [
        {"resourceId": id_, "roles": ["worker"] if "3.0" in key else ["loadbalancer"]}
        for key, id_ in resources["subnet"].items()
    ]
    network["securityGroups"] = [
        {"resourceId": resources["securityGroup"]["demo-node"], "roles": ["worker"]}
    ]
    for id_ in (*resources["subnet"].values(), *resources["securityGroup"].values()):
        tags = [{"Key": f"OscK8sRole/{role}", "Value": ""} for role in names.ROLES]
        site.outside.call("DeleteTags", ResourceIds=[id_], Tags=tags)
    resources["subnet"] = resources["securityGroup"] = {}
    run = site.machine().settle()
    assert run.is_ready
    groups = [each["SecurityGroupName"] for each in run.vm["SecurityGroups"]]
    assert groups == [f"demo-node-{driver.UID}"]
