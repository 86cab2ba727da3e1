"""The table: its rows, its figures, how they are compared with what is asked, how it is printed."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import pathlib
import platform
import statistics
from collections.abc import Sequence
from typing import Any

BUSY = 0.9
"""A client process busier than this may have held its server back: such figures are marked."""


@dataclasses.dataclass
class Figure:
    """What was measured, one number for each round; ``cpu_us`` is the server's time per call."""

    rounds: list[float]
    unit: str
    cpu_us: float | None = None
    p99_ms: float | None = None
    limited: bool = False
    failed: int = 0

    @property
    def more_is_better(self) -> bool:
        """Tell whether a larger number is a better one."""
        return self.unit == "/s"

    @property
    def median(self) -> float:
        """Return the middle one of the rounds."""
        return statistics.median(self.rounds)

    @property
    def best(self) -> float:
        """Return the best one of the rounds."""
        return max(self.rounds) if self.more_is_better else min(self.rounds)

    def meets(self, number: float, aim: float) -> bool:
        """Tell whether a number is as good as an aim."""
        return number >= aim if self.more_is_better else number <= aim

    def __str__(self) -> str:
        mark = "*" * self.limited + "!" * bool(self.failed)
        return f"{short(self.median)} ({short(self.best)}) {self.unit}{mark}"


@dataclasses.dataclass
class Row:
    """One line: what was done, by how many at a time, both figures, and the aim for ours."""

    section: str
    title: str
    clients: int | None
    ours: Figure
    theirs: Figure | None = None
    aim: float | None = None

    @property
    def factor(self) -> float | None:
        """Return how many times ours is better than theirs."""
        if self.theirs is None:
            return None
        if self.ours.more_is_better:
            return self.ours.median / self.theirs.median
        return self.theirs.median / self.ours.median

    @property
    def verdict(self) -> str:
        """Say whether the aim was reached: by the median, or at least in the best round."""
        if self.aim is None:
            return ""
        if self.ours.meets(self.ours.median, self.aim):
            return "yes"
        return "in the best round" if self.ours.meets(self.ours.best, self.aim) else "NO"

    def cells(self) -> list[str]:
        """Return what is printed in each column."""
        sign = ">=" if self.ours.more_is_better else "<="
        return [
            self.title,
            "" if self.clients is None else str(self.clients),
            str(self.ours),
            "" if self.ours.cpu_us is None else short(self.ours.cpu_us),
            "" if self.theirs is None else str(self.theirs),
            "" if self.theirs is None or self.theirs.cpu_us is None else short(self.theirs.cpu_us),
            "" if self.factor is None else f"{short(self.factor)} x",
            "" if self.aim is None else f"{sign} {short(self.aim)} {self.ours.unit}",
            self.verdict,
        ]

    def data(self) -> dict[str, Any]:
        """Return the row as JSON-ready data."""
        return {
            **dataclasses.asdict(self),
            "median": self.ours.median,
            "best": self.ours.best,
            "factor": self.factor,
            "verdict": self.verdict,
        }


COLUMNS = ["", "clients", "fakecloud", "CPU us", "moto", "CPU us", "factor", "aim", "reached"]


def short(number: float) -> str:
    """Write a number with three digits or, from a thousand on, with all of them."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def lines(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table."""
    cells = [COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]

    def line(texts: list[str]) -> str:
        first, *rest, last = [text.ljust(w) for text, w in zip(texts, widths, strict=True)]
        middle = [text.strip().rjust(w) for text, w in zip(rest, widths[1:-1], strict=True)]
        return "  ".join([first, *middle, last]).rstrip()

    printed = [line(COLUMNS)]
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            printed += ["", section]
        printed.append(line(row.cells()))
    return printed


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    cpu = platform.processor()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        for text in info.read_text(encoding="utf-8").splitlines():
            if text.startswith("model name"):
                cpu = text.partition(":")[2].strip()
                break
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": cpu,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "load": [round(each, 2) for each in os.getloadavg()],
        "packages": {name: version(name) for name in PACKAGES},
    }


PACKAGES = ["moto", "boto3", "osc-sdk-python", "msgspec", "httptools", "uvloop"]


def version(package: str) -> str:
    """Return the version of an installed package, or that it is missing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
