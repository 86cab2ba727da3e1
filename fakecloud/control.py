"""The control API `/_fakecloud/...`: time, faults, quotas, journal and state, over HTTP."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import msgspec

from fakecloud import clock, faults, metadata
from fakecloud.cloud import FakeCloud
from fakecloud.door import JSON, Request, Response
from fakecloud.kinds import KINDS
from fakecloud.rules import quotas

Json = Any
ROOT = "/_fakecloud"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Time(msgspec.Struct, forbid_unknown_fields=True):
    """Step the clock by ``seconds``, let it run at ``rate``, or both."""

    seconds: float | None = None
    rate: float | None = None


class Journal(msgspec.Struct, forbid_unknown_fields=True):
    """Ask for the calls of one action, or for the last ``limit``."""

    action: str = ""
    limit: Annotated[int, msgspec.Meta(ge=0)] = 0


class Quota(msgspec.Struct, forbid_unknown_fields=True):
    """Change quotas for an account, or for all."""

    quota: dict[str, int]
    account: str = ""


class Capacity(msgspec.Struct, forbid_unknown_fields=True):
    """Let a subregion run out of VM types or GPU models."""

    subregion: str
    without: list[str]


class Account(msgspec.Struct, forbid_unknown_fields=True):
    """Make an account known, with an access key of its choice."""

    account: str
    access_key: str = ""
    secret_key: str = ""


class Listener(msgspec.Struct, forbid_unknown_fields=True):
    """Open a metadata listener for a VM; port 0 chooses one."""

    vm: str
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0


class Control:
    """Answer the control requests of one cloud.

    ``listen`` opens a metadata listener for a VM and returns its address; doors that cannot
    listen leave it out.
    """

    def __init__(
        self, cloud: FakeCloud, listen: Callable[[str, str, int], str] | None = None
    ) -> None:
        self.cloud = cloud
        self._listen = listen
        self._routes: dict[tuple[str, str], Callable[[Json], Json]] = {
            ("GET", "health"): self._health,
            ("POST", "reset"): self._reset,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("GET", "faults"): lambda _: self.cloud.faults.dump(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "journal"): self._journal,
            ("DELETE", "journal"): self._clear_journal,
            ("GET", "state"): lambda _: self.cloud.state(),
            ("PUT", "state"): self._load,
            ("POST", "state"): self._load,
            ("GET", "quota"): lambda _: self.cloud.quota,
            ("POST", "quota"): self._set_quota,
            ("GET", "capacity"): lambda _: self.cloud.capacity,
            ("POST", "capacity"): self._set_capacity,
            ("GET", "accounts"): self._accounts,
            ("POST", "accounts"): self._add_account,
            ("POST", "metadata"): self._serve_metadata,
        }

    def answer(self, request: Request) -> Response:
        """Answer a control request: 200 with JSON, 400 for bad input, 404 for no such path."""
        path, _, query = request.path.partition("?")
        rest = path[len(ROOT) :].strip("/")
        if rest.startswith("metadata/") and request.method == "GET":
            vm, _, inner = rest.removeprefix("metadata/").partition("/")
            status, text = metadata.answer(self.cloud, vm, "/" + inner)
            return Response(
                status, text.encode("utf-8", "surrogateescape"), [("Content-Type", "text/plain")]
            )
        route = self._routes.get((request.method, rest))
        found = re.fullmatch(r"faults/(\d+)", rest)
        if found and request.method == "DELETE":
            self.cloud.faults.clear(int(found[1]))
            return self._done({})
        if route is None:
            known = ", ".join(f"{verb} {ROOT}/{name}" for verb, name in self._routes)
            return self._fail(404, f"There is no {request.method} {path}. There are: {known}.")
        try:
            wanted = _object(request.body) if request.body else _query(query)
            with self.cloud.lock:
                return self._done(route(wanted))
        except (ValueError, TypeError, RecursionError) as error:
            return self._fail(400, str(error))
        except OSError as error:
            return self._fail(400, f"No listener can be opened there: {error.strerror or error}.")
        except Exception:  # noqa: BLE001 - a mistake of ours is a 500 with its trace on our side
            traceback.print_exc()
            return self._fail(500, "fakecloud failed; its output has the trace.")

    def _done(self, value: Json) -> Response:
        return Response(200, _encode({} if value is None else value), [JSON])

    def _fail(self, status: int, message: str) -> Response:
        return Response(status, _encode({"error": message}), [JSON])

    def _health(self, _: Json) -> Json:
        cloud = self.cloud
        counts: Counter[str] = Counter()
        for store in cloud.regions.values():
            counts.update({name: len(store.table(name).rows) for name in KINDS})
        return {
            "status": "ok",
            "api": cloud.document.version,
            "region": cloud.region,
            "account": cloud.account,
            "auth": cloud.auth,
            "calls": len(cloud.journal),
            "clock": self._clock({}),
            "rows": {name: count for name, count in sorted(counts.items()) if count},
        }

    def _reset(self, _: Json) -> None:
        self.cloud.reset()

    def _clock(self, _: Json) -> Json:
        now = self.cloud.clock.now()
        return {"now": clock.stamp(now), "seconds": now, "rate": self.cloud.clock.rate}

    def _set_clock(self, wanted: Json) -> Json:
        asked = msgspec.convert(wanted, Time)
        if asked.seconds is None and asked.rate is None:
            raise ValueError('The clock takes {"seconds": N} to step, {"rate": N} to run, or both.')
        if asked.rate is not None:
            self.cloud.clock.run(asked.rate)
        if asked.seconds is not None:
            self.cloud.clock.advance(asked.seconds)
        return self._clock({})

    def _add_fault(self, wanted: Json) -> Json:
        if "effect" not in wanted:
            raise ValueError(f"A fault has an effect: one of {', '.join(faults.EFFECTS)}.")
        return asdict(self.cloud.fail(**wanted))

    def _clear_faults(self, _: Json) -> None:
        self.cloud.faults.clear()

    def _journal(self, wanted: Json) -> Json:
        asked = msgspec.convert(wanted, Journal, strict=False)
        entries = self.cloud.journal.dump()
        if asked.action:
            entries = [entry for entry in entries if entry["action"] == asked.action]
        return entries[-asked.limit :]

    def _clear_journal(self, _: Json) -> None:
        self.cloud.journal.clear()

    def _load(self, wanted: Json) -> None:
        self.cloud.load(_encode(wanted))

    def _set_quota(self, wanted: Json) -> Json:
        asked = msgspec.convert(wanted, Quota)
        for name in asked.quota:
            quotas.check(name)
        for name, limit in asked.quota.items():
            self.cloud.set_quota(name, limit, asked.account)
        return self.cloud.quota

    def _set_capacity(self, wanted: Json) -> Json:
        asked = msgspec.convert(wanted, Capacity)
        self.cloud.set_capacity(asked.subregion, asked.without)
        return self.cloud.capacity

    def _accounts(self, _: Json) -> Json:
        return [{"account": name, "access_key": keys[0]} for name, keys in
                self.cloud.accounts.items()]  # fmt: skip

    def _add_account(self, wanted: Json) -> Json:
        asked = msgspec.convert(wanted, Account)
        self.cloud.add_account(asked.account, asked.access_key, asked.secret_key)
        access_key, secret_key = self.cloud.accounts[asked.account]
        return {
            "account": asked.account,
            "access_key": access_key,
            "secret_key": secret_key,
        }

    def _serve_metadata(self, wanted: Json) -> Json:
        asked = msgspec.convert(wanted, Listener)
        if self._listen is None:
            raise ValueError("This door cannot listen. Start the fakecloud server instead.")
        if not any(store.row("Vm", asked.vm) for store in self.cloud.regions.values()):
            raise ValueError(f"There is no VM '{asked.vm}'.")
        return {"vm": asked.vm, "url": self._listen(asked.vm, asked.host, asked.port)}


def _object(body: bytes) -> Json:
    wanted = _decode(body)
    if not isinstance(wanted, dict):
        raise TypeError("The body of a control request is a JSON object.")
    return wanted


def _query(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split("&") if part]
    return {name: value for name, _, value in pairs}
