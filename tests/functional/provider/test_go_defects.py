"""The 27 defects of the Go provider v1.5, none of which is to be ours.

Those that concern a cluster are shown here; where the others are shown:

=====  ==========================================================================================
 1     `test_defect_01_a_shared_net_keeps_the_groups_of_others`
 2     `test_defect_02_a_crash_before_the_first_write_leaks_nothing`
 3     `test_defect_03_a_load_balancer_without_tags_is_no_dead_end`
 4     `test_defect_04_what_is_switched_off_goes`
 5     test_machine.py: `test_a_gpu_that_was_never_attached_is_given_back`
 6     `test_defect_06_documented_defaults_are_applied`; test_machine.py:
       `test_a_worker_is_what_the_ccm_and_kubelet_expect`
 7     test_machine_lost.py: `test_a_lost_vm_is_told_and_never_replaced`
 8     test_machine_lost.py: `test_a_lost_vm_is_told_and_never_replaced`
 9     test_machine_lost.py: `test_the_reason_is_told_at_once`
10     test_machine_gates.py: `test_deletion_waits_until_the_vm_is_gone`
11     `test_defect_11_a_pause_is_told_and_its_end_noticed`; test_manager.py:
       `test_a_cluster_that_goes_on_wakes_its_objects`
12     `test_defect_12_an_orphan_is_deleted`; test_machine_gates.py:
       `test_deletion_needs_neither_owner_nor_bootstrap_nor_cluster`
13     `test_defect_13_what_is_told_is_taken_back`
14     `test_defect_14_no_change_is_passed_over_in_silence`
15     `test_defect_15_a_route_to_a_dead_nat_service_is_replaced`
16     `test_defect_16_ports_of_a_protocol_without_ports_do_not_matter`
17     test_conversion.py: `test_there_and_back_is_the_same_object`; test_crds.py, test_manifests.py
18     test_machine_places.py: `test_machines_are_spread_that_are_made_at_the_same_time`
19     `test_defect_19_small_nets_work_or_are_refused`; test_addressing.py
20     `test_defect_20_a_cluster_takes_few_calls`; test_shared.py, test_limits.py
21     test_manager_tenants.py: `test_an_identity_says_who_may_use_it`
22     `test_defect_22_typha_is_tcp_and_workers_reach_kubelets_of_control_planes`
23     test_manager_web.py: `test_metrics_are_scraped`; test_manager_whole.py:
       `test_nothing_secret_is_told`
24     test_permissions.py: `test_the_document_is_up_to_date`
25     test_user_data.py: `test_the_order_of_tags_changes_nothing`; test_machine.py:
       `test_what_does_not_exist_is_refused_in_words`,
       `test_an_image_named_alone_is_never_chosen_among_accounts`
26     `test_defect_26_what_others_look_after_is_left_to_them`
27     `test_defect_27_every_defect_is_shown`
=====  ==========================================================================================
"""

import pathlib
import re

import pytest

from fakecloud import FakeCloud
from provider.api import v1beta2
from tests.functional.provider import clusters, driver, go_provider, worlds
from tests.functional.provider.clusters import ANYWHERE, HERE, THERE, YONDER


def test_defect_01_a_shared_net_keeps_the_groups_of_others():
    """Deletion took every group of a reused Net, and the rules by member of all of them."""
    fake = FakeCloud(seed=1)
    example = next(each for each in worlds.EXAMPLES if each.name == "a Net that exists")
    run = driver.ClusterDriver(example.spec(fake), fake)
    net = run.object["spec"]["network"]["net"]["resourceId"]
    cloud = driver.Direct(fake)
    ids = [
        cloud.call("CreateSecurityGroup", NetId=net, SecurityGroupName=name, Description="theirs")[
            "SecurityGroup"
        ]["SecurityGroupId"]
        for name in ("front", "back")
    ]
    member = {"IpProtocol": "-1", "SecurityGroupsMembers": [{"SecurityGroupId": ids[0]}]}
    cloud.call("CreateSecurityGroupRule", SecurityGroupId=ids[1], Flow="Inbound", Rules=[member])
    before = driver.inventory(fake)
    run.settle()
    run.delete().settle()
    assert run.is_gone
    assert driver.inventory(fake) == before


@pytest.mark.parametrize("position", range(1, 12))
def test_defect_02_a_crash_before_the_first_write_leaks_nothing(position):
    """Finalizer, uid and ids were written at the end of the first pass."""
    run = clusters.start()
    empty = driver.shape(run.fake)
    run.step()
    assert run.cloud.calls == []
    assert run.object["metadata"]["finalizers"]
    assert run.object["metadata"]["labels"]
    run.cloud.strike_at, run.cloud.effect = position, "die after"
    run.step()
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == empty


def test_defect_03_a_load_balancer_without_tags_is_no_dead_end():
    """A crash between its create and its tags led to an endless error, and to a leak."""
    fake = FakeCloud(seed=1)
    empty = driver.shape(fake)
    left = go_provider.Left(fake)
    left.call("DeleteLoadBalancerTags", LoadBalancerNames=["demo-k8s"], Tags=[{"Key": "Name"}])
    run = left.taken_over().settle()
    assert run.is_ready, run.conditions
    run.delete().settle()
    assert driver.shape(fake) == empty


def test_defect_04_what_is_switched_off_goes():
    """What a changed spec no longer named was never deleted, and blocked the Net later."""
    fake = FakeCloud(seed=1)
    fake.add_account(worlds.FAR)
    far = driver.Direct(fake, worlds.FAR)
    net = far.call("CreateNet", IpRange="172.16.0.0/16")["Net"]["NetId"]
    network = {
        "subregions": [HERE, THERE],
        "bastion": clusters.bastion(fake),
        "netAccessPoints": ["api"],
        "netPeering": {
            "enable": True,
            "managementNetId": net,
            "managementAccountId": worlds.FAR,
        },
    }
    run = clusters.ready(network, fake, far=far)
    clusters.change(run, {"subregions": [HERE]}).settle()
    assert run.is_ready, run.conditions
    assert clusters.live(run, "Vms") == []
    assert clusters.live(run, "NetAccessPoints") == []
    assert clusters.live(run, "NetPeerings") == []
    assert len(clusters.live(run, "NatServices")) == 1
    assert len(clusters.live(run, "Subnets")) == 3


def test_defect_06_documented_defaults_are_applied():
    """Defaults stood in the documents, and zeros were sent."""
    fake = FakeCloud(seed=1)
    run = clusters.ready({"bastion": clusters.bastion(fake)}, fake)
    vm = clusters.one(run, "Vms")
    volume = driver.Direct(fake).read("ReadVolumes")[0]
    assert vm["VmType"] == v1beta2.Bastion().vm_type
    assert (volume["Size"], volume["VolumeType"]) == (15, "gp2")
    check = clusters.balancer(run)["HealthCheck"]
    assert (check["CheckInterval"], check["HealthyThreshold"]) == (10, 2)
    assert (check["UnhealthyThreshold"], check["Port"]) == (3, 6443)


def test_defect_11_a_pause_is_told_and_its_end_noticed():
    """The end of a pause was noticed minutes later, and no condition told of it."""
    run = clusters.ready()
    run.object["metadata"]["annotations"] = {"cluster.x-k8s.io/paused": ""}
    assert clusters.calls(run, run.step) == []
    assert run.conditions["Paused"][:2] == ("True", "Paused")
    assert run.is_ready, "A pause changes nothing else."
    run.object["metadata"]["annotations"] = {}
    run.step()
    assert run.conditions["Paused"][:2] == ("False", "NotPaused")


def test_defect_12_an_orphan_is_deleted():
    """Without its Cluster, an OscCluster kept its finalizer and its resources for ever."""
    run = clusters.start()
    empty = driver.shape(run.fake)
    run.settle()
    run.cluster = None
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == empty


def test_defect_13_what_is_told_is_taken_back():
    """Failure domains only grew, and there was no Ready, no Deleting and no warning."""
    run = clusters.ready({"subregions": [HERE, THERE, YONDER]})
    clusters.change(run, {"subregions": [HERE]}).settle()
    assert run.status["failureDomains"] == [{"name": HERE, "controlPlane": True}]
    run.fake.fail("refuse", action="ReadNets", code=4120)
    run.memory.clear()
    run.step()
    assert not run.is_ready
    assert run.events[-1].type == "Warning"
    run.fake.faults.clear()
    run.delete().step()
    assert run.conditions["Deleting"][0] == "True"


def test_defect_14_no_change_is_passed_over_in_silence():
    """Changes of listeners, health check, groups and ranges were ignored."""
    run = clusters.ready()
    balancer = {"healthCheck": {"unhealthyThreshold": 5}}
    clusters.change(run, {"loadBalancer": balancer}).settle()
    assert clusters.balancer(run)["HealthCheck"]["UnhealthyThreshold"] == 5
    clusters.change(run, {"net": {"ipRange": "10.8.0.0/16"}}).settle()
    assert run.conditions["NetReady"][:2] == ("False", "Refused")


def test_defect_15_a_route_to_a_dead_nat_service_is_replaced():
    """A NAT service that was deleted counted as there, and routes led into nothing."""
    run = clusters.ready()
    old = clusters.one(run, "NatServices")["NatServiceId"]
    driver.Direct(run.fake).call("DeleteNatService", NatServiceId=old)
    clusters.again(run)
    new = clusters.one(run, "NatServices")["NatServiceId"]
    assert new != old
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    assert clusters.routes(run, place) == {ANYWHERE: new}


def test_defect_16_ports_of_a_protocol_without_ports_do_not_matter():
    """The rule was made again in every pass, which the API refused."""
    rule = {"flow": "Inbound", "ipProtocol": "-1", "ipRanges": [ANYWHERE]}
    rules = [{**rule, "fromPort": 0, "toPort": 65535}, {**rule, "flow": "Outbound"}]
    groups = [{"name": "all", "roles": ["loadbalancer"], "rules": rules, "authoritative": True}]
    run = clusters.ready({"securityGroups": groups})
    assert clusters.changes(run, lambda: clusters.again(run)) == []


@pytest.mark.parametrize("size", [20, 24, 27, 28])
def test_defect_19_small_nets_work_or_are_refused(size):
    """Subnets of a small Net lay outside it."""
    run = clusters.start({"net": {"ipRange": f"10.3.0.0/{size}"}})
    if size < 28:
        assert run.settle().is_ready
        return
    run.step()
    run.step()
    assert "10.3.0.0/28 has room for" in run.conditions["SpecReady"][2]


def test_defect_20_a_cluster_takes_few_calls():
    """A cluster took sixty calls, one for each range of each rule."""
    run = clusters.ready()
    assert len(run.cloud.calls) <= 44
    assert run.cloud.calls.count("CreateSecurityGroupRule") <= 5
    assert len(clusters.calls(run, lambda: clusters.again(run))) <= 12
    assert len(clusters.calls(run, run.delete().settle)) <= 44


def test_defect_22_typha_is_tcp_and_workers_reach_kubelets_of_control_planes():
    """Typha was allowed by udp, and metrics-server could not ask control planes."""
    run = clusters.ready()
    node = clusters.rules(clusters.group(run, "demo-node"))
    assert ("tcp", 5473, 5473, "10.0.0.0/16") in node
    assert not any(each[:2] == ("udp", 5473) for each in node)
    control_plane = clusters.rules(clusters.group(run, "demo-controlplane"))
    assert ("tcp", 10250, 10250, "10.0.3.0/24") in control_plane


def test_defect_26_what_others_look_after_is_left_to_them():
    """Externally managed clusters, load balancers that exist and more listeners were unknown."""
    run = clusters.start()
    run.object["metadata"]["annotations"] = {"cluster.x-k8s.io/managed-by": "other"}
    run.step()
    assert run.cloud.calls == []
    more = {"additionalListeners": [{"port": 8132, "backendPort": 8132}]}
    run = clusters.ready({"loadBalancer": more})
    assert len(clusters.balancer(run)["Listeners"]) == 2


def test_defect_27_every_defect_is_shown():
    """Half of its tests were empty, and nobody saw."""
    tests = pathlib.Path(__file__).parents[2]
    table = __doc__.partition("=====")[2].rpartition("=====")[0]
    paths = list(tests.rglob("test_*.py"))
    names = {path.name for path in paths}
    texts = [path.read_text(encoding="utf-8") for path in paths]
    numbers = [int(each) for each in re.findall(r"^ ?(\d+) ", table, re.MULTILINE)]
    assert numbers == list(range(1, 28))
    for name in re.findall(r"\w+\.py", table):
        assert name in names, name
    for name in re.findall(r"`(\w+)`", table):
        assert any(f"def {name}(" in text for text in texts), name
