"""A running VM has the security groups and the tags that its machine and its cluster ask for."""

import pytest

from tests.functional.provider import driver, machine_driver

RULE = {"flow": "Inbound", "ipProtocol": "tcp", "ipRanges": ["10.0.0.0/16"], "fromPort": 6443}
OWN = [
    {"name": "lb", "roles": ["loadbalancer"], "rules": [RULE]},
    {"name": "nodes", "roles": ["controlplane", "worker"], "rules": [RULE]},
    {"name": "work", "roles": ["worker"], "rules": [RULE]},
]


@pytest.fixture(name="site")
def _site():
    return machine_driver.Site()


def groups(run):
    """Return the names of the groups of a VM, without the uid of the cluster."""
    rows = run.vm["SecurityGroups"]
    return {each["SecurityGroupName"].removesuffix(f"-{driver.UID}") for each in rows}


def ids(site, *keys):
    """Return the ids of groups of the cluster."""
    rows = site.outside.read("ReadSecurityGroups")
    known = {row["SecurityGroupName"]: row["SecurityGroupId"] for row in rows}
    return [known[f"{key}-{driver.UID}"] for key in keys]


def attach(run, *group_ids):
    """Let somebody give a VM other groups."""
    run.site.outside.call("UpdateVm", VmId=run.vm["VmId"], SecurityGroupIds=list(group_ids))
    run.site.fake.clock.advance(60)


def foreign(site, name="audit"):
    """Make a group in the Net that nobody has tagged."""
    net = site.osc_cluster["status"]["resources"]["net"]["default"]
    made = site.outside.call(
        "CreateSecurityGroup", NetId=net, SecurityGroupName=name, Description="theirs"
    )
    return made["SecurityGroup"]["SecurityGroupId"]


class Owner(driver.ClusterDriver):
    """The OscCluster of a site, on the cloud that its machines see."""

    def __init__(self, site):
        super().__init__({}, site.fake)
        self.object, self.clock, self.site = site.osc_cluster, site.clock, site

    def change(self, **network):
        spec = self.object["spec"]
        self.set({**spec, "network": {**spec["network"], **network}})
        return self

    def settle_with_machines(self, passes=12):
        """Let the OscCluster and its machines reconcile in turn."""
        for _ in range(passes):
            self.step()
            for each in self.site.machines.values():
                each.step()
            self.site.fake.clock.advance(20)
        assert self.is_ready, self.conditions
        return self


# --- What somebody changed -----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["worker", "controlplane"])
def test_a_group_that_was_taken_off_comes_back(site, role):
    run = site.control_plane() if role == "controlplane" else site.machine()
    wanted = groups(run.settle())
    attach(run, *ids(site, "demo-node"))
    run.settle()
    assert groups(run) == wanted == {f"demo-{role}", "demo-node"}
    assert run.vm["State"] == "running"
    assert run.is_ready


def test_a_group_of_the_cluster_that_is_not_for_this_role_goes(site):
    run = site.machine().settle()
    attach(run, *ids(site, "demo-worker", "demo-node", "demo-controlplane"))
    run.settle()
    assert groups(run) == {"demo-worker", "demo-node"}


def test_a_group_of_somebody_else_stays(site):
    run = site.machine().settle()
    attach(run, *ids(site, "demo-node"), foreign(site))
    run.settle()
    assert groups(run) == {"demo-worker", "demo-node", "audit"}
    before = len(site.cloud.calls)
    run.settle()
    assert all(call.startswith("Read") for call in site.cloud.calls[before:])


def test_a_group_that_the_cluster_made_again_comes_back(site):
    run, owner = site.machine().settle(), Owner(site)
    (gone,) = ids(site, "demo-worker")
    attach(run, *ids(site, "demo-node"))
    site.outside.call("DeleteSecurityGroup", SecurityGroupId=gone)
    run.step()
    assert run.ready[0] == "Unknown", "It waits for the OscCluster, and nobody has to replace it."
    assert groups(run) == {"demo-node"}
    owner.settle_with_machines()
    assert groups(run) == {"demo-worker", "demo-node"}
    assert run.is_ready


def test_a_vm_that_is_only_used_keeps_its_groups(site):
    used = site.machine("theirs").settle().vm["VmId"]
    run = site.machine(spec={"vm": {"resourceId": used}}).settle()
    site.machines.pop("theirs")
    site.outside.call("UpdateVm", VmId=used, SecurityGroupIds=ids(site, "demo-node"))
    site.fake.clock.advance(60)
    run.settle()
    (row,) = site.outside.read("ReadVms", Filters={"VmIds": [used]})
    assert [each["SecurityGroupId"] for each in row["SecurityGroups"]] == ids(site, "demo-node")


# --- What the spec says now ----------------------------------------------------------------------


def test_machines_follow_a_cluster_to_groups_of_its_own_and_back(site):
    worker, master = site.machine(), site.control_plane()
    site.settle()
    owner = Owner(site).change(securityGroups=OWN).settle_with_machines()
    assert groups(worker) == {"nodes", "work"}
    assert groups(master) == {"nodes"}
    left = {row["SecurityGroupName"] for row in site.outside.read("ReadSecurityGroups")}
    assert f"demo-node-{driver.UID}" not in left, "Nothing holds the old groups any more."
    owner.change(securityGroups=[]).settle_with_machines()
    assert groups(worker) == {"demo-worker", "demo-node"}
    assert groups(master) == {"demo-controlplane", "demo-node"}
    assert worker.is_ready
    assert master.is_ready


def test_machines_follow_a_group_that_gets_another_role():
    site = machine_driver.Site({"network": {"securityGroups": OWN}})
    worker, master = site.machine(), site.control_plane()
    site.settle()
    swapped = [*OWN[:2], {**OWN[2], "roles": ["controlplane"]}]
    Owner(site).change(securityGroups=swapped).settle_with_machines()
    assert groups(worker) == {"nodes"}
    assert groups(master) == {"nodes", "work"}


def test_machines_follow_a_group_that_is_added_or_removed():
    site = machine_driver.Site({"network": {"securityGroups": OWN[:2]}})
    run = site.machine().settle()
    owner = Owner(site).change(securityGroups=OWN).settle_with_machines()
    assert groups(run) == {"nodes", "work"}
    owner.change(securityGroups=OWN[:2]).settle_with_machines()
    assert groups(run) == {"nodes"}


def test_a_vm_never_loses_a_group_before_it_has_the_new_ones(site):
    run, owner = site.machine().settle(), Owner(site)
    owner.change(securityGroups=OWN)
    for _ in range(3):
        run.step()
        assert groups(run) == {"demo-worker", "demo-node"}
    assert run.conditions["SecurityGroupsReady"][:2] == ("Unknown", "Waiting")
    assert "nodes, work" in run.conditions["SecurityGroupsReady"][2]


def test_a_machine_that_names_other_groups_gets_them(site):
    run = site.machine().settle()
    run.spec["vm"]["securityGroupNames"] = ["demo-node"]
    run.settle()
    assert groups(run) == {"demo-node"}


def test_a_running_machine_that_names_an_unknown_group_says_so_and_goes_on(site):
    run = site.control_plane().settle()
    run.spec["vm"]["securityGroupNames"] = ["demo-node", "nowhere"]
    site.outside.call(
        "UnlinkLoadBalancerBackendMachines",
        LoadBalancerName="demo-k8s",
        BackendVmIds=[run.vm["VmId"]],
    )
    site.fake.clock.advance(60)
    run.settle()
    status, reason, message = run.conditions["SecurityGroupsReady"]
    assert (status, reason) == ("Unknown", "Waiting")
    assert "spec.vm.securityGroupNames has nowhere" in message
    assert groups(run) == {"demo-controlplane", "demo-node"}
    (balancer,) = site.outside.read("ReadLoadBalancers")
    assert balancer["BackendVmIds"] == [run.vm["VmId"]], "The rest is healed all the same."


def test_a_machine_without_its_cluster_keeps_its_groups(site):
    run = site.machine().settle()
    attach(run, *ids(site, "demo-node"))
    site.osc_cluster = None
    run.settle()
    assert groups(run) == {"demo-node"}


# --- Tags ----------------------------------------------------------------------------------------


def test_all_tags_of_a_vm_come_back(site):
    """Those that its user data has set too: OUTSCALE looks at them when it starts again."""
    run = site.machine(spec={"vm": {"publicIp": True, "tags": {"team": "blue"}}}).settle()
    before = run.tags
    assert {"team", "osc.fcu.repulse_server", "osc.fcu.eip.auto-attach"} <= before.keys()
    kept = [each for each in run.vm["Tags"] if each["Key"].startswith("OscK8sClusterID/")]
    gone = [each for each in run.vm["Tags"] if each not in kept]
    site.outside.call("DeleteTags", ResourceIds=[run.vm["VmId"]], Tags=gone)
    site.fake.clock.advance(60)
    run.settle()
    assert run.tags == before
