"""Quotas: what ReadQuotas says is what is enforced."""

import ast
import pathlib

import pytest

import fakecloud
from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.kinds import KINDS
from fakecloud.rules.quotas import QUOTAS

GLOBAL = [quota for quota in QUOTAS.values() if not quota.per]


def read(client, name, kind="global"):
    groups = client.ReadQuotas(Filters={"QuotaNames": [name]})["QuotaTypes"]
    return next(group["Quotas"][0] for group in groups if group["QuotaType"] == kind)


def enforced():
    """Give the quotas that a kind names, or that a call of ``within`` does."""
    found = {kind.quota for kind in KINDS.values()}
    for path in pathlib.Path(fakecloud.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and path.name not in ("quotas.py", "quota.py"):
                found.add(node.value)
    return found


@pytest.mark.parametrize("name", QUOTAS)
def test_no_quota_is_listed_that_nothing_enforces(name):
    assert name in enforced()


def test_a_quota_is_used_up_by_what_it_counts():
    client = FakeCloud(quota={"vpc_limit": 2}).client()
    assert read(client, "vpc_limit")["UsedValue"] == 0
    nets = [client.CreateNet(IpRange="10.0.0.0/16")["Net"] for _ in range(2)]
    quota = read(client, "vpc_limit")
    assert (quota["UsedValue"], quota["MaxValue"], quota["QuotaCollection"]) == (2, 2, "VPC")
    with pytest.raises(ApiError) as refused:
        client.CreateNet(IpRange="10.0.0.0/16")
    assert (refused.value.code, refused.value.status) == ("10022", 400)
    assert refused.value.details == "The maximum number of Nets ('2') is exceeded."
    client.DeleteNet(NetId=nets[0]["NetId"])
    assert read(client, "vpc_limit")["UsedValue"] == 1


def test_a_net_has_quotas_of_its_own():
    client = FakeCloud().client()
    net_id = client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
    client.CreateSubnet(NetId=net_id, IpRange="10.0.1.0/24")
    assert read(client, "subnet_limit", net_id)["UsedValue"] == 1
    assert read(client, "rtb_limit", net_id)["UsedValue"] == 1
    assert read(client, "vpc_sg_limit", net_id)["UsedValue"] == 1


def test_the_rules_of_a_security_group_are_counted():
    client = FakeCloud(quota={"sg_rule_limit": 2}).client()
    group = client.CreateSecurityGroup(SecurityGroupName="web", Description="d")["SecurityGroup"]
    id_ = group["SecurityGroupId"]
    rule = {"Flow": "Inbound", "SecurityGroupId": id_, "IpProtocol": "tcp"}
    for port in (80, 443):
        client.CreateSecurityGroupRule(
            **rule, FromPortRange=port, ToPortRange=port, IpRange="0.0.0.0/0"
        )
    assert read(client, "sg_rule_limit", id_)["UsedValue"] == 2
    with pytest.raises(ApiError) as refused:
        client.CreateSecurityGroupRule(
            **rule, FromPortRange=22, ToPortRange=22, IpRange="0.0.0.0/0"
        )
    assert refused.value.code == "10017"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"QuotaNames": ["lb_limit"]}, {"lb_limit"}),
        ({"ShortDescriptions": ["VM Limit"]}, {"vm_limit"}),
        ({"Collections": ["LBU"]}, {"lb_limit", "lb_rules_limit"}),
        ({"QuotaTypes": ["global"]}, {quota.name for quota in GLOBAL}),
        ({"QuotaNames": ["vm_limit"], "Collections": ["VPC"]}, set()),
        ({"QuotaTypes": ["vpc-12345678"]}, set()),
    ],
)
def test_quotas_are_filtered(filters, names):
    groups = FakeCloud().call("ReadQuotas", Filters=filters)["QuotaTypes"]
    assert {quota["Name"] for group in groups for quota in group["Quotas"]} == names
    assert all(group["Quotas"] for group in groups)


def test_two_accounts_use_their_own_quotas():
    cloud = FakeCloud(quota={"vpc_limit": 1})
    cloud.call("CreateNet", IpRange="10.0.0.0/16")
    other = cloud.client(account="210987654321")
    assert read(other, "vpc_limit")["UsedValue"] == 0
    other.CreateNet(IpRange="10.0.0.0/16")
