"""EIM user groups and who is in them.

CreateUserGroup, DeleteUserGroup, UpdateUserGroup, ReadUserGroup, ReadUserGroups,
ReadUserGroupsPerUser, AddUserToUserGroup, RemoveUserFromUserGroup.

https://docs.outscale.com/en/userguide/About-EIM-Groups.html
"""

from __future__ import annotations

from fakecloud import errors, reads
from fakecloud.call import Call, action, prune
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row, public
from fakecloud.rules import identities
from fakecloud.store import Store


def _view(_store: Store, row: Row) -> Data:
    orn = identities.orn(row.account, "usergroup", row["Path"], row["Name"])
    return {**public(row.data), "Orn": orn}


kind(
    "UserGroup",
    id="UserGroupId",
    prefix="ug",
    index=("Name",),
    absent=5060,
    in_use=9002,
    view=_view,
    filters={"PathPrefix": "Path"},
)

# One user in one group. The API shows it only through both. The identifier is group/user.
kind("UserGroupMember", refs={"UserId": "User", "UserGroupId": "UserGroup"}, schema="")


def _check(call: Call, name: tuple[str, str | None], path: tuple[str, str | None]) -> None:
    if name[1] is not None:
        identities.check_name(name[0], name[1])
        if call.find("UserGroup", "Name", name[1]):
            raise errors.refusal(9028, f"The user group '{name[1]}' exists already.")
    if path[1] is not None:
        identities.check_path(path[0], path[1])


def _users(call: Call, group: Row) -> list[Row]:
    members = call.find("UserGroupMember", "UserGroupId", group.id)
    return [call.get("User", member["UserId"]) for member in members]


@action
def CreateUserGroup(call: Call, UserGroupName: str, Path: str | None = None) -> Data:
    """Create a group; its name is unique in the account, whatever its path."""
    _check(call, ("UserGroupName", UserGroupName), ("Path", Path))
    now = identities.today(call)
    group = call.create(
        "UserGroup",
        {
            "CreationDate": now,
            "LastModificationDate": now,
            "Name": UserGroupName,
            "Path": Path or "/",
        },
    )
    return {"UserGroup": group}


@action
def UpdateUserGroup(
    call: Call,
    UserGroupName: str,
    NewPath: str | None = None,
    NewUserGroupName: str | None = None,
    Path: str = "/",
) -> Data:
    """Change the name or path of a group; what is not given stays."""
    if NewPath is None and NewUserGroupName is None:
        raise errors.refusal(7000, parameters="NewPath, NewUserGroupName", least="1")
    group = identities.user_group(call, UserGroupName, Path)
    name = None if NewUserGroupName == UserGroupName else NewUserGroupName
    _check(call, ("NewUserGroupName", name), ("NewPath", NewPath))
    call.edit(group).update(
        prune(Name=name, Path=NewPath), LastModificationDate=identities.today(call)
    )
    return {"UserGroup": group, "Users": _users(call, group)}


@action
def DeleteUserGroup(
    call: Call, UserGroupName: str, Force: bool | None = None, Path: str = "/"
) -> Data:
    """Delete a group without users and policies, or any group with ``Force``."""
    group = identities.user_group(call, UserGroupName, Path)
    if Force:
        for held in call.store.holders(group):
            call.delete(held)
    call.delete(group)
    return {}


@action
def ReadUserGroup(call: Call, UserGroupName: str, Path: str = "/") -> Data:
    """Show a group and its users."""
    group = identities.user_group(call, UserGroupName, Path)
    return {"UserGroup": group, "Users": _users(call, group)}


@action
def ReadUserGroups(
    call: Call,
    Filters: Data | None = None,
    FirstItem: int = 0,
    ResultsPerPage: int = 100,
) -> Data:
    """List the groups of the account."""
    asked = dict(Filters or {})
    prefix = asked.pop("PathPrefix", "/")
    rows = reads.select(call, KINDS["UserGroup"], "ReadUserGroups", asked)
    rows = [row for row in rows if row["Path"].startswith(prefix)]
    page = {"FirstItem": FirstItem, "ResultsPerPage": ResultsPerPage}
    return reads.page(call, "ReadUserGroups", "UserGroups", rows, page)


@action
def ReadUserGroupsPerUser(call: Call, UserName: str, UserPath: str = "/") -> Data:
    """List the groups that a user is in."""
    user = identities.user(call, UserName, UserPath)
    members = call.find("UserGroupMember", "UserId", user.id)
    return {"UserGroups": [call.get("UserGroup", member["UserGroupId"]) for member in members]}


@action
def AddUserToUserGroup(
    call: Call, UserGroupName: str, UserName: str, UserGroupPath: str = "/", UserPath: str = "/"
) -> Data:
    """Put a user into a group; nothing happens when it is there already."""
    group = identities.user_group(call, UserGroupName, UserGroupPath)
    user = identities.user(call, UserName, UserPath)
    member = f"{group.id}/{user.id}"
    if call.store.row("UserGroupMember", member) is None:
        data = {"UserId": user.id, "UserGroupId": group.id}
        call.create("UserGroupMember", data, id_=member)
    return {}


@action
def RemoveUserFromUserGroup(
    call: Call, UserGroupName: str, UserName: str, UserGroupPath: str = "/", UserPath: str = "/"
) -> Data:
    """Take a user out of a group; raise 5098 when it is not in it."""
    group = identities.user_group(call, UserGroupName, UserGroupPath)
    user = identities.user(call, UserName, UserPath)
    member = call.store.row("UserGroupMember", f"{group.id}/{user.id}")
    if member is None:
        raise errors.refusal(
            5098, f"The user '{UserName}' is not in the user group '{UserGroupName}'."
        )
    call.delete(member)
    return {}
