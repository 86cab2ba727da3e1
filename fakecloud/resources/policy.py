"""Managed EIM policies and their versions.

CreatePolicy, DeletePolicy, ReadPolicy, ReadPolicies, CreatePolicyVersion, DeletePolicyVersion,
ReadPolicyVersion, ReadPolicyVersions, SetDefaultPolicyVersion.

https://docs.outscale.com/en/userguide/About-Policies.html
"""

from __future__ import annotations

from fakecloud import errors, reads
from fakecloud.call import Call, action, prune
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row, public
from fakecloud.rules import identities, policies
from fakecloud.store import Store


def _view(store: Store, row: Row) -> Data:
    linked = store.count("PolicyLink", "PolicyId", row.id)
    return {**public(row.data), "ResourcesCount": linked}


kind("Policy", id="PolicyId", index=("Orn", "PolicyName"), in_use=9002, view=_view)

# The identifier is policy/version.
kind("PolicyVersion", weak={"_PolicyId": "Policy"})

VERSIONS_MAX = 5
DESCRIPTION_MAX = 1000
NAME_MAX = 128


@action
def CreatePolicy(
    call: Call, Document: str, PolicyName: str, Description: str | None = None, Path: str = "/"
) -> Data:
    """Create a policy, with its document as the default version v1."""
    identities.check_name("PolicyName", PolicyName, NAME_MAX)
    identities.check_path("Path", Path)
    if len(Description or "") > DESCRIPTION_MAX:
        raise errors.refusal(
            4106,
            parameter="Description",
            length=len(Description or ""),
            expected=f"0-{DESCRIPTION_MAX}",
        )
    policies.read(Document)
    if call.find("Policy", "PolicyName", PolicyName):
        raise errors.refusal(9015, f"The policy '{PolicyName}' exists already.")
    now = identities.today(call)
    policy = call.create(
        "Policy",
        prune(
            CreationDate=now,
            Description=Description,
            IsLinkable=True,
            LastModificationDate=now,
            Orn=identities.orn(call.account, "policy", Path, PolicyName),
            Path=Path,
            PolicyDefaultVersionId="v1",
            PolicyName=PolicyName,
            _Versions=0,
        ),
        id_=call.world.token(32).upper(),
    )
    _add(call, policy, Document, default=True)
    return {"Policy": policy}


def _add(call: Call, policy: Row, document: str, *, default: bool) -> Row:
    data = call.edit(policy)
    data["_Versions"] += 1  # The number of a deleted version does not come again.
    version = f"v{data['_Versions']}"
    return call.create(
        "PolicyVersion",
        {
            "Body": document,
            "CreationDate": identities.today(call),
            "DefaultVersion": default,
            "VersionId": version,
            "_PolicyId": policy.id,
        },
        id_=f"{policy.id}/{version}",
    )


def _versions(call: Call, policy: Row) -> list[Row]:
    return call.find("PolicyVersion", "_PolicyId", policy.id)


def _version(call: Call, policy: Row, version: str) -> Row:
    row = call.store.row("PolicyVersion", f"{policy.id}/{version}")
    if row is None:
        raise errors.refusal(5044, f"The policy '{policy['Orn']}' has no version '{version}'.")
    return row


def _prefer(call: Call, policy: Row, version: Row) -> None:
    old = _version(call, policy, policy["PolicyDefaultVersionId"])
    call.edit(old)["DefaultVersion"] = False
    call.edit(version)["DefaultVersion"] = True
    call.edit(policy)["PolicyDefaultVersionId"] = version["VersionId"]


@action
def DeletePolicy(call: Call, PolicyOrn: str) -> Data:
    """Delete a policy that is linked to nobody and has only its default version."""
    policy = identities.policy(call, PolicyOrn)
    versions = _versions(call, policy)
    if len(versions) > 1:
        raise errors.refusal(
            9002,
            f"The policy has {len(versions)} versions. Delete all but its default version "
            f"'{policy['PolicyDefaultVersionId']}' first.",
        )
    call.delete(policy)
    call.delete(versions[0])
    return {}


@action
def ReadPolicy(call: Call, PolicyOrn: str) -> Data:
    """Show a policy."""
    return {"Policy": identities.policy(call, PolicyOrn)}


@action
def ReadPolicies(
    call: Call, Filters: Data | None = None, FirstItem: int = 0, ResultsPerPage: int = 100
) -> Data:
    """List the policies of the account; OUTSCALE itself has made none here."""
    asked = Filters or {}
    rows = call.find("Policy") if asked.get("Scope", "LOCAL") == "LOCAL" else []
    rows = [row for row in rows if row["Path"].startswith(asked.get("PathPrefix", "/"))]
    if asked.get("OnlyLinked"):
        rows = [row for row in rows if call.view(row)["ResourcesCount"]]
    page = {"FirstItem": FirstItem, "ResultsPerPage": ResultsPerPage}
    return reads.page(call, "ReadPolicies", "Policies", rows, page)


@action
def CreatePolicyVersion(
    call: Call, Document: str, PolicyOrn: str, SetAsDefault: bool | None = None
) -> Data:
    """Add a version to a policy, which has five of them at most."""
    policy = identities.policy(call, PolicyOrn)
    policies.read(Document)
    count = len(_versions(call, policy))
    if count >= VERSIONS_MAX:
        raise errors.refusal(
            9002, f"The policy has {count} versions, and more are not possible. Delete one first."
        )
    version = _add(call, policy, Document, default=False)
    if SetAsDefault:
        _prefer(call, policy, version)
    call.edit(policy)["LastModificationDate"] = identities.today(call)
    return {"PolicyVersion": version}


@action
def DeletePolicyVersion(call: Call, PolicyOrn: str, VersionId: str) -> Data:
    """Delete a version of a policy that is not its default."""
    policy = identities.policy(call, PolicyOrn)
    version = _version(call, policy, VersionId)
    if version["DefaultVersion"]:
        raise errors.refusal(
            9002,
            f"'{VersionId}' is the default version. Set another with SetDefaultPolicyVersion "
            "first.",
        )
    call.delete(version)
    return {}


@action
def ReadPolicyVersion(call: Call, PolicyOrn: str, VersionId: str) -> Data:
    """Show a version of a policy."""
    return {"PolicyVersion": _version(call, identities.policy(call, PolicyOrn), VersionId)}


@action
def ReadPolicyVersions(
    call: Call, PolicyOrn: str, FirstItem: int = 0, ResultsPerPage: int = 100
) -> Data:
    """List the versions of a policy."""
    rows = _versions(call, identities.policy(call, PolicyOrn))
    page = {"FirstItem": FirstItem, "ResultsPerPage": ResultsPerPage}
    return reads.page(call, "ReadPolicyVersions", "PolicyVersions", rows, page)


@action
def SetDefaultPolicyVersion(call: Call, PolicyOrn: str, VersionId: str) -> Data:
    """Make a version of a policy the one that counts."""
    policy = identities.policy(call, PolicyOrn)
    _prefer(call, policy, _version(call, policy, VersionId))
    call.edit(policy)["LastModificationDate"] = identities.today(call)
    return {}
