"""What makes the rates believable: a server that does nothing, and wrk where it is installed."""

from __future__ import annotations

import itertools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Self

import served
import works
from table import Figure, Row

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 2


class Echo:
    """A server of `echo.py` in a process of its own: ``with`` starts and ends it."""

    def __init__(self, size: int, layer: str = "raw-uvloop") -> None:
        self._command = [sys.executable, str(HERE / "echo.py"), layer, str(size)]

    def __enter__(self) -> Self:
        """Start the server."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        assert self._process.stdout is not None
        # A layer may say something of its own before the port is printed.
        self.port = next(int(line) for line in self._process.stdout if line.strip().isdigit())
        return self

    def __exit__(self, *_: object) -> None:
        """End the server."""
        self._process.terminate()
        self._process.communicate()


def request(port: int) -> bytes:
    """Return a request of the usual size for a server that does not look at it."""
    writer = served.Fakecloud()
    writer.port = port
    writer.prepare()
    return writer.write("ReadVms", {})


def wrk_rows(tell: Callable[[str], None]) -> list[Row]:
    """Measure what can be sent again and again with wrk, or say that it is not installed."""
    if shutil.which("wrk") is None:
        tell("wrk is not installed: nothing to check against")
        return []
    rows = []
    with served.Fakecloud() as server, tempfile.TemporaryDirectory() as folder:
        for work in works.WORKS:
            if work.distinct != 1:
                continue
            for clients in served.CLIENTS:
                tell(f"wrk: {work.title}, {clients} at a time")
                calls = server.side.begin(work, server.reset)
                text = server.write(*next(itertools.islice(calls, 1)))
                script = pathlib.Path(folder) / "request.lua"
                script.write_text(f"request = function() return {quoted(text)} end\n", "utf-8")
                rate = wrk(server.port, clients, script)
                aim = dict(work.rates).get(clients)
                title = "CROSS-CHECK: the fakecloud server, asked by wrk"
                rows.append(Row(title, work.title, clients, Figure([rate], "/s"), None, aim))
    return rows


def wrk(port: int, clients: int, script: pathlib.Path) -> float:
    """Run wrk and return the answers per second; all of them must have been successes."""
    url = f"http://127.0.0.1:{port}/"
    command = ["wrk", "-t1", f"-c{clients}", f"-d{SECONDS}s", f"-s{script}", url]
    told = subprocess.check_output(command, text=True)
    if "Non-2xx" in told:
        raise AssertionError(told)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]


def quoted(text: bytes) -> str:
    """Write bytes as a string of Lua."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text) + '"'
