"""What was seen of a cluster at its last look. It saves Reads; without it, all else is the same."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from provider.clock import Clock
from provider.engine import act, world
from provider.engine.plan import Verb

RECENT_S = 120.0
"""How long what was seen of other kinds holds while one kind is waited for."""


class LastLook:
    """The last look at a cluster, which counts for the same ``of``: generation, fate and uid.

    ``version`` is that of the whole object.
    """

    def __init__(
        self,
        memory: MutableMapping[str, Any],
        clock: Clock,
        of: tuple[object, bool, str],
        version: object,
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._of = of
        self._version = version
        _, self._is_going, _ = of

    @property
    def is_calm(self) -> bool:
        """Whether nothing was to be done, and nobody has touched the object since.

        Whoever sets an annotation wants a look at what is there now.
        """
        is_same = self._memory.get("version") == self._version
        return self._holds and is_same and not self._memory.get("waiting")

    @property
    def world(self) -> world.World | None:
        """What was seen, when it was a moment ago and some kinds of it were waited for."""
        if not self._holds or not self._memory.get("waiting"):
            return None
        age_s = self._clock.monotonic_s() - self._memory["at_s"]
        found: world.World = self._memory["world"]
        return found if age_s < RECENT_S else None

    @property
    def waiting(self) -> frozenset[str]:
        """The kinds that were waited for."""
        return frozenset(self._memory.get("waiting", ()))

    @property
    def _holds(self) -> bool:
        return bool(self._memory.get("of") == self._of)

    def keep(self, report: act.Report) -> None:
        """Keep what was seen while all that is left is to wait for some kinds."""
        before = self._memory.get("world"), self._memory.get("at_s")
        self.forget()
        if report.is_converged and not report.done:
            self._memory.update(of=self._of, version=self._version)
        waiting = {each.target.KIND for each in report.left if each.moves}
        if not waiting or report.intents or not self._only_waits(report):
            return
        at_s = before[1] if before[0] is report.world else self._clock.monotonic_s()
        self._memory.update(of=self._of, world=report.world, waiting=waiting, at_s=at_s)

    def forget(self) -> None:
        """Look at everything the next time."""
        for name in ("of", "version", "world", "waiting", "at_s"):
            self._memory.pop(name, None)

    def _only_waits(self, report: act.Report) -> bool:
        verbs = {Verb.WAIT, Verb.DELETE} if self._is_going else {Verb.WAIT}
        return all(each.verb in verbs for each in report.left) and all(
            each.is_busy for each in report.failures
        )
