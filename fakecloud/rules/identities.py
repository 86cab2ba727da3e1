"""Who is who in an account: logins, names, paths and Outscale Resource Names (ORNs).

https://docs.outscale.com/en/userguide/Resource-Identifiers.html
"""

from __future__ import annotations

import re

from fakecloud import clock, errors
from fakecloud.call import Call
from fakecloud.rows import Row

DEFAULT_PASSWORD = "FakeCloud-Password-01"  # noqa: S105 - opens nothing
"""The password of every simulated account."""

NAME = re.compile(r"[A-Za-z0-9+=,.@_-]+")
PATH = re.compile(r"/(?:[A-Za-z0-9_.-]+/)*")
EMAIL = re.compile(r".+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
POLICY_ORN = re.compile(r"orn:ows:(?:iam|idauth):\S*:\d{12}:policy/\S+")
PATH_MAX = 512


def default_login(account: str) -> str:
    """Return the login of an account that nobody gave an e-mail address."""
    return f"{account}@example.com"


def today(call: Call) -> str:
    """Return the virtual time as EIM and access keys write dates: ``+0000`` instead of ``Z``."""
    return date(call.now)


def date(moment: float) -> str:
    """Write a moment as EIM and access keys do."""
    return clock.stamp(moment).replace("Z", "+0000")


def orn(account: str, noun: str, path: str, name: str) -> str:
    """Return the ORN of a user, user group or policy."""
    return f"orn:ows:idauth::{account}:{noun}{path}{name}"


def check_name(parameter: str, name: str, most: int = 64) -> None:
    """Raise 7000 for an empty name, 4106 for one that is too long, 4047 for a bad character."""
    if not name:
        raise errors.refusal(7000, parameters=parameter, least="1")
    if len(name) > most:
        raise errors.refusal(4106, parameter=parameter, length=len(name), expected=f"1-{most}")
    if not NAME.fullmatch(name):
        raise errors.refusal(
            4047,
            f"{parameter} is '{name}', but may only have letters, digits and these "
            "characters: + = , . @ - _",
        )


def check_path(parameter: str, path: str) -> None:
    """Raise 4106 for a path that is too long, and 4047 for one that is none."""
    if len(path) > PATH_MAX:
        raise errors.refusal(4106, parameter=parameter, length=len(path), expected=f"1-{PATH_MAX}")
    if not PATH.fullmatch(path):
        raise errors.refusal(
            4047,
            f"{parameter} is '{path}', but must begin and end with a slash, with letters, digits "
            "and underscores between slashes.",
        )


def check_email(parameter: str, email: str, code: int = 4047) -> None:
    """Raise 4047, or the given code, for what is no e-mail address."""
    if not EMAIL.fullmatch(email):
        raise errors.refusal(code, f"{parameter} is '{email}', which is no e-mail address.")


def user(call: Call, name: str, path: str | None = None) -> Row:
    """Return a user of the caller's account by name, at a path when given; raise 5075."""
    for row in call.find("User", "UserName", name):
        if path is None or row["Path"] == path:
            return row
    where = "" if path is None else f" at the path '{path}'"
    raise errors.refusal(5075, f"The user '{name}'{where} doesn't exist.")


def user_group(call: Call, name: str, path: str | None = None) -> Row:
    """Return a user group of the caller's account by name, at a path when given; raise 5060."""
    for row in call.find("UserGroup", "Name", name):
        if path is None or row["Path"] == path:
            return row
    where = "" if path is None else f" at the path '{path}'"
    raise errors.refusal(5060, f"The user group '{name}'{where} doesn't exist.")


def policy(call: Call, policy_orn: str) -> Row:
    """Return a managed policy by its ORN; raise 4047 for what is none, 5044 for an unknown one."""
    if not POLICY_ORN.fullmatch(policy_orn):
        raise errors.refusal(4047, f"PolicyOrn is '{policy_orn}', which is no ORN of a policy.")
    for row in call.find("Policy", "Orn", policy_orn):
        return row
    raise errors.refusal(5044, f"The policy '{policy_orn}' doesn't exist.")
