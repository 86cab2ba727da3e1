"""What a machine is made from, part by part."""

import base64
import concurrent.futures

import pytest

from provider.rules import names, user_data
from tests.functional.provider import driver, machine_driver

OWNER = "OscK8sClusterID/5f1c0c5e-0000-4000-8000-000000000001"


@pytest.fixture(name="site")
def _site():
    return machine_driver.Site()


def _volumes(site, run):
    rows = site.outside.read("ReadVolumes", Filters={"LinkVolumeVmIds": [run.vm["VmId"]]})
    return {
        each["LinkedVolumes"][0]["DeviceName"]: (each["VolumeType"], each["Size"], each.get("Iops"))
        for each in rows
    }


def _refused(run):
    """Return what a machine says that cannot be made, and that it has changed nothing."""
    writes = [call for call in run.site.cloud.calls if not call.startswith("Read")]
    for _ in range(3):
        run.step()
        run.site.fake.clock.advance(5)
    assert run.ready == ("False", "Refused"), run.conditions
    assert [call for call in run.site.cloud.calls if not call.startswith("Read")] == writes
    return run.conditions["Ready"][2]


# --- A worker and a control plane ----------------------------------------------------------------


def test_a_worker_is_what_the_ccm_and_kubelet_expect(site):
    run = site.machine().settle()
    vm = run.vm
    assert run.spec["providerID"] == f"aws:///{run.status['failureDomain']}/{vm['VmId']}"
    assert run.tags[OWNER] == "owned"
    assert run.tags[names.NODE_NAME] == vm["PrivateDnsName"]
    assert run.tags[names.MACHINE] == run.tags["Name"] == run.name
    assert run.tags["OscK8sRole/worker"] == ""
    assert vm["ClientToken"] == names.machine_token(run.name, driver.UID)
    assert vm["VmType"] == "tinav4.c4r8p1"
    assert vm["KeypairName"] == "ops"
    assert _volumes(site, run) == {"/dev/sda1": ("io1", 60, 1500)}
    groups = {each["SecurityGroupName"] for each in vm["SecurityGroups"]}
    assert groups == {f"demo-worker-{driver.UID}", f"demo-node-{driver.UID}"}


def test_addresses_of_every_type_are_told(site):
    run = site.machine(spec={"vm": {"publicIp": True}}).settle()
    vm = run.vm
    told = {each["type"]: each["address"] for each in run.status["addresses"]}
    assert told == {
        "InternalIP": vm["PrivateIp"],
        "ExternalIP": vm["PublicIp"],
        "InternalDNS": vm["PrivateDnsName"],
        "ExternalDNS": vm["PublicDnsName"],
        "Hostname": vm["PrivateDnsName"],
    }


def test_the_provider_id_is_written_before_the_machine_is_provisioned(site):
    run = site.machine()
    while "providerID" not in run.spec:
        run.step()
    assert run.vm["State"] == "pending"
    assert run.ready[0] == "Unknown"
    assert "initialization" not in run.status
    before = run.spec["providerID"]
    run.settle()
    assert run.status["initialization"] == {"provisioned": True}
    assert run.spec["providerID"] == before


def _backends(site):
    (balancer,) = site.outside.read("ReadLoadBalancers")
    return balancer["BackendVmIds"]


def test_a_control_plane_is_a_backend_while_it_lives(site):
    run = site.control_plane()
    run.step()
    run.step()
    assert run.vm["State"] == "pending"
    assert _backends(site) == []
    run.settle()
    assert _backends(site) == [run.vm["VmId"]]
    assert run.conditions["LoadBalancerBackendReady"][0] == "True"
    run.delete().step()
    assert _backends(site) == []
    calls = site.cloud.calls
    assert calls.index("UnlinkLoadBalancerBackendMachines") < calls.index("DeleteVms")


def test_a_control_plane_that_somebody_took_away_is_registered_again(site):
    run = site.control_plane().settle()
    (balancer,) = site.outside.read("ReadLoadBalancers")
    name, id_ = balancer["LoadBalancerName"], run.vm["VmId"]
    site.outside.call(
        "UnlinkLoadBalancerBackendMachines", LoadBalancerName=name, BackendVmIds=[id_]
    )
    site.fake.clock.advance(5)
    run.settle()
    assert _backends(site) == [id_]


def test_a_load_balancer_of_the_ccm_is_not_touched(site):
    run = site.control_plane().settle()
    vm = run.vm
    public = site.osc_cluster["status"]["resources"]["subnet"]["10.0.2.0/24"]
    site.outside.call(
        "CreateLoadBalancer",
        LoadBalancerName="service",
        Listeners=[
            {
                "BackendPort": 30080,
                "LoadBalancerPort": 80,
                "LoadBalancerProtocol": "TCP",
                "BackendProtocol": "TCP",
            }
        ],
        Subnets=[public],
        Tags=[
            {"Key": OWNER, "Value": "owned"},
            {"Key": names.CCM_SERVICE, "Value": "default/web"},
        ],
    )
    site.outside.call(
        "LinkLoadBalancerBackendMachines", LoadBalancerName="service", BackendVmIds=[vm["VmId"]]
    )
    site.fake.clock.advance(5)
    run.settle()
    run.delete().step()
    assert site.cloud.calls.count("UnlinkLoadBalancerBackendMachines") == 1


def test_without_a_load_balancer_a_control_plane_is_ready_all_the_same():
    endpoint = {"host": "api.example.com", "port": 6443}
    spec = {"controlPlaneEndpoint": endpoint, "network": {"disable": ["loadbalancer"]}}
    site = machine_driver.Site(spec)
    run = site.control_plane().settle()
    assert run.is_ready
    assert "ReadLoadBalancers" not in site.cloud.calls
    run.delete().settle()
    assert run.is_gone


# --- Parts of the spec ---------------------------------------------------------------------------


def test_volumes_are_made_with_the_vm_and_go_with_it(site):
    volumes = [
        {"device": "/dev/xvdb", "size": 20, "type": "gp2"},
        {"device": "/dev/xvdc", "size": 30, "type": "io1", "iops": 300},
    ]
    root = {"size": 40, "type": "gp2"}
    before = len(site.outside.read("ReadVolumes"))
    run = site.machine(spec={"vm": {"rootDisk": root}, "volumes": volumes}).settle()
    found = _volumes(site, run)
    assert {device: row[:2] for device, row in found.items()} == {
        "/dev/sda1": ("gp2", 40),
        "/dev/xvdb": ("gp2", 20),
        "/dev/xvdc": ("io1", 30),
    }
    assert found["/dev/xvdc"][2] == 300
    run.delete().settle()
    assert len(site.outside.read("ReadVolumes")) == before


def test_user_data_is_the_bootstrap_data_behind_the_tags_for_outscale(site):
    tags = {"osc.fcu.attract_cluster": "near"}
    run = site.machine(spec={"vm": {"tags": tags}}).settle()
    raw = base64.b64decode(run.vm["UserData"]).decode()
    assert raw == user_data.section(tags) + f"#cloud-config\n# {machine_driver.CANARY}\n"
    assert run.tags["osc.fcu.attract_cluster"] == "near"


def test_workers_of_a_deployment_keep_away_from_each_other(site):
    assert site.machine().settle().tags["osc.fcu.repulse_server"] == "md-0"
    assert "osc.fcu.repulse_server" not in site.control_plane().settle().tags


def test_user_data_that_is_too_large_is_refused_in_words(site):
    run = site.machine()
    blob = base64.b64encode(bytes(400_000)).decode()
    run.bootstrap["data"] = {"value": blob, "format": base64.b64encode(b"ignition").decode()}
    assert "512000 are the most" in _refused(run)


def test_traffic_of_others_can_be_let_through(site):
    run = site.machine(spec={"vm": {"sourceDestCheck": False}}).settle()
    assert run.vm["IsSourceDestChecked"] is False
    site.outside.call("UpdateVm", VmId=run.vm["VmId"], IsSourceDestChecked=True)
    site.fake.clock.advance(5)
    run.settle()
    assert run.vm["IsSourceDestChecked"] is False


def test_subnet_groups_and_addresses_can_be_named(site):
    vm = {
        "subnetName": "10.0.3.0/24",
        "securityGroupNames": ["demo-node"],
        "privateIps": ["10.0.3.77"],
    }
    run = site.machine(spec={"vm": vm}).settle()
    assert run.vm["PrivateIp"] == "10.0.3.77"
    assert [g["SecurityGroupName"] for g in run.vm["SecurityGroups"]] == [f"demo-node-{driver.UID}"]


def test_an_image_can_be_named_with_its_owner(site):
    (first, *_) = site.outside.read("ReadImages")
    image = {"name": first["ImageName"], "outscaleOpenSource": True, "id": ""}
    run = site.machine(spec={"vm": {"image": image}}).settle()
    assert run.vm["ImageId"] == first["ImageId"]


def published(site, account, name):
    """Let an account publish a copy of the first image under a name; return its id."""
    (first, *_) = site.outside.read("ReadImages")
    cloud = driver.Direct(site.fake, account)
    source = {"SourceImageId": first["ImageId"], "SourceRegionName": "eu-west-2"}
    image = cloud.call("CreateImage", ImageName=name, **source)["Image"]["ImageId"]
    everybody = {"Additions": {"GlobalPermission": True}}
    cloud.call("UpdateImage", ImageId=image, PermissionsToLaunch=everybody)
    site.fake.clock.advance(600)
    return image


def test_an_image_named_alone_is_that_of_its_only_owner(site):
    image = published(site, "100000000042", "golden")
    run = site.machine(spec={"vm": {"image": {"name": "golden", "id": ""}}}).settle()
    assert run.vm["ImageId"] == image


def test_an_image_named_alone_is_never_chosen_among_accounts(site):
    for account in ("100000000042", "100000000043"):
        published(site, account, "golden")
    run = site.machine(spec={"vm": {"image": {"name": "golden", "id": ""}}})
    assert "which the accounts 100000000042, 100000000043 have published" in _refused(run)


def test_an_image_of_outscale_is_taken_whoever_else_uses_its_name(site):
    (first, *_) = site.outside.read("ReadImages", Filters={"AccountIds": ["671899555720"]})
    published(site, "100000000042", first["ImageName"])
    image = {"name": first["ImageName"], "id": ""}
    run = site.machine(spec={"vm": {"image": image}}).settle()
    assert run.vm["ImageId"] == first["ImageId"]


@pytest.mark.parametrize(
    ("vm", "says"),
    [
        ({"image": {"id": "ami-00000000"}}, "spec.vm.image.id is ami-00000000, which does not"),
        ({"keypairName": "lost"}, "spec.vm.keypairName is lost, but there is no such keypair"),
        ({"subnetName": "lost"}, "spec.vm.subnetName is lost, but the cluster has 10.0."),
        ({"securityGroupNames": ["lost"]}, "spec.vm.securityGroupNames has lost, but the cluster"),
        ({"subregions": ["eu-west-2c"]}, "spec.vm.subregions has eu-west-2c, but the subnets"),
        ({"publicIp": True, "publicIpPool": "lost"}, "The pool lost has 0 public IPs"),
    ],
)
def test_what_does_not_exist_is_refused_in_words(site, vm, says):
    assert says in _refused(site.machine(spec={"vm": vm}))


def test_what_is_refused_is_made_once_it_can_be(site):
    run = site.machine(spec={"vm": {"keypairName": "later"}})
    _refused(run)
    site.outside.call("CreateKeypair", KeypairName="later")
    run.settle()
    assert run.is_ready


# --- Public IPs ----------------------------------------------------------------------------------


def _address(site, run):
    (row,) = site.outside.read("ReadPublicIps", Filters={"VmIds": [run.vm["VmId"]]})
    return row


def test_a_public_ip_is_there_when_the_vm_starts(site):
    run = site.machine(spec={"vm": {"publicIp": True}})
    while run.status.get("vmState") != "running":
        run.site.fake.clock.advance(run.pause_s(run.step()))
    assert run.vm["PublicIp"]
    assert "LinkPublicIp" not in site.cloud.calls


def test_a_public_ip_that_is_to_be_kept_stays(site):
    run = site.machine(spec={"vm": {"publicIp": True}}).settle()
    address = _address(site, run)["PublicIpId"]
    tag = {"Key": names.NO_DELETE, "Value": ""}
    site.outside.call("CreateTags", ResourceIds=[address], Tags=[tag])
    site.fake.clock.advance(5)
    run.settle()
    assert _address(site, run)["PublicIpId"] == address
    run.delete().settle()
    assert run.is_gone
    assert site.outside.read("ReadPublicIps", Filters={"PublicIpIds": [address]})


def test_a_public_ip_can_be_given_up_and_taken_again(site):
    run = site.machine(spec={"vm": {"publicIp": True}}).settle()
    address = _address(site, run)["PublicIpId"]
    run.spec["vm"]["publicIp"] = False
    run.settle()
    assert "PublicIp" not in run.vm
    assert not site.outside.read("ReadPublicIps", Filters={"PublicIpIds": [address]})
    run.spec["vm"]["publicIp"] = True
    run.settle()
    assert run.vm["PublicIp"]
    assert run.is_ready


def _pool(site, count):
    for _ in range(count):
        address = site.outside.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
        tags = [{"Key": names.POOL, "Value": "nodes"}]
        site.outside.call("CreateTags", ResourceIds=[address], Tags=tags)


POOLED = {"vm": {"publicIp": True, "publicIpPool": "nodes"}}


def test_a_pool_alone_asks_for_no_public_ip_as_with_the_go_provider(site):
    _pool(site, 1)
    run = site.machine(spec={"vm": {"publicIpPool": "nodes"}}).settle()
    assert run.is_ready, run.conditions
    assert not run.vm.get("PublicIp")
    assert "auto-attach" not in str(run.tags)
    run.delete().settle()
    assert run.is_gone


def test_a_public_ip_of_a_pool_goes_back_to_it(site):
    _pool(site, 1)
    run = site.machine(spec=POOLED).settle()
    assert run.is_ready
    address = _address(site, run)["PublicIpId"]
    run.delete().settle()
    assert run.is_gone
    (row,) = site.outside.read("ReadPublicIps", Filters={"PublicIpIds": [address]})
    assert "VmId" not in row


def test_machines_that_want_the_same_public_ip_each_get_one(site):
    _pool(site, 8)
    runs = [site.machine(f"node-{number}", spec=dict(POOLED)) for number in range(8)]
    site.settle()
    assert all(run.is_ready for run in runs)
    assert len({_address(site, run)["PublicIpId"] for run in runs}) == 8


def test_a_pool_that_is_empty_is_told(site):
    _pool(site, 1)
    first = site.machine("first", spec=dict(POOLED)).settle()
    second = site.machine("second", spec=dict(POOLED))
    assert "The pool nodes has 1 public IPs, and all are in use" in _refused(second)
    first.delete().settle()
    second.settle()
    assert second.is_ready


# --- Flexible GPUs -------------------------------------------------------------------------------

GPU = {"vm": {"vmType": "tinav5.c4r8p1", "flexibleGpu": {"model": "nvidia-p100"}}}


def test_a_gpu_is_attached_before_the_vm_runs_for_the_first_time(site):
    run = site.machine(spec=GPU)
    states = set()
    while not run.is_ready:
        site.fake.clock.advance(run.pause_s(run.step()))
        if run.status.get("vmState"):
            states.add(run.status["vmState"])
    (gpu,) = site.outside.read("ReadFlexibleGpus")
    assert gpu["State"] == "attached"
    assert gpu["VmId"] == run.vm["VmId"]
    assert gpu["SubregionName"] == run.status["failureDomain"]
    assert gpu["Generation"] == "v5"
    assert states == {"pending", "running"}
    run.delete().settle()
    assert not site.outside.read("ReadFlexibleGpus")


def test_a_gpu_that_was_never_attached_is_given_back(site):
    site.fake.fail("refuse", action="CreateVms", code=2000)
    run = site.machine(spec=GPU)
    for _ in range(3):
        run.step()
    assert site.outside.read("ReadFlexibleGpus")
    run.delete().settle()
    assert run.is_gone
    assert not site.outside.read("ReadFlexibleGpus")


def test_machines_without_a_gpu_need_no_right_to_read_any(site):
    site.fake.fail("refuse", action="ReadFlexibleGpus", code=4)
    run = site.machine().settle()
    assert run.is_ready
    run.delete().settle()
    assert run.is_gone


# --- Many at once --------------------------------------------------------------------------------


def _reads(count):
    site = machine_driver.Site()
    for number in range(count):
        site.machine(f"node-{number:03}")
    site.settle()
    while_made = [call for call in site.cloud.calls if call.startswith("Read")]
    site.cloud.calls.clear()
    for each in site.machines.values():
        each.step()
    return len(while_made), list(site.cloud.calls)


def test_reads_do_not_grow_with_machines():
    few, few_later = _reads(2)
    many, many_later = _reads(30)
    assert many == few
    assert few_later == many_later


def test_machines_that_are_made_in_threads_each_have_one_vm(site):
    site.fake.set_quota("vm_limit", 100)
    runs = [site.machine(f"node-{number:02}") for number in range(12)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for _ in range(6):
            list(pool.map(lambda run: run.step(), runs))
            site.fake.clock.advance(10)
    assert all(run.is_ready for run in runs)
    assert len(site.vms) == 12
    assert len({run.spec["providerID"] for run in runs}) == 12
