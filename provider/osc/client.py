"""The client: calls within the speed limit, repeated only where that is safe, page after page."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from provider.clock import Clock
from provider.osc.answer import Answer
from provider.osc.credentials import Credentials
from provider.osc.errors import ApiError, Cause
from provider.osc.limits import Limiter
from provider.osc.lockout import Lockout
from provider.osc.wire import Wire

WAITS_S = (0.5, 1.0, 2.0)
"""The waits before the repeats of a call, each spread by chance; more repeats there are not."""
PAGE_ROWS = 1000
"""The largest page that the API gives."""
PAGES_MOST = 1000

_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[a-z]+(?:-[a-z]+)*-[0-9a-f]{8,32}")


class Observer(Protocol):
    """What counts calls: each one that is sent, repeats included."""

    def __call__(self, action: str, outcome: str, seconds: float, throttled_s: float, /) -> None:
        """Take note of one call.

        ``outcome`` is ``ok`` or the value of an ``errors.Cause``. ``seconds`` is how long the
        answer took; ``throttled_s`` is how long the call waited for its turn before that.
        """


def ignore(_action: str, _outcome: str, _seconds: float, _throttled_s: float, /) -> None:
    """Take no note of a call."""


class Client:
    """One account in one region, over HTTP; a ``Cloud``. All threads may use it."""

    def __init__(
        self,
        credentials: Credentials,
        limiter: Limiter,
        clock: Clock,
        chance: random.Random,
        *,
        on_call: Observer = ignore,
        agent: str = "caposc",
    ) -> None:
        self.region = credentials.region
        self.alone: contextlib.AbstractContextManager[Any] = threading.Lock()
        self.wire = Wire(credentials, agent, clock)
        self._limiter = limiter
        self._lockout = Lockout(clock)
        self._clock = clock
        self._chance = chance
        self._on_call = on_call

    def call(self, action: str, /, **request: Any) -> Answer:
        """Carry out one action and return its answer; parameters that are None are left out.

        Raise ``ApiError``; its cause is UNKNOWN when the call may have been carried out unseen.
        """
        body = _given(request)
        for wait_s in WAITS_S:
            try:
                return self._send(action, body)
            except ApiError as error:
                if not _may_repeat(error):
                    raise
            self._clock.sleep(wait_s * self._chance.uniform(0.5, 1.5))
        return self._send(action, body)

    def read(self, action: str, /, **request: Any) -> list[dict[str, Any]]:
        """Return the rows of a ``Read*`` action, of all its pages; raise ``ApiError``."""
        return list(self._rows(action, request))

    def close(self) -> None:
        """Give the connections back; calls under way still end well."""
        self.wire.close()

    def _rows(self, action: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for _ in range(PAGES_MOST):
            answer = self.call(action, **request)
            yield from answer.rows()
            token = answer.get("NextPageToken")
            if not token:
                return
            if token == request.get("NextPageToken"):
                raise ApiError(action, details=f"The page {token} is followed by itself.")
            # The API refuses a token without the size of a page.
            request = {"ResultsPerPage": PAGE_ROWS, **request, "NextPageToken": token}
        raise ApiError(action, details=f"{PAGES_MOST} pages came, and none was the last.")

    def _send(self, action: str, body: dict[str, Any]) -> Answer:
        asked_s = self._clock.monotonic_s()
        with self._lockout.turn(action):
            taken_s = self._limiter.take()
            # Somebody who was before may have been told meanwhile that the secret is wrong.
            self._lockout.check(action)
            try:
                answer = self.wire.send(action, body)
            except ApiError as error:
                if error.cause is Cause.THROTTLED or error.status == 503:
                    self._limiter.refused(taken_s)
                self._lockout.note(error)
                self._note(action, body, error, asked_s, taken_s)
                raise
            self._limiter.passed(taken_s)
            self._lockout.note(None)
        self._note(action, body, None, asked_s, taken_s)
        return answer

    def _note(
        self,
        action: str,
        body: dict[str, Any],
        error: ApiError | None,
        asked_s: float,
        taken_s: float,
    ) -> None:
        seconds = self._clock.monotonic_s() - taken_s
        outcome = error.cause.value if error else "ok"
        self._on_call(action, outcome, seconds, taken_s - asked_s)
        _LOG.log(
            logging.DEBUG if error is None and action.startswith("Read") else logging.INFO,
            "%s: %s in %.3f s%s",
            " ".join([action, *_ids(body)]),
            outcome,
            seconds,
            _traces(error) if error else "",
        )


def _traces(error: ApiError) -> str:
    """Return what the support of OUTSCALE asks for, as far as there was an answer."""
    found = {"code": error.code, "request": error.request_id}
    return "".join(f", {name} {value}" for name, value in found.items() if value)


def _may_repeat(error: ApiError) -> bool:
    """Tell whether the same call can be sent again without being carried out twice."""
    if error.is_unsent or error.cause is Cause.THROTTLED:
        return True
    return error.cause is Cause.UNKNOWN and error.action.startswith("Read")


def _given(value: Any) -> Any:
    """Copy a request without what is None."""
    if isinstance(value, dict):
        return {key: _given(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_given(item) for item in value if item is not None]
    return value


def _ids(body: dict[str, Any]) -> list[str]:
    """Return the identifiers that a request names; nothing else of it may be logged."""
    found: list[str] = []
    for key, value in body.items():
        if isinstance(value, dict):
            found += _ids(value)
        elif key.endswith(("Id", "Ids")):
            values = value if isinstance(value, list) else [value]
            found += [text for text in values if isinstance(text, str) and _ID.fullmatch(text)]
    return found
