"""Machines that few people make: each either works, or is refused in words before it has a VM."""

import pytest

from provider.rules import names
from tests.functional.provider import driver, machine_driver

BY_OTHERS = {"cluster.x-k8s.io/managed-by": "terraform"}


@pytest.fixture(name="site")
def _site():
    return machine_driver.Site()


def _refused(site, spec):
    """Return what a machine with this spec says, after which it has no VM."""
    run = site.machine(spec=spec)
    for _ in range(4):
        run.step()
        site.fake.clock.advance(5)
    assert run.ready == ("False", "Refused"), run.conditions
    assert not run.vms
    return run.conditions["Ready"][2]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"volumes": [{"device": "/dev/sda1", "size": 9}]}, "/dev/sda1 is the root volume"),
        (
            {"volumes": [{"device": "/dev/sdb", "size": 9}, {"device": "/dev/xvdb", "size": 9}]},
            "/dev/xvdb is taken by /dev/sdb already",
        ),
        ({"vm": {"image": {}}}, "spec.vm.image: No image is given"),
        ({"vm": {"vmType": "large"}}, 'spec.vm.vmType: "large" is no type of VM'),
        (
            {"vm": {"vmType": "tinav5.c4r8p2", "flexibleGpu": {"model": "nvidia-p6"}}},
            "spec.vm.vmType: tinav5.c4r8p2 takes no flexible GPU",
        ),
    ],
)
def test_a_spec_that_cannot_be_is_refused_before_anything_is_made(site, spec, said):
    """The webhook says so before; but it may be switched off, and older objects never saw it."""
    assert said in _refused(site, spec)
    assert all(call.startswith("Read") for call in site.cloud.calls)


def test_a_public_ip_without_the_internet_is_refused_in_words():
    network = {"disable": ["internet"], "loadBalancer": {"type": "internal"}}
    site = machine_driver.Site({"network": network})
    assert "spec.network.disable" in _refused(site, {"vm": {"publicIp": True}})


def test_a_snapshot_that_does_not_exist_is_refused_in_words(site):
    said = _refused(site, {"volumes": [{"device": "/dev/sdb", "fromSnapshot": "snap-12345678"}]})
    assert "spec.volumes[0].fromSnapshot is snap-12345678, which does not exist" in said


def test_a_volume_is_made_from_a_snapshot_once_that_is_complete(site):
    outside = site.outside
    volume = outside.call("CreateVolume", SubregionName="eu-west-2a", Size=7)["Volume"]
    site.fake.clock.advance(60)
    snapshot = outside.call("CreateSnapshot", VolumeId=volume["VolumeId"])["Snapshot"]
    id_ = snapshot["SnapshotId"]
    run = site.machine(spec={"volumes": [{"device": "/dev/sdb", "fromSnapshot": id_}]})
    run.step()
    run.step()
    assert f"{id_}, which is {snapshot['State']}" in run.conditions["Ready"][2]
    site.fake.clock.advance(600)
    assert run.settle().is_ready, run.conditions
    rows = outside.read("ReadVolumes", Filters={"LinkVolumeVmIds": [run.vm["VmId"]]})
    assert (id_, 7) in {(row.get("SnapshotId"), row["Size"]) for row in rows}


def test_a_machine_can_be_in_a_cluster_that_somebody_else_looks_after(site):
    """Whoever looks after an OscCluster knows nothing of the label that the provider gives it."""
    site.osc_cluster["metadata"]["annotations"] = BY_OTHERS
    del site.osc_cluster["metadata"]["labels"]
    run = site.machine().settle()
    assert run.is_ready
    run.delete().settle()
    assert run.is_gone
    assert not site.vms


def test_a_machine_waits_for_the_uid_of_a_cluster_that_nobody_else_looks_after(site):
    """After a move, the uid of the Cluster is not the one that its resources are tagged with."""
    del site.osc_cluster["metadata"]["labels"]
    run = site.machine()
    run.step()
    assert run.ready == ("Unknown", "WaitingForClusterInfrastructure")


def test_machines_whose_long_names_end_alike_have_a_vm_each(site):
    """A client token has room for the end of a name only."""
    ending = "production-workers-with-gpus-1"
    machines = [site.machine(f"{team}-{ending}") for team in ("alpha", "bravo")]
    site.settle()
    assert all(each.is_ready for each in machines)
    assert len({each.vm["VmId"] for each in machines}) == 2
    machines[0].delete().settle()
    assert machines[1].settle().is_ready
    assert machines[1].vm["State"] == "running"


def test_a_machine_may_have_the_name_of_the_bastion():
    bastion = {"enable": True, "keypairName": "ops", "image": {"id": "ami-86dd1990"}}
    site = machine_driver.Site({"network": {"bastion": bastion}})
    (gate,) = site.vms
    assert gate["ClientToken"] == names.machine_token("bastion", driver.UID)
    run = site.machine("bastion").settle()
    assert run.is_ready
    assert {each["VmId"] for each in site.vms} == {gate["VmId"], run.spec["providerID"][-10:]}
    run.delete().settle()
    assert [each["VmId"] for each in site.vms] == [gate["VmId"]]
    site.machine("bastion").delete().settle()
    assert [each["VmId"] for each in site.vms] == [gate["VmId"]]


def test_a_vm_of_another_cluster_is_nobodys_whoever_names_it(site):
    """Such as a machine that was copied with its ``providerID`` from another management cluster."""
    there = site.machine("there").settle()
    vm = there.vm["VmId"]
    tags = [{"Key": f"OscK8sClusterID/{driver.UID}", "Value": "owned"}]
    tags.append({"Key": names.MACHINE, "Value": "there"})
    site.outside.call("DeleteTags", ResourceIds=[vm], Tags=tags)
    mark = [{"Key": "OscK8sClusterID/another", "Value": "owned"}]
    site.outside.call("CreateTags", ResourceIds=[vm], Tags=mark)
    del site.machines["there"]
    run = site.machine("copied", spec={"providerID": there.spec["providerID"]})
    run.settle()
    assert run.ready == ("False", "VmGone")
    run.delete().settle()
    assert run.is_gone
    assert [each["VmId"] for each in site.vms] == [vm]
