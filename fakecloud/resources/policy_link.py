"""Managed EIM policies linked to users and user groups.

LinkPolicy, UnlinkPolicy, ReadLinkedPolicies, LinkManagedPolicyToUserGroup,
UnlinkManagedPolicyFromUserGroup, ReadManagedPoliciesLinkedToUserGroup, ReadEntitiesLinkedToPolicy.

https://docs.outscale.com/en/userguide/About-Policies.html
"""

from __future__ import annotations

from fakecloud import errors, reads
from fakecloud.call import Call, action
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row
from fakecloud.rules import identities

# One policy linked to one user or group. The identifier is policy/user or policy/group.
kind(
    "PolicyLink",
    refs={"PolicyId": "Policy", "UserId": "User", "UserGroupId": "UserGroup"},
    schema="",
)

SHOWN = ("CreationDate", "LastModificationDate", "Orn", "PolicyId", "PolicyName")
ENTITIES = {"ACCOUNT": "Accounts", "USER": "Users", "GROUP": "Groups"}


def _link(call: Call, policy_orn: str, entity: Row) -> None:
    policy = identities.policy(call, policy_orn)
    link = f"{policy.id}/{entity.id}"
    if call.store.row("PolicyLink", link) is None:
        data = {"PolicyId": policy.id, entity.kind.id: entity.id}
        call.create("PolicyLink", data, id_=link)


def _unlink(call: Call, policy_orn: str, entity: Row, name: str) -> None:
    policy = identities.policy(call, policy_orn)
    link = call.store.row("PolicyLink", f"{policy.id}/{entity.id}")
    if link is None:
        raise errors.refusal(5044, f"The policy '{policy_orn}' is not linked to '{name}'.")
    call.delete(link)


def _linked(call: Call, entity: Row, prefix: str) -> list[Data]:
    links = call.find("PolicyLink", entity.kind.id, entity.id)
    found = [call.get("Policy", link["PolicyId"]) for link in links]
    return [
        {key: policy[key] for key in SHOWN} for policy in found if policy["Path"].startswith(prefix)
    ]


@action
def LinkPolicy(call: Call, PolicyOrn: str, UserName: str) -> Data:
    """Link a policy to a user; nothing happens when it is linked already."""
    _link(call, PolicyOrn, identities.user(call, UserName))
    return {}


@action
def UnlinkPolicy(call: Call, PolicyOrn: str, UserName: str) -> Data:
    """Take a policy from a user."""
    _unlink(call, PolicyOrn, identities.user(call, UserName), UserName)
    return {}


@action
def ReadLinkedPolicies(
    call: Call,
    UserName: str,
    Filters: Data | None = None,
    FirstItem: int = 0,
    ResultsPerPage: int = 100,
) -> Data:
    """List the policies that are linked to a user itself."""
    prefix = (Filters or {}).get("PathPrefix", "/")
    found = _linked(call, identities.user(call, UserName), prefix)
    page = {"FirstItem": FirstItem, "ResultsPerPage": ResultsPerPage}
    return reads.page(call, "ReadLinkedPolicies", "Policies", found, page)


@action
def LinkManagedPolicyToUserGroup(call: Call, PolicyOrn: str, UserGroupName: str) -> Data:
    """Link a policy to a user group; nothing happens when it is linked already."""
    _link(call, PolicyOrn, identities.user_group(call, UserGroupName))
    return {}


@action
def UnlinkManagedPolicyFromUserGroup(call: Call, PolicyOrn: str, UserGroupName: str) -> Data:
    """Take a policy from a user group."""
    _unlink(call, PolicyOrn, identities.user_group(call, UserGroupName), UserGroupName)
    return {}


@action
def ReadManagedPoliciesLinkedToUserGroup(
    call: Call,
    UserGroupName: str,
    Filters: Data | None = None,
    FirstItem: int = 0,
    ResultsPerPage: int = 100,
) -> Data:
    """List the policies that are linked to a user group."""
    asked = Filters or {}
    group = identities.user_group(call, UserGroupName)
    found = _linked(call, group, asked.get("PathPrefix", "/"))
    if group.id not in asked.get("UserGroupIds", [group.id]):
        found = []
    page = {"FirstItem": FirstItem, "ResultsPerPage": ResultsPerPage}
    action_name = "ReadManagedPoliciesLinkedToUserGroup"
    return reads.page(call, action_name, "Policies", found, page)


@action
def ReadEntitiesLinkedToPolicy(
    call: Call,
    PolicyOrn: str,
    EntitiesType: list[str] | None = None,
    FirstItem: int | None = None,
    ResultsPerPage: int | None = None,
) -> Data:
    """List the users and groups that a policy is linked to; an account itself never is."""
    policy = identities.policy(call, PolicyOrn)
    found = [
        _entity(call, link)
        for link in call.find("PolicyLink", "PolicyId", policy.id)
        if not EntitiesType or ("USER" if "UserId" in link.data else "GROUP") in EntitiesType
    ]
    first, size = FirstItem or 0, ResultsPerPage or 100
    shown: Data = {}
    for noun, entity in found[first : first + size]:
        shown.setdefault(ENTITIES[noun], []).append(entity)
    if FirstItem is not None or ResultsPerPage is not None:
        shown["HasMoreItems"] = first + size < len(found)
        shown["ItemsCount"] = len(found)
        shown["MaxResultsLimit"] = size
        shown["MaxResultsTruncated"] = False
    return {"PolicyEntities": shown}


def _entity(call: Call, link: Row) -> tuple[str, Data]:
    if "UserId" in link.data:
        noun, row = "USER", call.get("User", link["UserId"])
        name = row["UserName"]
        orn = identities.orn(row.account, "user", row["Path"], name)
    else:
        noun, row = "GROUP", call.get("UserGroup", link["UserGroupId"])
        name = row["Name"]
        orn = identities.orn(row.account, "usergroup", row["Path"], name)
    return noun, {"Id": row.id, "Name": name, "Orn": orn}
