"""The Go that is installed here."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Go:
    """A Go toolchain."""

    path: str
    version: str
    """Without the prefix: 1.26.8."""
    target: str
    """What it builds for: linux-amd64."""

    def builds(self, needed: str) -> bool:
        """Say whether it is new enough for a module whose go line says ``needed``."""
        return parts(self.version) >= parts(needed)


def parts(version: str) -> tuple[int, ...]:
    """Split a Go version so that it can be compared; 1.26 is older than 1.26.1."""
    numbers = [int(number) for number in re.findall(r"\d+", version)[:3]]
    return (*numbers, *[0] * (3 - len(numbers)))


def environment() -> Mapping[str, str]:
    """Return the environment of every go command: only the Go that is here, and no workspace."""
    return {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


def installed() -> Go | None:
    """Find the Go on PATH."""
    path = shutil.which("go")
    return _asked(path) if path else None


@functools.cache
def _asked(path: str) -> Go | None:
    done = subprocess.run(
        [path, "env", "-json", "GOVERSION", "GOOS", "GOARCH"],
        capture_output=True,
        check=False,
        env=environment(),
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        return None
    said = json.loads(done.stdout)
    found = re.search(r"go(\d[\w.]*)", said["GOVERSION"])
    return Go(path, found[1], f"{said['GOOS']}-{said['GOARCH']}") if found else None
