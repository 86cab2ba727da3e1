"""Spec 9: our manager is killed at random points; nothing is lost, made twice or left behind."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Sequence

from e2e import repository
from e2e.conftest import Spec
from e2e.waits import need

WRITES_UP, WRITES_DOWN = 40, 15
"""A little less than a cluster with one machine takes to come and to go."""
COUNTS = {
    "InternetServices": 1,
    "LoadBalancers": 1,
    "NatServices": 1,
    "Nets": 1,
    "PublicIps": 1,
    "Subnets": 3,
    "Vms": 1,
}


def test_a_manager_that_is_killed_goes_on_where_it_was(spec: Spec, seed: int) -> None:
    """Kill it twice while a cluster comes, and once while it goes."""
    chance = random.Random(seed)  # noqa: S311 - it is repeatable, not secret
    cluster = spec.cluster
    with spec.step(f"A cluster comes, with a manager that is killed twice (seed {seed})"):
        cluster.apply(cluster.manifest("--worker-machine-count=0"))
        _kill(spec, sorted(chance.sample(range(1, WRITES_UP), 2)))
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        spec.eventually(lambda: cluster.says("oscmachine", "Ready", "True"), within="noticed")
    with spec.step("It has one of everything"):
        new = Counter(each.split()[0] for each in spec.cloud.inventory() - spec.before)
        assert {kind: new[kind] for kind in COUNTS} == COUNTS
    with spec.step("It goes, with a manager that is killed once"):
        cluster.delete()
        _kill(spec, [chance.randrange(1, WRITES_DOWN)])
        spec.eventually(cluster.is_gone, within="deleted")
        spec.cloud_is_as_before()


def _kill(spec: Spec, points: Sequence[int]) -> None:
    """Kill the manager after each of these numbers of writes to the cloud."""
    begin = len(spec.cloud.writes())
    for point in points:
        spec.eventually(functools.partial(_has_written, spec, begin + point), within="killed")
        spec.management.kill(repository.OURS)
        made = len(spec.cloud.writes()) - begin
        last = spec.cloud.writes()[-1]
        spec.story.tell(f"killed after {made} writes, the last one was {last}")
        spec.management.start(repository.OURS)
        spec.management.wait_ready(repository.OURS)


def _has_written(spec: Spec, count: int) -> None:
    made = len(spec.cloud.writes())
    need(made >= count, saw=f"the cloud was asked for {made} changes, not {count}")
