"""Every door behaves the same: answers, refusals, faults, pages, dry runs, atomicity."""

import uuid

import pytest

from tests.contract.cloud.conftest import RefusedError


@pytest.fixture
def net(door):
    return door.call("CreateNet", IpRange="10.0.0.0/16")["Net"]


def refused(door, action, **request):
    with pytest.raises(RefusedError) as caught:
        door.call(action, **request)
    return caught.value


def test_a_resource_lives_from_create_to_delete(door, net):
    subnet = door.call("CreateSubnet", NetId=net["NetId"], IpRange="10.0.1.0/24")["Subnet"]
    found = door.call("ReadSubnets", Filters={"NetIds": [net["NetId"]]})
    assert found["Subnets"] == [subnet]
    assert subnet["AvailableIpsCount"] == 251
    assert door.call("DeleteSubnet", SubnetId=subnet["SubnetId"]).keys() == {"ResponseContext"}
    door.call("DeleteNet", NetId=net["NetId"])
    assert refused(door, "DeleteNet", NetId=net["NetId"]).code == "5065"


def test_every_answer_has_a_request_id_of_its_own(door):
    first = door.call("ReadNets")["ResponseContext"]["RequestId"]
    second = door.call("ReadNets")["ResponseContext"]["RequestId"]
    third = refused(door, "DeleteNet", NetId="vpc-ffffffff").request_id
    assert len({str(uuid.UUID(each)) for each in (first, second, third)}) == 3


@pytest.mark.parametrize(
    ("action", "request_", "status", "type_", "code"),
    [
        ("CreateNet", {}, 400, "MissingParameter", "7000"),
        ("CreateNet", {"IpRange": ""}, 400, "MissingParameter", "7000"),
        ("CreateNet", {"IpRange": 7}, 400, "InvalidParameterValue", "4110"),
        ("CreateNet", {"IpRange": "10.0.0.0/8"}, 400, "InvalidParameterValue", "4014"),
        ("CreateNet", {"IpRange": "10.0.0.0/16", "X": 1}, 400, "InvalidParameter", "3001"),
        ("ReadUserPolicies", {"UserName": "x", "Foo": 1}, 400, "InvalidParameter", "3001"),
        ("ReadNets", {"Filters": {"Ids": []}}, 400, "InvalidParameter", "3001"),
        ("DeleteNet", {"NetId": "vpc-12345678"}, 400, "InvalidResource", "5065"),
        ("DeleteNet", {"NetId": "i-12345678"}, 400, "InvalidParameterValue", "4104"),
        ("DeleteNet", {"NetId": "vpc-1"}, 400, "InvalidParameterValue", "4105"),
        ("MakeCoffee", {}, 404, "InvalidAction", "12000"),
    ],
)
def test_a_bad_request_gets_the_documented_error(door, action, request_, status, type_, code):
    error = refused(door, action, **request_)
    assert (error.status, error.type, error.code) == (status, type_, code)


def test_an_unknown_identifier_is_named_in_the_text(door):
    error = refused(door, "DeleteNet", NetId="vpc-12345678")
    assert error.details == "The NetId 'vpc-12345678' doesn't exist."


def test_a_dry_run_answers_only_its_context_and_changes_nothing(door):
    answer = door.call("CreateNet", IpRange="10.0.0.0/16", DryRun=True)
    assert answer.keys() == {"ResponseContext"}
    assert door.call("ReadNets")["Nets"] == []


def test_a_dry_run_validates(door, net):
    assert refused(door, "CreateNet", DryRun=True).code == "7000"
    bad = refused(door, "CreateSubnet", NetId=net["NetId"], IpRange="10.9.0.0/24", DryRun=True)
    assert bad.status in (400, 409)


def test_a_dry_run_does_not_use_up_identifiers(door):
    door.call("CreateNet", IpRange="10.0.0.0/16", DryRun=True)
    first = door.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    door.cloud.reset()
    assert door.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"] == first


def test_pages_together_are_the_whole(door):
    made = [
        door.call("CreatePublicIp")["PublicIp"]["PublicIpId"] for _ in range(5)
    ]  # In the order of creation.
    seen, token = [], None
    for _ in range(3):
        request = {"ResultsPerPage": 2} | ({"NextPageToken": token} if token else {})
        page = door.call("ReadPublicIps", **request)
        seen += [each["PublicIpId"] for each in page["PublicIps"]]
        token = page.get("NextPageToken")
    assert seen == made
    assert token is None


def test_page_tokens_are_checked(door):
    for _ in range(3):
        door.call("CreatePublicIp")
    token = door.call("ReadPublicIps", ResultsPerPage=1)["NextPageToken"]
    forged = refused(door, "ReadPublicIps", ResultsPerPage=1, NextPageToken="Zm9yZ2Vk")
    assert forged.code == "4117"
    other = refused(door, "ReadNets", ResultsPerPage=1, NextPageToken=token)
    assert other.code == "4117"
    door.cloud.clock.advance(24 * 3600)
    assert refused(door, "ReadPublicIps", ResultsPerPage=1, NextPageToken=token).code == "4116"


def test_a_refused_call_is_not_carried_out(door):
    door.cloud.fail("refuse", action="CreateNet", code=2000, times=1)
    error = refused(door, "CreateNet", IpRange="10.0.0.0/16")
    assert (error.status, error.type, error.code) == (500, "InternalError", "2000")
    assert door.call("ReadNets")["Nets"] == []
    door.call("CreateNet", IpRange="10.0.0.0/16")


def test_a_lost_answer_leaves_the_work_done(door):
    door.cloud.fail("lose", action="CreateNet", calls=[1])
    with pytest.raises(OSError):  # noqa: PT011 - each door has its own kind of lost connection
        door.call("CreateNet", IpRange="10.0.0.0/16")
    assert len(door.cloud.call("ReadNets")["Nets"]) == 1


@pytest.mark.parametrize(("code", "status"), [(24, 429), (25, 429), (6, 503)])
def test_throttling_answers_with_its_codes(door, code, status):
    door.cloud.fail("throttle", limit=2, seconds=1, code=code, action="ReadNets")
    door.call("ReadNets")
    door.call("ReadNets")
    error = refused(door, "ReadNets")
    assert (error.status, error.type, error.code) == (status, "AccessDenied", str(code))
    door.cloud.clock.advance(1)
    door.call("ReadNets")


def test_the_journal_has_every_call(door):
    door.call("CreateNet", IpRange="10.0.0.0/16")
    refused(door, "DeleteNet", NetId="vpc-12345678")
    entries = list(door.cloud.journal)
    assert [entry.action for entry in entries] == ["CreateNet", "DeleteNet"]
    assert [(entry.status, entry.code) for entry in entries] == [(200, ""), (400, "5065")]


def test_a_saved_cloud_goes_on_where_it_stopped(door, net):
    saved = door.cloud.save()
    door.cloud.reset()
    assert door.call("ReadNets")["Nets"] == []
    door.cloud.load(saved)
    assert door.cloud.save() == saved
    assert door.call("ReadNets")["Nets"] == [net]
