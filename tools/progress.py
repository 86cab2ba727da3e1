"""Show how a long command gets on: one line that changes on a terminal, a few lines elsewhere."""

from __future__ import annotations

import pathlib
import subprocess
import time
from typing import TextIO

TERMINAL_EVERY_S = 0.5
LOG_EVERY_S = 30.0


class Progress:
    """Where progress is told."""

    def __init__(self, stream: TextIO) -> None:
        """Tell it to this stream."""
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._is_open = False

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self._write(text, "\n")
        self._is_open = False

    def follow(self, process: subprocess.Popen[bytes], title: str, log: pathlib.Path) -> float:
        """Tell how a build gets on until it ends; return the seconds it took."""
        begun = time.monotonic()
        every_s = TERMINAL_EVERY_S if self._is_terminal else LOG_EVERY_S
        self._passing(f"{title}: building")
        while True:
            try:
                process.wait(every_s)
            except subprocess.TimeoutExpired:
                elapsed_s = time.monotonic() - begun
                self._passing(f"{title}: {elapsed_s:.0f} s, {packages(log)} packages compiled")
            else:
                return time.monotonic() - begun

    def _passing(self, text: str) -> None:
        self._write(text, "" if self._is_terminal else "\n")
        self._is_open = self._is_terminal

    def _write(self, text: str, end: str) -> None:
        # Go back to the start of the line, and clear what stands there.
        start = "\r\x1b[K" if self._is_open else ""
        self._stream.write(f"{start}{text}{end}")
        self._stream.flush()


def packages(log: pathlib.Path) -> int:
    """Count the packages that ``go build -v`` has named; a message has a colon, or is indented."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return sum(1 for line in lines if ":" not in line and not line[:1].isspace())
