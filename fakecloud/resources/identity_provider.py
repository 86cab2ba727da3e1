"""Whether Outscale logins still work beside identity federation.

DisableOutscaleLogin, EnableOutscaleLogin, DisableOutscaleLoginForUsers,
EnableOutscaleLoginForUsers, DisableOutscaleLoginPerUsers, EnableOutscaleLoginPerUsers. They
concern Cockpit only: the API goes on taking logins and access keys.

https://docs.outscale.com/en/userguide/About-Identity-Federation.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import identities


def _allow(call: Call, rows: list[Row], *, allowed: bool) -> Data:
    for row in rows:
        call.edit(row)["OutscaleLoginAllowed"] = allowed
    return {}


def _allow_all(call: Call, *, allowed: bool) -> Data:
    # Users that come later are treated the same.
    call.edit(call.get("Account", call.account))["_UsersMayLogIn"] = allowed
    return _allow(call, call.find("User"), allowed=allowed)


def _allow_some(call: Call, names: list[str], *, allowed: bool) -> Data:
    if not names:
        raise errors.refusal(7000, parameters="UserNames", least="1")
    return _allow(call, [identities.user(call, name) for name in names], allowed=allowed)


@action
def DisableOutscaleLogin(call: Call) -> Data:
    """Forbid the root user to log in with its Outscale credentials."""
    return _allow(call, [call.get("Account", call.account)], allowed=False)


@action
def EnableOutscaleLogin(call: Call) -> Data:
    """Allow the root user to log in with its Outscale credentials."""
    return _allow(call, [call.get("Account", call.account)], allowed=True)


@action
def DisableOutscaleLoginForUsers(call: Call) -> Data:
    """Forbid all EIM users to log in with their Outscale credentials."""
    return _allow_all(call, allowed=False)


@action
def EnableOutscaleLoginForUsers(call: Call) -> Data:
    """Allow all EIM users to log in with their Outscale credentials."""
    return _allow_all(call, allowed=True)


@action
def DisableOutscaleLoginPerUsers(call: Call, UserNames: list[str]) -> Data:
    """Forbid some EIM users to log in with their Outscale credentials."""
    return _allow_some(call, UserNames, allowed=False)


@action
def EnableOutscaleLoginPerUsers(call: Call, UserNames: list[str]) -> Data:
    """Allow some EIM users to log in with their Outscale credentials."""
    return _allow_some(call, UserNames, allowed=True)
