"""Managed policies: their versions, of which one counts."""

import re

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

ALL = '{"Statement": [{"Effect": "Allow", "Action": ["api:*"], "Resource": ["*"]}]}'
READ = ALL.replace("api:*", "api:Read*")
ORN = "orn:ows:idauth::123456789012:policy/x/p"
GONE = "orn:ows:idauth::123456789012:policy/gone"


@pytest.fixture
def cloud():
    cloud = FakeCloud()
    cloud.call("CreatePolicy", PolicyName="p", Path="/x/", Document=ALL, Description="Everything")
    return cloud


def versions(cloud):
    found = cloud.call("ReadPolicyVersions", PolicyOrn=ORN)["PolicyVersions"]
    return {version["VersionId"]: version["DefaultVersion"] for version in found}


def test_a_policy_is_read_back_as_made(cloud):
    policy = cloud.call("ReadPolicy", PolicyOrn=ORN)["Policy"]
    assert set(policy) == {
        "CreationDate", "Description", "IsLinkable", "LastModificationDate", "Orn", "Path",
        "PolicyDefaultVersionId", "PolicyId", "PolicyName", "ResourcesCount",
    }  # fmt: skip
    assert re.fullmatch(r"[A-Z0-9]{32}", policy["PolicyId"])
    assert (policy["PolicyDefaultVersionId"], policy["ResourcesCount"]) == ("v1", 0)
    version = cloud.call("ReadPolicyVersion", PolicyOrn=ORN, VersionId="v1")["PolicyVersion"]
    assert version == {
        "Body": ALL, "CreationDate": policy["CreationDate"], "DefaultVersion": True,
        "VersionId": "v1",
    }  # fmt: skip


def test_one_version_is_the_default(cloud):
    cloud.call("CreatePolicyVersion", PolicyOrn=ORN, Document=READ)
    assert versions(cloud) == {"v1": True, "v2": False}
    cloud.call("CreatePolicyVersion", PolicyOrn=ORN, Document=READ, SetAsDefault=True)
    assert versions(cloud) == {"v1": False, "v2": False, "v3": True}
    cloud.call("SetDefaultPolicyVersion", PolicyOrn=ORN, VersionId="v2")
    assert versions(cloud) == {"v1": False, "v2": True, "v3": False}
    cloud.call("SetDefaultPolicyVersion", PolicyOrn=ORN, VersionId="v2")
    assert cloud.call("ReadPolicy", PolicyOrn=ORN)["Policy"]["PolicyDefaultVersionId"] == "v2"


def test_a_policy_has_five_versions_at_most(cloud):
    for _ in range(4):
        cloud.call("CreatePolicyVersion", PolicyOrn=ORN, Document=READ)
    with pytest.raises(ApiError) as error:
        cloud.call("CreatePolicyVersion", PolicyOrn=ORN, Document=READ)
    assert (error.value.status, error.value.code) == (409, "9002")
    cloud.call("DeletePolicyVersion", PolicyOrn=ORN, VersionId="v5")
    made = cloud.call("CreatePolicyVersion", PolicyOrn=ORN, Document=READ)["PolicyVersion"]
    assert made["VersionId"] == "v6"


def test_a_policy_goes_with_its_last_version(cloud):
    cloud.call("CreatePolicyVersion", PolicyOrn=ORN, Document=READ)
    with pytest.raises(ApiError, match="9002"):
        cloud.call("DeletePolicy", PolicyOrn=ORN)
    with pytest.raises(ApiError, match="9002"):
        cloud.call("DeletePolicyVersion", PolicyOrn=ORN, VersionId="v1")
    cloud.call("DeletePolicyVersion", PolicyOrn=ORN, VersionId="v2")
    cloud.call("DeletePolicy", PolicyOrn=ORN)
    assert cloud.call("ReadPolicies")["Policies"] == []
    again = cloud.call("CreatePolicy", PolicyName="p", Path="/x/", Document=READ)["Policy"]
    assert (again["Orn"], versions(cloud)) == (ORN, {"v1": True})


def test_a_linked_policy_is_not_deleted(cloud):
    cloud.call("CreateUser", UserName="ada")
    cloud.call("LinkPolicy", PolicyOrn=ORN, UserName="ada")
    with pytest.raises(ApiError, match="9002"):
        cloud.call("DeletePolicy", PolicyOrn=ORN)
    assert versions(cloud) == {"v1": True}
    cloud.call("UnlinkPolicy", PolicyOrn=ORN, UserName="ada")
    cloud.call("DeletePolicy", PolicyOrn=ORN)


def test_policies_are_found_by_path_scope_and_link(cloud):
    cloud.call("CreatePolicy", PolicyName="q", Document=READ)
    cloud.call("CreateUser", UserName="ada")
    cloud.call("LinkPolicy", PolicyOrn=ORN, UserName="ada")

    def found(**filters):
        policies = cloud.call("ReadPolicies", Filters=filters)["Policies"]
        return [policy["PolicyName"] for policy in policies]

    assert found() == ["p", "q"]
    assert found(PathPrefix="/x") == ["p"]
    assert found(OnlyLinked=True) == ["p"]
    assert found(OnlyLinked=False) == ["p", "q"]
    assert found(Scope="LOCAL") == ["p", "q"]
    assert found(Scope="OWS") == []
    page = cloud.call("ReadPolicies", FirstItem=1, ResultsPerPage=1)
    assert ([p["PolicyName"] for p in page["Policies"]], page["HasMoreItems"]) == (["q"], False)


def test_policies_are_those_of_the_account(cloud):
    assert cloud.call("ReadPolicies", account="222222222222")["Policies"] == []
    with pytest.raises(ApiError, match="5044"):
        cloud.call("ReadPolicy", PolicyOrn=ORN, account="222222222222")


@pytest.mark.parametrize(
    ("action", "request_", "status", "code"),
    [
        ("CreatePolicy", {"PolicyName": "x"}, 400, 7000),
        ("CreatePolicy", {"PolicyName": "x", "Document": "{}"}, 400, 4047),
        ("CreatePolicy", {"PolicyName": "p", "Document": ALL}, 409, 9015),
        ("CreatePolicy", {"PolicyName": "x/y", "Document": ALL}, 400, 4047),
        ("CreatePolicy", {"PolicyName": "x" * 129, "Document": ALL}, 400, 4106),
        ("CreatePolicy", {"PolicyName": "x", "Document": ALL, "Path": "x"}, 400, 4047),
        (
            "CreatePolicy",
            {"PolicyName": "x", "Document": ALL, "Description": "x" * 1001},
            400,
            4106,
        ),
        ("CreatePolicyVersion", {"PolicyOrn": ORN, "Document": "x"}, 400, 4047),
        ("CreatePolicyVersion", {"PolicyOrn": GONE, "Document": ALL}, 400, 5044),
        ("ReadPolicy", {"PolicyOrn": "p"}, 400, 4047),
        ("ReadPolicy", {"PolicyOrn": GONE}, 400, 5044),
        ("ReadPolicyVersion", {"PolicyOrn": ORN, "VersionId": "v9"}, 400, 5044),
        ("SetDefaultPolicyVersion", {"PolicyOrn": ORN, "VersionId": "v9"}, 400, 5044),
        ("DeletePolicyVersion", {"PolicyOrn": ORN, "VersionId": "v9"}, 400, 5044),
        ("ReadPolicies", {"Filters": {"Scope": "MINE"}}, 400, 4047),
    ],
)
def test_refusals(cloud, action, request_, status, code):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (status, str(code))
