"""`run.py --provider`: how many calls the provider makes, and how a fleet of clusters goes.

Calls are counted on fakecloud, in process and in frozen time: they are the same in every run. The
fleet is `fleet.py`: real processes in fast time, so that a wait costs nothing but calls do. Its
times are those of a user, in minutes; an account allows five calls a second, which is what they
come down to. The aims are those of the issue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import fleet
import kube
import table
from table import Figure, Row

from provider import cluster
from provider.osc import limits
from tests.functional.provider import driver, machine_driver

FRESH_CALLS, STEADY_CALLS, MEMORY_MIB = 40, 100.0, 250.0
PER_S = 0.97 * limits.RATE_PER_S
"""What the limit of an account allows, with room: calls per second in the busiest minute."""
STEADY_S = 300.0
"""How long a fleet is watched that has nothing to do, in seconds of fast time."""
WITHIN_S = 1200.0


def count_rows() -> Iterator[Row]:
    """Count calls for one cluster, and for machines."""
    title = "CALLS: one default cluster"
    run = driver.ClusterDriver().settle()
    reads = sum(each.startswith("Read") for each in run.cloud.calls)
    total = len(run.cloud.calls)
    yield Row(title, "to provisioned", None, Figure([total], "calls"), None, FRESH_CALLS)
    yield Row(title, "of these Reads", None, Figure([reads], "calls"))
    yield Row(title, "of these changes", None, Figure([total - reads], "calls"))
    run.memory.clear()
    writes = run.writes
    run.step()
    made = run.cloud.calls[total:]
    kinds = len(cluster.KINDS)
    yield Row(title, "look at it when it is there", None, Figure([len(made)], "calls"), None, kinds)
    changes = [each for each in made if not each.startswith("Read")]
    yield Row(title, "of these changes", None, Figure([len(changes)], "calls"), None, 0)
    yield Row(title, "writes to Kubernetes", None, Figure([run.writes - writes], "calls"), None, 0)
    run.fake.clock.advance(600)  # What was seen a moment ago would count for the first look.
    before = len(run.cloud.calls)
    run.delete().settle()
    yield Row(title, "to nothing", None, Figure([len(run.cloud.calls) - before], "calls"))
    title = "CALLS: machines of one cluster"
    few, many = machine_calls(10), machine_calls(100)
    yield Row(title, "per machine, to provisioned", None, Figure([many[0]], "calls"))
    yield Row(title, "look at 10", None, Figure([few[1]], "calls"))
    yield Row(title, "look at 100", None, Figure([many[1]], "calls"), None, few[1])


def machine_calls(count: int) -> tuple[float, int]:
    """Return the calls for each of so many new machines, and for one look at all of them."""
    site = machine_driver.Site()
    for number in range(count):
        site.machine(f"demo-md-0-{number}")
    before = len(site.cloud.calls)
    site.settle()
    made = len(site.cloud.calls) - before
    site.fake.clock.advance(600)
    before = len(site.cloud.calls)
    for each in site.machines.values():
        each.step()
    return made / count, len(site.cloud.calls) - before


def fleet_rows(clusters: int, machines: int, tell: Callable[[str], None]) -> Iterator[Row]:
    """Let a fleet come and go."""
    title = f"FLEET: {clusters} clusters of {machines} machines"
    with fleet.Fleet() as made:
        made.calls()
        made.create(clusters, machines)
        tell(f"provider: {clusters} clusters of {machines} machines come")
        up_s = made.provisioned(WITHIN_S)
        up, up_cpu_s = made.calls(), made.cpu_s
        yield Row(title, "until provisioned", None, Figure([up_s / 60], "min"))
        yield Row(title, "calls", None, Figure([len(up)], "calls"))
        yield Row(title, "processor time", None, Figure([up_cpu_s], "s"))
        busiest = Figure([fleet.busiest(up)], "calls/s")
        yield Row(title, "calls per second, busiest minute", None, busiest, None, PER_S)
        tell("provider: the fleet has nothing to do")
        threading.Event().wait(STEADY_S / fleet.RATE)
        made.calls()
        threading.Event().wait(STEADY_S / fleet.RATE)
        steady = len(made.calls()) / STEADY_S * 60
        figure = Figure([steady], "calls")
        yield Row(title, "nothing to do, per minute", None, figure, None, STEADY_CALLS)
        aim = MEMORY_MIB if clusters * machines >= 1000 else None
        yield Row(title, "memory", None, Figure([made.memory_mib], "MiB"), None, aim)
        tell("provider: the fleet goes")
        down_s = made.delete(WITHIN_S)
        yield Row(title, "until nothing is left", None, Figure([down_s / 60], "min"))
        yield Row(title, "calls", None, Figure([len(made.calls())], "calls"))
        yield Row(title, "processor time", None, Figure([made.cpu_s - up_cpu_s], "s"))


def rows(tell: Callable[[str], None], *, quick: bool) -> Iterator[Row]:
    """Measure everything."""
    tell("provider: calls")
    yield from count_rows()
    for clusters, machines in ((10, 4),) if quick else ((100, 4), (10, 100)):
        yield from fleet_rows(clusters, machines, tell)


def compare(tell: Callable[[str], None], *, quick: bool, as_json: bool) -> Any:
    """Measure; print the table, or return the figures."""
    facts = table.machine()
    found = list(rows(tell, quick=quick))
    if as_json:
        return {"machine": facts, "rows": [each.data() for each in found]}
    print("\nThe provider on fakekube and fakecloud\n")
    kube.report(found, facts, ("provider", ""))
    return None
