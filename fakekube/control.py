"""The control API `/_fakekube/...`: time, faults, watches, state, over HTTP and without a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from fakekube import clock, store
from fakekube.call import Request, Response

if TYPE_CHECKING:
    from fakekube.server import Kube

Json = Any
ROOT = "/_fakekube"


class Control:
    """Answer the control requests of one server."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self._routes: dict[tuple[str, str], Callable[[Json], Json]] = {
            ("GET", "health"): self._health,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("GET", "faults"): lambda _: kube.faults.dump(),
            ("POST", "faults"): lambda wanted: {"id": kube.faults.add(**wanted).id},
            ("DELETE", "faults"): lambda wanted: kube.faults.clear(wanted.get("id")),
            ("POST", "compact"): lambda _: kube.store.compact(),
            ("POST", "bookmarks"): lambda _: kube.watches.bookmark(),
            ("POST", "drop-watches"): self._drop,
            ("GET", "state"): lambda _: kube.dump(),
            ("PUT", "state"): kube.load,
            ("POST", "reset"): lambda _: kube.reset(),
        }

    def answer(self, request: Request) -> Response:
        """Answer a control request: 200 with JSON, 400 for bad input, 404 for no such path."""
        rest = request.target.partition("?")[0][len(ROOT) :].strip("/")
        route = self._routes.get((request.method, rest))
        if route is None:
            known = ", ".join(f"{verb} {ROOT}/{name}" for verb, name in self._routes)
            text = f"There is no {request.method} {ROOT}/{rest}. There are: {known}."
            return _answer(404, {"error": text})
        try:
            wanted = store.decode(request.body) if request.body else {}
            found = route(wanted)
        except (ValueError, TypeError, KeyError, AttributeError, msgspec.DecodeError) as error:
            return _answer(400, {"error": str(error) or repr(error)})
        return _answer(200, {} if found is None else found)

    def _health(self, _: Json) -> Json:
        kube = self.kube
        return {
            "status": "ok",
            "resourceVersion": str(kube.store.rv),
            "watches": len(kube.watches.open_streams),
            "objects": {
                name: len(table.records)
                for name, table in sorted(kube.store.tables.items())
                if table.records
            },
        }

    def _clock(self, _: Json) -> Json:
        now = self.kube.clock.now()
        return {"now": clock.stamp(now), "seconds": now, "rate": self.kube.clock.rate}

    def _set_clock(self, wanted: Json) -> Json:
        if not wanted or set(wanted) - {"seconds", "rate"}:
            raise ValueError('The clock takes {"seconds": N} to step, {"rate": N} to run, or both.')
        if "rate" in wanted:
            self.kube.clock.run(float(wanted["rate"]))
        if "seconds" in wanted:
            self.kube.clock.advance(float(wanted["seconds"]))
        self.kube.collector.expire()
        return self._clock(wanted)

    def _drop(self, wanted: Json) -> Json:
        is_expired = bool(wanted.get("expired"))
        table = wanted.get("resource", "")
        return {"dropped": self.kube.watches.drop(is_expired=is_expired, table=table)}


def _answer(code: int, value: Json) -> Response:
    return Response(code, [store.encode(value)])
