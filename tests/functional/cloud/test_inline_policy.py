"""Inline policies: documents inside one user or one group."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

ALL = '{"Statement": [{"Effect": "Allow", "Action": ["api:*"], "Resource": ["*"]}]}'
READ = ALL.replace("api:*", "api:Read*")
USER = {"UserName": "ada"}
GROUP = {"UserGroupName": "admins", "UserGroupPath": "/g/"}


@pytest.fixture
def cloud():
    cloud = FakeCloud()
    cloud.call("CreateUser", UserName="ada")
    cloud.call("CreateUserGroup", UserGroupName="admins", Path="/g/")
    return cloud


def test_a_user_has_policies_by_name(cloud):
    for name, document in (("a", ALL), ("b", ALL), ("a", READ)):
        cloud.call("PutUserPolicy", **USER, PolicyName=name, PolicyDocument=document)
    assert cloud.call("ReadUserPolicies", **USER)["PolicyNames"] == ["a", "b"]
    shown = cloud.call("ReadUserPolicy", **USER, PolicyName="a")
    shown.pop("ResponseContext")
    assert shown == {"PolicyDocument": READ, "PolicyName": "a", "UserName": "ada"}
    cloud.call("DeleteUserPolicy", **USER, PolicyName="a")
    assert cloud.call("ReadUserPolicies", **USER)["PolicyNames"] == ["b"]


def test_a_group_has_policies_by_name(cloud):
    for name, document in (("a", ALL), ("b", ALL), ("a", READ)):
        cloud.call("PutUserGroupPolicy", **GROUP, PolicyName=name, PolicyDocument=document)
    found = cloud.call("ReadUserGroupPolicies", **GROUP)
    assert found["Policies"] == [{"Body": READ, "Name": "a"}, {"Body": ALL, "Name": "b"}]
    page = cloud.call("ReadUserGroupPolicies", **GROUP, FirstItem=0, ResultsPerPage=1)
    assert (len(page["Policies"]), page["HasMoreItems"]) == (1, True)
    shown = cloud.call("ReadUserGroupPolicy", **GROUP, PolicyName="b")["Policy"]
    assert shown == {"Body": ALL, "Name": "b"}
    cloud.call("DeleteUserGroupPolicy", **GROUP, PolicyName="b")
    assert len(cloud.call("ReadUserGroupPolicies", **GROUP)["Policies"]) == 1


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("PutUserPolicy", {**USER, "PolicyName": "a"}, 7000),
        ("PutUserPolicy", {**USER, "PolicyName": "a", "PolicyDocument": "x"}, 4047),
        ("PutUserPolicy", {**USER, "PolicyName": "", "PolicyDocument": ALL}, 7000),
        ("PutUserPolicy", {**USER, "PolicyName": "x" * 129, "PolicyDocument": ALL}, 4106),
        ("PutUserPolicy", {"UserName": "no", "PolicyName": "a", "PolicyDocument": ALL}, 5075),
        ("ReadUserPolicy", {**USER, "PolicyName": "a"}, 5044),
        ("DeleteUserPolicy", {**USER, "PolicyName": "a"}, 5044),
        ("ReadUserPolicies", {"UserName": "no"}, 5075),
        (
            "PutUserGroupPolicy",
            {"UserGroupName": "admins", "PolicyName": "a", "PolicyDocument": ALL},
            5060,
        ),
        ("ReadUserGroupPolicy", {**GROUP, "PolicyName": "a"}, 5044),
        ("DeleteUserGroupPolicy", {**GROUP, "PolicyName": "a"}, 5044),
    ],
)
def test_refusals(cloud, action, request_, code):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (400, str(code))
