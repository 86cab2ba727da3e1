"""The firewall: the table of allowed traffic, and the security groups made from it."""

import pytest

import fakecloud
from provider.api import v1beta2
from provider.rules import addressing, firewall, firewall_page, names

NET = "10.0.0.0/16"
EVERYWHERE = "0.0.0.0/0"
SUBNETS = addressing.automatic_subnets(NET, ["eu-west-2a"])
TWO = addressing.automatic_subnets(NET, ["eu-west-2a", "eu-west-2b"])
WORKERS, CONTROL_PLANES, PUBLIC = "10.0.3.0/24", "10.0.4.0/24", "10.0.2.0/24"


def groups(network=None, *, subnets=SUBNETS, nat_ips=()):
    spec = v1beta2.Network.model_validate(network or {})
    return {each.key: each for each in firewall.groups(spec, "c1", NET, subnets, nat_ips)}


def lines(group, flow="Inbound"):
    return sorted(str(each) for each in group.rules if each.flow == flow)


# --- The table -----------------------------------------------------------------------------------


def test_the_page_is_what_the_table_says():
    assert firewall_page.PAGE.read_text(encoding="utf-8") == firewall_page.page(), (
        "Run make generate."
    )


@pytest.mark.parametrize("row", firewall.TABLE, ids=lambda row: f"{row.why} {row.protocol}")
def test_every_row_has_a_reason_with_a_source(row):
    assert row.why
    assert row.link.startswith("https://")


def test_no_row_stands_twice():
    rows = [(row.source, row.target, row.protocol, row.ports) for row in firewall.TABLE]
    assert len(rows) == len(set(rows))


# --- Automatic groups ----------------------------------------------------------------------------


def test_a_cluster_has_four_groups_unless_told_otherwise():
    found = groups()
    assert [(each.key, each.description, each.roles) for each in found.values()] == [
        ("c1-lb", "LB securityGroup for c1", ("loadbalancer",)),
        ("c1-worker", "Worker securityGroup for c1", ("worker",)),
        ("c1-controlplane", "Controlplane securityGroup for c1", ("controlplane",)),
        ("c1-node", "Node securityGroup for c1", ("controlplane", "worker")),
    ]
    assert all(each.authoritative for each in found.values())
    assert [each.key for each in found.values() if each.is_main] == ["c1-node"]


@pytest.mark.parametrize("allowed", [[], [EVERYWHERE], ["192.0.2.0/24"], [""]])
def test_the_load_balancer_reaches_nothing_but_control_planes(allowed):
    group = groups({"allowToIPRanges": allowed})["c1-lb"]
    assert lines(group) == ["tcp 6443-6443 from 0.0.0.0/0"]
    assert lines(group, "Outbound") == [f"tcp 6443-6443 to {CONTROL_PLANES}"]


def test_workers_serve_control_planes_and_their_kubelet():
    group = groups()["c1-worker"]
    assert lines(group) == [
        f"tcp 1024-65535 from {CONTROL_PLANES}",
        f"tcp 10250-10250 from {WORKERS}",
        f"tcp 443-443 from {CONTROL_PLANES}",
    ]


def test_control_planes_serve_their_api_etcd_kubelet_and_joining_nodes():
    assert lines(groups()["c1-controlplane"]) == [
        f"tcp 10250-10250 from {WORKERS}",
        f"tcp 10250-10250 from {CONTROL_PLANES}",
        f"tcp 2379-2380 from {CONTROL_PLANES}",
        f"tcp 6443-6443 from {NET}",
        f"tcp 8132-8132 from {NET}",
        f"tcp 9345-9345 from {NET}",
    ]


def test_nodes_have_what_every_network_plugin_needs():
    assert lines(groups()["c1-node"]) == sorted(
        f"{each} from {NET}"
        for each in (
            *("tcp 179-179", "4 -1--1", "udp 4789-4789", "tcp 5473-5473", "udp 51820-51821"),
            *("udp 5555-5555", "udp 3784-3784", "udp 8472-8472", "udp 6081-6081"),
            *("udp 51871-51871", "tcp 4240-4240", "icmp 8-0", "tcp 4244-4244", "udp 8285-8285"),
            *("tcp 30000-32767", "udp 30000-32767"),
        )
    )


def test_subnets_of_every_subregion_are_allowed():
    found = groups({"allowToIPRanges": [""]}, subnets=TWO)
    assert "tcp 2379-2380 from 10.0.7.0/24" in lines(found["c1-controlplane"])
    assert "tcp 10250-10250 from 10.0.6.0/24" in lines(found["c1-controlplane"])
    assert "tcp 6443-6443 to 10.0.7.0/24" in lines(found["c1-lb"], "Outbound")
    assert lines(found["c1-node"]) == lines(groups()["c1-node"])


def test_a_subnet_for_everything_is_a_subnet_of_every_role():
    everything = addressing.PlannedSubnet(
        ("controlplane", "worker", "loadbalancer", "nat"), "10.0.0.0/24", "eu-west-2a"
    )
    found = groups(subnets=[everything])
    assert "tcp 2379-2380 from 10.0.0.0/24" in lines(found["c1-controlplane"])


# --- The way out ---------------------------------------------------------------------------------


OUT = "-1 -1--1 to 0.0.0.0/0"


@pytest.mark.parametrize(
    ("allowed", "node", "worker"),
    [
        # The rule that every group is born with covers the rest, and stays where it is.
        ([], [OUT], [OUT]),
        ([EVERYWHERE], [OUT], [OUT]),
        (["192.0.2.0/24"], [f"-1 -1--1 to {NET}", "-1 -1--1 to 192.0.2.0/24"], []),
        ([""], [f"-1 -1--1 to {NET}"], []),
    ],
)
def test_nodes_reach_what_they_may_reach(allowed, node, worker):
    found = groups({"allowToIPRanges": allowed})
    assert lines(found["c1-node"], "Outbound") == node
    assert lines(found["c1-worker"], "Outbound") == worker
    assert lines(found["c1-controlplane"], "Outbound") == worker


# --- The load balancer ---------------------------------------------------------------------------


def test_restricted_clients_do_not_shut_the_machines_out():
    found = groups({"allowFromIPRanges": ["192.0.2.7"]}, nat_ips=["198.51.100.1"])
    assert lines(found["c1-lb"]) == [
        f"tcp 6443-6443 from {NET}",
        "tcp 6443-6443 from 192.0.2.7/32",
        "tcp 6443-6443 from 198.51.100.1/32",
    ]


def test_nat_services_matter_only_where_clients_are_restricted():
    assert groups(nat_ips=["198.51.100.1"]) == groups()


def test_the_ports_of_every_listener_are_open():
    found = groups(
        {
            "allowToIPRanges": [""],
            "loadBalancer": {
                "listener": {"port": 443, "backendPort": 6443},
                "additionalListeners": [{"port": 9345, "backendPort": 9346}],
                "healthCheck": {"port": 10080},
            },
        }
    )
    assert lines(found["c1-lb"]) == [f"tcp {port}-{port} from 0.0.0.0/0" for port in (443, 9345)]
    out = [f"tcp {port}-{port} to {CONTROL_PLANES}" for port in (10080, 6443, 9346)]
    assert lines(found["c1-lb"], "Outbound") == out
    for port in (6443, 9346, 10080):
        assert f"tcp {port}-{port} from {NET}" in lines(found["c1-controlplane"])


def test_without_a_load_balancer_there_is_no_group_for_it():
    found = groups({"disable": ["loadbalancer"]})
    assert list(found) == ["c1-worker", "c1-controlplane", "c1-node"]
    assert f"tcp 6443-6443 from {NET}" in lines(found["c1-controlplane"])


# --- The bastion ---------------------------------------------------------------------------------


def test_a_bastion_lets_clients_in_and_reaches_every_machine():
    found = groups({"bastion": {"enable": True}, "allowToIPRanges": ["192.0.2.0/24"]})
    assert found["c1-bastion"].roles == ("bastion",)
    assert lines(found["c1-bastion"]) == ["tcp 22-22 from 0.0.0.0/0"]
    assert lines(found["c1-bastion"], "Outbound") == [
        "-1 -1--1 to 192.0.2.0/24",
        f"tcp 22-22 to {NET}",
    ]
    assert f"tcp 22-22 from {PUBLIC}" in lines(found["c1-node"])


def test_a_bastion_in_a_named_subnet_reaches_machines_from_there():
    found = groups({"bastion": {"enable": True, "subnetName": "mine"}})
    assert f"tcp 22-22 from {NET}" in lines(found["c1-node"])


def test_without_a_bastion_nobody_has_ssh():
    assert not [each for group in groups().values() for each in group.rules if each.to_port == 22]


# --- Additional rules ----------------------------------------------------------------------------

METRICS = {"flow": "Inbound", "ipProtocol": "tcp", "fromPort": 9100, "ipRanges": [NET]}


@pytest.mark.parametrize("roles", [["worker", "controlplane"], ["controlplane", "worker"]])
def test_additional_rules_find_their_group_in_any_order_of_roles(roles):
    found = groups({"additionalSecurityRules": [{"roles": roles, "rules": [METRICS]}]})
    having = [key for key, group in found.items() if f"tcp 9100-9100 from {NET}" in lines(group)]
    assert having == ["c1-node"]


def test_additional_rules_of_one_group_add_up():
    more = [
        {"roles": ["worker"], "rules": [METRICS]},
        {"roles": ["worker"], "rules": [{**METRICS, "fromPort": 9101}]},
    ]
    found = lines(groups({"additionalSecurityRules": more})["c1-worker"])
    assert {f"tcp {port}-{port} from {NET}" for port in (9100, 9101)} <= set(found)


def test_what_an_additional_rule_covers_is_left_out():
    everything = {"flow": "Inbound", "ipProtocol": "-1", "ipRanges": [NET]}
    more = [{"roles": ["controlplane", "worker"], "rules": [everything]}]
    assert lines(groups({"additionalSecurityRules": more})["c1-node"]) == [f"-1 -1--1 from {NET}"]


# --- Groups of the spec --------------------------------------------------------------------------

MANUAL = [
    {"name": "front", "description": "In front", "roles": ["loadbalancer"], "rules": [METRICS]},
    {"roles": ["worker", "controlplane"], "tag": "OscK8sMainSG", "authoritative": True},
    {"name": "workers", "roles": ["worker"]},
    {"name": "jump", "roles": ["bastion"]},
]


def test_groups_of_the_spec_stand_instead_of_the_automatic_ones():
    found = groups({"securityGroups": MANUAL})
    assert list(found) == ["front", "c1-worker-controlplane", "workers", "jump"]
    assert [each.is_main for each in found.values()] == [False, True, False, False]
    assert [each.authoritative for each in found.values()] == [False, True, False, False]
    assert found["front"].description == "In front"
    assert found["workers"].description == "securityGroup for c1"
    assert {key: group.rules for key, group in found.items() if group.rules} == {
        "front": {firewall.rule("Inbound", "tcp", (9100, 9100), NET)}
    }


def test_allowed_ranges_are_added_to_groups_of_the_spec_by_role():
    spec = {
        "securityGroups": MANUAL,
        "allowFromIPRanges": ["192.0.2.0/24"],
        "allowToIPRanges": ["203.0.113.0/24"],
    }
    found = groups(spec, nat_ips=["198.51.100.1"])
    assert lines(found["front"]) == [
        "tcp 6443-6443 from 192.0.2.0/24",
        "tcp 6443-6443 from 198.51.100.1/32",
        f"tcp 9100-9100 from {NET}",
    ]
    assert lines(found["jump"]) == ["tcp 22-22 from 192.0.2.0/24"]
    having = {key for key, group in found.items() if lines(group, "Outbound")}
    assert having == {"c1-worker-controlplane", "jump"}
    assert lines(found["jump"], "Outbound") == ["-1 -1--1 to 203.0.113.0/24"]


def test_no_way_out_is_no_rule_in_a_group_of_the_spec():
    found = groups({"securityGroups": MANUAL, "allowToIPRanges": [""]})
    assert not any(lines(group, "Outbound") for group in found.values())


def test_groups_that_exist_are_used_as_they_are():
    spec = [{**MANUAL[1], "resourceId": "sg-12345678", "rules": [METRICS]}]
    (group,) = groups({"securityGroups": spec, "useExisting": {"securityGroups": True}}).values()
    assert (group.resource_id, group.authoritative, group.rules) == (
        "sg-12345678", False, frozenset(),
    )  # fmt: skip


# --- Rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "ports", "ip_range", "text"),
    [
        ("TCP", (80, 80), "10.0.0.0/8", "tcp 80-80 from 10.0.0.0/8"),
        ("6", (80, 80), "10.0.0.0/8", "tcp 80-80 from 10.0.0.0/8"),
        ("17", (80, 81), "10.0.0.0/8", "udp 80-81 from 10.0.0.0/8"),
        ("1", (8, 0), "10.0.0.0/8", "icmp 8-0 from 10.0.0.0/8"),
        ("-1", (0, 65535), "10.0.0.0/8", "-1 -1--1 from 10.0.0.0/8"),
        ("4", (80, 80), "10.0.0.0/8", "4 -1--1 from 10.0.0.0/8"),
        ("tcp", (80, 80), "10.1.2.3/8", "tcp 80-80 from 10.0.0.0/8"),
        ("tcp", (80, 80), "10.1.2.3", "tcp 80-80 from 10.1.2.3/32"),
    ],
)
def test_a_rule_is_written_as_the_api_answers(protocol, ports, ip_range, text):
    assert str(firewall.rule("inbound", protocol, ports, ip_range)) == text


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        (("tcp", (1, 100), NET), ("tcp", (80, 80), CONTROL_PLANES), True),
        (("tcp", (1, 100), NET), ("tcp", (80, 101), CONTROL_PLANES), False),
        (("tcp", (1, 100), NET), ("udp", (80, 80), CONTROL_PLANES), False),
        (("tcp", (1, 100), CONTROL_PLANES), ("tcp", (80, 80), NET), False),
        (("-1", (-1, -1), NET), ("tcp", (80, 80), NET), True),
        (("-1", (-1, -1), NET), ("4", (-1, -1), NET), True),
        (("4", (-1, -1), NET), ("4", (-1, -1), WORKERS), True),
        (("icmp", (-1, -1), NET), ("icmp", (8, 0), NET), True),
        (("icmp", (8, -1), NET), ("icmp", (8, 0), NET), True),
        # Type 8 with code 255 has no type 0 with code 8 in it: these are no ranges.
        (("icmp", (0, 255), NET), ("icmp", (8, 0), NET), False),
    ],
)
def test_a_rule_covers_what_it_allows_already(one, other, covers):
    first, second = (firewall.rule("Inbound", *each) for each in (one, other))
    assert first.covers(second) is covers
    assert not first.covers(firewall.rule("Outbound", *other))


# --- The cloud agrees ----------------------------------------------------------------------------


def test_the_cloud_answers_every_rule_as_it_was_written():
    cloud = fakecloud.FakeCloud()
    net_id = cloud.call("CreateNet", IpRange=NET)["Net"]["NetId"]
    spec = {"bastion": {"enable": True}, "allowToIPRanges": ["192.0.2.0/24"]}
    for group in groups(spec, subnets=TWO).values():
        made = cloud.call(
            "CreateSecurityGroup",
            NetId=net_id,
            SecurityGroupName=names.group(group.key, "9e1db9c4-bf0a-4583-8999-203ec002c520"),
            Description=group.description,
        )["SecurityGroup"]
        for each in group.rules:
            answer = cloud.call(
                "CreateSecurityGroupRule",
                SecurityGroupId=made["SecurityGroupId"],
                Flow=each.flow,
                Rules=[
                    {
                        "IpProtocol": each.protocol,
                        "FromPortRange": each.from_port,
                        "ToPortRange": each.to_port,
                        "IpRanges": [each.ip_range],
                    }
                ],
            )["SecurityGroup"]
        there = {
            firewall.Rule(flow, row["IpProtocol"], row["FromPortRange"], row["ToPortRange"], one)
            for flow in ("Inbound", "Outbound")
            for row in answer[f"{flow}Rules"]
            for one in row["IpRanges"]
        }
        born_with = firewall.rule("Outbound", "-1", (-1, -1), EVERYWHERE)
        assert there - {born_with} == group.rules
