"""Faults are data: what goes wrong, for which calls, how often; and a journal of every call."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from fakecloud import errors
from fakecloud.kinds import KINDS

Json = Any
EFFECTS = ("refuse", "lose", "delay", "throttle", "stale", "stuck")


class ConnectionLost(ConnectionError):
    """The call was carried out and its answer was lost on the way."""


@dataclass
class Fault:
    """Describe one thing that goes wrong.

    effect: ``refuse`` (not carried out, answered with ``code``), ``lose`` (carried out, the answer
        is lost), ``delay`` (a frozen clock steps ``seconds`` before the call; under a running one
        the answer comes so many real seconds later), ``throttle`` (at most ``limit`` calls in
        ``seconds``, then ``code`` 24, 25 or 6), ``stale`` (a Read shows what was true ``seconds``
        ago), ``stuck`` (rows of ``kind`` do not leave ``state``).
    action: which actions, as a pattern (``Create*``). account: whose calls; empty for everybody's.
    calls: which matching calls by number, from 1; empty for all. probability: of a matching call.
    times: how often at most; 0 for no limit. code, details: the refusal; without ``code``, 2000
        for ``refuse`` and 24 for ``throttle``.
    """

    effect: str
    action: str = "*"
    account: str = ""
    calls: list[int] = field(default_factory=list)
    probability: float = 1.0
    times: int = 0
    code: int = 0
    details: str | None = None
    seconds: float = 0.0
    limit: int = 0
    kind: str = ""
    state: str = ""
    id: int = 0
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(
                f"The effect of a fault is '{self.effect}', but must be one of "
                f"{', '.join(EFFECTS)}."
            )
        if not 0 <= self.probability <= 1:
            raise ValueError(f"The probability is {self.probability}. Use a number from 0 to 1.")
        if not 0 <= self.seconds < float("inf"):
            raise ValueError(f"The seconds of a fault are {self.seconds}. Use 0 or more.")
        if self.effect == "throttle" and (self.seconds == 0 or self.limit < 0):
            raise ValueError("A throttle allows a 'limit' of calls in 'seconds'. Give both.")
        self.code = self.code or (24 if self.effect == "throttle" else 2000)
        if not errors.is_code(self.code):
            raise ValueError(f"There are no errors with codes like {self.code}.")

    def strikes(self, action: str, account: str, chance: Callable[[], float]) -> bool:
        """Tell whether the fault hits this call, and count it."""
        if not fnmatchcase(action, self.action) or self.account not in ("", account):
            return False
        self.seen += 1
        if self.calls and self.seen not in self.calls:
            return False
        if self.times and self.hits >= self.times:
            return False
        if self.probability < 1 and chance() >= self.probability:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults in force in one cloud; their chances come from the cloud's seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed).random  # noqa: S311 - repeatable, not secret
        self._number = itertools.count(1)
        self._windows: dict[tuple[int, str], deque[float]] = {}
        self.all: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.all)

    def __bool__(self) -> bool:
        return bool(self.all)

    def add(self, effect: str, **facts: Any) -> Fault:
        """Put a fault in force; see :class:`Fault` for the facts.

        Raise ``ValueError`` for one that could never strike.
        """
        unknown = facts.keys() - {each.name for each in fields(Fault)}
        if unknown:
            raise TypeError(f"A fault has no {', '.join(sorted(unknown))}; see fakecloud.Fault.")
        fault = msgspec.convert({"effect": effect, **facts}, Fault)
        fault.id = next(self._number)
        self.all.append(fault)
        return fault

    def clear(self, id_: int | None = None) -> None:
        """Lift one fault, or all of them."""
        self.all = [] if id_ is None else [fault for fault in self.all if fault.id != id_]
        self._windows.clear()

    def striking(self, action: str, account: str, now: float) -> list[Fault]:
        """Return the faults that hit this call."""
        hit = []
        for fault in self.all:
            if fault.effect == "stuck" or not fault.strikes(action, account, self._chance):
                continue
            if fault.effect == "throttle" and not self._over(fault, action, account, now):
                continue
            hit.append(fault)
        return hit

    def _over(self, fault: Fault, action: str, account: str, now: float) -> bool:
        who = f"{account}/{action}" if fault.code == 25 else account
        window = self._windows.setdefault((fault.id, who), deque())
        while window and window[0] <= now - fault.seconds:
            window.popleft()
        if len(window) >= fault.limit:
            return True
        window.append(now)
        return False

    def sticks(self, kind: str, state: str) -> bool:
        """Tell whether rows of a kind do not leave a state for the time being."""
        return any(
            fault.effect == "stuck" and fault.kind in ("", kind) and fault.state in ("", state)
            for fault in self.all
        )

    def dump(self) -> list[dict[str, Json]]:
        """Return the faults as JSON-ready data."""
        return [asdict(fault) for fault in self.all]

    def load(self, saved: list[dict[str, Json]]) -> None:
        """Put saved faults in force."""
        self.all = [Fault(**item) for item in saved]
        self._number = itertools.count(max((fault.id for fault in self.all), default=0) + 1)


def check_target(
    actions: Iterable[str],
    /,
    action: Json = "*",
    kind: Json = "",
    state: Json = "",
    **_others: Json,
) -> None:
    """Raise ``ValueError`` for a fault of an action, kind or state that does not exist."""
    gateway = str(action).startswith("lbu:")
    if not gateway and not any(fnmatchcase(name, str(action)) for name in actions):
        raise ValueError(f"No action is called '{action}', so that no call can go wrong.")
    if not kind:
        return
    if kind not in KINDS:
        raise ValueError(f"There is no kind '{kind}'. There are {', '.join(sorted(KINDS))}.")
    states = KINDS[kind].lifecycle
    if state and state not in states:
        raise ValueError(
            f"No {kind} gets stuck in '{state}': nothing follows it. "
            f"Something follows {', '.join(states) or 'no state'}."
        )


SECRETS = {
    "UserData",
    "PrivateKey",
    "Password",
    "SecretKey",
    "CaPem",
    "AdminPassword",
    "PreSharedKey",
}


def redact(value: Json) -> Json:
    """Copy a request without its secrets and user data: only their length is told."""
    if isinstance(value, dict):
        return {
            key: f"(redacted, {len(str(item))} characters)" if key in SECRETS else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value


@dataclass
class Entry:
    """One call: when, who, what, and how it ended (``status`` and error ``code``)."""

    number: int
    at: float
    account: str
    region: str
    action: str
    request: Json
    status: int = 200
    code: str = ""
    request_id: str = ""
    access_key: str = ""
    source: str = ""
    agent: str = ""
    size: int = 0


class Journal:
    """The calls of a cloud, newest last.

    Only the last ``limit`` are kept, and fewer when the texts in their requests (user data, mostly)
    would together take more than ``room`` characters.
    """

    def __init__(self, limit: int = 20_000, room: int = 64 * 1024 * 1024) -> None:
        self.entries: deque[Entry] = deque()
        self._limit = limit
        self._room = room
        self._taken = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, entry: Entry) -> None:
        """Write down a call."""
        self.entries.append(entry)
        self._taken += _length(entry.request)
        while len(self.entries) > self._limit or (
            self._taken > self._room and len(self.entries) > 1
        ):
            self._taken -= _length(self.entries.popleft().request)

    def actions(self) -> list[str]:
        """Return the names of the actions called, oldest first."""
        return [entry.action for entry in self.entries]

    def clear(self) -> None:
        """Forget all calls."""
        self.entries.clear()
        self._taken = 0

    def dump(self) -> list[dict[str, Json]]:
        """Return the calls as JSON-ready data, without secrets and user data."""
        return [{**asdict(entry), "request": redact(entry.request)} for entry in self.entries]


def _length(request: Json) -> int:
    return sum([len(value) for value in request.values() if isinstance(value, str)])
