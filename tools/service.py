"""A process in the background: its log is kept, its readiness awaited, and it never outlives us."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

KEEPER = pathlib.Path(__file__).with_name("keeper.py")
POLL_S = 0.02
TAIL_LINES = 15


class NotReady(Exception):
    """Raised when a process ended, or took too long, before it was ready."""


class Service:
    """A command that runs until it is stopped, or until this process ends in whatever way."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        folder: pathlib.Path,
        log: pathlib.Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the command in ``folder``; what it says goes to ``log``."""
        self.name = name
        self.log = log
        keeper = [sys.executable, "-I", "-S", os.fspath(KEEPER), str(os.getpid())]
        with log.open("ab") as output:
            self._keeper = subprocess.Popen(
                [*keeper, *command],
                cwd=folder,
                env=environment,
                # A signal of the terminal is for us: we stop the command in our own time.
                start_new_session=True,
                stderr=output,
                stdin=subprocess.PIPE,
                stdout=output,
            )

    @property
    def is_running(self) -> bool:
        """Say whether it runs."""
        return self._keeper.poll() is None

    def wait_until(self, is_ready: Callable[[], bool], within_s: float) -> None:
        """Return as soon as it is ready; raise ``NotReady`` if it ends, or is late."""
        deadline = time.monotonic() + within_s
        while not is_ready():
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._keeper.wait(POLL_S)
                raise NotReady(f"{self.name} ended with status {status} before it was ready.{self}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} was not ready within {within_s:g} s.{self}")

    def stop(self, grace_s: float = 0.0) -> None:
        """End it: ask first if there is a grace, then kill it; return when it is gone."""
        assert self._keeper.stdin is not None, "The keeper was started with a pipe."
        if grace_s and self.is_running:
            self._keeper.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._keeper.wait(grace_s)
        # The end of its standard input makes the keeper kill the command.
        self._keeper.stdin.close()
        self._keeper.wait()

    def __str__(self) -> str:
        """Return where the log is and how it ends, as the second half of a message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f" The end of {self.log}:\n" + "\n".join(lines[-TAIL_LINES:])
