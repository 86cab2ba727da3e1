"""API access rules: what they may ask for, and that one is always left."""

import re

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.reads import filters_of
from tests.functional.cloud import certificates

PEM = certificates.pem()
UNKNOWN = "aar-" + "0" * 32


@pytest.fixture
def cloud():
    return FakeCloud()


def rules(cloud, **filters):
    found = cloud.call("ReadApiAccessRules", Filters=filters)["ApiAccessRules"]
    return [rule["ApiAccessRuleId"] for rule in found]


def test_an_account_starts_open(cloud):
    (rule,) = cloud.call("ReadApiAccessRules")["ApiAccessRules"]
    assert re.fullmatch(r"aar-[0-9a-f]{32}", rule.pop("ApiAccessRuleId"))
    assert rule == {
        "CaIds": [], "Cns": [], "Description": "Allows all IPv4 domain", "IpRanges": ["0.0.0.0/0"],
    }  # fmt: skip


def test_one_region_has_no_default_rule(cloud):
    assert cloud.call("ReadApiAccessRules", region="cloudgouv-eu-west-1")["ApiAccessRules"] == []


def test_a_rule_is_read_back_as_made(cloud):
    ca = cloud.call("CreateCa", CaPem=PEM)["Ca"]["CaId"]
    given = {"CaIds": [ca], "Cns": ["me"], "Description": "d", "IpRanges": ["192.0.2.0"]}
    made = cloud.call("CreateApiAccessRule", **given)["ApiAccessRule"]
    assert given.items() <= made.items()
    plain = cloud.call("CreateApiAccessRule", IpRanges=["198.51.100.0/24"])["ApiAccessRule"]
    assert (plain["CaIds"], plain["Cns"], "Description" in plain) == ([], [], False)
    for filters in (
        {"ApiAccessRuleIds": [made["ApiAccessRuleId"]]},
        {"CaIds": [ca]},
        {"Cns": ["me"]},
        {"Descriptions": ["d"]},
        {"IpRanges": ["192.0.2.0"]},
    ):
        assert rules(cloud, **filters) == [made["ApiAccessRuleId"]]
    assert None not in filters_of("ReadApiAccessRules", "ApiAccessRule").values()


def test_an_update_replaces_the_whole_rule(cloud):
    (id_,) = rules(cloud)
    changed = cloud.call("UpdateApiAccessRule", ApiAccessRuleId=id_, IpRanges=["192.0.2.0/24"])
    assert changed["ApiAccessRule"] == {
        "ApiAccessRuleId": id_, "CaIds": [], "Cns": [], "IpRanges": ["192.0.2.0/24"],
    }  # fmt: skip


def test_the_last_rule_stays(cloud):
    (id_,) = rules(cloud)
    with pytest.raises(ApiError) as error:
        cloud.call("DeleteApiAccessRule", ApiAccessRuleId=id_)
    assert error.value.code == "4118"
    other = cloud.call("CreateApiAccessRule", IpRanges=["192.0.2.0"])["ApiAccessRule"]
    cloud.call("DeleteApiAccessRule", ApiAccessRuleId=id_)
    assert rules(cloud) == [other["ApiAccessRuleId"]]


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("CreateApiAccessRule", {}, 4118),
        ("CreateApiAccessRule", {"Description": "x"}, 4118),
        ("CreateApiAccessRule", {"Description": "x", "Cns": ["x"]}, 4118),
        ("CreateApiAccessRule", {"IpRanges": ["1.1.1.1"], "Cns": ["x"]}, 4118),
        ("CreateApiAccessRule", {"IpRanges": ["1.1.1/32"]}, 4118),
        ("CreateApiAccessRule", {"CaIds": ["ca-1", "ca-2"]}, 4122),
        ("CreateApiAccessRule", {"CaIds": "ca-1"}, 4110),
        ("CreateApiAccessRule", {"Description": None, "IpRanges": ["1.1.1.1"]}, 4110),
        ("UpdateApiAccessRule", {"IpRanges": ["1.1.1.1"]}, 7000),
        ("UpdateApiAccessRule", {"ApiAccessRuleId": "OWN"}, 4118),
        ("UpdateApiAccessRule", {"ApiAccessRuleId": "OWN", "Description": "x"}, 4118),
        ("UpdateApiAccessRule", {"ApiAccessRuleId": "foobar", "Description": "x"}, 4118),
        ("UpdateApiAccessRule", {"ApiAccessRuleId": "aar-12345678", "Description": "x"}, 4118),
        ("UpdateApiAccessRule", {"ApiAccessRuleId": UNKNOWN, "IpRanges": ["1.1.1.1"]}, 4122),
        ("DeleteApiAccessRule", {"ApiAccessRuleId": "toto"}, 4118),
        ("DeleteApiAccessRule", {"ApiAccessRuleId": "ca-12345678"}, 4118),
        ("DeleteApiAccessRule", {"ApiAccessRuleId": "OTHER"}, 4122),
        ("DeleteApiAccessRule", {"ApiAccessRuleId": ["x"]}, 4110),
        ("ReadApiAccessRules", {"Filters": {"CaIds": "x"}}, 4110),
    ],
)
def test_refusals(cloud, action, request_, code):
    (own,) = rules(cloud)
    other = cloud.call("ReadApiAccessRules", account="222222222222")["ApiAccessRules"][0]
    ids = {"OWN": own, "OTHER": other["ApiAccessRuleId"]}
    if isinstance(request_.get("ApiAccessRuleId"), str):
        id_ = request_["ApiAccessRuleId"]
        request_ = {**request_, "ApiAccessRuleId": ids.get(id_, id_)}
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (400, str(code))
    assert rules(cloud) == [own]
