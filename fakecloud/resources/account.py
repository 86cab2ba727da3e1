"""OUTSCALE accounts: CreateAccount, ReadAccounts, UpdateAccount, CheckAuthentication.

The login of an account is its e-mail address, ``<account id>@example.com`` unless another was
given; the password is ``identities.DEFAULT_PASSWORD`` unless another was given.

https://docs.outscale.com/en/userguide/About-Your-OUTSCALE-Account.html
"""

from __future__ import annotations

import hmac
import re

from fakecloud import errors
from fakecloud.call import Call, action, prune, welcome
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row
from fakecloud.rules import identities

kind("Account", id="AccountId", index=("Email",), absent=5044)

CUSTOMER = re.compile(r"\d{8}")
FIRST_ACCOUNT = 10**11


@welcome
def own_account(call: Call) -> None:
    """Give an account its particulars, unless CreateAccount did."""
    if call.store.row("Account", call.account) is None:
        login, password = call.world.login_of(call.account)
        _keep(
            call,
            call.account,
            password,
            {
                "City": "Saint-Cloud",
                "CompanyName": "fakecloud",
                "Country": "France",
                "CustomerId": call.account[:8],
                "Email": login,
                "FirstName": "Jean",
                "LastName": "Dupont",
                "ZipCode": "92210",
            },
        )


def _keep(call: Call, account: str, password: str, particulars: Data) -> Row:
    data = {**particulars, "_Password": password}
    return call.create("Account", data, id_=account, account=account)


@action
def CreateAccount(
    call: Call,
    City: str,
    CompanyName: str,
    Country: str,
    CustomerId: str,
    Email: str,
    FirstName: str,
    LastName: str,
    ZipCode: str,
    AdditionalEmails: list[str] | None = None,
    JobTitle: str | None = None,
    MobileNumber: str | None = None,
    PhoneNumber: str | None = None,
    StateProvince: str | None = None,
    VatNumber: str | None = None,
) -> Data:
    """Create an account of its own; its resources are made when it first calls."""
    if not CUSTOMER.fullmatch(CustomerId):
        raise errors.refusal(4047, f"CustomerId is '{CustomerId}', but must be 8 digits.")
    identities.check_email("Email", Email)
    for email in AdditionalEmails or ():
        identities.check_email("AdditionalEmails", email)
    if call.store.rows("Account", "Email", Email):
        raise errors.refusal(9007, f"The e-mail address '{Email}' is that of another account.")
    row = _keep(
        call,
        _mint(call),
        identities.DEFAULT_PASSWORD,
        prune(
            AdditionalEmails=AdditionalEmails,
            City=City,
            CompanyName=CompanyName,
            Country=Country,
            CustomerId=CustomerId,
            Email=Email,
            FirstName=FirstName,
            JobTitle=JobTitle,
            LastName=LastName,
            MobileNumber=MobileNumber,
            PhoneNumber=PhoneNumber,
            StateProvince=StateProvince,
            VatNumber=VatNumber,
            ZipCode=ZipCode,
        ),
    )
    # The document's example shows everything but the customer.
    return {"Account": {k: v for k, v in call.view(row).items() if k != "CustomerId"}}


def _mint(call: Call) -> str:
    while True:  # Ends: the number of the token grows with each turn, and accounts are few.
        found = str(FIRST_ACCOUNT + int(call.world.token(12), 16) % (9 * FIRST_ACCOUNT))
        if call.store.row("Account", found) is None:
            return found


@action
def ReadAccounts(call: Call) -> Data:
    """Show the account that asks."""
    return {"Accounts": call.find("Account")}


@action
def UpdateAccount(
    call: Call,
    AdditionalEmails: list[str] | None = None,
    City: str | None = None,
    CompanyName: str | None = None,
    Country: str | None = None,
    Email: str | None = None,
    FirstName: str | None = None,
    JobTitle: str | None = None,
    LastName: str | None = None,
    MobileNumber: str | None = None,
    PhoneNumber: str | None = None,
    StateProvince: str | None = None,
    VatNumber: str | None = None,
    ZipCode: str | None = None,
) -> Data:
    """Change the particulars of the account that asks; a new e-mail address is its new login."""
    changes = prune(
        AdditionalEmails=AdditionalEmails,
        City=City,
        CompanyName=CompanyName,
        Country=Country,
        Email=Email,
        FirstName=FirstName,
        JobTitle=JobTitle,
        LastName=LastName,
        MobileNumber=MobileNumber,
        PhoneNumber=PhoneNumber,
        StateProvince=StateProvince,
        VatNumber=VatNumber,
        ZipCode=ZipCode,
    )
    if not changes:
        raise errors.refusal(7000, parameters="AdditionalEmails, City, ..., ZipCode", least="1")
    for email in AdditionalEmails or ():
        identities.check_email("AdditionalEmails", email, 4118)
    if Email is not None:
        identities.check_email("Email", Email, 4118)
        if any(row.id != call.account for row in call.store.rows("Account", "Email", Email)):
            raise errors.refusal(9073, f"The e-mail address '{Email}' is that of another account.")
    row = call.get("Account", call.account)
    data = call.edit(row)
    data.update(changes)
    if AdditionalEmails == []:
        del data["AdditionalEmails"]
    return {"Account": row}


@action
def CheckAuthentication(call: Call, Login: str, Password: str) -> Data:
    """Tell whether a login and a password are those of an account, by not raising 4120."""
    for row in call.store.rows("Account", "Email", Login):
        if hmac.compare_digest(row["_Password"].encode(), Password.encode()):
            return {}
    raise errors.refusal(4120, "The login or the password is wrong.")
