"""Spec 10: a core of Cluster API that speaks only the contract v1beta1 drives the provider too."""

from __future__ import annotations

import functools

import pytest

from e2e import repository
from e2e.cluster import PAIR, Cluster, condition, identity
from e2e.kube import Object
from e2e.spec import Spec
from e2e.waits import need

pytestmark = pytest.mark.tools(*repository.OLDER.tools())
COUNTS = ("--control-plane-machine-count=1", "--worker-machine-count=0")


def test_an_older_core_sees_a_cluster_through_its_life(spec: Spec) -> None:
    """Provision a cluster, move it, lose a VM, pause, and delete."""
    with spec.elsewhere(repository.OLDER) as cluster:
        with spec.elsewhere(repository.OLDER, "before") as before:
            machine = _comes(spec, before)
            moved = _is_moved(spec, before, cluster)
        assert moved["spec"]["providerID"] == machine["spec"]["providerID"]
        _is_mended(spec, cluster, moved)
        _stays_and_goes(spec, cluster)


def _comes(spec: Spec, cluster: Cluster) -> Object:
    with spec.step("clusterctl 1.10 generate cluster, and kubectl apply"):
        cluster.apply(cluster.manifest(*COUNTS))
    with spec.step("The Cluster is Provisioned, with endpoint and failure domains"):
        found = spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        assert found["apiVersion"] == "cluster.x-k8s.io/v1beta1"
        assert found["status"]["infrastructureReady"] is True
        endpoint = cluster.osc_cluster()["spec"]["controlPlaneEndpoint"]
        assert found["spec"]["controlPlaneEndpoint"] == endpoint
        subregion = spec.ground.variables["OSC_SUBREGION_NAME"]
        assert found["status"]["failureDomains"] == {subregion: {"controlPlane": True}}
    with spec.step("The control plane Machine has a VM, a provider id and addresses"):
        machine = spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        osc_machine = cluster.osc_machine(machine)
        assert machine["spec"]["providerID"] == osc_machine["spec"]["providerID"]
        assert machine["status"]["addresses"] == osc_machine["status"]["addresses"]
        assert machine["status"]["infrastructureReady"] is True
    with spec.step("Conditions of v1beta1 say that both are ready"):
        for each in (found, machine):
            ready = condition(each, "InfrastructureReady")
            assert ready.get("status") == "True", ready
    return machine


def _is_moved(spec: Spec, source: Cluster, target: Cluster) -> Object:
    with spec.step("clusterctl 1.10 move, to another one"):
        probe = functools.partial(source.says, "OscMachine", "Ready", "True")
        spec.eventually(probe, within="noticed")
        objects = sorted(map(identity, source.objects()))
        is_untouched = spec.untouched()
        _play_node(source)
        probe = functools.partial(source.says, "Cluster", "ControlPlaneInitialized", "True")
        spec.eventually(probe, within="noticed")
        source.move_to(target)
        spec.eventually(source.is_gone, within="deleted")
    with spec.step("All of it is Ready there, and nothing was written to the cloud"):
        spec.eventually(target.is_provisioned, within="cluster-provisioned")
        machine = spec.eventually(target.has_control_plane_vm, within="machine-provisioned")
        for kind in PAIR:
            probe = functools.partial(target.says, kind, "Ready", "True")
            spec.eventually(probe, within="noticed")
        assert sorted(map(identity, target.objects())) == objects
        spec.throughout(is_untouched, for_="quiet")
    return machine


def _play_node(cluster: Cluster) -> None:
    """Say that the Machine has its Node: without one clusterctl moves nothing, and none boots here.

    The controllers of Cluster API never take back what is said here.
    """
    kubeadm = "controlplane.cluster.x-k8s.io/v1beta1"
    (control_plane,) = cluster.kube.items(kubeadm, "kubeadmcontrolplanes")
    done = {"status": {"initialized": True, "ready": True}}
    name = control_plane["metadata"]["name"]
    cluster.kube.patch(kubeadm, "kubeadmcontrolplanes", name, done, "status")
    node = {"status": {"nodeRef": {"apiVersion": "v1", "kind": "Node", "name": "node"}}}
    for machine in cluster.machines(control_plane=True):
        name = machine["metadata"]["name"]
        cluster.kube.patch(cluster.management.core, "machines", name, node, "status")


def _is_mended(spec: Spec, cluster: Cluster, machine: Object) -> None:
    with spec.step("A MachineHealthCheck replaces it once its VM is terminated behind our back"):
        cluster.kube.create("machinehealthchecks", _health_check(cluster.name))
        vm_id = machine["spec"]["providerID"].rsplit("/", 1)[-1]
        spec.cloud.call("DeleteVms", VmIds=[vm_id])
        spec.eventually(lambda: _is_replaced(cluster, machine), within="machine-replaced")


def _stays_and_goes(spec: Spec, cluster: Cluster) -> None:
    with spec.step("Paused and deleted, it keeps all that it has"):
        cluster.pause(paused=True)
        for kind in PAIR:
            probe = functools.partial(cluster.says, kind, "Paused", "True")
            spec.eventually(probe, within="noticed")
        is_untouched = spec.untouched()
        cluster.delete()
        spec.throughout(is_untouched, for_="quiet")
    with spec.step("Unpaused, it goes, and leaves nothing"):
        cluster.pause(paused=False)
        spec.eventually(cluster.is_gone, within="deleted")
        spec.nothing_is_left()


def _health_check(name: str) -> Object:
    """Return one that looks at nothing but failures."""
    selector = {"matchLabels": {"cluster.x-k8s.io/control-plane": ""}}
    return {
        "apiVersion": "cluster.x-k8s.io/v1beta1",
        "kind": "MachineHealthCheck",
        "metadata": {"name": name},
        "spec": {"clusterName": name, "selector": selector, "nodeStartupTimeout": "0s"},
    }


def _is_replaced(cluster: Cluster, old: Object) -> None:
    new = cluster.has_control_plane_vm()
    failure = (new["status"].get("failureReason"), new["status"].get("failureMessage"))
    need(
        new["metadata"]["uid"] != old["metadata"]["uid"],
        saw=f"{old['metadata']['name']} is still there, with the failure {failure}",
    )
