"""EIM policies: what their documents may say, and which actions they allow a user.

https://docs.outscale.com/en/userguide/EIM-Policy-Elements.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from fakecloud import errors
from fakecloud.rows import Row
from fakecloud.store import Store

DOCUMENT_MAX = 5120
"""How many characters a document may have, white space not counted."""

EFFECTS = ("Allow", "Deny")
_KEYS = {"Sid", "Effect", "Action", "NotAction", "Resource"}
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document, ready to be matched with ``service:Action``."""

    allows: bool
    names: bool
    actions: tuple[re.Pattern[str], ...]

    def covers(self, action: str) -> bool:
        """Tell whether the statement speaks of an action; ``NotAction`` speaks of all others."""
        return any(each.fullmatch(action) for each in self.actions) == self.names


@functools.lru_cache(maxsize=1024)
def read(document: str) -> tuple[Statement, ...]:
    """Read a policy document; raise 4106 when it is too long and 4047 when it is none."""
    length = len(_SPACE.sub("", document))
    if length > DOCUMENT_MAX:
        raise errors.refusal(
            4106, parameter="Document", length=length, expected=f"1-{DOCUMENT_MAX}"
        )
    try:
        content = msgspec.json.decode(document)
    except msgspec.DecodeError as error:
        raise _refused(f"is not JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("Statement"), list):
        raise _refused("has no list named Statement")
    if not content["Statement"]:
        raise _refused("has no statement")
    return tuple(_statement(item) for item in content["Statement"])


def _statement(item: Any) -> Statement:
    if not isinstance(item, dict):
        raise _refused("has a statement that is not an object")
    unknown = sorted(set(item) - _KEYS)
    if unknown:
        raise _refused(f"has the unknown element {unknown[0]}; it may have {sorted(_KEYS)}")
    if item.get("Effect") not in EFFECTS:
        raise _refused(f"has the Effect {item.get('Effect')!r}; use Allow or Deny")
    if ("Action" in item) == ("NotAction" in item):
        raise _refused("needs either Action or NotAction in each statement")
    names = "Action" in item
    actions = _texts(item["Action" if names else "NotAction"])
    if not actions:
        raise _refused("names no action in a statement")
    if _texts(item.get("Resource")) != ["*"]:
        raise _refused('needs "Resource": ["*"] in each statement')
    return Statement(item["Effect"] == "Allow", names, tuple(map(_pattern, actions)))


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return listed if all(isinstance(each, str) for each in listed) else []


def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in action.split("*")))


def _refused(what: str) -> errors.ApiError:
    return errors.refusal(4047, f"The policy document {what}.")


def allows(store: Store, account: str, user: str, action: str) -> bool:
    """Tell whether a user of an account may call ``service:Action``.

    What no policy allows is refused, and a Deny wins over every Allow. The policies are those of
    the user and of its groups, inline or managed; a managed one counts with its default version.
    The real service takes up to 15 seconds to notice a change; here it is immediate.
    """
    found = [row for row in store.rows("User", "UserName", user) if row.account == account]
    if not found:
        return False
    verdict = False
    for document in _documents(store, found[0]):
        for statement in read(document):
            if statement.covers(action):
                if not statement.allows:
                    return False
                verdict = True
    return verdict


def _documents(store: Store, user: Row) -> Iterator[str]:
    yield from _own(store, "UserId", user.id)
    for member in store.rows("UserGroupMember", "UserId", user.id):
        yield from _own(store, "UserGroupId", member["UserGroupId"])


def _own(store: Store, path: str, id_: str) -> Iterator[str]:
    for inline in store.rows("InlinePolicy", f"_{path}", id_):
        yield inline["Body"]
    for link in store.rows("PolicyLink", path, id_):
        policy = store.row("Policy", link["PolicyId"])
        assert policy is not None  # A link holds its policy.
        version = store.row("PolicyVersion", f"{policy.id}/{policy['PolicyDefaultVersionId']}")
        assert version is not None  # A default version is not deleted before its policy.
        yield version["Body"]
