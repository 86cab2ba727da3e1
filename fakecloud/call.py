"""One action being carried out: who asks, where, and the only way to read and change rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from fakecloud import clock, errors
from fakecloud.faults import Entry
from fakecloud.kinds import KINDS, Data, Kind
from fakecloud.rows import Row
from fakecloud.store import Store

Json = Any
Handler = Callable[..., Data]

ACTIONS: dict[str, Handler] = {}
"""Every simulated action: a function named like the action, with the request's parameters."""

SHAPE_ONLY: dict[str, str] = {}
"""Simulated actions that answer in the right shape with made-up content, and why."""

SEEDS: list[Callable[[Call], None]] = []
"""What every region holds from the start."""

WELCOMES: list[Callable[[Call], None]] = []
"""What every account holds from the start, in every region."""

PUBLIC_ACCOUNT = "Outscale"
"""The owner of public images and of everything else that belongs to the cloud itself."""


def action(handler: Handler) -> Handler:
    """Register a function as the simulation of the action that it is named after."""
    if handler.__name__ in ACTIONS:
        raise ValueError(f"{handler.__name__} is simulated twice. Remove one.")
    ACTIONS[handler.__name__] = handler
    return handler


def shape_only(reason: str) -> Callable[[Handler], Handler]:
    """Register an action whose answer has the right shape but made-up content."""

    def register(handler: Handler) -> Handler:
        SHAPE_ONLY[handler.__name__] = reason
        return action(handler)

    return register


def seed(function: Callable[[Call], None]) -> Callable[[Call], None]:
    """Register what every region holds from the start."""
    SEEDS.append(function)
    return function


def welcome(function: Callable[[Call], None]) -> Callable[[Call], None]:
    """Register what every account holds from the start, in every region."""
    WELCOMES.append(function)
    return function


class World(Protocol):
    """What a call may ask of the cloud that it runs in."""

    strict: bool
    auth: str
    accounts: dict[str, tuple[str, str]]

    def limit(self, quota: str, account: str) -> int:
        """Return the value of a quota for an account."""

    def token(self, digits: int) -> str:
        """Return as many hexadecimal digits, deterministic from the cloud's seed."""

    def login_of(self, account: str) -> tuple[str, str]:
        """Return the login and the password that an account has from the start."""

    def journal_of(self, account: str) -> list[Entry]:
        """Return the calls of an account, oldest first."""

    def usable(self, what: str, subregion: str) -> bool:
        """Tell whether a subregion has capacity for a VM type or a GPU model."""

    def peer(self, region: str) -> Store:
        """Return the rows of another region."""


class Call:
    """Give a handler its caller, its region, the time, and the rows that it may see."""

    def __init__(
        self, world: World, store: Store, region: str, account: str, user: str = ""
    ) -> None:
        self.world = world
        self.store = store
        self.region = region
        self.account = account
        self.user = user
        self.action = ""
        self.access_key = ""

    @property
    def now(self) -> float:
        """Return the virtual time, in seconds since the epoch."""
        return self.store.now()

    @property
    def today(self) -> str:
        """Return the virtual time as the API writes dates."""
        return clock.stamp(self.store.now())

    @property
    def subregion(self) -> str:
        """Return the default subregion."""
        return self.region + "a"

    # Looking.

    def get(self, name: str, id_: str, *, live: bool = True) -> Row:
        """Return the row that an identifier in the request names.

        Raise 4104 for the identifier of another kind, 4105 for a malformed one, and the kind's
        own error when there is no such row, or it is another account's, or (with ``live``) it is
        only a tombstone.
        """
        kind = KINDS[name]
        check_id(kind, id_)
        row = self.store.row(name, id_)
        if row is None or not self.sees(row) or (live and not row.is_live):
            raise absent(kind, id_)
        return row

    def own(self, name: str, id_: str) -> Row:
        """Return a row as :meth:`get` does, but only one of the caller's account."""
        row = self.get(name, id_)
        if row.account != self.account:
            raise absent(row.kind, id_)
        return row

    def find(self, name: str, path: str = "live", value: Json = None) -> list[Row]:
        """Return the caller's live rows whose indexed path holds a value, oldest first."""
        if path == "live":
            return self.store.rows(name, "live", self.account)
        rows = self.store.rows(name, path, value)
        return [row for row in rows if row.account == self.account and row.is_live]

    def sees(self, row: Row) -> bool:
        """Tell whether the caller may see a row."""
        if row.account == self.account:
            return True
        visible = row.kind.visible
        return visible is not None and visible(row, self.account)

    def same(self, name: str, token: str | None) -> list[Row]:
        """Return the rows that an earlier call with this ClientToken made."""
        if not token:
            return []
        if len(token) > 64:  # "up to 64 ASCII characters", says the document.
            raise errors.refusal(4106, parameter="ClientToken", length=len(token), expected="1-64")
        rows = self.store.rows(name, "_ClientToken", token)
        return [row for row in rows if row.account == self.account]

    def view(self, row: Row) -> Data:
        """Return a row as the API shows it. It is shared: it must not be changed."""
        return self.store.view(row)

    # Changing.

    def create(
        self, name: str, data: Data, *, state: str = "", id_: str = "", account: str = ""
    ) -> Row:
        """Add a row for the caller, within the quota of its kind."""
        kind = KINDS[name]
        if kind.quota:
            self.within(kind.quota, self.store.count(name, "live", account or self.account) + 1)
        if kind.resource_type is not None:
            data.setdefault("Tags", [])
        return self.store.create(name, data, account or self.account, id_, state)

    def edit(self, row: Row) -> Data:
        """Return the data of a row for changing it."""
        return self.store.edit(row)

    def become(self, row: Row, state: str, after: float | None = None) -> None:
        """Put a row into a state now."""
        self.store.become(row, state, after)

    def delete(self, row: Row, state: str = "") -> None:
        """Delete a row that nothing holds, or let it enter ``state`` on its way out."""
        if self.store.holders(row):
            raise in_use(row)
        if state:
            self.store.become(row, state)
        else:
            self.store.remove(row)

    def run(self, name: str, **request: Json) -> Data:
        """Carry out another action as part of this one; all of it happens or none."""
        return ACTIONS[name](self, **request)

    def within(self, quota: str, wanted: int) -> None:
        """Raise the error of a quota when ``wanted`` is more than it allows."""
        limit = self.world.limit(quota, self.account)
        if wanted > limit:
            raise exceeded(quota, limit)


MALFORMED = re.compile(r"[0-9a-f]+")


def check_id(kind: Kind, id_: str) -> None:
    """Refuse the identifier of another kind (4104) and one that cannot exist (4105)."""
    if not kind.prefix:
        return
    start = kind.prefix + "-"
    if not id_.startswith(start):
        raise errors.refusal(4104, id=id_, prefix=start)
    rest = id_[len(start) :]
    if len(rest) != kind.digits or not MALFORMED.fullmatch(rest):
        raise errors.refusal(4105, id=id_)


def absent(kind: Kind, id_: str) -> errors.ApiError:
    """Make the error for an identifier that names nothing the caller can see."""
    return errors.refusal(kind.absent, param=kind.parameter or kind.id, id=id_)


def in_use(row: Row) -> errors.ApiError:
    """Make the error for deleting a row that something holds."""
    return errors.refusal(row.kind.in_use, id=row.id)


QUOTA_CODES: dict[str, int] = {}
"""Quota -> the error code for exceeding it; filled beside the table of quotas."""


def exceeded(quota: str, limit: int) -> errors.ApiError:
    """Make the error of a quota that is used up."""
    code = QUOTA_CODES[quota]
    return errors.refusal(code, limit=limit)


def prune(**fields: Json) -> Data:
    """Return the fields that have a value: the API leaves out what is absent."""
    return {name: value for name, value in fields.items() if value is not None}
