"""Access keys: whose they are, how long they live, and where their secret is seen."""

import re

import pytest

from fakecloud.cloud import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY, Caller, FakeCloud
from fakecloud.errors import ApiError

OTHER = "222222222222"
ROOT = {"AccessKeyId": DEFAULT_ACCESS_KEY}


@pytest.fixture
def cloud():
    cloud = FakeCloud()
    cloud.call("CreateUser", UserName="ada")
    return cloud


def keys(cloud, **request):
    return [key["AccessKeyId"] for key in cloud.call("ReadAccessKeys", **request)["AccessKeys"]]


def test_an_account_starts_with_its_own_key(cloud):
    cloud.add_account(OTHER, "OTHERKEY", "OTHERSECRET")
    assert keys(cloud) == [DEFAULT_ACCESS_KEY]
    assert keys(cloud, account=OTHER) == ["OTHERKEY"]
    assert keys(cloud, region="us-east-2") == [DEFAULT_ACCESS_KEY]


def test_a_new_key_is_active_and_tells_its_secret_once(cloud):
    made = cloud.call("CreateAccessKey")["AccessKey"]
    assert set(made) == {
        "AccessKeyId", "CreationDate", "LastModificationDate", "SecretKey", "State",
    }  # fmt: skip
    assert re.fullmatch(r"[A-Z0-9]{20}", made["AccessKeyId"])
    assert re.fullmatch(r"[A-Z0-9]{40}", made["SecretKey"])
    assert (made["State"], made["CreationDate"]) == ("ACTIVE", "2026-01-01T00:00:00.000+0000")
    secret = made.pop("SecretKey")
    assert cloud.call("ReadAccessKeys")["AccessKeys"][1] == made
    assert secret not in str(cloud.journal.dump())
    assert DEFAULT_SECRET_KEY not in str(cloud.call("ReadAccessKeys"))


def test_keys_of_users_and_of_the_root_user_are_apart(cloud):
    made = cloud.call("CreateAccessKey", UserName="ada")["AccessKey"]["AccessKeyId"]
    assert keys(cloud, UserName="ada") == [made]
    assert keys(cloud) == [DEFAULT_ACCESS_KEY]
    for action in ("UpdateAccessKey", "DeleteAccessKey"):
        change = {"State": "INACTIVE"} if action == "UpdateAccessKey" else {}
        with pytest.raises(ApiError):
            cloud.call(action, AccessKeyId=made, **change)


def test_a_user_asks_about_its_own_keys(cloud):
    ada = Caller(cloud.account, cloud.region, user="ada")
    cloud.perform("CreateAccessKey", {}, ada)
    (made,) = keys(cloud, UserName="ada")
    assert made in cloud.perform("ReadAccessKeys", {}, ada).decode()
    cloud.perform("UpdateAccessKey", {"AccessKeyId": made, "State": "INACTIVE"}, ada)
    cloud.perform("DeleteAccessKey", {"AccessKeyId": made}, ada)
    assert keys(cloud, UserName="ada") == []


def test_filters_and_tag_are_joined(cloud):
    red = cloud.call("CreateAccessKey", Tag="red")["AccessKey"]["AccessKeyId"]
    blue = cloud.call("CreateAccessKey", Tag="blue")["AccessKey"]["AccessKeyId"]
    cloud.call("UpdateAccessKey", AccessKeyId=blue, State="INACTIVE")
    assert keys(cloud, Tag="red") == [red]
    assert keys(cloud, Filters={"States": ["INACTIVE"]}) == [blue]
    assert keys(cloud, Filters={"AccessKeyIds": [red, blue], "States": ["ACTIVE"]}) == [red]
    assert keys(cloud, Tag="red", Filters={"States": ["INACTIVE"]}) == []
    assert keys(cloud, Filters={"AccessKeyIds": ["tot"], "States": ["tot"]}) == []


def test_an_expiration_date_is_kept_until_it_is_cleared(cloud):
    made = cloud.call("CreateAccessKey", ExpirationDate="2063-04-05", Tag="a")["AccessKey"]
    assert made["ExpirationDate"] == "2063-04-05T00:00:00.000+0000"
    key = {"AccessKeyId": made["AccessKeyId"]}
    cloud.clock.advance(60)
    changed = cloud.call("UpdateAccessKey", **key, Tag="b")["AccessKey"]
    assert (changed["ExpirationDate"], changed["Tag"]) == (made["ExpirationDate"], "b")
    assert changed["LastModificationDate"] > changed["CreationDate"]
    changed = cloud.call(
        "UpdateAccessKey", **key, ExpirationDate="2064-04-05T00:00:00.000Z", State="ACTIVE"
    )["AccessKey"]
    assert changed["ExpirationDate"] == "2064-04-05T00:00:00.000+0000"
    changed = cloud.call("UpdateAccessKey", **key, State="ACTIVE")["AccessKey"]
    assert "ExpirationDate" not in changed
    cloud.call("UpdateAccessKey", **key, ExpirationDate="2064-04-05")
    changed = cloud.call(
        "UpdateAccessKey", **key, ClearExpirationDate=True, ClearTag=True, Tag="c"
    )["AccessKey"]
    assert not {"ExpirationDate", "Tag"} & set(changed)


def test_the_access_policy_limits_the_lifetime_of_keys(cloud):
    cloud.call(
        "UpdateApiAccessPolicy", MaxAccessKeyExpirationSeconds=86400, RequireTrustedEnv=False
    )
    cloud.call("CreateAccessKey", ExpirationDate="2026-01-02")
    for date in ({}, {"ExpirationDate": "2026-01-03"}):
        with pytest.raises(ApiError, match="4118"):
            cloud.call("CreateAccessKey", **date)
        with pytest.raises(ApiError, match="4118"):
            cloud.call("UpdateAccessKey", **ROOT, State="ACTIVE", **date)


def test_the_key_of_a_user_is_deleted_once_it_is_inactive(cloud):
    made = cloud.call("CreateAccessKey", UserName="ada")["AccessKey"]
    key = {"AccessKeyId": made["AccessKeyId"], "UserName": "ada"}
    with pytest.raises(ApiError) as error:
        cloud.call("DeleteAccessKey", **key)
    assert (error.value.status, error.value.code) == (409, "6003")
    cloud.call("UpdateAccessKey", **key, State="INACTIVE")
    cloud.call("DeleteAccessKey", **key)
    assert keys(cloud, UserName="ada") == []


def test_the_key_of_the_root_user_is_deleted_while_active(cloud):
    cloud.call("DeleteAccessKey", **ROOT)
    assert keys(cloud) == []


def test_fifty_keys_come_and_go(cloud):
    seen = set()
    for _ in range(50):
        made = cloud.call("CreateAccessKey")["AccessKey"]["AccessKeyId"]
        seen.add(made)
        cloud.call("DeleteAccessKey", AccessKeyId=made)
    assert len(seen) == 50


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("CreateAccessKey", {"UserName": "nobody"}, 5075),
        ("CreateAccessKey", {"ExpirationDate": "soon"}, 4110),
        ("CreateAccessKey", {"ExpirationDate": "2025-12-31"}, 4118),
        ("ReadAccessKeys", {"UserName": "nobody"}, 5075),
        ("ReadAccessKeys", {"Foo": "x"}, 3001),
        ("ReadAccessKeys", {"Filters": {"States": "x"}}, 4110),
        ("UpdateAccessKey", {}, 7000),
        ("UpdateAccessKey", {"State": "ACTIVE"}, 7000),
        ("UpdateAccessKey", ROOT, 7000),
        ("UpdateAccessKey", {**ROOT, "State": "tot"}, 4123),
        ("UpdateAccessKey", {"AccessKeyId": "tot", "State": "ACTIVE"}, 4122),
        ("DeleteAccessKey", {}, 7000),
        ("DeleteAccessKey", {"AccessKeyId": ""}, 7000),
        ("DeleteAccessKey", {"AccessKeyId": "tot"}, 5076),
        ("DeleteAccessKey", {"AccessKeyId": "OTHERKEY"}, 5076),
    ],
)
def test_refusals(cloud, action, request_, code):
    cloud.add_account(OTHER, "OTHERKEY", "OTHERSECRET")
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (400, str(code))
