"""Faults are data: what goes wrong, for which requests, how often."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from fakekube import paths, status
from fakekube.call import Response

Json = Any
EFFECTS = ("refuse", "conflict", "expire", "throttle", "lose", "delay", "drop")


@dataclass
class Fault:
    """Describe one thing that goes wrong.

    effect: ``refuse`` (answered with ``code``, not carried out), ``conflict`` (409),
        ``expire`` (410 for lists and watches), ``throttle`` (429 with ``retry_after_s``),
        ``lose`` (carried out, then the connection breaks), ``drop`` (the connection breaks before
        anything is done), ``delay`` (answered after ``seconds``).
    verb, resource, namespace, name: patterns (``update``, ``config*``) of which requests.
    calls: which matching requests by number, from 1. times: how often at most; 0 for no limit.
    probability: of a matching request, from the seed of the server.
    """

    effect: str
    verb: str = "*"
    resource: str = "*"
    namespace: str = "*"
    name: str = "*"
    calls: tuple[int, ...] = ()
    times: int = 0
    probability: float = 1.0
    code: int = 500
    message: str = ""
    retry_after_s: int = 1
    seconds: float = 0.0
    id: int = 0
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(
                f"The effect of a fault is {self.effect!r}, but must be one of "
                f"{', '.join(EFFECTS)}."
            )
        if not 0 <= self.probability <= 1:
            raise ValueError(f"The probability is {self.probability}. Use a number from 0 to 1.")
        self.calls = tuple(self.calls)

    def strikes(self, info: paths.RequestInfo, chance: Callable[[], float]) -> bool:
        """Tell whether the fault hits this request, and count it."""
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        pairs = (
            (info.verb, self.verb),
            (resource, self.resource),
            (info.namespace, self.namespace),
            (info.name, self.name),
        )
        if not all(pattern == "*" or fnmatchcase(value, pattern) for value, pattern in pairs):
            return False
        self.seen += 1
        if (self.calls and self.seen not in self.calls) or (self.times and self.hits >= self.times):
            return False
        if self.probability < 1 and chance() >= self.probability:
            return False
        self.hits += 1
        return True

    @property
    def is_carried_out(self) -> bool:
        """Tell whether the request is carried out all the same."""
        return self.effect in {"lose", "delay"}

    def answer(self, refuse: Callable[[status.ApiError], Response]) -> Response:
        """Return the answer in place of the real one."""
        if self.effect == "drop":
            return Response(500, is_lost=True)
        return refuse(self.problem())

    def after(self, response: Response) -> Response:
        """Return what becomes of the real answer."""
        if self.effect == "lose":
            return Response(500, is_lost=True)
        return response

    def problem(self) -> status.ApiError:
        """Return the refusal."""
        text = self.message
        if self.effect == "conflict":
            return status.conflict(self.resource, self.name, text or status.CONFLICT_TEXT)
        if self.effect == "expire":
            return status.gone(text or "The resourceVersion for the provided watch is too old.")
        if self.effect == "throttle":
            text = text or "The server is currently unable to handle the request"
            return status.too_many_requests(text, self.retry_after_s)
        if self.code == 503:
            return status.service_unavailable(text or "The server is currently unable to serve")
        if self.code == 504:
            return status.timeout(text or "request did not complete within the allotted timeout")
        if self.code == 500:
            return status.internal_error(text or "a fault was put in force")
        return status.ApiError(self.code, "", text or "a fault was put in force")


class Faults:
    """The faults in force in one server."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._number = itertools.count(1)
        self.all: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self.all)

    def add(self, effect: str, **facts: Any) -> Fault:
        """Put a fault in force; see :class:`Fault` for the facts."""
        fault = Fault(effect, **facts)
        fault.id = next(self._number)
        self.all.append(fault)
        return fault

    def clear(self, id_: int | None = None) -> None:
        """Lift one fault, or all of them."""
        self.all = [] if id_ is None else [fault for fault in self.all if fault.id != id_]

    def strike(self, info: paths.RequestInfo) -> Fault | None:
        """Return the first fault that hits a request."""
        if not info.is_resource:
            return None
        for fault in self.all:
            if fault.strikes(info, self._chance):
                return fault
        return None

    def dump(self) -> list[dict[str, Json]]:
        """Return the faults as JSON-ready data."""
        return [asdict(fault) for fault in self.all]
