"""Spec 11: ``clusterctl describe cluster`` reads well."""

from __future__ import annotations

import re
from pathlib import Path

from e2e.cluster import condition
from e2e.kube import Object
from e2e.spec import Spec
from e2e.waits import need

GOLDEN = Path(__file__).with_name("describe.txt")
SUFFIX = re.compile(r"(-[bcdfghjklmnpqrstvwxz2456789]{5})+(?=[\s,]|$)")
"""What Kubernetes makes names unlike with; there are no vowels in it, so that it is no word."""
OURS_TO_OTHERS = "InfrastructureReady"
"""The condition by which others repeat what ours say."""


def test_what_clusterctl_describes_reads_well(spec: Spec) -> None:
    """Compare what is printed of a provisioned cluster with what was once read and found good."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine, and a worker"):
        cluster.apply(cluster.manifest("--worker-machine-count=1"))
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        machine = spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        spec.eventually(lambda: _is_told(spec, machine), within="noticed")
    with spec.step("clusterctl describe cluster --show-conditions all"):
        flags = ("--show-conditions=all", "--echo", "--grouping=false", "--color=false")
        told = spec.management.clusterctl.run(
            "describe", "cluster", cluster.name, f"--namespace={cluster.namespace}", *flags
        )
        ours = _ours(told, cluster.name)
        if spec.ground.writes_golden:
            GOLDEN.write_text(ours)
        assert ours == GOLDEN.read_text()


def _is_told(spec: Spec, machine: Object) -> None:
    """Find that the first machine is ready, what the worker waits for, and that Machines know."""
    _says(spec.cluster.osc_machine(machine), "Ready", "Ready")
    workers = spec.cluster.machines(control_plane=False)
    need(len(workers) == 1, saw=f"there are {len(workers)} workers")
    _says(spec.cluster.osc_machine(workers[0]), "Ready", "WaitingForBootstrapData")
    _says(workers[0], OURS_TO_OTHERS, "WaitingForBootstrapData")
    for each in (*spec.cluster.machines(control_plane=True), *spec.cluster.objects("Cluster")):
        _says(each, OURS_TO_OTHERS, "Ready")


def _says(of: Object, type_: str, reason: str) -> None:
    told = condition(of, type_)
    need(told.get("reason") == reason, saw=f"{of['metadata']['name']} has {type_} {told}")


def _ours(told: str, name: str) -> str:
    """Return all objects, our conditions and how others repeat them; no ages, suffixes, columns."""
    kept: list[str] = []
    is_ours = is_kept = False
    for line in told.splitlines()[1:]:
        text = re.sub(r" \d+[dhms][\ddhms]*(?=\s|$)", " AGE", line.replace(name, "NAME"))
        text = SUFFIX.sub("-SUFFIX", text)
        words = text.strip(" │├└─").split()
        if header := re.search(r"\b(\w+) [\w.-]+/[\w.-]+", text):
            is_ours = header[1].startswith("Osc")
            kept.append(header[0])
            continue
        if words == ["Workers"]:
            is_kept = False
        if "AGE" in words:  # What has none goes on with the message of the one before.
            is_kept = is_ours or words[0] == OURS_TO_OTHERS
        if is_kept and words:
            kept.append(f"  {' '.join(words)}")
    return "\n".join(kept) + "\n"
