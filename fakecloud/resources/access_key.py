"""Access keys: CreateAccessKey, DeleteAccessKey, ReadAccessKeys, UpdateAccessKey.

A key belongs to the root user of its account, or to an EIM user (``_UserName``).

https://docs.outscale.com/en/userguide/About-Access-Keys.html
"""

from __future__ import annotations

from fakecloud import clock, errors, reads
from fakecloud.call import Call, action, prune, welcome
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row, public
from fakecloud.rules import identities

kind(
    "AccessKey",
    id="AccessKeyId",
    refs={"_UserId": "User"},
    index=("_UserName",),
    absent=5076,
)

STATES = ("ACTIVE", "INACTIVE")


@welcome
def first_key(call: Call) -> None:
    """Give an account the access key that the cloud knows it by."""
    access_key, secret_key = call.world.accounts[call.account]
    _keep(call, access_key, secret_key, {"_UserName": ""})


def _keep(call: Call, access_key: str, secret_key: str, facts: Data) -> Row:
    now = identities.today(call)
    data = {
        "CreationDate": now,
        "LastModificationDate": now,
        "State": "ACTIVE",
        "_SecretKey": secret_key,
        **facts,
    }
    return call.create("AccessKey", data, id_=access_key)


@action
def CreateAccessKey(
    call: Call,
    ExpirationDate: str | None = None,
    Tag: str | None = None,
    UserName: str | None = None,
) -> Data:
    """Create an active access key for a user, or for who asks; only here its secret is shown."""
    name = UserName or call.user
    facts: Data = {"_UserName": name, **prune(Tag=Tag)}
    if name:
        facts["_UserId"] = identities.user(call, name).id
    facts.update(_expiration(call, ExpirationDate))
    access_key, secret_key = call.world.token(20).upper(), call.world.token(40).upper()
    row = _keep(call, access_key, secret_key, facts)
    return {"AccessKey": {**public(row.data), "SecretKey": secret_key}}


def _expiration(call: Call, date: str | None) -> Data:
    """Return the fields for an expiration date.

    Raise 4110 for what is no date, and 4118 for one that is over or that the API access policy of
    the account forbids.
    """
    policy = call.store.row("ApiAccessPolicy", call.account)
    longest = policy["MaxAccessKeyExpirationSeconds"] if policy else 0
    if date is None:
        if longest:
            raise errors.refusal(
                4118,
                "ExpirationDate is missing, but the API access policy of the account limits the "
                f"lifetime of access keys to {longest} seconds.",
            )
        return {}
    try:
        moment = clock.parse(date)
    except ValueError:
        raise errors.refusal(4110, parameter="ExpirationDate", type="date") from None
    if moment <= call.now:
        raise errors.refusal(
            4118, f"ExpirationDate is {date}, but must come after {call.today}, which is now."
        )
    if longest and moment - call.now > longest:
        raise errors.refusal(
            4118,
            f"ExpirationDate is {date}, but the API access policy of the account limits the "
            f"lifetime of access keys to {longest} seconds.",
        )
    return {"ExpirationDate": identities.date(moment), "_Expires": moment}


@action
def ReadAccessKeys(
    call: Call,
    Filters: Data | None = None,
    Tag: str | None = None,
    UserName: str | None = None,
) -> Data:
    """List the access keys of a user, or of who asks."""
    rows = reads.select(
        call, KINDS["AccessKey"], "ReadAccessKeys", Filters, candidates=_keys(call, UserName)
    )
    return {"AccessKeys": [row for row in rows if Tag is None or row.get("Tag") == Tag]}


def _keys(call: Call, user: str | None) -> list[Row]:
    name = user or call.user
    if name:
        return call.find("AccessKey", "_UserId", identities.user(call, name).id)
    return call.find("AccessKey", "_UserName", "")


def _key(call: Call, access_key: str, user: str | None, absent: int) -> Row:
    if not access_key:
        raise errors.refusal(7000, parameters="AccessKeyId", least="1")
    for row in _keys(call, user):
        if row.id == access_key:
            return row
    raise errors.refusal(absent, f"The AccessKeyId '{access_key}' doesn't exist.")


@action
def UpdateAccessKey(
    call: Call,
    AccessKeyId: str,
    ClearExpirationDate: bool | None = None,
    ClearTag: bool | None = None,
    ExpirationDate: str | None = None,
    State: str | None = None,
    Tag: str | None = None,
    UserName: str | None = None,
) -> Data:
    """Change the state, expiration or tag of an access key.

    A new state without an expiration date makes the key not expire.
    """
    if State is None and ExpirationDate is None and Tag is None:
        if not ClearExpirationDate and not ClearTag:
            raise errors.refusal(7000, parameters="State, ExpirationDate, Tag", least="1")
    elif State is not None and State not in STATES:
        raise errors.refusal(4123, f"State is '{State}', but must be one of {', '.join(STATES)}.")
    row = _key(call, AccessKeyId, UserName, 4122)
    changes = prune(State=State, Tag=Tag)
    gone = ["Tag"] if ClearTag else []
    if ClearExpirationDate or State is not None or ExpirationDate is not None:
        changes.update(_expiration(call, None if ClearExpirationDate else ExpirationDate))
        gone += [] if "_Expires" in changes else ["ExpirationDate", "_Expires"]
    data = call.edit(row)
    data.update(changes, LastModificationDate=identities.today(call))
    for name in gone:
        data.pop(name, None)
    return {"AccessKey": row}


@action
def DeleteAccessKey(call: Call, AccessKeyId: str, UserName: str | None = None) -> Data:
    """Delete an access key; that of an EIM user must be inactive."""
    row = _key(call, AccessKeyId, UserName, 5076)
    if row["_UserName"] and row["State"] != "INACTIVE":
        raise errors.refusal(
            6003,
            f"The access key '{AccessKeyId}' of the user '{row['_UserName']}' is ACTIVE. "
            "Set it to INACTIVE before deleting it.",
        )
    call.delete(row)
    return {}
