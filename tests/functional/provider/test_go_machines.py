"""Machines of the Go provider v1.5, whole and in pieces, are taken over with their cluster."""

import pytest

from tests.functional.provider import clusters, driver, go_machines, go_shapes, worlds
from tests.functional.provider.machine_driver import CP_LABEL, MD_LABEL
from tests.functional.provider.test_go_clusters import ids

GPU = {"fGPU": {"model": "nvidia-p100"}, "vmType": "tinav5.c4r8p1"}
VOLUME = {"device": "/dev/xvdb", "size": 20, "volumeType": "gp2", "name": "data"}
CASES = {
    "worker": ("demo-md-0-abcde", {"role": "worker"}, {}),
    "without a role": ("demo-md-0-abcde", {}, {}),
    "control plane": ("demo-cp-abcde", {"role": "controlplane"}, {}),
    "long name": ("a-cluster-with-a-long-name-control-plane-abcde", {"role": "controlplane"}, {}),
    "public IP": ("demo-md-0-abcde", {"publicIp": True}, {}),
    "pool": ("demo-md-0-abcde", {"publicIp": True, "publicIpPool": "nodes"}, {}),
    "GPU": ("demo-md-0-abcde", GPU, {}),
    "GPU of a control plane": ("demo-cp-abcde", {**GPU, "role": "controlplane"}, {}),
    "volume": ("demo-md-0-abcde", {"tags": {"team": "blue"}}, {"volumes": [VOLUME]}),
}


def start(case):
    """Return a machine of the Go provider that is about to be made, and what is there before."""
    go, before = go_shapes.start("default")
    worlds.keypair(go.fake)
    pool = go.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    clusters.mark(go.fake, pool, OscK8sIPPool="nodes")
    before = driver.inventory(go.fake)
    go.run().cloud.calls.clear()
    name, vm, more = CASES[case]
    labels = CP_LABEL if vm.get("role") == "controlplane" else MD_LABEL
    return go_machines.GoMachine(go, name, vm, labels=labels, **more), before


def changes(site, act):
    """Return the calls of the machines that are no Reads."""
    site.cloud.calls.clear()
    act()
    return [each for each in site.cloud.calls if not each.startswith("Read")]


def again(site, run):
    """Look at a machine with nothing remembered."""
    site.restart()
    run.settle()


def leave(site, run, before):
    """Delete the machine and its cluster."""
    run.delete().settle()
    site.run.delete().settle()
    assert run.is_gone
    assert site.run.is_gone
    assert driver.inventory(site.fake) == before


@pytest.mark.parametrize("is_first", [True, False], ids=["before its cluster", "after it"])
@pytest.mark.parametrize("case", CASES)
def test_a_machine_is_taken_over_as_it_is_and_goes_without_a_trace(case, is_first):
    machine, before = start(case)
    there = ids(machine.run().go.fake)
    site = go_machines.Site(machine.go)
    run = site.take(machine)
    provider_id = run.spec["providerID"]
    if not is_first:
        site.run.settle()
    assert set(changes(site, run.settle)) <= {"CreateTags"}
    site.run.settle()
    again(site, run)
    assert run.is_ready, run.conditions
    assert ids(site.fake) == there
    assert run.spec["providerID"] == provider_id
    writes = run.writes
    assert changes(site, lambda: again(site, run)) == []
    assert run.writes == writes
    leave(site, run, before)


@pytest.mark.parametrize("case", CASES)
def test_a_machine_that_was_moved_is_known_without_a_status(case):
    machine, before = start(case)
    there = ids(machine.run().go.fake)
    site = go_machines.Site(machine.go)
    run = site.take(machine)
    del run.object["status"], site.run.object["status"]
    site.run.settle()
    assert set(changes(site, run.settle)) <= {"CreateTags"}
    assert run.is_ready, run.conditions
    assert ids(site.fake) == there
    leave(site, run, before)


# A GPU or a public IP of which no status tells bears no sign of the machine it was meant for, and
# a control plane is not made with a GPU.
PIECES = sorted(CASES.keys() - {"GPU", "GPU of a control plane", "public IP"})


@pytest.mark.parametrize("case", PIECES)
@pytest.mark.parametrize("is_kept", [True, False], ids=["finished", "deleted at once"])
def test_a_machine_whose_making_was_cut_short_has_one_vm(case, is_kept):
    machine, _ = start(case)
    calls = list(machine.run().go.cloud.calls)
    for at, action in enumerate(calls, 1):
        if action.startswith("Read"):
            continue
        machine, before = start(case)
        machine.go.cloud.strike_at, machine.go.cloud.effect = at, "die after"
        machine.run().go.cloud.effect = ""
        there = ids(machine.go.fake)
        site = go_machines.Site(machine.go)
        run = site.take(machine)
        if is_kept:
            run.settle()
            assert run.is_ready, (action, run.conditions)
            assert ids(site.fake) == there, action
        else:
            metadata = run.object["metadata"]
            metadata["finalizers"] = [go_machines.FINALIZER]
            metadata["labels"] |= {"outscale.com/clusterUID": driver.UID}
        leave(site, run, before)


def test_what_is_refused_after_a_public_ip_was_allocated_leaves_one():
    machine, before = start("public IP")
    calls = list(machine.run().go.cloud.calls)
    machine, before = start("public IP")
    machine.go.cloud.strike_at = calls.index("CreateVms") + 1
    machine.go.cloud.effect = "refuse"
    machine.run(limit=1).go.cloud.effect = ""
    there = ids(machine.go.fake)["PublicIps"]
    site = go_machines.Site(machine.go)
    run = site.take(machine).settle()
    assert run.is_ready, run.conditions
    assert ids(site.fake)["PublicIps"] == there
    leave(site, run, before)


def test_a_vm_that_version_0_4_made_is_known_by_its_provider_id():
    machine, before = start("control plane")
    vm = machine.run().resources["vm"]["default"]
    tags = [{"Key": f"OscK8sClusterID/{driver.UID}"}]
    machine.go.call("DeleteTags", ResourceIds=[vm], Tags=tags)
    old = {f"OscK8sClusterID/cluster-api-{driver.UID}": "owned"}
    clusters.mark(machine.go.fake, vm, Name=f"{machine.name}-{driver.UID}", **old)
    site = go_machines.Site(machine.go)
    run = site.take(machine)
    assert set(changes(site, run.settle)) <= {"CreateTags"}
    assert run.is_ready, run.conditions
    leave(site, run, before)


def test_a_vm_that_routes_for_others_goes_on_to_do_so():
    """The Go provider has no field for that: people set it at the VM, for a network plugin."""
    machine, before = start("worker")
    vm = machine.run().resources["vm"]["default"]
    machine.go.call("UpdateVm", VmId=vm, IsSourceDestChecked=False)
    site = go_machines.Site(machine.go)
    run = site.take(machine)
    assert "UpdateVm" not in changes(site, run.settle)
    assert not run.vm["IsSourceDestChecked"]
    leave(site, run, before)


def test_groups_that_people_gave_to_a_vm_stay():
    machine, _ = start("worker")
    vm = machine.run().resources["vm"]["default"]
    made = machine.go.call(
        "CreateSecurityGroup", NetId=machine.go.net, SecurityGroupName="mine", Description="mine"
    )["SecurityGroup"]["SecurityGroupId"]
    row = machine.go.read("ReadVms", VmIds=[vm])[0]
    groups = [each["SecurityGroupId"] for each in row["SecurityGroups"]]
    machine.go.call("UpdateVm", VmId=vm, SecurityGroupIds=[*groups, made])
    site = go_machines.Site(machine.go)
    run = site.take(machine)
    site.run.settle()
    assert "UpdateVm" not in changes(site, run.settle)
    assert {each["SecurityGroupId"] for each in run.vm["SecurityGroups"]} == {*groups, made}
