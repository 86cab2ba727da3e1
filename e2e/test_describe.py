"""Spec 11: ``clusterctl describe cluster`` reads well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.conftest import Spec

GOLDEN = Path(__file__).with_name("describe.txt")


def test_what_clusterctl_describes_reads_well(spec: Spec, pytestconfig: pytest.Config) -> None:
    """Compare what is printed of a provisioned cluster with what was once read and found good."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine"):
        cluster.apply(cluster.manifest("--worker-machine-count=0"))
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        spec.eventually(lambda: cluster.says("oscmachine", "Ready", "True"), within="noticed")
    with spec.step("clusterctl describe cluster --show-conditions all"):
        flags = ("--show-conditions=all", "--echo", "--grouping=false", "--color=false")
        told = spec.management.clusterctl.run(
            "describe", "cluster", cluster.name, f"--namespace={cluster.namespace}", *flags
        )
        ours = _ours(told, cluster.name)
        if pytestconfig.getoption("--write-golden"):
            GOLDEN.write_text(ours)
        assert ours == GOLDEN.read_text()


def _ours(told: str, name: str) -> str:
    """Return what is told of our objects, without names, ages and widths of columns."""
    kept: list[str] = []
    is_ours = False
    for line in told.splitlines():
        header = re.search(r"\b(\w+) [\w.-]+/[\w.-]+", line)
        is_ours = header[1].startswith("Osc") if header else is_ours
        if is_ours:
            text = re.sub(r"-[a-z0-9]{5}(?=\s|$)", "-SUFFIX", line.replace(name, "NAME"))
            text = re.sub(r" \d+[dhms][\ddhms]*(?=\s|$)", " AGE", text)
            kept.append(re.sub(r" +", " ", text.strip(" │├└─")))
    return "\n".join(kept) + "\n"
