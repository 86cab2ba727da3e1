"""Keep away from the lock of an access key: a wrong signature is not sent again and again.

OUTSCALE locks a key for a minute after four wrong signatures in a row, then for longer, and at last
for good; whoever has the right secret is locked out too. A call that is answered starts it anew.
So until one was, there is one call at a time: more of them could be four wrong ones.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from provider.clock import Clock
from provider.osc.errors import ApiError

CODES = frozenset({"1", "11", "13"})
"""The signature is wrong; because of such ones, the key is locked for good, or for a while."""
FIRST_S = 60.0
MOST_S = 600.0


class Lockout:
    """What the API said last of a signature, which is its answer for a while. Threads may use it.

    New credentials have a lockout of their own, so that a rotation does not wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: ApiError | None = None
        self._pause_s = 0.0
        self._until_s = 0.0
        self._alone = threading.Lock()
        self._trusted = threading.Event()

    @contextlib.contextmanager
    def turn(self, action: str) -> Iterator[None]:
        """Wait until one more signature does no harm; raise ``ApiError`` as ``check`` does."""
        with contextlib.ExitStack() as alone:
            if not self._trusted.is_set():
                alone.enter_context(self._alone)
                if self._trusted.is_set():
                    alone.close()
            self.check(action)
            yield

    def check(self, action: str) -> None:
        """Raise ``ApiError`` for a call that would be refused, and do harm."""
        said = self._said
        if said is not None and self._clock.monotonic_s() < self._until_s:
            raise ApiError(
                action,
                status=said.status,
                code=said.code,
                type=said.type,
                details=said.details,
                request_id=said.request_id,
            )

    def note(self, error: ApiError | None) -> None:
        """Take note of what a call came to; None is an answer."""
        if error is None:
            self._said, self._pause_s = None, 0.0
            self._trusted.set()
        elif error.code in CODES:
            self._pause_s = min(2 * self._pause_s, MOST_S) or FIRST_S
            self._until_s = self._clock.monotonic_s() + self._pause_s
            self._said = error
            self._trusted.clear()
