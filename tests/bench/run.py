"""`make bench`: our simulators and others do the same work on this machine, side by side.

    python tests/bench/run.py [--quick] [--only fakecloud] [--json] [--wrk]
    python tests/bench/run.py --kube [--quick] [--json]
    python tests/bench/run.py --provider [--quick] [--json]

One table has fakecloud beside moto, one fakekube beside a real kube-apiserver, one what the
provider does. The full run takes about half an hour, the quick one five minutes. The tables go to
standard output, what is being measured to standard error. Rates are answers per second over kept
connections; "CPU us" is processor time of the server process per answer. Every figure is the median
of its rounds, with the best round in parentheses.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import calls
import costs
import crosscheck
import kube
import load
import served
import table
import works
from table import Figure, Row

HERE = pathlib.Path(__file__).resolve().parent
QUIET = 0.7
"""A machine with a higher load average than this is told to be busy."""


@dataclasses.dataclass(frozen=True)
class Pace:
    """How long everything takes. theirs: the same for moto, most of whose figures need less."""

    ours: load.Order
    theirs: load.Order
    inside_s: float
    inside_rounds: int
    probes: int
    memory_vms: int


FULL = Pace(
    load.Order(0, 0, warm_s=0.4, round_s=1.0, rounds=3, budget_s=6.0),
    load.Order(0, 0, warm_s=0.4, round_s=1.0, rounds=3, budget_s=4.0),
    inside_s=0.4,
    inside_rounds=5,
    probes=7,
    memory_vms=100,
)
QUICK = Pace(
    load.Order(0, 0, warm_s=0.2, round_s=0.4, rounds=2, budget_s=1.0),
    load.Order(0, 0, warm_s=0.1, round_s=0.2, rounds=2, budget_s=0.3),
    inside_s=0.1,
    inside_rounds=3,
    probes=2,
    memory_vms=50,
)

TITLES = {
    "direct": "IN PROCESS: FakeCloud().call, beside mock_aws + boto3",
    "adapter": "IN PROCESS: osc-sdk-python + transport adapter, beside mock_aws + boto3",
    "mock": "IN PROCESS: osc-sdk-python + mock_outscale, beside mock_aws + boto3",
}
Found = Iterator[Row]
STARTED = time.perf_counter()


def tell(text: str) -> None:
    """Say what is being measured."""
    print(f"{time.perf_counter() - STARTED:6.0f} s  {text}", file=sys.stderr, flush=True)


def rates(server: served.Served, work: works.Work, clients: int, pace: load.Order) -> Figure:
    """Return the figure of a piece of work on a server."""
    return figure(served.measure(server, work, clients, pace))


def figure(rounds: list[load.Round]) -> Figure:
    """Return the figure of what the load generator measured."""
    best = max(rounds, key=lambda each: each.rate)
    return Figure(
        [each.rate for each in rounds],
        "/s",
        best.server_cpu_us,
        best.p99_ms,
        limited=best.client_busy > table.BUSY,
        failed=sum(each.failed for each in rounds),
    )


def server_rows(pace: Pace, *, alone: bool) -> Found:
    """Measure both servers, in turn for each piece of work."""
    title = "SERVER: signatures are verified by fakecloud, not by moto"
    with contextlib.ExitStack() as running:
        tell("start of the servers")
        ours = running.enter_context(served.Fakecloud())
        theirs = None if alone else running.enter_context(served.Moto())
        for work, clients in itertools.product(works.WORKS, served.CLIENTS):
            tell(f"servers: {work.title}, {clients} at a time")
            row = Row(title, work.title, clients, rates(ours, work, clients, pace.ours))
            row.aim = dict(work.rates).get(clients)
            if theirs is not None:
                row.theirs = rates(theirs, work, clients, pace.theirs)
            yield row
        starts = [Figure([1000 * each.start_s], "ms") for each in (ours, theirs) if each]
    yield Row(title, "start to first answer", None, *starts)


def inside_rows(pace: Pace, *, alone: bool) -> Found:
    """Measure every door in process; each is a process of its own."""

    def measure(door: str) -> dict[str, list[float]]:
        tell(f"in process: {door}")
        numbers = [str(pace.inside_s), str(pace.inside_rounds)]
        command = [sys.executable, str(HERE / "inside.py"), door, *numbers]
        found: dict[str, list[float]] = json.loads(subprocess.check_output(command))
        return found

    theirs = {} if alone else measure("moto")
    for door, title in TITLES.items():
        ours = measure(door)
        for work in works.WORKS:
            other = theirs.get(work.key)
            aim = work.direct_us if door == "direct" else None
            yield Row(
                title,
                work.title,
                None,
                Figure(ours[work.key], "us"),
                Figure(other, "us") if other else None,
                aim,
            )


def cost_rows(pace: Pace, *, alone: bool) -> Found:
    """Measure import, reset and memory."""
    title = "COST"
    sides = [("fakecloud", "direct")] if alone else [("fakecloud", "direct"), ("moto", "moto")]
    found: dict[str, list[Figure]] = {}
    for name, door in sides:
        tell(f"import, reset and memory of {name}")
        probes = pace.probes if name == "fakecloud" else (pace.probes + 1) // 2
        imports, answers = costs.importing(name, probes)
        resets = costs.probe("reset", door, probes)
        found.setdefault("import", []).append(Figure(imports, "ms"))
        found.setdefault("import to first answer", []).append(Figure(answers, "ms"))
        found.setdefault("reset of 10 VMs", []).append(Figure(resets["reset"], "ms"))
        found.setdefault("reset to next answer", []).append(Figure(resets["and_read"], "ms"))
        memory = Figure([costs.probe("memory", door, pace.memory_vms)], "MiB")
        found.setdefault("memory of 1,000 VMs", []).append(memory)
    aims = {"import": 150.0, "reset of 10 VMs": 1.0}
    for name, figures in found.items():
        yield Row(title, name, None, figures[0], (figures[1:] or [None])[0], aims.get(name))


def growth_rows(pace: Pace) -> Found:
    """Compare calls in a cloud of few VMs with the same calls in a cloud of many."""
    tell(f"fakecloud with {costs.FEW} and with {costs.MANY:,} VMs")
    title = f"GROWTH: FakeCloud().call among {costs.MANY:,} VMs (left) and {costs.FEW} (right)"
    for name, sizes in costs.probe("growth", pace.probes).items():
        few, many = Figure(sizes["few"], "us"), Figure(sizes["many"], "us")
        aim = costs.GROWTH_MAX * few.median if name.startswith("read") else None
        yield Row(title, name, None, many, few, aim)


def ceiling_rows(pace: Pace) -> Found:
    """Measure the load generator against servers that only answer, small and large."""
    title = "CEILING: what the load generator gets from a server that does nothing"
    tell("the ceiling of the load generator")
    for size, name in ((200, "answers of 200 bytes"), (150_000, "answers of 150 kB")):
        with crosscheck.Echo(size) as echo:
            for clients in served.CLIENTS:
                order = dataclasses.replace(
                    pace.ours, port=echo.port, server=echo.pid, clients=clients
                )
                rounds = load.replay(order, [crosscheck.request(echo.port)])
                yield Row(title, name, clients, figure(rounds))


def report(rows: list[Row], facts: dict[str, Any], seconds: float) -> None:
    """Print the table with what is needed to read it."""
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    print(f"{facts['cpus']} CPUs ({facts['cpu']}), {facts['system']}, Python {facts['python']}")
    print(packages)
    loads = " ".join(map(str, facts["load"]))
    print(f"Load average before: {loads}. The run took {seconds:.0f} s.")
    if facts["load"][0] > QUIET:
        print("Other work was going on here: what is measured is slower than it could be.")
    print("Figures are the median of several rounds, and in parentheses the best round.\n")
    print("\n".join(table.lines(rows)))
    if any(figure and figure.limited for row in rows for figure in (row.ours, row.theirs)):
        print(
            f"\n* The process of the clients was more than {table.BUSY:.0%} busy: "
            "the server may be faster."
        )
    failed = sum(figure.failed for row in rows for figure in (row.ours, row.theirs) if figure)
    if failed:
        print(f"\n! {failed} answers of moto were errors. They do not count as answers.")
    missed = [row for row in rows if row.verdict == "NO"]
    print(f"\n{sum(row.aim is not None for row in rows)} aims, {len(missed)} not reached.")


def measure(pace: Pace, *, alone: bool) -> Found:
    """Measure everything; imports come first, as they leave compiled modules to the rest."""
    costs_found = list(cost_rows(pace, alone=alone))
    yield from server_rows(pace, alone=alone)
    yield from inside_rows(pace, alone=alone)
    yield from costs_found
    yield from growth_rows(pace)
    yield from ceiling_rows(pace)


def cloud(options: argparse.Namespace) -> Any:
    """Measure fakecloud and moto; print the table, or return the figures."""
    facts = table.machine()
    rows = list(measure(QUICK if options.quick else FULL, alone=options.only is not None))
    if options.wrk:
        rows += crosscheck.wrk_rows(tell)
    seconds = time.perf_counter() - STARTED
    if options.json:
        return {"machine": facts, "seconds": seconds, "rows": [row.data() for row in rows]}
    report(rows, facts, seconds)
    return None


def main() -> None:
    """Measure, and print one table for each simulator."""
    parser = argparse.ArgumentParser(description="Measure our simulators beside the others.")
    parser.add_argument("--quick", action="store_true", help="about two minutes, less exact")
    parser.add_argument("--only", choices=["fakecloud"], help="leave all others out")
    parser.add_argument("--json", action="store_true", help="print JSON, with every round")
    parser.add_argument("--wrk", action="store_true", help="check the rates against wrk as well")
    parser.add_argument("--kube", action="store_true", help="measure fakekube, and only that")
    parser.add_argument("--provider", action="store_true", help="the same for the provider")
    options = parser.parse_args()
    # Where it is set, modules would be compiled at each start, which nobody does who can avoid it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found = {}
    every = not (options.kube or options.provider)
    if every:
        found["fakecloud"] = cloud(options)
    if options.only is None:
        how = {"quick": options.quick, "as_json": options.json}
        if every or options.kube:
            found["fakekube"] = kube.compare(tell, **how)
        if every or options.provider:
            found["provider"] = calls.compare(tell, **how)
    if options.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
