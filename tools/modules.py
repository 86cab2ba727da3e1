"""The sources of a pinned module, for what is not compiled: manifests and sample objects."""

from __future__ import annotations

import json
import pathlib
import subprocess

from tools import cache, components, toolchain


def source(name: str) -> pathlib.Path:
    """Return the folder of the module that ``tools/NAME/go.mod`` pins, checked against go.sum."""
    modules = {module.folder: module for module in components.MODULES}
    if name not in modules:
        raise ValueError(f"There is no module '{name}'. Choose from: {', '.join(modules)}.")
    module = modules[name]
    go = toolchain.installed()
    if go is None or not go.builds(module.go):
        why = f"{go.path} is Go {go.version}, which is too old" if go else "there is no Go here"
        raise cache.Missing(
            f"The sources of {module.path} {module.version} come from Go's module cache, and {why}."
            f" Install Go {module.go} or newer."
        )
    done = subprocess.run(
        [go.path, "mod", "download", "-json", module.path],
        capture_output=True,
        check=False,
        cwd=module.directory,
        env=toolchain.environment(),
        stdin=subprocess.DEVNULL,
        text=True,
    )
    said = json.loads(done.stdout or "{}")
    if done.returncode or "Dir" not in said:
        raise cache.Missing(
            f"The sources of {module.path} {module.version} cannot be had: "
            f"{said.get('Error') or done.stderr.strip()}. Check the network and GOPROXY."
        )
    return pathlib.Path(said["Dir"])
