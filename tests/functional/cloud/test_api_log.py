"""Logs of API calls: which are told, when, and without secrets."""

import pytest

from fakecloud.clock import stamp
from fakecloud.cloud import Caller, FakeCloud
from fakecloud.errors import ApiError

KEYS = {
    "AccountId", "CallDuration", "QueryAccessKey", "QueryApiName", "QueryApiVersion",
    "QueryCallName", "QueryDate", "QueryHeaderRaw", "QueryHeaderSize", "QueryIpAddress",
    "QueryPayloadRaw", "QueryPayloadSize", "QueryUserAgent", "RequestId", "ResponseSize",
    "ResponseStatusCode",
}  # fmt: skip


@pytest.fixture
def cloud():
    return FakeCloud()


def logs(cloud, **request):
    return cloud.call("ReadApiLogs", **request)["Logs"]


def names(cloud, **filters):
    return [log["QueryCallName"] for log in logs(cloud, Filters=filters)]


def test_a_call_is_logged_with_all_its_facts(cloud):
    answer = cloud.call("ReadNets")
    (log,) = logs(cloud)
    assert set(log) == KEYS
    assert log["RequestId"] == answer["ResponseContext"]["RequestId"]
    assert (log["QueryCallName"], log["ResponseStatusCode"]) == ("ReadNets", 200)
    assert (log["QueryPayloadRaw"], log["QueryPayloadSize"]) == ("{}", 2)
    assert log["ResponseSize"] == 82
    assert log["QueryApiVersion"] == "1.42"


def test_a_call_through_a_door_is_logged_with_who_and_whence(cloud):
    caller = Caller(
        cloud.account, cloud.region, access_key="KEY", source="192.0.2.1", agent="curl/8"
    )
    cloud.perform("ReadNets", {}, caller)
    (log,) = logs(cloud)
    assert log["QueryAccessKey"] == "KEY"
    assert (log["QueryIpAddress"], log["QueryUserAgent"]) == ("192.0.2.1", "curl/8")
    assert "User-Agent: curl/8" in log["QueryHeaderRaw"]
    for filters in (
        {"QueryAccessKeys": ["KEY"]},
        {"QueryIpAddresses": ["192.0.2.1"]},
        {"QueryUserAgents": ["curl/8"]},
        {"RequestIds": [log["RequestId"]]},
    ):
        assert names(cloud, **filters) == ["ReadNets"]


def test_refusals_are_logged_but_unknown_actions_are_not(cloud):
    for action, request in (("CreateNet", {"IpRange": "x"}), ("Foo", {})):
        with pytest.raises(ApiError):
            cloud.call(action, **request)
    assert names(cloud, ResponseStatusCodes=[400]) == ["CreateNet"]
    assert names(cloud, ResponseStatusCodes=[404]) == []


def test_filters_are_joined(cloud):
    for action in ("ReadNets", "ReadVms", "ReadNets"):
        cloud.call(action)
    assert names(cloud, QueryCallNames=["ReadNets"]) == ["ReadNets", "ReadNets"]
    assert names(cloud, QueryCallNames=["ReadV*"], QueryApiNames=["oapi"]) == ["ReadVms"]
    assert names(cloud, QueryApiNames=["fcu", "lbu", "eim"]) == []


def test_logs_are_those_of_the_account_and_region(cloud):
    cloud.call("ReadNets", account="222222222222")
    cloud.call("ReadVms", region="us-east-2")
    assert names(cloud) == []


def test_only_what_is_asked_for_is_shown(cloud):
    cloud.call("ReadNets")
    (log,) = logs(cloud, With={"QueryCallName": True, "AccountId": False})
    assert set(log) == {"AccountId", "QueryCallName", "RequestId"}


def test_secrets_are_never_shown(cloud):
    secret = "S3cret-and-long-enough"
    with pytest.raises(ApiError):
        cloud.call("CheckAuthentication", Login="x@example.com", Password=secret)
    (log,) = logs(cloud)
    assert "x@example.com" in log["QueryPayloadRaw"]
    assert secret not in str(log)


def test_pages_are_disjoint_and_complete(cloud):
    for _ in range(5):
        cloud.call("ReadNets")
    seen, token = [], {}
    for _ in range(10):
        page = cloud.call(
            "ReadApiLogs", ResultsPerPage=2, Filters={"QueryCallNames": ["ReadNets"]}, **token
        )
        seen += [log["RequestId"] for log in page["Logs"]]
        if "NextPageToken" not in page:
            break
        token = {"NextPageToken": page["NextPageToken"]}
    assert len(seen) == len(set(seen)) == 5


def test_the_default_page_has_a_hundred_logs(cloud):
    for _ in range(101):
        cloud.call("ReadNets")
    page = cloud.call("ReadApiLogs")
    assert len(page["Logs"]) == 100
    rest = cloud.call("ReadApiLogs", NextPageToken=page["NextPageToken"])["Logs"]
    assert [log["QueryCallName"] for log in rest] == ["ReadNets", "ReadApiLogs"]


def test_an_interval_is_two_days_long_unless_both_ends_are_given(cloud):
    start = cloud.clock.now()
    day = 86400.0
    for action in ("ReadNets", "ReadVms", "ReadSubnets", "ReadNics"):
        cloud.call(action)
        cloud.clock.advance(day)
    asked = cloud.clock.now()
    assert asked == start + 4 * day
    assert names(cloud) == ["ReadSubnets", "ReadNics"]
    assert names(cloud, QueryDateAfter=stamp(start))[:3] == ["ReadNets", "ReadVms", "ReadSubnets"]
    assert names(cloud, QueryDateBefore="2026-01-02") == ["ReadNets", "ReadVms"]
    both = {"QueryDateAfter": "2026-01-01", "QueryDateBefore": "2026-01-04"}
    assert names(cloud, **both) == ["ReadNets", "ReadVms", "ReadSubnets", "ReadNics"]
    assert names(cloud, QueryDateAfter="2026-01-02", QueryDateBefore="2026-01-02") == ["ReadVms"]


def test_logs_are_kept_for_32_days(cloud):
    cloud.call("ReadNets")
    after = {"QueryDateAfter": "2026-01-01", "QueryDateBefore": "2027-01-01"}
    cloud.clock.advance(32 * 86400)
    assert names(cloud, **after) == ["ReadNets"]
    cloud.clock.advance(1)
    assert names(cloud, **after, QueryCallNames=["ReadNets"]) == []


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"ResultsPerPage": 0}, 4113),
        ({"ResultsPerPage": 1001}, 4113),
        ({"ResultsPerPage": "1"}, 4110),
        ({"NextPageToken": 1}, 4110),
        ({"NextPageToken": ""}, 4117),
        ({"Filters": {"QueryDateAfter": "2017"}}, 4110),
        ({"Filters": {"QueryDateBefore": "yesterday!"}}, 4110),
        ({"Filters": {"QueryDateAfter": "2026-01-02", "QueryDateBefore": "2026-01-01"}}, 4098),
        ({"Filters": {"QueryIpAddresses": ["0.1"]}}, 4112),
        ({"Filters": {"ResponseStatusCodes": ["700"]}}, 4110),
        ({"Filters": {"QueryApiNames": [1]}}, 4110),
        ({"Foo": 1}, 3001),
        ({"With": {"Foo": True}}, 3001),
    ],
)
def test_refusals(cloud, request_, code):
    with pytest.raises(ApiError) as error:
        cloud.call("ReadApiLogs", **request_)
    assert (error.value.status, error.value.code) == (400, str(code))
