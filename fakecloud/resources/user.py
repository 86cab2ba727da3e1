"""EIM users: CreateUser, DeleteUser, UpdateUser, ReadUsers.

https://docs.outscale.com/en/userguide/About-EIM-Users.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, prune
from fakecloud.kinds import Data, kind
from fakecloud.rules import identities

kind(
    "User",
    id="UserId",
    index=("UserName",),
    absent=5075,
    in_use=9002,
    read="ReadUsers",
    answer="Users",
)


def _check(
    call: Call, name: tuple[str, str | None], path: tuple[str, str | None], email: str | None
) -> None:
    if name[1] is not None:
        identities.check_name(name[0], name[1])
        if call.find("User", "UserName", name[1]):
            raise errors.refusal(9022, f"The user '{name[1]}' exists already.")
    if path[1] is not None:
        identities.check_path(path[0], path[1])
    if email:
        identities.check_email("UserEmail", email)


@action
def CreateUser(
    call: Call, UserName: str, Path: str | None = None, UserEmail: str | None = None
) -> Data:
    """Create a user of the account; it may do nothing until a policy allows it."""
    _check(call, ("UserName", UserName), ("Path", Path), UserEmail)
    now = identities.today(call)
    account = call.store.row("Account", call.account)
    data = prune(
        CreationDate=now,
        LastModificationDate=now,
        OutscaleLoginAllowed=account.get("_UsersMayLogIn") if account else None,
        Path=Path or "/",
        UserEmail=UserEmail,
        UserName=UserName,
    )
    return {"User": call.create("User", data, id_=call.world.token(32).upper())}


@action
def UpdateUser(
    call: Call,
    UserName: str,
    NewPath: str | None = None,
    NewUserEmail: str | None = None,
    NewUserName: str | None = None,
) -> Data:
    """Change the name, path or e-mail address of a user; its access keys stay with it."""
    if NewPath is None and NewUserEmail is None and NewUserName is None:
        raise errors.refusal(7000, parameters="NewPath, NewUserEmail, NewUserName", least="1")
    user = identities.user(call, UserName)
    name = None if NewUserName == UserName else NewUserName
    _check(call, ("NewUserName", name), ("NewPath", NewPath), NewUserEmail)
    call.edit(user).update(
        prune(UserName=name, Path=NewPath, UserEmail=NewUserEmail),
        LastModificationDate=identities.today(call),
    )
    if name is not None:
        for key in call.find("AccessKey", "_UserId", user.id):
            call.edit(key)["_UserName"] = name
    return {"User": user}


@action
def DeleteUser(call: Call, UserName: str) -> Data:
    """Delete a user that is in no group and has no access key and no linked policy."""
    user = identities.user(call, UserName)
    call.delete(user)
    for policy in call.find("InlinePolicy", "_UserId", user.id):
        call.delete(policy)
    return {}
