"""Accounts: their particulars and their logins."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.rules import identities

OTHER = "222222222222"
NEW = {
    "City": "Brest",
    "CompanyName": "Example",
    "Country": "France",
    "CustomerId": "87654321",
    "Email": "jean@example.com",
    "FirstName": "Jean",
    "LastName": "Dupont",
    "ZipCode": "29200",
}


@pytest.fixture
def cloud():
    return FakeCloud()


def test_an_account_sees_itself_and_no_other(cloud):
    for account in (cloud.account, OTHER):
        (shown,) = cloud.call("ReadAccounts", account=account)["Accounts"]
        assert shown["AccountId"] == account
        assert shown["Email"] == identities.default_login(account)
        assert identities.DEFAULT_PASSWORD not in str(shown)


def test_a_new_account_shows_what_the_documents_example_shows(cloud):
    made = cloud.call("CreateAccount", **NEW)["Account"]
    assert set(made) == {
        "AccountId", "City", "CompanyName", "Country", "Email", "FirstName", "LastName", "ZipCode",
    }  # fmt: skip
    assert len(made["AccountId"]) == 12
    (seen,) = cloud.call("ReadAccounts", account=made["AccountId"])["Accounts"]
    assert seen == {**made, "CustomerId": NEW["CustomerId"]}


def test_a_new_account_can_log_in_and_has_what_every_account_has(cloud):
    made = cloud.call("CreateAccount", **NEW)["Account"]
    login = {"Login": NEW["Email"], "Password": identities.DEFAULT_PASSWORD}
    assert set(cloud.call("CheckAuthentication", **login)) == {"ResponseContext"}
    assert len(cloud.call("ReadAccessKeys", account=made["AccountId"])["AccessKeys"]) == 1
    assert cloud.call("ReadSecurityGroups", account=made["AccountId"])["SecurityGroups"]


def test_a_changed_account_is_read_back(cloud):
    change = {"AdditionalEmails": ["a@example.com"], "City": "Nantes", "Email": "b@example.com"}
    made = cloud.call("UpdateAccount", **change)["Account"]
    assert change.items() <= made.items()
    assert cloud.call("ReadAccounts")["Accounts"] == [made]
    password = identities.DEFAULT_PASSWORD
    cloud.call("CheckAuthentication", Login="b@example.com", Password=password)
    with pytest.raises(ApiError, match="4120"):
        cloud.call(
            "CheckAuthentication",
            Login=identities.default_login(cloud.account),
            Password=password,
        )
    made = cloud.call("UpdateAccount", AdditionalEmails=[])["Account"]
    assert "AdditionalEmails" not in made


def test_an_account_may_keep_its_own_address(cloud):
    (shown,) = cloud.call("ReadAccounts")["Accounts"]
    assert cloud.call("UpdateAccount", Email=shown["Email"])["Account"] == shown


@pytest.mark.parametrize(
    ("action", "request_", "status", "code"),
    [
        ("CreateAccount", {}, 400, 7000),
        ("CreateAccount", {**NEW, "Email": "test@test"}, 400, 4047),
        ("CreateAccount", {**NEW, "CustomerId": "foo"}, 400, 4047),
        ("CreateAccount", {**NEW, "AdditionalEmails": ["x"]}, 400, 4047),
        ("CreateAccount", {**NEW, "Email": "123456789012@example.com"}, 409, 9007),
        ("UpdateAccount", {}, 400, 7000),
        ("UpdateAccount", {"Email": "foo"}, 400, 4118),
        ("UpdateAccount", {"AdditionalEmails": ["foo"]}, 400, 4118),
        ("UpdateAccount", {"Email": f"{OTHER}@example.com"}, 409, 9073),
        ("UpdateAccount", {"Password": "foo"}, 400, 3001),
        ("CheckAuthentication", {"Login": "123456789012@example.com"}, 400, 7000),
        ("CheckAuthentication", {"Password": "x"}, 400, 7000),
        (
            "CheckAuthentication",
            {"Login": "123456789012@example.com", "Password": "x"},
            400,
            4120,
        ),
        ("CheckAuthentication", {"Login": "x", "Password": "x"}, 400, 4120),
    ],
)
def test_refusals(cloud, action, request_, status, code):
    cloud.add_account(OTHER)
    before = cloud.call("ReadAccounts")["Accounts"]
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (status, str(code))
    assert cloud.call("ReadAccounts")["Accounts"] == before


def test_accounts_survive_being_saved(cloud):
    made = cloud.call("CreateAccount", **NEW)["Account"]
    copy = FakeCloud()
    copy.load(cloud.save())
    assert copy.call("ReadAccounts", account=made["AccountId"])["Accounts"][0]["City"] == "Brest"
