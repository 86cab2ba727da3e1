"""Managed policies linked to users and groups, seen from both ends."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

ALL = '{"Statement": [{"Effect": "Allow", "Action": ["api:*"], "Resource": ["*"]}]}'
ACCOUNT = "orn:ows:idauth::123456789012:"
FIRST, SECOND = f"{ACCOUNT}policy/p", f"{ACCOUNT}policy/x/q"


@pytest.fixture
def cloud():
    cloud = FakeCloud()
    cloud.call("CreatePolicy", PolicyName="p", Document=ALL)
    cloud.call("CreatePolicy", PolicyName="q", Path="/x/", Document=ALL)
    cloud.call("CreateUser", UserName="ada", Path="/a/")
    cloud.call("CreateUserGroup", UserGroupName="admins", Path="/g/")
    return cloud


USER = ("LinkPolicy", "UnlinkPolicy", "ReadLinkedPolicies", {"UserName": "ada"})
GROUP = (
    "LinkManagedPolicyToUserGroup",
    "UnlinkManagedPolicyFromUserGroup",
    "ReadManagedPoliciesLinkedToUserGroup",
    {"UserGroupName": "admins"},
)


@pytest.mark.parametrize(("link", "unlink", "read", "who"), [USER, GROUP])
def test_links_come_and_go(cloud, link, unlink, read, who):
    def names(**request):
        return [policy["PolicyName"] for policy in cloud.call(read, **who, **request)["Policies"]]

    for orn in (SECOND, FIRST, FIRST):
        cloud.call(link, PolicyOrn=orn, **who)
    (shown, _) = cloud.call(read, **who)["Policies"]
    assert set(shown) == {
        "CreationDate", "LastModificationDate", "Orn", "PolicyId", "PolicyName",
    }  # fmt: skip
    assert names() == ["q", "p"]
    assert names(Filters={"PathPrefix": "/x"}) == ["q"]
    assert names(FirstItem=1) == ["p"]
    assert cloud.call("ReadPolicy", PolicyOrn=FIRST)["Policy"]["ResourcesCount"] == 1
    cloud.call(unlink, PolicyOrn=SECOND, **who)
    assert names() == ["p"]
    with pytest.raises(ApiError, match="5044"):
        cloud.call(unlink, PolicyOrn=SECOND, **who)


def test_a_group_is_asked_for_its_id_too(cloud):
    group = cloud.call("ReadUserGroups")["UserGroups"][0]["UserGroupId"]
    cloud.call("LinkManagedPolicyToUserGroup", PolicyOrn=FIRST, UserGroupName="admins")
    read = "ReadManagedPoliciesLinkedToUserGroup"
    for ids, count in (([group], 1), (["ug-99999999"], 0)):
        filters = {"UserGroupIds": ids}
        found = cloud.call(read, UserGroupName="admins", Filters=filters)["Policies"]
        assert len(found) == count


def test_a_policy_knows_whom_it_is_linked_to(cloud):
    read = {"PolicyOrn": FIRST}
    assert cloud.call("ReadEntitiesLinkedToPolicy", **read)["PolicyEntities"] == {}
    cloud.call("LinkPolicy", **read, UserName="ada")
    cloud.call("LinkManagedPolicyToUserGroup", **read, UserGroupName="admins")
    found = cloud.call("ReadEntitiesLinkedToPolicy", **read)["PolicyEntities"]
    assert set(found) == {"Users", "Groups"}
    assert found["Users"][0]["Orn"] == f"{ACCOUNT}user/a/ada"
    assert found["Groups"][0]["Orn"] == f"{ACCOUNT}usergroup/g/admins"
    assert (found["Users"][0]["Name"], found["Groups"][0]["Name"]) == ("ada", "admins")
    for types, keys in (
        (["USER"], {"Users"}),
        (["GROUP", "ACCOUNT"], {"Groups"}),
        (["ACCOUNT"], set()),
    ):
        found = cloud.call("ReadEntitiesLinkedToPolicy", **read, EntitiesType=types)
        assert set(found["PolicyEntities"]) == keys
    page = cloud.call("ReadEntitiesLinkedToPolicy", **read, ResultsPerPage=1)["PolicyEntities"]
    assert set(page) == {
        "Users", "HasMoreItems", "ItemsCount", "MaxResultsLimit", "MaxResultsTruncated",
    }  # fmt: skip
    assert (page["HasMoreItems"], page["ItemsCount"]) == (True, 2)
    page = cloud.call("ReadEntitiesLinkedToPolicy", **read, FirstItem=1)["PolicyEntities"]
    assert ("Groups" in page, page["HasMoreItems"]) == (True, False)


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("LinkPolicy", {"PolicyOrn": FIRST, "UserName": "nobody"}, 5075),
        ("LinkPolicy", {"PolicyOrn": "p", "UserName": "ada"}, 4047),
        ("LinkPolicy", {"PolicyOrn": FIRST + "z", "UserName": "ada"}, 5044),
        ("UnlinkPolicy", {"PolicyOrn": FIRST, "UserName": "nobody"}, 5075),
        ("LinkManagedPolicyToUserGroup", {"PolicyOrn": FIRST, "UserGroupName": "no"}, 5060),
        ("ReadLinkedPolicies", {"UserName": "nobody"}, 5075),
        ("ReadManagedPoliciesLinkedToUserGroup", {"UserGroupName": "no"}, 5060),
        ("ReadEntitiesLinkedToPolicy", {"PolicyOrn": FIRST, "EntitiesType": ["VM"]}, 4047),
    ],
)
def test_refusals(cloud, action, request_, code):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (400, str(code))
