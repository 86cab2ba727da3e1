"""Specs at the same time: most of what a spec does is to wait, so that many fit into two cores.

Each one lives in a thread of its own. Those of a stage begin when pytest comes to the first of
them; pytest then only waits for each, and tells how it ended.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import inspect
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import pytest
import yaml

from e2e import waits
from e2e.spec import Ground, opened

STAGE = "stage"
"""The mark of specs that come later than others; 0 is for those without it."""
ALWAYS = "leaks"
"""The spec that comes after whatever else was asked for."""
SPEC = "spec"
"""The parameter of a function that is a spec."""


def module_of(item: pytest.Item) -> str:
    """Return the name of a spec: that of its file, without ``test_``."""
    return item.path.stem.removeprefix("test_")


def stage_of(item: pytest.Item) -> int:
    """Return in which stage a spec is."""
    mark = item.get_closest_marker(STAGE)
    return int(mark.args[0]) if mark else 0


def is_spec(item: pytest.Item) -> TypeGuard[pytest.Function]:
    """Tell whether something is a spec, and no other test."""
    return isinstance(item, pytest.Function) and SPEC in item.fixturenames


class Usual:
    """How long specs take: as they did the last time, or as config.yaml says."""

    def __init__(self, last: Path) -> None:
        """Read what is known; ``last`` is where the last run wrote it."""
        self._last = last
        config: Mapping[str, float] = yaml.safe_load(waits.CONFIG.read_text())["usual"]
        self._config = config
        self._known: dict[str, float] = json.loads(last.read_text()) if last.exists() else {}

    def of(self, item: pytest.Item) -> float:
        """Return seconds; 0 when nothing is known."""
        return self._known.get(item.name, self._config.get(module_of(item), 0.0))

    def write(self, took: Mapping[str, float]) -> None:
        """Write how long specs took this time, beside what was known of others."""
        self._last.parent.mkdir(parents=True, exist_ok=True)
        content = dict(sorted({**self._known, **took}.items()))
        self._last.write_text(json.dumps(content, indent=1) + "\n")


@dataclasses.dataclass(frozen=True)
class Budget:
    """How long a whole run may take; a spec that would take longer is not begun."""

    end_s: float
    usual: Usual

    def check(self, item: pytest.Item) -> None:
        """Skip a spec for which there is no time any more."""
        left_s, usual_s = self.end_s - time.monotonic(), self.usual.of(item)
        if usual_s > left_s:
            pytest.skip(
                f"It usually takes {usual_s:.0f} s, and of --minutes {max(left_s, 0):.0f} s "
                "are left."
            )


class Run:
    """One spec on its way."""

    def __init__(self, item: pytest.Function, ground: Ground, budget: Budget | None) -> None:
        """Prepare it."""
        self._item = item
        self._ground = ground
        self._budget = budget
        self._future: concurrent.futures.Future[None]
        self.took_s = 0.0
        self.lines: list[str] = []
        """Its story."""

    def begin(self, pool: concurrent.futures.Executor) -> None:
        """Let it live."""
        self._future = pool.submit(self._live)

    def join(self) -> None:
        """Wait for its end; raise what it raised."""
        self._future.result()

    def _live(self) -> None:
        if self._ground.stop.is_set():
            raise waits.Stopped
        if self._budget:
            self._budget.check(self._item)
        begin_s = time.monotonic()
        call = getattr(self._item, "callspec", None)
        given: dict[str, Any] = dict(call.params) if call else {}
        try:
            with opened(self._ground, module_of(self._item), self._item.name) as spec:
                self.lines = spec.story.lines
                self._item.obj(spec=spec, **given)
        finally:
            self.took_s = time.monotonic() - begin_s


class Runs:
    """All specs of a run, stage after stage; ``at_once`` is how many live at the same time."""

    def __init__(
        self, items: Sequence[pytest.Item], usual: Usual, *, at_once: int, end_s: float | None
    ) -> None:
        """Prepare them."""
        self._items = [each for each in items if is_spec(each)]
        self._usual = usual
        self._budget = None if end_s is None else Budget(end_s, usual)
        self._pool = concurrent.futures.ThreadPoolExecutor(at_once, "spec")
        self._runs: dict[str, Run] = {}

    def of(self, item: pytest.Item, ground: Ground) -> Run:
        """Return a spec that lives, or has lived."""
        if item.nodeid not in self._runs:
            stage = [each for each in self._items if stage_of(each) == stage_of(item)]
            # The longest first: the others fit beside it.
            for each in sorted(stage, key=self._usual.of, reverse=True):
                run = self._runs[each.nodeid] = Run(each, ground, self._budget_of(each))
                run.begin(self._pool)
        return self._runs[item.nodeid]

    def _budget_of(self, item: pytest.Item) -> Budget | None:
        """Return how long a spec may take; what others have left is looked for in any case."""
        others = any(each.took_s for each in self._runs.values())
        return None if module_of(item) == ALWAYS and others else self._budget

    def close(self) -> None:
        """Wait for the threads, which have been told to stop; remember how long they took."""
        self._pool.shutdown(cancel_futures=True)
        took = {e.name: self._runs[e.nodeid].took_s for e in self._items if e.nodeid in self._runs}
        self._usual.write({name: round(s, 1) for name, s in took.items() if s})


def check(items: Iterable[pytest.Item]) -> None:
    """Refuse specs that ask for what only pytest could give them; raise ``UsageError``."""
    for item in filter(is_spec, items):
        call = getattr(item, "callspec", None)
        known = {SPEC, *(call.params if call else ())}
        asked = set(inspect.signature(item.obj).parameters)
        if asked - known:
            raise pytest.UsageError(
                f"{item.nodeid} asks for {', '.join(sorted(asked - known))}. It runs in a thread, "
                f"and gets {SPEC} and its parameters only."
            )
