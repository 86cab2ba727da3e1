"""EIM users: named once, paged, and deleted when nothing of theirs is left."""

import re

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.reads import filters_of

ALL = '{"Statement": [{"Effect": "Allow", "Action": ["api:*"], "Resource": ["*"]}]}'


@pytest.fixture
def cloud():
    return FakeCloud()


def test_a_user_is_read_back_as_made(cloud):
    made = cloud.call("CreateUser", UserName="ada", Path="/a/b_1/", UserEmail="a@example.com")
    user = made["User"]
    assert set(user) == {
        "CreationDate", "LastModificationDate", "Path", "UserEmail", "UserId", "UserName",
    }  # fmt: skip
    assert re.fullmatch(r"[A-Z0-9]{32}", user["UserId"])
    assert cloud.call("ReadUsers")["Users"] == [user]
    plain = cloud.call("CreateUser", UserName="bob")["User"]
    assert plain["Path"] == "/"
    assert "UserEmail" not in plain


def test_users_are_those_of_the_account(cloud):
    cloud.call("CreateUser", UserName="ada")
    assert cloud.call("ReadUsers", account="222222222222")["Users"] == []
    cloud.call("CreateUser", UserName="ada", account="222222222222")


def test_users_come_in_pages(cloud):
    ids = [cloud.call("CreateUser", UserName=f"u{n}")["User"]["UserId"] for n in range(5)]
    page = cloud.call("ReadUsers", FirstItem=1, ResultsPerPage=2)
    assert [user["UserId"] for user in page["Users"]] == ids[1:3]
    assert (page["HasMoreItems"], page["MaxResultsLimit"]) == (True, 2)
    page = cloud.call("ReadUsers", FirstItem=3, ResultsPerPage=2)
    assert ([u["UserId"] for u in page["Users"]], page["HasMoreItems"]) == (ids[3:], False)
    found = cloud.call("ReadUsers", Filters={"UserIds": [ids[4], ids[0], "X"]})["Users"]
    assert [user["UserId"] for user in found] == [ids[0], ids[4]]
    assert None not in filters_of("ReadUsers", "User").values()


def test_a_renamed_user_keeps_its_keys_groups_and_policies(cloud):
    user = cloud.call("CreateUser", UserName="ada")["User"]
    key = cloud.call("CreateAccessKey", UserName="ada")["AccessKey"]["AccessKeyId"]
    cloud.call("PutUserPolicy", UserName="ada", PolicyName="p", PolicyDocument=ALL)
    cloud.clock.advance(5)
    change = {"NewUserName": "eve", "NewPath": "/x/", "NewUserEmail": "e@example.com"}
    changed = cloud.call("UpdateUser", UserName="ada", **change)["User"]
    assert changed["UserId"] == user["UserId"]
    assert (changed["UserName"], changed["Path"]) == ("eve", "/x/")
    assert changed["LastModificationDate"] > user["LastModificationDate"]
    (shown,) = cloud.call("ReadAccessKeys", UserName="eve")["AccessKeys"]
    assert shown["AccessKeyId"] == key
    assert cloud.store(cloud.region).row("AccessKey", key)["_UserName"] == "eve"
    assert cloud.call("ReadUserPolicies", UserName="eve")["PolicyNames"] == ["p"]


@pytest.mark.parametrize(
    ("give", "take"),
    [
        (
            ("AddUserToUserGroup", {"UserGroupName": "admins"}),
            ("RemoveUserFromUserGroup", {"UserGroupName": "admins"}),
        ),
        (("LinkPolicy", {"PolicyOrn": "ORN"}), ("UnlinkPolicy", {"PolicyOrn": "ORN"})),
    ],
)
def test_a_user_with_something_is_not_deleted(cloud, give, take):
    cloud.call("CreateUser", UserName="ada")
    cloud.call("CreateUserGroup", UserGroupName="admins")
    orn = cloud.call("CreatePolicy", PolicyName="p", Document=ALL)["Policy"]["Orn"]
    for request in (give[1], take[1]):
        request.update({key: orn for key in request if key == "PolicyOrn"})
    cloud.call(give[0], UserName="ada", **give[1])
    with pytest.raises(ApiError) as error:
        cloud.call("DeleteUser", UserName="ada")
    assert (error.value.status, error.value.code) == (409, "9002")
    cloud.call(take[0], UserName="ada", **take[1])
    cloud.call("DeleteUser", UserName="ada")
    assert cloud.call("ReadUsers")["Users"] == []


def test_a_user_with_a_key_is_not_deleted(cloud):
    cloud.call("CreateUser", UserName="ada")
    made = cloud.call("CreateAccessKey", UserName="ada")["AccessKey"]
    with pytest.raises(ApiError, match="9002"):
        cloud.call("DeleteUser", UserName="ada")
    key = {"AccessKeyId": made["AccessKeyId"], "UserName": "ada"}
    cloud.call("UpdateAccessKey", **key, State="INACTIVE")
    cloud.call("DeleteAccessKey", **key)
    cloud.call("DeleteUser", UserName="ada")


def test_inline_policies_go_with_their_user(cloud):
    for _ in range(2):
        cloud.call("CreateUser", UserName="ada")
        assert cloud.call("ReadUserPolicies", UserName="ada")["PolicyNames"] == []
        cloud.call("PutUserPolicy", UserName="ada", PolicyName="p", PolicyDocument=ALL)
        cloud.call("DeleteUser", UserName="ada")


@pytest.mark.parametrize(
    ("action", "request_", "status", "code"),
    [
        ("CreateUser", {}, 400, 7000),
        ("CreateUser", {"UserName": ""}, 400, 7000),
        ("CreateUser", {"UserName": "a b"}, 400, 4047),
        ("CreateUser", {"UserName": "x" * 65}, 400, 4106),
        ("CreateUser", {"UserName": "x", "Path": "a/"}, 400, 4047),
        ("CreateUser", {"UserName": "x", "Path": "/a"}, 400, 4047),
        ("CreateUser", {"UserName": "x", "Path": "/" + "a" * 511 + "/"}, 400, 4106),
        ("CreateUser", {"UserName": "x", "UserEmail": "x"}, 400, 4047),
        ("CreateUser", {"UserName": "ada"}, 409, 9022),
        ("UpdateUser", {"UserName": "ada"}, 400, 7000),
        ("UpdateUser", {"UserName": "nobody", "NewPath": "/"}, 400, 5075),
        ("UpdateUser", {"UserName": "ada", "NewUserName": "bob"}, 409, 9022),
        ("UpdateUser", {"UserName": "ada", "NewUserName": "a/b"}, 400, 4047),
        ("DeleteUser", {"UserName": "nobody"}, 400, 5075),
        ("ReadUsers", {"FirstItem": "x"}, 400, 4110),
    ],
)
def test_refusals(cloud, action, request_, status, code):
    cloud.call("CreateUser", UserName="ada")
    cloud.call("CreateUser", UserName="bob")
    before = cloud.call("ReadUsers")["Users"]
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (status, str(code))
    assert cloud.call("ReadUsers")["Users"] == before
