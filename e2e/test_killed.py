"""Spec 9: our manager is killed at random points; nothing is lost, made twice or left behind."""

from __future__ import annotations

import functools
import random
import time

import pytest

from e2e.cloud import owners
from e2e.cluster import Cluster, condition, identity
from e2e.command import Refused
from e2e.spec import Spec
from e2e.waits import Unmet, need

# All lives share the manager, so that each kill hits all of them, wherever they are.
pytestmark = pytest.mark.stage(1)

WRITES_UP, WRITES_DOWN = 36, 14
"""A little less than a cluster with one machine takes to come and to go."""
KUBEADM = "KubeadmControlPlane"
LIVES: dict[int, Spec] = {}
"""By seed, those that live now."""
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
    """Kill it while a cluster comes and while it goes; other seeds kill it in between."""
    spec.leave_out(spec.management.cannot_crash)
    chance = random.Random(seed)  # noqa: S311 - it is repeatable, not secret
    cluster = LIVES.setdefault(seed, spec).cluster
    try:
        with spec.step(f"A cluster comes, with a manager that is killed (seed {seed})"):
            manifest = cluster.manifest("--worker-machine-count=0")
            spec.eventually(lambda: _is_applied(cluster, manifest), within="noticed")
            _kill(spec, seed, begin=0, after=chance.randrange(1, WRITES_UP))
            spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
            spec.eventually(functools.partial(_has_vm, cluster), within="machine-provisioned")
            spec.eventually(lambda: cluster.says("OscCluster", "Ready", "True"), within="noticed")
            spec.eventually(functools.partial(_is_ready, cluster), within="noticed")
        with spec.step("It has one of everything"):
            assert {kind: spec.count(kind) for kind in COUNTS} == COUNTS
            spec.eventually(lambda: _is_not_shared(spec), within="noticed")
        with spec.step("It goes, with a manager that is killed"):
            begin = len(spec.footprint.writes())
            cluster.delete()
            _kill(spec, seed, begin=begin, after=chance.randrange(1, WRITES_DOWN))
            spec.eventually(cluster.is_gone, within="deleted")
            spec.nothing_is_left()
    finally:
        del LIVES[seed]


def _is_applied(cluster: Cluster, manifest: str) -> None:
    """Apply it, which our webhooks refuse while the manager is away for another seed."""
    try:
        cluster.apply(manifest)
    except Refused as refusal:
        raise Unmet(str(refusal)) from None


def _has_vm(cluster: Cluster) -> None:
    """Find the VM of the control plane; wake its controller as long as there is no Machine.

    It waits for minutes after several refusals, and while our manager is away, so are our webhooks.
    """
    if not cluster.machines(control_plane=True):
        for each in cluster.objects(KUBEADM):
            waking = {"metadata": {"annotations": {"e2e/woken-at": str(time.time())}}}
            name = each["metadata"]["name"]
            cluster.kube.patch(each["apiVersion"], "kubeadmcontrolplanes", name, waking)
    cluster.has_control_plane_vm()


def _is_ready(cluster: Cluster) -> None:
    """Find the machine ready; its controller may have left an OscMachine without a Machine.

    It asks for the OscMachine first, and forgets it when the answer is lost with our webhooks.
    """
    for machine in cluster.machines(control_plane=True):
        found = condition(cluster.osc_machine(machine), "Ready")
        need(found.get("status") == "True", saw=f"{identity(machine)}: {found.get('message')}")


def _is_not_shared(spec: Spec) -> None:
    """Find that nothing has two owners: two clusters may have looked for what was cut short."""
    shared = [f"{kind} {id_}" for kind, id_, row in spec.cloud.everything() if len(owners(row)) > 1]
    need(not shared, saw=f"several clusters say that {', '.join(shared)} is theirs")


def _kill(spec: Spec, seed: int, *, begin: int, after: int) -> None:
    """Kill the manager after so many writes for this cluster, and tell where that was."""
    spec.eventually(lambda: _has_written(spec, begin + after), within="killed")
    spec.management.crash()
    made = spec.footprint.writes()
    others = {n: len(each.footprint.writes()) for n, each in sorted(LIVES.items()) if n != seed}
    spec.story.tell(
        f"killed after write {len(made) - begin} (by the seed {after}): {made[-1]}; "
        f"others were at {', '.join(f'{n}: {count}' for n, count in others.items()) or 'none'}"
    )


def _has_written(spec: Spec, count: int) -> None:
    made = len(spec.footprint.writes())
    need(made >= count, saw=f"the cloud was asked for {made} changes, not {count}")
