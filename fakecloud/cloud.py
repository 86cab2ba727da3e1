"""One simulated cloud: accounts, regions, time, faults, and the one door for all calls."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fakecloud import clock as clocks
from fakecloud import document, errors, faults, reads
from fakecloud import resources as _resources
from fakecloud.call import ACTIONS, PUBLIC_ACCOUNT, SEEDS, WELCOMES, Call
from fakecloud.rules import quotas
from fakecloud.store import HISTORY, KINDS, Data, Kind, Row, Store

Json = Any
DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "eu-west-2"
DEFAULT_ACCESS_KEY = "FAKECLOUDACCESSKEY01"
DEFAULT_SECRET_KEY = "FAKECLOUDSECRETKEY0000000000000000000001"  # noqa: S105 - opens nothing
STATE_VERSION = 1

_resources.load_all()
_NOTHING: tuple[Json, ...] = ("", [], {})  # As a required value, the API takes it as missing.
_encode = msgspec.json.Encoder().encode
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
    Two clouds share nothing. All methods may be called from any thread.
    """

    def __init__(
        self,
        *,
        region: str = DEFAULT_REGION,
        account: str = DEFAULT_ACCOUNT,
        clock: clocks.Clock | None = None,
        seed: int = 0,
        strict: bool = False,
        access_key: str = DEFAULT_ACCESS_KEY,
        secret_key: str = DEFAULT_SECRET_KEY,
        quota: Mapping[str, int] | None = None,
    ) -> None:
        self.document = document.load()
        if region not in self.document.regions:
            raise ValueError(
                f"The region is '{region}', but the document knows only "
                f"{', '.join(self.document.regions)}."
            )
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
        self._quota = dict(quota or {})
        self._forget()

    def _forget(self) -> None:
        self.accounts: dict[str, tuple[str, str]] = {self.account: self._keys}
        self.quota: dict[str, dict[str, int]] = {"": dict(self._quota)}
        self.capacity: dict[str, list[str]] = {}
        self._counter = 0
        self._requests = 0
        self._stores: dict[str, Store] = {}
        self._welcomed: set[tuple[str, str]] = set()

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
        with self.lock:
            request_id = self.next_request_id()
            entry = faults.Entry(
                self._requests,
                self.clock.now(),
                caller.account,
                caller.region,
                action,
                request,
                request_id=request_id,
                access_key=caller.access_key,
                source=caller.source,
                agent=caller.agent,
            )
            self.journal.add(entry)
            try:
                store = self.store(caller.region, caller.account)
                call = Call(self, store, caller.region, caller.account, caller.user)
                call.action = action
                call.access_key = caller.access_key
                answer = self._attempt(call, action, request, entry, caller)
            except errors.ApiError as error:
                entry.status, entry.code = error.status, error.code
                error.request_id = entry.request_id
                raise
            entry.size = len(answer)
            return answer

    def _attempt(
        self, call: Call, action: str, request: Data, entry: faults.Entry, caller: Caller
    ) -> bytes:
        request_id = entry.request_id
        lost = False
        stale = 0.0
        if self.faults:
            for fault in self.faults.striking(action, call.account, self.clock.now()):
                if fault.effect == "delay" and self.clock.rate == 0:
                    self.clock.advance(fault.seconds)
                elif fault.effect == "delay":
                    caller.delay_s += fault.seconds
                elif fault.effect == "lose":
                    lost = True
                elif fault.effect == "stale":
                    stale = max(stale, fault.seconds)
                else:
                    raise errors.refusal(fault.code, fault.details)
        call.store.settle()
        handler = self.admit(action, request)
        if stale and self.document.actions[action].is_read:
            with call.store.as_of(self.clock.now() - stale):
                answer = self._carry_out(call, handler, action, request, request_id)
        else:
            answer = self._carry_out(call, handler, action, request, request_id)
        if lost:
            raise faults.ConnectionLost(f"{action} was carried out, but its answer was lost.")
        return answer

    def admit(self, action: str, request: Data) -> Callable[..., Data]:
        """Return the handler of an action after checking the request against the document.

        Raise 12000 for an unknown action, and 7000, 3001 or 4110 for a request that does not fit.
        """
        spec = self.document.actions.get(action)
        if spec is None:
            raise errors.refusal(12000, action=action)
        try:
            msgspec.convert(request, self.document.shape(spec.request))
        except msgspec.ValidationError:
            raise self._misfit(spec.request, request) from None
        for name in spec.required:
            if request[name] in _NOTHING:
                raise errors.refusal(7000, parameters=name, least="1")
        handler = ACTIONS.get(action)
        if handler is None:
            raise errors.NotSimulated(f"the action {action}")
        return handler

    def _misfit(self, schema: str, request: Data) -> errors.ApiError:
        found = {
            problem.kind: problem for problem in reversed(self.document.problems(schema, request))
        }
        if "unknown" in found:
            return errors.refusal(3001, parameter=found["unknown"].field)
        if "missing" in found:
            return errors.refusal(7000, parameters=found["missing"].field, least="1")
        if "type" in found:
            problem = found["type"]
            return errors.refusal(4110, parameter=problem.field, type=problem.expected)
        problem = found["enum"]
        return errors.refusal(
            4047,
            f"The value '{problem.got}' of {problem.field} is not supported. "
            f"Supported values: {problem.expected}.",
        )

    def _carry_out(
        self, call: Call, handler: Callable[..., Data], action: str, request: Data, request_id: str
    ) -> bytes:
        arguments = request
        dry = False
        if "DryRun" in request:
            arguments = {key: value for key, value in request.items() if key != "DryRun"}
            dry = request["DryRun"]
        counter = self._counter
        try:
            with call.store.transaction(keep=not dry):
                result = handler(call, **arguments)
                if dry:
                    result = {}
                answer = self._render(call, action, result, request_id)
        except BaseException:
            self._counter = counter
            raise
        if dry:
            self._counter = counter
        return answer

    # Answering.

    def _render(self, call: Call, action: str, result: Data, request_id: str) -> bytes:
        """Write an answer as JSON; rows are shown as their kind says, and all of it is checked."""
        spec = self.document.actions[action]
        properties = self.document.properties(spec.response)
        parts = []
        for key, value in result.items():
            if value is None:
                continue
            if key not in properties:
                raise AssertionError(f"{action} answered with {key}, which the document lacks.")
            parts.append(
                b'"%s":%s' % (key.encode(), self._write(call.store, spec.response, key, value))
            )
        parts.append(b'"ResponseContext":{"RequestId":"%s"}' % request_id.encode())
        return b"{" + b",".join(parts) + b"}"

    def _write(self, store: Store, schema: str, key: str, value: Json) -> bytes:
        if isinstance(value, Row):
            return store.wire(value, self.check)
        if isinstance(value, list):
            if value and isinstance(value[0], Row):
                return b"[" + b",".join([store.wire(row, self.check) for row in value]) + b"]"
            if not value:
                return b"[]"
        self.check(schema, {key: value})
        return _encode(value)

    def check(self, schema: str, value: Data) -> None:
        """Refuse to answer what the document does not allow: that is a mistake of ours."""
        try:
            msgspec.convert(value, self.document.shape(schema))
        except msgspec.ValidationError as error:
            missing = {"missing"} if "ResponseContext" in str(error) else set()
            problems = [p for p in self.document.problems(schema, value) if p.kind not in missing]
            if problems:
                raise AssertionError(f"The answer is no {schema}: {problems}") from None

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
        self._counter += 1
        text = f"{self.seed}/{self._counter}".encode()
        return hashlib.sha256(text).hexdigest()[:digits]

    def journal_of(self, account: str) -> list[Data]:
        """Return the calls of an account as data, oldest first, without secrets."""
        return [entry for entry in self.journal.dump() if entry["account"] == account]

    def usable(self, what: str, subregion: str) -> bool:
        """Tell whether a subregion still has capacity for a VM type or GPU model."""
        return what not in self.capacity.get(subregion, ()) and "*" not in self.capacity.get(
            subregion, ()
        )

    def peer(self, region: str) -> Store:
        """Return the rows of another region."""
        return self.store(region)

    def next_request_id(self) -> str:
        """Return the RequestId of a new call."""
        self._requests += 1
        return self.request_id(self._requests)

    def request_id(self, number: int) -> str:
        """Return the RequestId of the n-th call: a UUID, deterministic from the seed."""
        digits = hashlib.md5(b"%d/%d" % (self.seed, number), usedforsecurity=False).hexdigest()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def _mint(self, kind: Kind) -> str:
        self._counter += 1
        # Multiplying by an odd number only reorders the numbers, so no identifier comes twice.
        number = self._counter * (2 * self.seed + 1) % 16**kind.digits
        return f"{kind.prefix}-{number:0{kind.digits}x}"

    # Regions and accounts.

    def store(self, region: str, account: str = "") -> Store:
        """Return the rows of a region, with what it and the account hold from the start."""
        found = self._stores.get(region)
        if found is None:
            if region not in self.document.regions:
                raise ValueError(
                    f"The region is '{region}', but the document knows only "
                    f"{', '.join(self.document.regions)}."
                )
            found = self._stores[region] = Store(self._mint, self.clock.now)
            found.stuck = lambda row: self.faults.sticks(row.kind.name, row.state)
            if any(fault.effect == "stale" for fault in self.faults):
                found.history = deque(maxlen=HISTORY)
            self._begin(found, region, PUBLIC_ACCOUNT, SEEDS)
            for known in self.accounts:
                self._welcome(found, region, known)
        if account and (region, account) not in self._welcomed:
            self.add_account(account)
        return found

    def stores(self) -> list[Store]:
        """Return the rows of every region that was used so far."""
        return list(self._stores.values())

    def _begin(
        self, store: Store, region: str, account: str, steps: list[Callable[[Call], None]]
    ) -> None:
        call = Call(self, store, region, account)
        with store.transaction():
            for step in steps:
                step(call)

    def _welcome(self, store: Store, region: str, account: str) -> None:
        if (region, account) not in self._welcomed:
            self._welcomed.add((region, account))
            self._begin(store, region, account, WELCOMES)

    def add_account(self, account: str, access_key: str = "", secret_key: str = "") -> None:
        """Make an account known in every region, with an access key of its own."""
        with self.lock:
            if account not in self.accounts:
                digest = hashlib.sha256(f"{self.seed}/{account}".encode()).hexdigest().upper()
                self.accounts[account] = (access_key or digest[:20], secret_key or digest[20:60])
            for region, store in self._stores.items():
                self._welcome(store, region, account)

    # Control.

    def reset(self) -> None:
        """Start anew: no resource, no fault, no journal; the clock keeps its time."""
        with self.lock:
            self.journal.clear()
            self.faults = faults.Faults(self.seed)
            self._forget()

    def fail(self, effect: str, **facts: Json) -> faults.Fault:
        """Put a fault in force; see :class:`fakecloud.faults.Fault` for the facts."""
        with self.lock:
            if effect == "stale":
                self._remember()
            return self.faults.add(effect, **facts)

    def _remember(self) -> None:
        # Stale reads need a past: changes are kept from the first such fault on.
        self.store(self.region)
        for store in self._stores.values():
            if store.history is None:
                store.history = deque(maxlen=HISTORY)

    def state(self) -> dict[str, Json]:
        """Return everything that the cloud knows, as JSON-ready data in a stable order."""
        with self.lock:
            return {
                "version": STATE_VERSION,
                "seed": self.seed,
                "region": self.region,
                "account": self.account,
                "now": self.clock.now(),
                "counter": self._counter,
                "requests": self._requests,
                "accounts": {name: list(pair) for name, pair in sorted(self.accounts.items())},
                "quota": self.quota,
                "capacity": self.capacity,
                "faults": self.faults.dump(),
                "welcomed": sorted(list(pair) for pair in self._welcomed),
                "regions": {name: store.dump() for name, store in sorted(self._stores.items())},
            }

    def save(self) -> bytes:
        """Return :meth:`state` as JSON text; saving what was loaded gives the same text."""
        return msgspec.json.format(msgspec.json.encode(self.state(), order="sorted"), indent=1)

    def load(self, saved: bytes) -> None:
        """Replace everything with a saved state; raise ``ValueError`` when it is none."""
        try:
            data = _decode(saved)
            if data["version"] != STATE_VERSION:
                raise ValueError(
                    f"The state has version {data['version']}, but this fakecloud reads "
                    f"{STATE_VERSION}. Save it anew with the fakecloud that wrote it."
                )
            stores = {name: self._revive(rows) for name, rows in data["regions"].items()}
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise ValueError(f"This is not a saved state of fakecloud: {error!r}.") from None
        with self.lock:
            self.seed, self.region, self.account = data["seed"], data["region"], data["account"]
            self.clock.jump(data["now"])
            self._forget()
            self._counter, self._requests = data["counter"], data["requests"]
            self.accounts = {name: (pair[0], pair[1]) for name, pair in data["accounts"].items()}
            self.quota, self.capacity = data["quota"], data["capacity"]
            self.faults = faults.Faults(self.seed)
            self.faults.load(data["faults"])
            self._welcomed = {(pair[0], pair[1]) for pair in data["welcomed"]}
            self._stores = stores

    def _revive(self, rows: Data) -> Store:
        store = Store(self._mint, self.clock.now)
        store.stuck = lambda row: self.faults.sticks(row.kind.name, row.state)
        store.load(rows)
        return store


class Client:
    """Every action as a method: ``client.CreateNet(IpRange="10.0.0.0/16")``."""

    def __init__(self, cloud: FakeCloud, account: str, region: str) -> None:
        self.cloud = cloud
        self.account = account
        self.region = region

    def __getattr__(self, action: str) -> Callable[..., dict[str, Json]]:
        if action not in self.cloud.document.actions:
            raise AttributeError(f"The API has no action {action}.")

        def act(**request: Json) -> dict[str, Json]:
            return self.cloud.call(action, account=self.account, region=self.region, **request)

        return act


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
