"""EIM user groups: who is in them, and what keeps them from being deleted."""

import re

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.reads import filters_of

ALL = '{"Statement": [{"Effect": "Allow", "Action": ["api:*"], "Resource": ["*"]}]}'
HERE = {"UserGroupName": "admins", "Path": "/x/"}
LINK = {"UserGroupName": "admins", "UserGroupPath": "/x/"}


@pytest.fixture
def cloud():
    cloud = FakeCloud()
    cloud.call("CreateUserGroup", **HERE)
    for name, path in (("ada", "/"), ("bob", "/b/")):
        cloud.call("CreateUser", UserName=name, Path=path)
    return cloud


def names(cloud):
    return [user["UserName"] for user in cloud.call("ReadUserGroup", **HERE)["Users"]]


def test_a_group_is_read_back_as_made(cloud):
    group = cloud.call("ReadUserGroup", **HERE)["UserGroup"]
    assert set(group) == {
        "CreationDate", "LastModificationDate", "Name", "Orn", "Path", "UserGroupId",
    }  # fmt: skip
    assert re.fullmatch(r"ug-[0-9a-f]{8}", group["UserGroupId"])
    assert group["Orn"] == "orn:ows:idauth::123456789012:usergroup/x/admins"
    assert cloud.call("ReadUserGroups")["UserGroups"] == [group]


def test_users_come_and_go(cloud):
    cloud.call("AddUserToUserGroup", **LINK, UserName="bob", UserPath="/b/")
    cloud.call("AddUserToUserGroup", **LINK, UserName="ada")
    cloud.call("AddUserToUserGroup", **LINK, UserName="ada")
    assert names(cloud) == ["bob", "ada"]
    (group,) = cloud.call("ReadUserGroupsPerUser", UserName="bob", UserPath="/b/")["UserGroups"]
    assert group["Name"] == "admins"
    cloud.call("RemoveUserFromUserGroup", **LINK, UserName="bob", UserPath="/b/")
    assert names(cloud) == ["ada"]
    assert cloud.call("ReadUserGroupsPerUser", UserName="bob", UserPath="/b/")["UserGroups"] == []


def test_a_renamed_group_keeps_its_users(cloud):
    cloud.call("AddUserToUserGroup", **LINK, UserName="ada")
    changed = cloud.call("UpdateUserGroup", **HERE, NewUserGroupName="ops", NewPath="/new-path/")
    assert changed["UserGroup"]["Orn"].endswith(":usergroup/new-path/ops")
    assert [user["UserName"] for user in changed["Users"]] == ["ada"]
    again = cloud.call("UpdateUserGroup", UserGroupName="ops", Path="/new-path/", NewPath="/y/")
    assert again["UserGroup"]["Name"] == "ops"


def test_groups_are_found_by_id_and_path(cloud):
    ids = [
        cloud.call("CreateUserGroup", UserGroupName=f"g{n}", Path="/x/y/")["UserGroup"][
            "UserGroupId"
        ]
        for n in range(3)
    ]

    def found(**request):
        groups = cloud.call("ReadUserGroups", **request)["UserGroups"]
        return [group["UserGroupId"] for group in groups]

    assert found(Filters={"PathPrefix": "/x/y"}) == ids
    assert found(Filters={"PathPrefix": "/z"}) == []
    assert found(Filters={"PathPrefix": "/x/", "UserGroupIds": ids[1:]}) == ids[1:]
    assert found(Filters={"PathPrefix": "/x/y"}, FirstItem=1, ResultsPerPage=1) == ids[1:2]
    assert None not in filters_of("ReadUserGroups", "UserGroup").values()


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("AddUserToUserGroup", {**LINK, "UserName": "ada"}),
        ("PutUserGroupPolicy", {**LINK, "PolicyName": "p", "PolicyDocument": ALL}),
        ("LinkManagedPolicyToUserGroup", {"UserGroupName": "admins", "PolicyOrn": "ORN"}),
    ],
)
def test_a_group_with_something_is_only_deleted_by_force(cloud, action, request_):
    orn = cloud.call("CreatePolicy", PolicyName="p", Document=ALL)["Policy"]["Orn"]
    cloud.call(action, **{k: orn if v == "ORN" else v for k, v in request_.items()})
    for force in ({}, {"Force": False}):
        with pytest.raises(ApiError) as error:
            cloud.call("DeleteUserGroup", **HERE, **force)
        assert (error.value.status, error.value.code) == (409, "9002")
    cloud.call("DeleteUserGroup", **HERE, Force=True)
    assert cloud.call("ReadUserGroups")["UserGroups"] == []
    cloud.call("DeleteUser", UserName="ada")
    cloud.call("DeletePolicy", PolicyOrn=orn)


@pytest.mark.parametrize(
    ("action", "request_", "status", "code"),
    [
        ("CreateUserGroup", {"UserGroupName": "admins"}, 409, 9028),
        ("CreateUserGroup", {"UserGroupName": "a b"}, 400, 4047),
        ("CreateUserGroup", {"UserGroupName": "x", "Path": "x"}, 400, 4047),
        ("ReadUserGroup", {"UserGroupName": "admins"}, 400, 5060),
        ("ReadUserGroup", {"UserGroupName": "nobody", "Path": "/x/"}, 400, 5060),
        ("ReadUserGroupsPerUser", {"UserName": "bob"}, 400, 5075),
        ("UpdateUserGroup", HERE, 400, 7000),
        ("UpdateUserGroup", {**HERE, "NewUserGroupName": "ops"}, 409, 9028),
        ("DeleteUserGroup", {"UserGroupName": "admins"}, 400, 5060),
        ("AddUserToUserGroup", {**LINK, "UserName": "nobody"}, 400, 5075),
        ("AddUserToUserGroup", {**LINK, "UserName": "bob"}, 400, 5075),
        ("RemoveUserFromUserGroup", {**LINK, "UserName": "ada"}, 400, 5098),
    ],
)
def test_refusals(cloud, action, request_, status, code):
    cloud.call("CreateUserGroup", UserGroupName="ops")
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (status, str(code))
