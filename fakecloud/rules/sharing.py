"""Who may use a snapshot or an image: its owner, the accounts that it lists, or everybody."""

from __future__ import annotations

import re

from fakecloud import errors
from fakecloud.call import Call
from fakecloud.kinds import Data
from fakecloud.rows import Row

_ACCOUNT = re.compile(r"[0-9]{12}")


def private() -> Data:
    """Return the permissions of what only its owner may use."""
    return {"AccountIds": [], "GlobalPermission": False}


def may_use(permissions: Data, account: str) -> bool:
    """Tell whether permissions let an account in that is not the owner."""
    return permissions["GlobalPermission"] or account in permissions["AccountIds"]


def check(parameter: str, change: Data) -> None:
    """Refuse a change of permissions that changes nothing (7000) or both ways (3002, 4105)."""
    additions, removals = change.get("Additions", {}), change.get("Removals", {})
    if not any((additions.get("AccountIds"), removals.get("AccountIds"),
                "GlobalPermission" in additions, "GlobalPermission" in removals)):  # fmt: skip
        raise errors.refusal(
            7000, parameters=f"{parameter}.Additions, {parameter}.Removals", least="1"
        )
    added, removed = additions.get("AccountIds", []), removals.get("AccountIds", [])
    both = sorted(set(added) & set(removed))
    if both:
        raise errors.refusal(
            3002, f"The account {both[0]} is both added and removed. Do one of the two."
        )
    for account in (*added, *removed):
        if not _ACCOUNT.fullmatch(account):
            raise errors.refusal(4105, id=account)


def changed(permissions: Data, change: Data) -> Data:
    """Return permissions after a change; adding what is there and removing what is not is fine."""
    additions, removals = change.get("Additions", {}), change.get("Removals", {})
    accounts = [*permissions["AccountIds"], *additions.get("AccountIds", [])]
    gone = set(removals.get("AccountIds", []))
    everybody = permissions["GlobalPermission"] or additions.get("GlobalPermission", False)
    return {
        "AccountIds": [each for each in dict.fromkeys(accounts) if each not in gone],
        "GlobalPermission": everybody and not removals.get("GlobalPermission", False),
    }


def aliases(view: Data) -> list[str]:
    """Return what the filter AccountAliases looks at; see :func:`resolved`."""
    return [name for name in (view.get("AccountAlias"), view["AccountId"]) if name]


def resolved(call: Call, filters: Data | None) -> Data | None:
    """Return filters in which the alias ``self`` is the account of the caller."""
    wanted = (filters or {}).get("AccountAliases")
    if not filters or not wanted or "self" not in wanted:
        return filters
    names = [call.account if name == "self" else name for name in wanted]
    return {**filters, "AccountAliases": names}


def here(call: Call, region: str) -> None:
    """Raise 8019 for another region: only what is in the same one can be copied."""
    if region != call.region:
        raise errors.refusal(
            8019, f"The source region is '{region}', but must be '{call.region}', this one."
        )


def exportable(call: Call, row: Row) -> None:
    """Raise 8017 for exporting what belongs to another account."""
    if row.account != call.account:
        raise errors.refusal(
            8017, f"{row.id} belongs to another account. Copy it, and export the copy."
        )
