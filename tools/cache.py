"""Where a tool is: given by the user, or in the cache of what was built here."""

from __future__ import annotations

import hashlib
import os
import pathlib
import sys
from collections.abc import Sequence

from tools import components, toolchain

# A message that names more of them is not read.
VARIABLES_MAX = 3


class Missing(Exception):
    """Raised when a tool is not there; its text says how to get it."""


def folder() -> pathlib.Path:
    """Return the folder of the cache."""
    if chosen := os.environ.get("CAPOSC_TOOLS_DIR"):
        return pathlib.Path(chosen).absolute()
    if sys.platform == "darwin":
        base = pathlib.Path.home() / "Library/Caches"
    else:
        base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return base / "caposc" / "tools"


def digest(tool: components.Tool) -> str:
    """Sum up what a tool is built from, besides Go itself."""
    made_from = f"{tool.name}\n{tool.package}\n{tool.module.definition}"
    return hashlib.sha256(made_from.encode()).hexdigest()[:12]


def entry(tool: components.Tool, go: toolchain.Go) -> pathlib.Path:
    """Return where this Go puts this tool."""
    build = f"go{go.version}-{go.target}-{digest(tool)}"
    return folder() / f"{tool.name}-{tool.version}" / build / tool.file_name


def given(tool: components.Tool) -> pathlib.Path | None:
    """Find the binary that the user gives; one that cannot run is an error."""
    if chosen := os.environ.get(tool.variable):
        path = pathlib.Path(chosen).absolute()
        if not _can_run(path):
            raise Missing(
                f"{tool.variable} is {chosen}, which is no file that can be run. "
                "Put the path right, or unset the variable."
            )
        return path
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        path = pathlib.Path(assets).absolute() / tool.name
        return path if _can_run(path) else None
    return None


def built(tool: components.Tool) -> pathlib.Path | None:
    """Find the binary that was built here; without Go, what any Go built will do."""
    go = toolchain.installed()
    if go is not None and go.builds(tool.module.go):
        path = entry(tool, go)
        return path if _can_run(path) else None
    builds = folder() / f"{tool.name}-{tool.version}"
    found = sorted(builds.glob(f"*-{digest(tool)}/{tool.file_name}"))
    return found[-1] if found else None


def find(name: str) -> pathlib.Path | None:
    """Return the path of a tool, or None when it is not there."""
    tool = components.tool(name)
    return given(tool) or built(tool)


def require(*names: str) -> dict[str, pathlib.Path]:
    """Return the paths of tools by name; raise ``Missing`` when one is not there."""
    paths = {name: find(name) for name in names}
    lacking = [components.tool(name) for name, path in paths.items() if path is None]
    if lacking:
        raise Missing(sentence(lacking, toolchain.installed()))
    return {name: path for name, path in paths.items() if path is not None}


def sentence(lacking: Sequence[components.Tool], go: toolchain.Go | None) -> str:
    """Say what is missing, and what to do."""
    what = _listed([str(tool) for tool in lacking])
    return f"{what} {'is' if len(lacking) == 1 else 'are'} not built here. {remedy(lacking, go)}"


def remedy(lacking: Sequence[components.Tool], go: toolchain.Go | None) -> str:
    """Say how to get what is missing."""
    named = sorted({tool.module.folder for tool in lacking if not tool.module.is_default})
    command = f"python -m tools build {' '.join(named)}" if named else "make tools"
    needed = max((tool.module.go for tool in lacking), key=toolchain.parts)
    if go is not None and go.builds(needed):
        return f"Run '{command}'."
    here = f"{go.path} is {go.version}" if go else "there is none here"
    variables = [tool.variable for tool in lacking]
    if len(variables) > VARIABLES_MAX:
        variables = [variables[0], "the like"]
    return (
        f"Building needs Go {needed} or newer, and {here}: install it and run '{command}', "
        f"or set {_listed(variables)} to {'a binary' if len(lacking) == 1 else 'binaries'}."
    )


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _can_run(path: pathlib.Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
