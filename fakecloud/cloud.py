"""One simulated cloud: accounts, regions, time, faults, and the one door for all calls."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fakecloud import admission, answers, document, errors, faults, reads, state
from fakecloud import clock as clocks
from fakecloud import resources as _resources
from fakecloud.call import ACTIONS, PUBLIC_ACCOUNT, SEEDS, WELCOMES, Call
from fakecloud.client import Client
from fakecloud.kinds import KINDS, Data, Kind
from fakecloud.rules import identities, quotas, regions
from fakecloud.store import HISTORY, Store

Json = Any
DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "eu-west-2"
DEFAULT_ACCESS_KEY = "FAKECLOUDACCESSKEY01"
DEFAULT_SECRET_KEY = "FAKECLOUDSECRETKEY0000000000000000000001"  # noqa: S105 - opens nothing

ACCOUNT = re.compile("[0-9]{12}")

_resources.load_all()
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Caller:
    """Who calls, as a door found out; ``delay_s`` is how long a fault holds the answer back."""

    account: str
    region: str
    user: str = ""
    access_key: str = ""
    source: str = ""
    agent: str = ""
    delay_s: float = 0.0


class FakeCloud:
    """An OUTSCALE cloud in memory.

    ``clock`` is frozen unless given. ``seed`` decides identifiers, addresses and chances.
    ``strict`` makes subregions run out of capacity. ``quota`` overrides quotas by name.
    ``login`` (an e-mail address) and ``password`` are those of ``account``.
    Two clouds share nothing. All methods may be called from any thread.
    """

    def __init__(  # noqa: PLR0913 - one parameter per option
        self,
        *,
        region: str = DEFAULT_REGION,
        account: str = DEFAULT_ACCOUNT,
        clock: clocks.Clock | None = None,
        seed: int = 0,
        strict: bool = False,
        access_key: str = DEFAULT_ACCESS_KEY,
        secret_key: str = DEFAULT_SECRET_KEY,
        login: str = "",
        password: str = "",
        quota: Mapping[str, int] | None = None,
    ) -> None:
        self.document = document.load()
        self.writer = answers.Writer(self.document)
        if region not in self.document.regions:
            raise ValueError(
                f"The region is '{region}', but the document knows only "
                f"{', '.join(self.document.regions)}."
            )
        _check_account(account)
        self.region = region
        self.account = account
        self.clock = clock or clocks.Clock()
        self.seed = seed
        self.strict = strict
        self.auth = "none"
        self.lock = threading.RLock()
        self.journal = faults.Journal()
        self.faults = faults.Faults(seed)
        self._keys = (access_key, secret_key)
        self._login = (login, password)
        self._quota = dict(quota or {})
        for name in self._quota:
            quotas.check(name)
        self.forget()

    def forget(self) -> None:
        """Empty everything but the clock and the journal."""
        self.accounts: dict[str, tuple[str, str]] = {self.account: self._keys}
        self.quota: dict[str, dict[str, int]] = {"": dict(self._quota)}
        self.capacity: dict[str, list[str]] = {}
        self.strikes: dict[str, Any] = {}
        self.counter = 0
        self.requests = 0
        self.strays = 0
        self.regions: dict[str, Store] = {}
        self.welcomed: set[tuple[str, str]] = set()

    # The door.

    def call(
        self, action: str, /, *, account: str = "", region: str = "", **request: Json
    ) -> dict[str, Json]:
        """Carry out an action and return its answer; raise ``ApiError`` when it is refused.

        ``account`` and ``region`` default to the cloud's own. The answer is a fresh copy.
        """
        caller = Caller(account or self.account, region or self.region)
        answer = self.perform(action, request, caller)
        result: dict[str, Json] = _decode(answer)
        return result

    def client(self, account: str = "", region: str = "") -> Client:
        """Return an object with every action as a method, bound to an account and a region."""
        return Client(self, account or self.account, region or self.region)

    def perform(self, action: str, request: Data, caller: Caller) -> bytes:
        """Carry out an action and return its answer as JSON text; raise ``ApiError``."""
        with self.recorded(action, request, caller) as entry:
            store = self.store(caller.region, caller.account)
            call = Call(self, store, caller.region, caller.account, caller.user)
            call.action = action
            call.access_key = caller.access_key
            lost, stale_s = self.strike(action, caller)
            store.settle()
            handler, request = admission.admit(self.document, action, request)
            past: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
            if stale_s and self.document.actions[action].is_read:
                past = store.as_of(self.clock.now() - stale_s)
            with past:
                answer = self._carry_out(call, handler, request, entry.request_id)
            entry.size = len(answer)
            if lost:
                raise faults.ConnectionLost(f"{action} was carried out, but its answer was lost.")
            return answer

    @contextlib.contextmanager
    def recorded(self, action: str, request: Data, caller: Caller) -> Iterator[faults.Entry]:
        """Keep others out while a call is carried out, and write it into the journal."""
        with self.lock:
            self.requests += 1
            entry = faults.Entry(
                self.requests,
                self.clock.now(),
                caller.account,
                caller.region,
                action,
                request,
                request_id=self.request_id(self.requests),
                access_key=caller.access_key,
                source=caller.source,
                agent=caller.agent,
            )
            self.journal.add(entry)
            try:
                yield entry
            except errors.ApiError as error:
                entry.status, entry.code = error.status, error.code
                error.request_id = entry.request_id
                raise

    def strike(self, action: str, caller: Caller) -> tuple[bool, float]:
        """Let the faults in force hit a call; raise what refuses it.

        Return whether the answer will be lost, and how many seconds ago a Read looks.
        """
        lost, stale_s = False, 0.0
        if not self.faults:
            return lost, stale_s
        for fault in self.faults.striking(action, caller.account, self.clock.now()):
            if fault.effect == "delay" and self.clock.rate == 0:
                self.clock.advance(fault.seconds)
            elif fault.effect == "delay":
                caller.delay_s += fault.seconds
            elif fault.effect == "lose":
                lost = True
            elif fault.effect == "stale":
                stale_s = max(stale_s, fault.seconds)
            else:
                raise errors.refusal(fault.code, fault.details)
        return lost, stale_s

    def _carry_out(
        self, call: Call, handler: Callable[..., Data], request: Data, request_id: str
    ) -> bytes:
        arguments = request
        dry = False
        if "DryRun" in request:
            arguments = {key: value for key, value in request.items() if key != "DryRun"}
            dry = request["DryRun"]
        counter = self.counter
        try:
            with call.store.transaction(keep=not dry):
                result = handler(call, **arguments)
                if dry:
                    result = {}
                answer = self.writer.write(call.store, call.action, result, request_id)
        except BaseException:
            self.counter = counter
            raise
        if dry:
            self.counter = counter
        return answer

    # What handlers may ask (see ``call.World``).

    def limit(self, quota: str, account: str) -> int:
        """Return the value of a quota for an account."""
        own = self.quota.get(account, {})
        if quota in own:
            return own[quota]
        general = self.quota[""]
        return general[quota] if quota in general else quotas.QUOTAS[quota].maximum

    def token(self, digits: int) -> str:
        """Return hexadecimal digits, deterministic from the seed and the number of calls so far."""
        self.counter += 1
        text = f"{self.seed}/{self.counter}".encode()
        return hashlib.sha256(text).hexdigest()[:digits]

    def login_of(self, account: str) -> tuple[str, str]:
        """Return the login and the password that an account has from the start."""
        login, password = self._login if account == self.account else ("", "")
        return login or identities.default_login(account), password or identities.DEFAULT_PASSWORD

    def journal_of(self, account: str) -> list[faults.Entry]:
        """Return the calls of an account, oldest first."""
        return [entry for entry in self.journal if entry.account == account]

    def usable(self, what: str, subregion: str) -> bool:
        """Tell whether a subregion still has capacity for a VM type or GPU model."""
        return not {what, "*"} & set(self.capacity.get(subregion, ()))

    def peer(self, region: str) -> Store:
        """Return the rows of another region."""
        return self.store(region)

    def request_id(self, number: int) -> str:
        """Return the RequestId of the n-th call: a UUID, deterministic from the seed."""
        digits = hashlib.md5(b"%d/%d" % (self.seed, number), usedforsecurity=False).hexdigest()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def stray_id(self) -> str:
        """Return the RequestId of an answer that no call stands behind: one more each time."""
        with self.lock:
            self.strays += 1
            return self.request_id(-self.strays)

    def _mint(self, kind: Kind) -> str:
        self.counter += 1
        # Multiplying by an odd number only reorders the numbers, so no identifier comes twice.
        number = self.counter * (2 * self.seed + 1) % 16**kind.digits
        return f"{kind.prefix}-{number:0{kind.digits}x}"

    # Regions and accounts.

    def store(self, region: str, account: str = "") -> Store:
        """Return the rows of a region, with what it and the account hold from the start."""
        with self.lock:  # Whoever comes second must not see it half made.
            if region not in self.regions:
                self._open(region)
            if account and (region, account) not in self.welcomed:
                self.add_account(account)
            return self.regions[region]

    def _open(self, region: str) -> None:
        if region not in self.document.regions:
            raise ValueError(
                f"The region is '{region}', but the document knows only "
                f"{', '.join(self.document.regions)}."
            )
        made = self.regions[region] = self.new_store()
        self._begin(made, region, PUBLIC_ACCOUNT, SEEDS)
        for known in self.accounts:
            self._welcome(made, region, known)

    def new_store(self, rows: Data | None = None) -> Store:
        """Return the store of a region, empty or with saved rows."""
        made = Store(self._mint, self.clock.now)
        made.stuck = lambda row: self.faults.sticks(row.kind.name, row.state)
        if any(fault.effect == "stale" for fault in self.faults):
            made.history = deque(maxlen=HISTORY)
        if rows is not None:
            made.load(rows)
        return made

    def _begin(
        self, store: Store, region: str, account: str, steps: list[Callable[[Call], None]]
    ) -> None:
        call = Call(self, store, region, account)
        with store.transaction():
            for step in steps:
                step(call)

    def _welcome(self, store: Store, region: str, account: str) -> None:
        if (region, account) not in self.welcomed:
            self.welcomed.add((region, account))
            self._begin(store, region, account, WELCOMES)

    def add_account(self, account: str, access_key: str = "", secret_key: str = "") -> None:
        """Make an account known in every region, with an access key of its own."""
        _check_account(account)
        with self.lock:
            if account not in self.accounts:
                digest = hashlib.sha256(f"{self.seed}/{account}".encode()).hexdigest().upper()
                self.accounts[account] = (access_key or digest[:20], secret_key or digest[20:60])
            for region, store in self.regions.items():
                self._welcome(store, region, account)

    # Control.

    def reset(self) -> None:
        """Start anew: no resource, no fault, no journal; the clock keeps its time."""
        with self.lock:
            self.journal.clear()
            self.faults = faults.Faults(self.seed)
            self.forget()

    def set_quota(self, name: str, limit: int, account: str = "") -> None:
        """Change a quota for an account, or for all; raise ``ValueError`` for an unknown one."""
        quotas.check(name)
        with self.lock:
            self.quota.setdefault(account, {})[name] = int(limit)

    def set_capacity(self, subregion: str, without: list[str]) -> None:
        """Let a subregion run out of VM types or GPU models; ``*`` is all of them.

        Raise ``ValueError`` for an unknown subregion.
        """
        known = [name for region in regions.REGIONS for name in regions.subregions(region)]
        if subregion not in known:
            raise ValueError(f"There is no subregion '{subregion}'. There are {', '.join(known)}.")
        with self.lock:
            self.capacity[subregion] = list(without)

    def fail(self, effect: str, **facts: Json) -> faults.Fault:
        """Put a fault in force; see :class:`fakecloud.faults.Fault` for the facts.

        Raise ``ValueError`` for one that could never strike, for example of an unknown action.
        """
        faults.check_target(self.document.actions, **facts)
        with self.lock:
            fault = self.faults.add(effect, **facts)
            if effect == "stale":
                self.remember()
            return fault

    def remember(self) -> None:
        """Keep changes from now on: stale reads need a past."""
        self.store(self.region)
        for store in self.regions.values():
            if store.history is None:
                store.history = deque(maxlen=HISTORY)

    def state(self) -> dict[str, Json]:
        """Return everything that the cloud knows, as JSON-ready data in a stable order."""
        with self.lock:
            return state.dump(self)

    def save(self) -> bytes:
        """Return :meth:`state` as JSON text; saving what was loaded gives the same text."""
        return msgspec.json.format(msgspec.json.encode(self.state(), order="sorted"), indent=1)

    def load(self, saved: bytes) -> None:
        """Replace everything with a saved state; raise ``ValueError`` when it is none."""
        with self.lock:
            state.load(self, saved)


def _check_account(account: Json) -> None:
    if not isinstance(account, str) or not ACCOUNT.fullmatch(account):
        raise ValueError(f"The account is '{account}'. Use 12 digits.")


def _derive_reads() -> None:
    """Register the Read actions of all kinds that have no handler of their own."""
    for kind in KINDS.values():
        if kind.read and kind.read not in ACTIONS:
            ACTIONS[kind.read] = _reader(kind)


def _reader(kind: Kind) -> Callable[..., Data]:
    def handler(call: Call, **request: Json) -> Data:
        return reads.read(call, kind, kind.read, kind.answer, request)

    handler.__name__ = kind.read
    return handler


_derive_reads()
