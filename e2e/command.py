"""Commands of users: run to their end, with all that they said when they refuse."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

WITHIN_S = 300.0


class Refused(AssertionError):
    """Raised when a command ends with an error; says the command and its words."""


def run(
    command: list[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    given: str | None = None,
    within_s: float = WITHIN_S,
) -> str:
    """Run a command and return what it printed; raise Refused."""
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("OSC_")}
    done = subprocess.run(
        command,
        input=given,
        env={**inherited, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
    )
    if done.returncode:
        words = [Path(command[0]).name, *map(str, command[1:])]
        raise Refused(f"{' '.join(words)}\nended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Clusterctl:
    """The real clusterctl on one management cluster, offline."""

    def __init__(self, path: Path, config: Path, kubeconfig: Path, home: Path) -> None:
        """Remember where everything is."""
        self._path = path
        self._config = config
        self._kubeconfig = kubeconfig
        self._environment = {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "CLUSTERCTL_DISABLE_VERSIONCHECK": "true",
            "GOPROXY": "off",
        }

    def run(self, *arguments: str | Path, variables: Mapping[str, str] | None = None) -> str:
        """Run it; ``variables`` fill in templates."""
        return run(
            [
                self._path,
                *arguments,
                "--kubeconfig",
                self._kubeconfig,
                "--config",
                self._config,
            ],
            environment={**self._environment, **(variables or {})},
        )


class Kubectl:
    """The real kubectl on one management cluster."""

    def __init__(self, path: Path, kubeconfig: Path) -> None:
        """Remember where everything is."""
        self.path = path
        self._kubeconfig = kubeconfig

    def run(self, *arguments: str | Path, given: str | None = None) -> str:
        """Run it; ``given`` is its standard input."""
        return run([self.path, "--kubeconfig", self._kubeconfig, *arguments], given=given)
