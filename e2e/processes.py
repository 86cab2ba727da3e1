"""Processes of a story: started from outside, found by what they say, stopped at the end."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ADDRESS = re.compile(r"https?://[^\s,]+")
PATIENCE_S = 30.0
STOP_S = 10.0


@contextlib.contextmanager
def running(
    name: str, arguments: list[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of this environment as a process, and stop it at the end.

    All that it prints goes into ``log``. What the user has set for a real account stays outside.
    """
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("OSC_")}
    command = [sys.executable, "-m", *arguments]
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, stdout=out, stderr=out, env={**inherited, **(environment or {})}
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise SystemExit(f"{name} did not stop within {STOP_S:.0f} s; see {log}.") from None


def address(name: str, process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until a server says where it listens, and return that."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        found = ADDRESS.search(text)
        if found:
            return found[0].rstrip(".")
        if process.poll() is not None:
            raise SystemExit(f"{name} ended with {process.returncode}:\n{text}")
        time.sleep(0.05)
    raise SystemExit(f"{name} did not say within {PATIENCE_S:.0f} s where it listens; see {log}.")
