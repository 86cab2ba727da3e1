"""Build tools with Go into the cache: once, one build at a time, whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence

from tools import cache, components, progress, toolchain

TAIL_LINES = 20
ASK_WITHIN_S = 30.0


class Failed(Exception):
    """Raised when a tool could not be built; its text says why, and where to read on."""


def build(tools: Sequence[components.Tool], shown: progress.Progress) -> None:
    """Build the tools that are missing."""
    missing = [tool for tool in tools if cache.find(tool.name) is None]
    if not missing:
        shown.line(f"All {len(tools)} tools are there.")
        return
    go = toolchain.installed()
    beyond = [tool for tool in missing if go is None or not go.builds(tool.module.go)]
    if go is None or beyond:
        raise cache.Missing(cache.sentence(beyond, go))
    begun = time.monotonic()
    with _alone(shown):
        # Another one may have built them meanwhile.
        missing = [tool for tool in missing if cache.find(tool.name) is None]
        try:
            for number, tool in enumerate(missing, 1):
                _build_one(tool, go, shown, f"[{number}/{len(missing)}] {tool}")
        finally:
            # Also those of a build that was killed.
            shutil.rmtree(_drafts(), ignore_errors=True)
    elapsed_s = time.monotonic() - begun
    shown.line(f"All {len(tools)} tools are there, after {elapsed_s:.0f} s, in {cache.folder()}.")


def command(tool: components.Tool, go: toolchain.Go, output: pathlib.Path) -> list[str]:
    """Return the command line that builds a tool."""
    return [
        go.path,
        "build",
        "-v",
        "-trimpath",
        "-mod=readonly",
        "-buildvcs=false",
        f"-ldflags={' '.join(tool.module.link_flags)}",
        f"-o={output}",
        tool.package,
    ]


def _build_one(
    tool: components.Tool, go: toolchain.Go, shown: progress.Progress, title: str
) -> None:
    draft = _drafts() / f"{tool.name}-{os.getpid()}" / tool.file_name
    log = cache.folder() / "logs" / f"{tool.name}.log"
    for path in (draft, log):
        path.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(tool, go, draft),
            cwd=tool.module.directory,
            env=toolchain.environment(),
            stderr=output,
            stdin=subprocess.DEVNULL,
            stdout=output,
        )
        try:
            elapsed_s = shown.follow(process, title, log)
        finally:
            # An interrupt ends Go as well; what it has compiled is kept in its own cache.
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            process.wait()
    if process.returncode:
        raise Failed(f"{tool}: go build ended with status {process.returncode}. {_end_of(log)}")
    _check(tool, draft)
    path = cache.entry(tool, go)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(path)
    shown.line(f"{title}: built in {elapsed_s:.0f} s, {path.stat().st_size / 2**20:.0f} MiB.")


def _check(tool: components.Tool, path: pathlib.Path) -> None:
    """Ask a new binary for its version."""
    if not tool.version_arguments:
        return
    done = subprocess.run(
        [path, *tool.version_arguments],
        check=False,
        env={**os.environ, "CLUSTERCTL_DISABLE_VERSIONCHECK": "true"},
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=ASK_WITHIN_S,
    )
    if tool.version.removeprefix("v") not in done.stdout:
        raise Failed(
            f"{tool} was built, but says of itself:\n{done.stdout}\n"
            "Put its module's 'stamped' in tools/components.py right."
        )


def _end_of(log: pathlib.Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    # What is indented or has a colon is a message; the rest are names of packages.
    said = [line for line in lines if ":" in line or line[:1].isspace()]
    return f"The end of {log}:\n" + "\n".join(said[-TAIL_LINES:])


def _drafts() -> pathlib.Path:
    return cache.folder() / "drafts"


@contextlib.contextmanager
def _alone(shown: progress.Progress) -> Iterator[None]:
    """Wait until no other build works in this cache; the kernel frees the lock of a dead one."""
    cache.folder().mkdir(parents=True, exist_ok=True)
    with (cache.folder() / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            shown.line(f"Process {holder} builds in {cache.folder()}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
