"""A spec told step by step, with the time of each; a failing run reads as a story."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

WIDTH = 16
"""Of the longest label that is still in line."""


class Story:
    """The steps of one spec; they are printed as they happen."""

    def __init__(self, title: str, label: str = "") -> None:
        """Begin now; ``label`` stands in front of what is printed, as others print too."""
        self._label = label
        self._start = time.monotonic()
        self.lines: list[str] = []
        self._say(title)

    @contextlib.contextmanager
    def step(self, sentence: str) -> Iterator[None]:
        """Do something, and say what, how long it took, and whether it went well."""
        begin = time.monotonic()
        try:
            yield
        except BaseException as problem:
            self._say(f"FAILED  {sentence} ({time.monotonic() - begin:.1f} s): {problem}")
            raise
        self._say(f"  {sentence} ({time.monotonic() - begin:.1f} s)")

    def tell(self, what: str) -> None:
        """Say something more of the step that is being done."""
        self._say(f"      {what}")

    def _say(self, text: str) -> None:
        line = f"{time.monotonic() - self._start:6.1f} s  {text}"
        self.lines.append(line)
        # In one call, or lines of several threads would mix.
        print(f"{self._label:<{WIDTH}} {line}\n", end="", flush=True)
