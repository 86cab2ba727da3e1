"""Cluster API is upgraded under a cluster: from the contract v1beta1 to v1beta2."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

import pytest
import yaml

from e2e import repository
from e2e.cluster import PAIR, Cluster, identity
from e2e.command import Refused
from e2e.kube import Object
from e2e.management import Local
from e2e.spec import Spec
from e2e.waits import need

pytestmark = pytest.mark.tools(*repository.OLDER.tools(), *repository.BETWEEN.tools())
COUNTS = ("--control-plane-machine-count=1", "--worker-machine-count=1")
DATA = "worker"
"""The Secret with the user data of workers, which wait for no control plane then."""
FAMILY = "cluster.x-k8s.io"


def test_cluster_api_is_upgraded_under_a_cluster(spec: Spec) -> None:
    """Upgrade from 1.10 in the steps that clusterctl takes; then pause, scale and delete."""
    with spec.elsewhere(repository.OLDER) as cluster:
        management = cluster.management
        assert isinstance(management, Local), "It is ours."
        with spec.step("On Cluster API 1.10, a cluster with the VMs of two machines"):
            _apply(cluster)
            spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
            probe = functools.partial(_has_vms, cluster, workers=1)
            machines = spec.eventually(probe, within="machine-provisioned")
            _is_ready(spec, cluster)
        is_untouched = spec.untouched()
        with spec.step("clusterctl refuses to upgrade to the newest at once"):
            words = management.offer(repository.NEWEST)
            with pytest.raises(Refused, match="can't skip more than 3 versions"):
                management.clusterctl.run(*words)
        with (
            spec.step("clusterctl upgrade apply to 1.13, while our manager runs on alone"),
            management.upgrading(repository.BETWEEN),
        ):
            spec.throughout(is_untouched, for_="images-pulled")
        _is_as_before(spec, cluster, machines)
        _follows(spec, cluster)
        with (
            spec.step("clusterctl upgrade apply to the newest, and to our release for it"),
            management.upgrading(repository.NEWEST),
        ):
            is_untouched()
        _is_as_before(spec, cluster, machines)
        _follows(spec, cluster)
        with spec.step("All of it wrote nothing to the cloud"):
            spec.throughout(is_untouched, for_="quiet")
            assert not management.ended
        _goes_on(spec, cluster)


def _follows(spec: Spec, cluster: Cluster) -> None:
    for paused in (True, False):
        with spec.step(f"{'Paused' if paused else 'Unpaused'}, its objects say so"):
            cluster.pause(paused=paused)
            for kind in PAIR:
                probe = functools.partial(cluster.says, kind, "Paused", str(paused))
                spec.eventually(probe, within="noticed")


def _goes_on(spec: Spec, cluster: Cluster) -> None:
    for workers in (2, 1):
        with spec.step(f"kubectl scale: it has the VMs of {workers} workers"):
            name = f"--namespace={cluster.namespace}"
            words = ["scale", "machinedeployment", f"{cluster.name}-md-0", name]
            cluster.management.kubectl.run(*words, f"--replicas={workers}")
            has_vms = functools.partial(_has_vms, cluster, workers=workers)
            spec.eventually(has_vms, within="machine-provisioned")
            counts = functools.partial(_counts, spec, workers + 1)
            spec.eventually(counts, within="machine-provisioned")
    with spec.step("kubectl delete cluster leaves nothing"):
        cluster.delete()
        spec.eventually(cluster.is_gone_itself, within="deleted")
        cluster.management.kubectl.run("delete", "secret", DATA, f"--namespace={cluster.namespace}")
        spec.eventually(cluster.is_gone, within="deleted")
        spec.nothing_is_left()


def _is_as_before(spec: Spec, cluster: Cluster, machines: dict[str, str]) -> None:
    core = cluster.management.core
    with spec.step(f"It is Provisioned as before, has the same machines, and owners of {core}"):
        found = spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        assert found["status"]["initialization"]["infrastructureProvisioned"] is True
        assert found["spec"]["infrastructureRef"] == {
            "apiGroup": f"infrastructure.{FAMILY}",
            "kind": "OscCluster",
            "name": cluster.name,
        }
        _is_ready(spec, cluster)
        probe = functools.partial(_has_owners_of_today, cluster)
        spec.eventually(probe, within="owners-restored")
        assert _has_vms(cluster, workers=1) == machines


def _apply(cluster: Cluster) -> None:
    """Apply a cluster whose workers have user data of their own."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": DATA, "namespace": cluster.namespace},
        "stringData": {"value": "#cloud-config\n"},
    }
    cluster.management.kubectl.run("apply", "-f", "-", given=json.dumps(secret))
    objects = list(yaml.safe_load_all(cluster.manifest(*COUNTS)))
    for each in objects:
        if each["kind"] == "MachineDeployment":
            each["spec"]["template"]["spec"]["bootstrap"] = {"dataSecretName": DATA}
    # Nothing would own what nothing names.
    objects = [each for each in objects if each["kind"] != "KubeadmConfigTemplate"]
    cluster.apply(yaml.safe_dump_all(objects))


def _is_ready(spec: Spec, cluster: Cluster) -> None:
    for kind in PAIR:
        probe = functools.partial(cluster.says, kind, "Ready", "True")
        spec.eventually(probe, within="noticed")


def _has_vms(cluster: Cluster, *, workers: int) -> dict[str, str]:
    """Find a machine of the control plane and so many workers; return their uids and VMs."""
    rows = [cluster.has_control_plane_vm()]
    found = cluster.machines(control_plane=False)
    need(len(found) == workers, saw=f"{len(found)} Machines are workers")
    rows += [cluster.has_vm(each) for each in found]
    return {each["metadata"]["uid"]: each["spec"]["providerID"] for each in rows}


def _counts(spec: Spec, vms: int) -> None:
    found = spec.count("Vms")
    need(found == vms, saw=f"it has {found} VMs")


def _has_owners_of_today(cluster: Cluster) -> None:
    """Find the newest version in all that says which object of Cluster API something is of."""
    version = cluster.management.core.split("/")[1]
    old = sorted(
        f"{identity(each)} has the owner {owner['kind']} of {owner['apiVersion']}"
        for each in cluster.objects()
        for owner in _owners(each)
        if owner["apiVersion"].split("/")[1] != version
    )
    need(not old, saw="; ".join(old))


def _owners(of: Object) -> Iterator[dict[str, str]]:
    for each in of["metadata"].get("ownerReferences") or ():
        if each["apiVersion"].split("/")[0].endswith(FAMILY):
            yield each
