"""Whether Outscale logins still work beside identity federation."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


@pytest.fixture
def cloud():
    cloud = FakeCloud()
    for name in ("ada", "bob"):
        cloud.call("CreateUser", UserName=name)
    return cloud


def users(cloud):
    found = cloud.call("ReadUsers")["Users"]
    return {user["UserName"]: user.get("OutscaleLoginAllowed") for user in found}


def test_nothing_is_said_before_it_is_decided(cloud):
    assert "OutscaleLoginAllowed" not in cloud.call("ReadAccounts")["Accounts"][0]
    assert users(cloud) == {"ada": None, "bob": None}


@pytest.mark.parametrize(("verb", "allowed"), [("Disable", False), ("Enable", True)])
def test_the_root_user_is_told_apart(cloud, verb, allowed):
    cloud.call(f"{verb}OutscaleLogin")
    assert cloud.call("ReadAccounts")["Accounts"][0]["OutscaleLoginAllowed"] is allowed
    assert users(cloud) == {"ada": None, "bob": None}


def test_all_users_are_those_of_the_future_too(cloud):
    cloud.call("DisableOutscaleLoginForUsers")
    cloud.call("CreateUser", UserName="eve")
    assert users(cloud) == {"ada": False, "bob": False, "eve": False}
    cloud.call("EnableOutscaleLoginForUsers")
    assert set(users(cloud).values()) == {True}


def test_some_users_are_named(cloud):
    cloud.call("DisableOutscaleLoginPerUsers", UserNames=["bob"])
    assert users(cloud) == {"ada": None, "bob": False}
    cloud.call("EnableOutscaleLoginPerUsers", UserNames=["bob", "ada"])
    assert users(cloud) == {"ada": True, "bob": True}


@pytest.mark.parametrize(("names", "code"), [([], 7000), (["ada", "nobody"], 5075), ("ada", 4110)])
def test_refusals(cloud, names, code):
    with pytest.raises(ApiError) as error:
        cloud.call("DisableOutscaleLoginPerUsers", UserNames=names)
    assert (error.value.status, error.value.code) == (400, str(code))
    assert users(cloud) == {"ada": None, "bob": None}
