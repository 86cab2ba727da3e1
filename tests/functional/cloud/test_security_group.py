"""Security groups: their names, their rules, and what forbids to delete them."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

ACCOUNT = "123456789012"
OTHER = "210987654321"
TCP_80 = {"IpProtocol": "tcp", "FromPortRange": 80, "ToPortRange": 80}


@pytest.fixture
def client():
    return FakeCloud().client()


@pytest.fixture
def net_id(client):
    return client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]


def make(client, name, net_id=None):
    request = {"SecurityGroupName": name, "Description": "for a test"}
    if net_id:
        request["NetId"] = net_id
    return client.CreateSecurityGroup(**request)["SecurityGroup"]["SecurityGroupId"]


@pytest.fixture
def group_id(client, net_id):
    return make(client, "web", net_id)


def allow(client, group_id, **rule):
    request = {"Flow": "Inbound", "SecurityGroupId": group_id, **rule}
    return bare(client.CreateSecurityGroupRule(**request)["SecurityGroup"]["InboundRules"])


def forbid(client, group_id, **rule):
    request = {"Flow": "Inbound", "SecurityGroupId": group_id, **rule}
    return bare(client.DeleteSecurityGroupRule(**request)["SecurityGroup"]["InboundRules"])


def bare(rules):
    """Take the identifiers off rules, after a look at them."""
    assert all(rule["SecurityGroupRuleId"].startswith("sgr-") for rule in rules)
    return [{k: v for k, v in rule.items() if k != "SecurityGroupRuleId"} for rule in rules]


def refused_with(client, action, request):
    with pytest.raises(ApiError) as refused:
        getattr(client, action)(**request)
    return refused.value.code


# Groups.


def test_a_group_of_a_net_lets_everything_out(client, net_id):
    group = client.CreateSecurityGroup(
        SecurityGroupName="web", Description="for a test", NetId=net_id
    )["SecurityGroup"]
    assert bare(group.pop("OutboundRules")) == [
        {"FromPortRange": -1, "IpProtocol": "-1", "IpRanges": ["0.0.0.0/0"], "ToPortRange": -1}
    ]
    assert group == {
        "AccountId": ACCOUNT,
        "Description": "for a test",
        "InboundRules": [],
        "NetId": net_id,
        "SecurityGroupId": group["SecurityGroupId"],
        "SecurityGroupName": "web",
        "Tags": [],
    }


def test_a_group_of_the_public_cloud_has_no_outbound_rules(client):
    id_ = make(client, "web")
    (group,) = client.ReadSecurityGroups(Filters={"SecurityGroupIds": [id_]})["SecurityGroups"]
    assert group["OutboundRules"] == []
    assert "NetId" not in group


def test_an_account_has_a_default_group_in_the_public_cloud(client):
    (group,) = client.ReadSecurityGroups()["SecurityGroups"]
    assert group["SecurityGroupName"] == "default"
    assert group["OutboundRules"] == []
    itself = {
        "AccountId": ACCOUNT,
        "SecurityGroupId": group["SecurityGroupId"],
        "SecurityGroupName": "default",
    }
    assert [
        (rule["IpProtocol"], rule["FromPortRange"], rule["ToPortRange"])
        for rule in group["InboundRules"]
    ] == [("icmp", -1, -1), ("tcp", 0, 65535), ("udp", 0, 65535)]
    assert all(rule["SecurityGroupsMembers"] == [itself] for rule in group["InboundRules"])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"SecurityGroupName": "sg-web"}, "4047"),
        ({"SecurityGroupName": "x" * 256}, "4106"),
        ({"SecurityGroupName": "a|b"}, "4047"),
        ({"Description": "x" * 256}, "4106"),
        ({"Description": "a|b"}, "4047"),
        ({"SecurityGroupName": "web"}, "9008"),
        ({"SecurityGroupName": "default"}, "9008"),
        ({"NetId": "vpc-12345678"}, "5065"),
        ({"NetId": "toto"}, "4104"),
    ],
)
@pytest.mark.usefixtures("group_id")
def test_a_bad_group_is_refused(client, net_id, changed, code):
    request = {"SecurityGroupName": "n", "Description": "d", "NetId": net_id, **changed}
    assert refused_with(client, "CreateSecurityGroup", request) == code
    assert len(client.ReadSecurityGroups(Filters={"NetIds": [net_id]})["SecurityGroups"]) == 2


@pytest.mark.usefixtures("group_id")
def test_a_duplicate_name_is_told(client, net_id):
    with pytest.raises(ApiError) as refused:
        make(client, "web", net_id)
    assert refused.value.details == "The SecurityGroupName 'web' already exists."
    assert refused.value.status == 409


def test_a_name_is_unique_in_its_place_only(client, group_id):
    other_net = client.CreateNet(IpRange="10.1.0.0/16")["Net"]["NetId"]
    ids = {group_id, make(client, "web"), make(client, "web", other_net)}
    ids.add(make(client.cloud.client(account=OTHER), "web"))
    assert len(ids) == 4


def test_a_group_of_the_public_cloud_is_deleted_by_name(client, group_id):
    make(client, "web")
    client.DeleteSecurityGroup(SecurityGroupName="web")
    left = client.ReadSecurityGroups(Filters={"SecurityGroupNames": ["web"]})["SecurityGroups"]
    assert [group["SecurityGroupId"] for group in left] == [group_id]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, "7000"),
        ({"SecurityGroupId": "1234"}, "4104"),
        ({"SecurityGroupId": "sg-1234567"}, "4105"),
        ({"SecurityGroupId": "sg-12345678"}, "5020"),
        ({"SecurityGroupName": "web"}, "5020"),
        ({"SecurityGroupName": "default"}, "9051"),
    ],
)
@pytest.mark.usefixtures("group_id")
def test_a_group_that_cannot_go_stays(client, request_, code):
    assert refused_with(client, "DeleteSecurityGroup", request_) == code


def test_an_unknown_group_is_refused_without_details(client):
    with pytest.raises(ApiError) as refused:
        client.DeleteSecurityGroup(SecurityGroupId="sg-12345678")
    assert (refused.value.type, refused.value.details) == ("InvalidResource", "")


def test_a_group_that_a_rule_names_is_in_use(client, net_id, group_id):
    source = make(client, "source", net_id)
    allow(client, group_id, **TCP_80, SecurityGroupNameToLink=source)
    with pytest.raises(ApiError) as refused:
        client.DeleteSecurityGroup(SecurityGroupId=source)
    assert (refused.value.code, refused.value.status, refused.value.details) == ("9085", 409, "")
    client.DeleteSecurityGroup(SecurityGroupId=group_id)
    client.DeleteSecurityGroup(SecurityGroupId=source)


def test_a_group_that_names_itself_is_deleted(client, group_id):
    allow(client, group_id, **TCP_80, SecurityGroupNameToLink=group_id)
    client.DeleteSecurityGroup(SecurityGroupId=group_id)


def test_a_group_stays_in_use_for_a_while_after_its_vm(client, group_id):
    store = client.cloud.store("eu-west-2")
    with store.transaction():
        hold = {"SecurityGroupId": group_id}
        store.create("SecurityGroupHold", hold, ACCOUNT, "hold", "releasing")
    for _ in range(3):
        request = {"SecurityGroupId": group_id}
        assert refused_with(client, "DeleteSecurityGroup", request) == "9085"
        client.cloud.clock.advance(30)
    client.DeleteSecurityGroup(SecurityGroupId=group_id)


def test_a_group_of_another_account_is_unknown(client, group_id):
    other = client.cloud.client(account=OTHER)
    by_id = {"SecurityGroupIds": [group_id]}
    assert other.ReadSecurityGroups(Filters=by_id)["SecurityGroups"] == []
    request = {"SecurityGroupId": group_id}
    assert refused_with(other, "DeleteSecurityGroup", request) == "5020"
    rule = {**request, "Flow": "Inbound", **TCP_80, "IpRange": "0.0.0.0/0"}
    assert refused_with(other, "CreateSecurityGroupRule", rule) == "5020"
    assert refused_with(other, "DeleteSecurityGroupRule", rule) == "5020"


# Rules.


def test_rules_of_one_span_are_one_rule(client, group_id):
    allow(client, group_id, **TCP_80, IpRange="10.0.0.0/16")
    assert allow(client, group_id, **TCP_80, IpRange="192.0.2.1") == [
        {**TCP_80, "IpRanges": ["10.0.0.0/16", "192.0.2.1/32"]}
    ]


def test_a_rule_keeps_its_identifier_while_sources_come_and_go(client, group_id):
    def rule():
        by_id = {"SecurityGroupIds": [group_id]}
        (group,) = client.ReadSecurityGroups(Filters=by_id)["SecurityGroups"]
        return group["InboundRules"][0]["SecurityGroupRuleId"]

    allow(client, group_id, **TCP_80, IpRange="10.0.0.0/16")
    first = rule()
    allow(client, group_id, **TCP_80, IpRange="10.1.0.0/16")
    assert rule() == first
    forbid(client, group_id, **TCP_80, IpRange="10.0.0.0/16")
    assert rule() == first


def test_rules_stand_in_the_order_of_protocol_then_ports(client, group_id):
    for protocol, port in (("udp", 53), ("tcp", 443), ("tcp", 80), ("icmp", 8), ("-1", -1)):
        rules = allow(
            client,
            group_id,
            IpProtocol=protocol,
            FromPortRange=port,
            ToPortRange=port if protocol in ("tcp", "udp") else 0,
            IpRange="0.0.0.0/0",
        )
    spans = [(rule["IpProtocol"], rule["FromPortRange"]) for rule in rules]
    assert spans == [("-1", -1), ("icmp", 8), ("tcp", 80), ("tcp", 443), ("udp", 53)]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"IpProtocol": "-1", "FromPortRange": 1, "ToPortRange": 65535}, ("-1", -1, -1)),
        ({"IpProtocol": "-1"}, ("-1", -1, -1)),
        ({}, ("-1", -1, -1)),
        ({"IpProtocol": "icmp"}, ("icmp", -1, -1)),
        ({"IpProtocol": "6", "FromPortRange": 1, "ToPortRange": 2}, ("tcp", 1, 2)),
        ({"IpProtocol": "50", "FromPortRange": 1, "ToPortRange": 2}, ("50", -1, -1)),
    ],
)
def test_protocols_are_shown_by_name(client, group_id, given, shown):
    (rule,) = allow(client, group_id, IpRange="10.0.0.0/16", **given)
    assert (rule["IpProtocol"], rule["FromPortRange"], rule["ToPortRange"]) == shown


def test_one_request_may_have_several_rules(client, net_id, group_id):
    source = make(client, "source", net_id)
    tcp_22 = {"IpProtocol": "tcp", "FromPortRange": 22, "ToPortRange": 22}
    rules = [
        {**TCP_80, "IpRanges": ["0.0.0.0/0"]},
        {
            **tcp_22,
            "IpRanges": ["10.0.0.0/16"],
            "SecurityGroupsMembers": [{"SecurityGroupId": source}],
        },
    ]
    shown = {"AccountId": ACCOUNT, "SecurityGroupId": source}
    assert allow(client, group_id, Rules=rules) == [
        {**tcp_22, "IpRanges": ["10.0.0.0/16"], "SecurityGroupsMembers": [shown]},
        {**TCP_80, "IpRanges": ["0.0.0.0/0"]},
    ]
    assert forbid(client, group_id, Rules=rules) == []


@pytest.mark.parametrize("spelled", ["flat", "rules"])
def test_a_group_without_ports_may_do_everything(client, net_id, group_id, spelled):
    source = make(client, "source", net_id)
    request = {"SecurityGroupNameToLink": source, "SecurityGroupAccountIdToLink": ACCOUNT}
    if spelled == "rules":
        request = {"Rules": [{"SecurityGroupsMembers": [{"SecurityGroupId": source}]}]}
    rules = allow(client, group_id, **request)
    spans = [(r["IpProtocol"], r["FromPortRange"], r["ToPortRange"]) for r in rules]
    assert spans == [("icmp", -1, -1), ("tcp", 1, 65535), ("udp", 1, 65535)]
    gone = {"SecurityGroupNameToUnlink": source, "SecurityGroupAccountIdToUnlink": ACCOUNT}
    assert forbid(client, group_id, **gone) == []


def test_a_public_group_is_linked_by_name_across_accounts(client):
    other = client.cloud.client(account=OTHER)
    source = make(other, "source")
    id_ = make(client, "web")
    (rule,) = allow(
        client,
        id_,
        **TCP_80,
        SecurityGroupNameToLink="source",
        SecurityGroupAccountIdToLink=OTHER,
    )
    assert rule["SecurityGroupsMembers"] == [
        {"AccountId": OTHER, "SecurityGroupId": source, "SecurityGroupName": "source"}
    ]


def test_outbound_rules_are_kept_apart(client, group_id):
    request = {"Flow": "Outbound", "SecurityGroupId": group_id, **TCP_80, "IpRange": "10.0.0.0/8"}
    group = client.CreateSecurityGroupRule(**request)["SecurityGroup"]
    assert group["InboundRules"] == []
    assert [rule["IpProtocol"] for rule in group["OutboundRules"]] == ["-1", "tcp"]
    group = client.DeleteSecurityGroupRule(**request)["SecurityGroup"]
    assert [rule["IpProtocol"] for rule in group["OutboundRules"]] == ["-1"]


def test_a_rule_of_a_net_may_name_a_service(client, group_id):
    service = client.ReadNetAccessPointServices()["Services"][0]["ServiceId"]
    rule = {**TCP_80, "ServiceIds": [service]}
    assert allow(client, group_id, Rules=[rule]) == [rule]


def test_a_duplicate_rule_is_a_conflict(client, group_id):
    allow(client, group_id, **TCP_80, IpRange="10.0.0.0/16")
    with pytest.raises(ApiError) as refused:
        allow(client, group_id, **TCP_80, IpRange="10.0.0.0/16")
    assert (refused.value.code, refused.value.status, refused.value.details) == ("9005", 409, "")


def test_a_rule_that_is_not_there_is_not_deleted(client, group_id):
    with pytest.raises(ApiError) as refused:
        forbid(client, group_id, **TCP_80, IpRange="10.0.0.0/16")
    assert (refused.value.code, refused.value.type) == ("0", "DefaultError")


def test_several_rules_come_all_or_not_at_all(client, group_id):
    bad = {**TCP_80, "IpRanges": ["nonsense"]}
    good = {**TCP_80, "IpRanges": ["10.0.0.0/16"]}
    with pytest.raises(ApiError, match="4047"):
        allow(client, group_id, Rules=[good, bad])
    by_id = {"SecurityGroupIds": [group_id]}
    assert client.ReadSecurityGroups(Filters=by_id)["SecurityGroups"][0]["InboundRules"] == []


@pytest.mark.parametrize("action", ["CreateSecurityGroupRule", "DeleteSecurityGroupRule"])
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({}, "7000"),
        ({"Rules": []}, "7000"),
        ({"Rules": [{}]}, "7000"),
        ({"Rules": [TCP_80]}, "3002"),
        ({"IpProtocol": "icmp", "FromPortRange": -1, "ToPortRange": -1}, "3002"),
        ({**TCP_80, "IpRange": "Hello"}, "4047"),
        ({"IpRange": "Hello", "Rules": [{**TCP_80, "IpRanges": ["0.0.0.0/0"]}]}, "4047"),
        ({"IpRange": "0.0.0.0/0", "Rules": [{**TCP_80, "IpRanges": ["0.0.0.0/0"]}]}, "3002"),
        ({**TCP_80, "IpProtocol": "new_protocol", "IpRange": "0.0.0.0/0"}, "4047"),
        ({**TCP_80, "FromPortRange": 81, "IpRange": "0.0.0.0/0"}, "4047"),
        ({**TCP_80, "ToPortRange": 65536, "IpRange": "0.0.0.0/0"}, "4047"),
        ({"IpProtocol": "tcp", "IpRange": "0.0.0.0/0"}, "7000"),
        ({**TCP_80, "IpProtocol": "icmp", "ToPortRange": 1234, "IpRange": "0.0.0.0/0"}, "4047"),
        ({"Rules": [{"SecurityGroupsMembers": [{"AccountId": ACCOUNT}]}]}, "7000"),
        (
            {
                "Rules": [
                    {
                        "SecurityGroupsMembers": [
                            {"SecurityGroupId": "sg-12345678", "SecurityGroupName": "n"}
                        ]
                    }
                ]
            },
            "3002",
        ),
        ({"Rules": [{"SecurityGroupsMembers": [{"SecurityGroupId": "sg-12345678"}]}]}, "5060"),
        ({"Rules": [{"SecurityGroupsMembers": [{"SecurityGroupName": "web"}]}]}, "5060"),
        ({"SecurityGroupId": "sg-12345678", **TCP_80, "IpRange": "0.0.0.0/0"}, "5020"),
        ({"Flow": "Sideways", **TCP_80, "IpRange": "0.0.0.0/0"}, "4047"),
    ],
)
def test_a_bad_rule_is_refused(client, group_id, action, rule, code):
    request = {"Flow": "Inbound", "SecurityGroupId": group_id, **rule}
    assert refused_with(client, action, request) == code


def test_a_public_group_has_no_outbound_rules(client):
    request = {
        "Flow": "Outbound",
        "SecurityGroupId": make(client, "web"),
        **TCP_80,
        "IpRange": "0.0.0.0/0",
    }
    assert refused_with(client, "CreateSecurityGroupRule", request) == "8004"
    assert refused_with(client, "DeleteSecurityGroupRule", request) == "8004"


# Reading.


@pytest.mark.parametrize("flow", ["Inbound", "Outbound"])
@pytest.mark.parametrize(
    ("name", "hit", "miss"),
    [
        ("AccountIds", ACCOUNT, OTHER),
        ("FromPortRanges", 80, 81),
        ("IpRanges", "10.2.0.0/16", "10.3.0.0/16"),
        ("Protocols", "tcp", "udp"),
        ("SecurityGroupIds", "source", "sg-12345678"),
        ("SecurityGroupNames", "source", "web"),
        ("ToPortRanges", 90, 80),
    ],
)
def test_groups_are_found_by_their_rules(client, net_id, group_id, flow, name, hit, miss):
    source = make(client, "source", net_id)
    rule = {"IpProtocol": "tcp", "FromPortRange": 80, "ToPortRange": 90}
    members = [{"SecurityGroupId": source}]
    client.CreateSecurityGroupRule(
        Flow=flow,
        SecurityGroupId=group_id,
        Rules=[{**rule, "IpRanges": ["10.2.0.0/16"], "SecurityGroupsMembers": members}],
    )

    def found(value):
        filters = {f"{flow}Rule{name}": [value], "SecurityGroupNames": ["web", "source"]}
        groups = client.ReadSecurityGroups(Filters=filters)["SecurityGroups"]
        return [group["SecurityGroupId"] for group in groups]

    assert found(source if name == "SecurityGroupIds" else hit) == [group_id]
    assert found(miss) == []


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"Descriptions": ["for a test"]}, 1),
        ({"SecurityGroupNames": ["default"]}, 2),
        ({"SecurityGroupNames": ["we?"]}, 1),
        ({"SecurityGroupNames": ["default"], "NetIds": ["own"]}, 1),
        ({"NetIds": ["vpc-12345678"]}, 0),
        ({"TagValues": ["x"]}, 0),
    ],
)
@pytest.mark.usefixtures("group_id")
def test_groups_are_filtered(client, net_id, filters, count):
    if "own" in filters.get("NetIds", ()):
        filters = {**filters, "NetIds": [net_id]}
    assert len(client.ReadSecurityGroups(Filters=filters)["SecurityGroups"]) == count
