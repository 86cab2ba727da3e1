"""What it costs to have a cloud at all: import, reset, memory; and what many rows cost each call.

    python costs.py PROBE [NUMBER...]

PROBE is one of the functions named in PROBES. Prints JSON. Each probe is a process of its own, so
that it starts from nothing.
"""

from __future__ import annotations

import contextlib
import gc
import json
import pathlib
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
RESET_VMS = 10
BATCH = 10
FEW, MANY = 100, 10_000
"""How many VMs there are in the two clouds whose reads are compared."""
SHARE = 10
"""How many of them are in the net, and carry the tag, that is asked for."""
GROWTH_MAX = 1.3
"""A call may take so many times as long among many: that much is noise."""

IMPORTS = {
    "fakecloud": (
        "from fakecloud import FakeCloud",
        "FakeCloud().call('ReadVms')",
    ),
    "moto": (
        "import boto3; from moto import mock_aws",
        "mock_aws().start(); boto3.client('ec2', 'eu-west-2').describe_instances()",
    ),
}


# In the benchmark's own process.


def probe(name: str, *arguments: object) -> Any:
    """Run a probe in a process of its own and return what it printed."""
    command = [sys.executable, str(HERE / "costs.py"), name, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def importing(side: str, rounds: int) -> tuple[list[float], list[float]]:
    """Return how many ms an import takes, and how many until the first answer, in new processes."""
    first, then = IMPORTS[side]
    script = (
        f"import time; t = time.perf_counter(); {first}; a = time.perf_counter(); {then}; "
        "b = time.perf_counter(); print(1000 * (a - t), 1000 * (b - t))"
    )
    found = []
    for _ in range(rounds + 1):
        run = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
        found.append([float(word) for word in run.stdout.split()])
    # The first one may have compiled the modules.
    imports, answers = zip(*found[1:], strict=True)
    return list(imports), list(answers)


# In the probe's process.

OPEN = contextlib.ExitStack()


def side(name: str) -> tuple[Any, Callable[[], None]]:
    """Return the work of a side in process, and what empties its cloud; it stays open."""
    import inside

    return OPEN.enter_context(inside.DOORS[name]())


def reset(name: str, rounds: str) -> dict[str, list[float]]:
    """Return the ms of a reset of a cloud with a few VMs, and of a reset with the next read."""
    cloud, empty = side(name)
    read = next(cloud.empty())
    found: dict[str, list[float]] = {"reset": [], "and_read": []}
    for _ in range(int(rounds)):
        cloud.forget()
        cloud.make(RESET_VMS)
        cloud.call(*read)
        started = time.perf_counter()
        empty()
        done = time.perf_counter()
        cloud.call(*read)
        found["reset"].append(1000 * (done - started))
        found["and_read"].append(1000 * (time.perf_counter() - started))
    return found


def memory(name: str, vms: str) -> float:
    """Return the MiB that 1,000 VMs take, as Python counts them for a smaller number of VMs.

    The size of the process would not do: what is freed leaves holes, and new VMs go there.
    """
    cloud, _ = side(name)
    cloud.make(BATCH)
    tracemalloc.start()
    for _ in range(int(vms) // BATCH):
        cloud.make(BATCH)
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 2**20 * 1000 / int(vms)


def growth(rounds: str) -> dict[str, dict[str, list[float]]]:
    """Return microseconds per call, in a cloud with few VMs and in one with many."""
    few, many = crowd(FEW), crowd(MANY)
    found: dict[str, dict[str, list[float]]] = {}
    # In turn, so that a busy moment of the machine meets both.
    for _ in range(int(rounds)):
        for size, calls in (("few", few), ("many", many)):
            for name, call in calls.items():
                found.setdefault(name, {}).setdefault(size, []).append(timed(call))
    return found


def timed(call: Callable[[], Any], seconds: float = 0.1) -> float:
    call()
    made = 0
    started = now = time.perf_counter()
    while now < started + seconds:
        for _ in range(16):
            call()
        made += 16
        now = time.perf_counter()
    return 1e6 * (now - started) / made


def crowd(vms: int) -> dict[str, Callable[[], Any]]:
    """Return calls on a cloud with so many VMs, whose answers have the same size in every cloud."""
    cloud, _ = side("direct")
    call = cloud.call
    place = cloud.vm_place()
    cloud.make(vms - SHARE)
    other = {**place, **cloud.find_place()}
    wanted = {**other, "MinVmsCount": SHARE, "MaxVmsCount": SHARE}
    few = [vm["VmId"] for vm in call("CreateVms", wanted)["Vms"]]
    call("CreateTags", {"ResourceIds": few, "Tags": [{"Key": "group", "Value": "few"}]})
    net = call("ReadSubnets", {"Filters": {"SubnetIds": [other["SubnetId"]]}})["Subnets"][0]
    reads = {
        "read a VM by id": {"VmIds": few[:1]},
        f"read {SHARE} VMs by net": {"NetIds": [net["NetId"]]},
        f"read {SHARE} VMs by tag": {"Tags": ["group=few"]},
    }
    return {
        name: lambda filters=filters: call("ReadVms", {"Filters": filters})
        for name, filters in reads.items()
    } | {"create a VM": lambda: call("CreateVms", place)}


PROBES: dict[str, Callable[..., Any]] = {"reset": reset, "memory": memory, "growth": growth}


if __name__ == "__main__":
    with OPEN:
        json.dump(PROBES[sys.argv[1]](*sys.argv[2:]), sys.stdout)
