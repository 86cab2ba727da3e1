"""The control API `/_fakecloud/...`: time, faults, quotas, journal and state, over HTTP."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgspec

from fakecloud import clock, faults, metadata
from fakecloud.cloud import FakeCloud
from fakecloud.door import JSON, Request, Response

Json = Any
ROOT = "/_fakecloud"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


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
            wanted = _decode(request.body) if request.body else _query(query)
            with self.cloud.lock:
                return self._done(route(wanted))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return self._fail(400, str(error) or repr(error))

    def _done(self, value: Json) -> Response:
        return Response(200, _encode({} if value is None else value), [JSON])

    def _fail(self, status: int, message: str) -> Response:
        return Response(status, _encode({"error": message}), [JSON])

    def _health(self, _: Json) -> Json:
        cloud = self.cloud
        counts = Counter(
            item["kind"] for rows in cloud.state()["regions"].values() for item in rows["rows"]
        )
        return {
            "status": "ok",
            "api": cloud.document.version,
            "region": cloud.region,
            "account": cloud.account,
            "auth": cloud.auth,
            "calls": len(cloud.journal),
            "clock": self._clock(_),
            "rows": dict(sorted(counts.items())),
        }

    def _reset(self, _: Json) -> None:
        self.cloud.reset()

    def _clock(self, _: Json) -> Json:
        now = self.cloud.clock.now()
        return {"now": clock.stamp(now), "seconds": now, "rate": self.cloud.clock.rate}

    def _set_clock(self, wanted: Json) -> Json:
        unknown = set(wanted) - {"seconds", "rate"}
        if unknown or not wanted:
            raise ValueError('The clock takes {"seconds": N} to step, {"rate": N} to run, or both.')
        if "rate" in wanted:
            self.cloud.clock.run(float(wanted["rate"]))
        if "seconds" in wanted:
            self.cloud.clock.advance(float(wanted["seconds"]))
        return self._clock(wanted)

    def _add_fault(self, wanted: Json) -> Json:
        return asdict(self.cloud.fail(**wanted))

    def _clear_faults(self, _: Json) -> None:
        self.cloud.faults.clear()

    def _journal(self, wanted: Json) -> Json:
        limit = int(wanted.get("limit", 0))
        entries = self.cloud.journal.dump()
        if "action" in wanted:
            entries = [entry for entry in entries if entry["action"] == wanted["action"]]
        return entries[-limit:]

    def _clear_journal(self, _: Json) -> None:
        self.cloud.journal.clear()

    def _load(self, wanted: Json) -> None:
        self.cloud.load(_encode(wanted))

    def _set_quota(self, wanted: Json) -> Json:
        for name, limit in wanted["quota"].items():
            self.cloud.set_quota(name, limit, wanted.get("account", ""))
        return self.cloud.quota

    def _set_capacity(self, wanted: Json) -> Json:
        self.cloud.set_capacity(wanted["subregion"], [str(item) for item in wanted["without"]])
        return self.cloud.capacity

    def _accounts(self, _: Json) -> Json:
        return [{"account": name, "access_key": keys[0]} for name, keys in
                self.cloud.accounts.items()]  # fmt: skip

    def _add_account(self, wanted: Json) -> Json:
        self.cloud.add_account(
            wanted["account"], wanted.get("access_key", ""), wanted.get("secret_key", "")
        )
        access_key, secret_key = self.cloud.accounts[wanted["account"]]
        return {
            "account": wanted["account"],
            "access_key": access_key,
            "secret_key": secret_key,
        }

    def _serve_metadata(self, wanted: Json) -> Json:
        if self._listen is None:
            raise ValueError("This door cannot listen. Start the fakecloud server instead.")
        address = self._listen(
            wanted["vm"], wanted.get("host", "127.0.0.1"), int(wanted.get("port", 0))
        )
        return {"vm": wanted["vm"], "url": address}


def _query(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split("&") if part]
    return {name: value for name, _, value in pairs}


__all__ = ["ROOT", "Control", "faults"]
