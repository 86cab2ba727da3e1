"""Security groups of a cluster, and what the cloud controller manager (CCM) puts beside them."""

import pytest

from provider.rules import firewall
from tests.functional.provider import clusters, driver
from tests.functional.provider.clusters import ANYWHERE

NET = "10.0.0.0/16"
SSH = {"flow": "Inbound", "ipProtocol": "tcp", "ipRanges": ["192.0.2.7/32"], "fromPort": 22}


# --- Rules ---------------------------------------------------------------------------------------


def test_every_row_of_the_firewall_is_in_the_cloud():
    run = clusters.ready()
    groups = {key: clusters.group(run, f"demo-{key}") for key in ("worker", "controlplane", "node")}
    inbound = {key: clusters.rules(row) for key, row in groups.items()}
    nodes = {firewall.NODE: ["node"], firewall.WORKER: ["worker"]}
    nodes[firewall.CONTROL_PLANE] = ["controlplane"]
    for row in firewall.TABLE:
        if row.target not in nodes or row.source is firewall.BASTION:
            continue
        for key in nodes[row.target]:
            found = {each[:3] for each in inbound[key]}
            ports = row.ports if isinstance(row.ports, tuple) else (6443, 6443)
            ports = (row.ports, row.ports) if isinstance(row.ports, int) else ports
            assert any(_covers(each, row.protocol, ports) for each in found), row


def _covers(rule, protocol, ports):
    first, last = rule[1], rule[2]
    return rule[0] in (protocol, "-1") and (
        first in (None, -1) or (first, last) == ports or first <= ports[0] <= ports[1] <= last
    )


def test_the_mesh_of_calico_works():
    node = clusters.rules(clusters.group(clusters.ready(), "demo-node"))
    assert ("tcp", 179, 179, NET) in node
    assert ("tcp", 5473, 5473, NET) in node
    assert any(each[0] == "4" for each in node)


def test_the_node_group_is_the_one_for_the_ccm():
    run = clusters.ready()
    mains = [
        row["SecurityGroupName"]
        for row in clusters.live(run, "SecurityGroups")
        if clusters.tags(row).get(f"OscK8sMainSG/{driver.UID}") == "True"
    ]
    assert mains == [f"demo-node-{driver.UID}"]


def test_a_restricted_api_is_open_to_its_own_nat_services():
    run = clusters.ready({"allowFromIPRanges": ["192.0.2.0/24"]})
    (address,) = clusters.one(run, "NatServices")["PublicIps"]
    sources = {each[3] for each in clusters.rules(clusters.group(run, "demo-lb"))}
    assert {"192.0.2.0/24", f"{address['PublicIp']}/32"} <= sources
    assert ANYWHERE not in sources


def test_the_way_out_can_be_restricted():
    run = clusters.ready({"allowToIPRanges": ["198.51.100.0/24"]})
    for key in ("node", "controlplane", "worker", "lb"):
        row = clusters.group(run, f"demo-{key}")
        assert ANYWHERE not in {each[3] for each in clusters.rules(row, "Outbound")}
    node = clusters.rules(clusters.group(run, "demo-node"), "Outbound")
    assert ("-1", -1, -1, "198.51.100.0/24") in node or (
        "-1",
        None,
        None,
        "198.51.100.0/24",
    ) in node


def test_what_a_group_is_born_with_goes_once_the_way_out_is_restricted():
    run = clusters.ready()
    born = {("-1", -1, -1, ANYWHERE)}
    assert clusters.rules(clusters.group(run, "demo-worker"), "Outbound") == born
    clusters.change(run, {"allowToIPRanges": ["198.51.100.0/24"]}).settle()
    assert run.is_ready
    assert clusters.rules(clusters.group(run, "demo-worker"), "Outbound") == set()
    clusters.change(run, {}).settle()
    assert clusters.rules(clusters.group(run, "demo-worker"), "Outbound") == born


def test_a_load_balancer_reaches_its_backends_only():
    run = clusters.ready()
    back = {("tcp", 6443, 6443, "10.0.4.0/24")}
    assert clusters.rules(clusters.group(run, "demo-lb"), "Outbound") == back


def test_additional_rules_are_added_and_taken_away():
    more = [{"roles": ["worker"], "rules": [SSH]}]
    run = clusters.ready({"additionalSecurityRules": more})
    rule = ("tcp", 22, 22, "192.0.2.7/32")
    assert rule in clusters.rules(clusters.group(run, "demo-worker"))
    clusters.change(run, {}).settle()
    assert rule not in clusters.rules(clusters.group(run, "demo-worker"))


@pytest.mark.parametrize("authoritative", [True, False])
def test_rules_that_nobody_asked_for_go_from_authoritative_groups_only(authoritative):
    groups = [
        {"name": "lb", "roles": ["loadbalancer"], "authoritative": authoritative, "rules": [SSH]}
    ]
    run = clusters.ready({"securityGroups": groups})
    row = clusters.group(run, "lb")
    extra = {"IpProtocol": "tcp", "FromPortRange": 80, "ToPortRange": 80, "IpRanges": [ANYWHERE]}
    driver.Direct(run.fake).call(
        "CreateSecurityGroupRule",
        SecurityGroupId=row["SecurityGroupId"],
        Flow="Inbound",
        Rules=[extra],
    )
    clusters.again(run)
    there = ("tcp", 80, 80, ANYWHERE) in clusters.rules(clusters.group(run, "lb"))
    assert there is not authoritative


def test_a_group_of_the_spec_can_be_removed():
    groups = [
        {"name": "lb", "roles": ["loadbalancer"], "rules": [SSH]},
        {"name": "more", "roles": ["worker"], "rules": [SSH]},
    ]
    run = clusters.ready({"securityGroups": groups})
    clusters.change(run, {"securityGroups": groups[:1]}).settle()
    assert run.is_ready
    assert len(clusters.live(run, "SecurityGroups")) == 1


def test_protocols_without_ports_may_come_with_any_ports():
    rule = {
        "flow": "Inbound",
        "ipProtocol": "-1",
        "ipRanges": [ANYWHERE],
        "fromPort": 0,
        "toPort": 65535,
    }
    groups = [{"name": "lb", "roles": ["loadbalancer"], "authoritative": True, "rules": [rule]}]
    run = clusters.ready({"securityGroups": groups})
    assert clusters.changes(run, lambda: clusters.again(run)) == []


# --- What the CCM does ---------------------------------------------------------------------------


def service(run):
    """Do what the CCM does for a Service of type LoadBalancer; return the ids."""
    cloud = driver.Direct(run.fake)
    net = clusters.one(run, "Nets")["NetId"]
    front = cloud.call(
        "CreateSecurityGroup", NetId=net, SecurityGroupName="k8s-elb-a1", Description="Service"
    )["SecurityGroup"]["SecurityGroupId"]
    owner = [{"Key": clusters.OWNED, "Value": "owned"}]
    cloud.call("CreateTags", ResourceIds=[front], Tags=owner)
    main = clusters.group(run, "demo-node")["SecurityGroupId"]
    member = {
        "IpProtocol": "tcp",
        "FromPortRange": 31000,
        "ToPortRange": 31000,
        "SecurityGroupsMembers": [{"SecurityGroupId": front}],
    }
    cloud.call("CreateSecurityGroupRule", SecurityGroupId=main, Flow="Inbound", Rules=[member])
    listener = {
        "LoadBalancerPort": 80,
        "LoadBalancerProtocol": "TCP",
        "BackendPort": 31000,
        "BackendProtocol": "TCP",
    }
    cloud.call(
        "CreateLoadBalancer",
        LoadBalancerName="a1",
        Subnets=[clusters.with_role(run, "Subnets", "loadbalancer")[0]["SubnetId"]],
        SecurityGroups=[front],
        Listeners=[listener],
        Tags=[*owner, {"Key": "OscK8sService", "Value": "web"}],
    )
    run.fake.clock.advance(120)
    return front, main


def test_what_the_ccm_made_is_left_alone_while_the_cluster_lives():
    run = clusters.ready()
    service(run)
    before = driver.shape(run.fake)
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    assert driver.shape(run.fake) == before
    assert clusters.members(clusters.group(run, "demo-node"))


def test_rules_of_the_ccm_survive_a_change_of_ours():
    run = clusters.ready()
    service(run)
    more = [{"roles": ["controlplane", "worker"], "rules": [SSH]}]
    clusters.change(run, {"additionalSecurityRules": more}).settle()
    assert run.is_ready, run.conditions
    assert len(clusters.members(clusters.group(run, "demo-node"))) == 1


def test_what_the_ccm_made_goes_with_the_cluster():
    run = clusters.start()
    empty = driver.shape(run.fake)
    run.settle()
    service(run)
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == empty


def test_groups_that_refer_to_each_other_go_with_the_cluster():
    run = clusters.start()
    empty = driver.shape(run.fake)
    run.settle()
    front, main = service(run)
    member = {"IpProtocol": "-1", "SecurityGroupsMembers": [{"SecurityGroupId": main}]}
    driver.Direct(run.fake).call(
        "CreateSecurityGroupRule", SecurityGroupId=front, Flow="Outbound", Rules=[member]
    )
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == empty
