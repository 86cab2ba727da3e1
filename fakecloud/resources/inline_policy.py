"""Inline EIM policies: documents that belong to one user or one user group.

PutUserPolicy, DeleteUserPolicy, ReadUserPolicy, ReadUserPolicies, PutUserGroupPolicy,
DeleteUserGroupPolicy, ReadUserGroupPolicy, ReadUserGroupPolicies.

https://docs.outscale.com/en/userguide/About-Policies.html
"""

from __future__ import annotations

from fakecloud import errors, reads
from fakecloud.call import Call, action
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row
from fakecloud.rules import identities, policies

# It goes with its user, but keeps its group from being deleted without force. The identifier is
# user/name or group/name.
kind("InlinePolicy", refs={"_UserGroupId": "UserGroup"}, weak={"_UserId": "User"})

NAME_MAX = 128


def _put(call: Call, owner: Row, name: str, document: str) -> None:
    identities.check_name("PolicyName", name, NAME_MAX)
    policies.read(document)
    row = call.store.row("InlinePolicy", f"{owner.id}/{name}")
    if row is None:
        data = {"Body": document, "Name": name, f"_{owner.kind.id}": owner.id}
        call.create("InlinePolicy", data, id_=f"{owner.id}/{name}")
    else:
        call.edit(row)["Body"] = document


def _inline(call: Call, owner: Row, name: str) -> Row:
    row = call.store.row("InlinePolicy", f"{owner.id}/{name}")
    if row is None:
        raise errors.refusal(5044, f"The inline policy '{name}' doesn't exist.")
    return row


@action
def PutUserPolicy(call: Call, PolicyDocument: str, PolicyName: str, UserName: str) -> Data:
    """Give a user an inline policy, or replace the one of that name."""
    _put(call, identities.user(call, UserName), PolicyName, PolicyDocument)
    return {}


@action
def DeleteUserPolicy(call: Call, PolicyName: str, UserName: str) -> Data:
    """Take an inline policy from a user."""
    call.delete(_inline(call, identities.user(call, UserName), PolicyName))
    return {}


@action
def ReadUserPolicy(call: Call, PolicyName: str, UserName: str) -> Data:
    """Show an inline policy of a user."""
    row = _inline(call, identities.user(call, UserName), PolicyName)
    return {"PolicyDocument": row["Body"], "PolicyName": PolicyName, "UserName": UserName}


@action
def ReadUserPolicies(call: Call, UserName: str) -> Data:
    """List the names of the inline policies of a user."""
    user = identities.user(call, UserName)
    return {"PolicyNames": [row["Name"] for row in call.find("InlinePolicy", "_UserId", user.id)]}


@action
def PutUserGroupPolicy(
    call: Call, PolicyDocument: str, PolicyName: str, UserGroupName: str, UserGroupPath: str = "/"
) -> Data:
    """Give a user group an inline policy, or replace the one of that name."""
    group = identities.user_group(call, UserGroupName, UserGroupPath)
    _put(call, group, PolicyName, PolicyDocument)
    return {}


@action
def DeleteUserGroupPolicy(
    call: Call, PolicyName: str, UserGroupName: str, UserGroupPath: str = "/"
) -> Data:
    """Take an inline policy from a user group."""
    group = identities.user_group(call, UserGroupName, UserGroupPath)
    call.delete(_inline(call, group, PolicyName))
    return {}


@action
def ReadUserGroupPolicy(
    call: Call, PolicyName: str, UserGroupName: str, UserGroupPath: str = "/"
) -> Data:
    """Show an inline policy of a user group."""
    group = identities.user_group(call, UserGroupName, UserGroupPath)
    return {"Policy": _inline(call, group, PolicyName)}


@action
def ReadUserGroupPolicies(
    call: Call,
    UserGroupName: str,
    FirstItem: int = 0,
    ResultsPerPage: int = 100,
    UserGroupPath: str = "/",
) -> Data:
    """List the inline policies of a user group."""
    group = identities.user_group(call, UserGroupName, UserGroupPath)
    rows = call.find("InlinePolicy", "_UserGroupId", group.id)
    page = {"FirstItem": FirstItem, "ResultsPerPage": ResultsPerPage}
    return reads.page(call, "ReadUserGroupPolicies", "Policies", rows, page)
