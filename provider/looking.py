"""What was seen of a cluster at its last look. It saves Reads; without it, all else is the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from provider.clock import Clock
from provider.engine import act, world
from provider.engine.plan import Verb
from provider.engine.resource import Resource

RECENT_S = 120.0
"""How long what was seen of other kinds holds while one kind is waited for."""
LATE_S = 60.0
"""How long answers may lack what is there, above all what was made a moment ago."""
AGAIN_S = 10.0
"""When to look again for what they lack."""


class LateError(Exception):
    """Say what should be there, but is in no answer, and may be in one soon."""


def expect(
    kinds: Iterable[type[Resource]],
    known: Mapping[str, Mapping[str, str]],
    seen: world.World,
    memory: MutableMapping[str, Any],
    clock: Clock,
) -> None:
    """Raise ``LateError`` for what was there a moment ago, and is neither seen nor deleted.

    What a process has not seen yet may have been made right before it began.
    """
    now_s = clock.monotonic_s()
    before: Mapping[str, float] = memory.get(_SINCE, {})
    there = {each.id for each in seen.all()}.union(seen.claimed)
    wanted = {id_ for kind in kinds for id_ in known.get(kind.KIND, {}).values()}
    since = {id_: before.get(id_, now_s) for id_ in there | wanted}
    memory[_SINCE] = since
    late = sorted(id_ for id_ in wanted - there if now_s - since[id_] < LATE_S)
    if late:
        what = ", ".join(late)
        raise LateError(f"The cloud does not show {what} (yet); it is looked for again")


_SINCE = "since"
"""Since when each id is known, in seconds of the clock; what is going, for ever."""


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

    def expect(
        self,
        kinds: Iterable[type[Resource]],
        known: Mapping[str, Mapping[str, str]],
        seen: world.World,
    ) -> None:
        """Raise ``LateError`` for what is found by its id, and is not seen yet."""
        found_by_id = (each for each in kinds if each.ID_FILTER)
        try:
            expect(found_by_id, known, seen, self._memory, self._clock)
        except LateError:
            self.forget()
            raise

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
        now_s = self._clock.monotonic_s()
        found = report.world.all()
        known: Mapping[str, float] = self._memory.get(_SINCE, {})
        since = {each.id: known.get(each.id, now_s) for each in found}
        going = report.world.deleted.union(each.id for each in found if each.state in each.LEAVING)
        self._memory[_SINCE] = since | dict.fromkeys(going, -math.inf)
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
