"""Spec 8: a MachineHealthCheck replaces a machine whose VM somebody terminated."""

from __future__ import annotations

from e2e.cluster import condition
from e2e.kube import CORE, Object
from e2e.spec import Spec
from e2e.waits import need


def test_a_machine_whose_vm_is_terminated_behind_our_back_is_replaced(spec: Spec) -> None:
    """Terminate the VM of a control plane machine in the cloud, and wait for another one."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine"):
        cluster.apply(cluster.manifest("--worker-machine-count=0"))
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        machine = spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        vm_id = machine["spec"]["providerID"].rsplit("/", 1)[-1]
    with spec.step("A MachineHealthCheck that looks at InfrastructureReady"):
        cluster.kube.create("machinehealthchecks", _health_check(cluster.name))
    with spec.step(f"Somebody terminates {vm_id}: the OscMachine says so"):
        spec.cloud.call("DeleteVms", VmIds=[vm_id])
        spec.eventually(lambda: _reports(spec, machine), within="machine-replaced")
        spec.story.tell(condition(cluster.osc_machine(machine), "Ready")["message"])
    with spec.step("Another Machine with another VM takes its place"):
        spec.eventually(lambda: _is_replaced(spec, machine), within="machine-replaced")


def _health_check(name: str) -> Object:
    check = {"type": "InfrastructureReady", "status": "False", "timeoutSeconds": 5}
    return {
        "apiVersion": CORE,
        "kind": "MachineHealthCheck",
        "metadata": {"name": name},
        "spec": {
            "clusterName": name,
            "selector": {"matchLabels": {"cluster.x-k8s.io/control-plane": ""}},
            "checks": {
                "nodeStartupTimeoutSeconds": 0,
                "unhealthyMachineConditions": [check],
            },
        },
    }


def _reports(spec: Spec, machine: Object) -> None:
    told = condition(spec.cluster.osc_machine(machine), "Ready")
    need(told.get("status") == "False", saw=f"Ready is {told.get('status')}: {told.get('message')}")


def _is_replaced(spec: Spec, old: Object) -> None:
    new = spec.cluster.has_control_plane_vm()
    need(
        new["metadata"]["uid"] != old["metadata"]["uid"],
        saw=f"{old['metadata']['name']} is still there: {condition(new, 'HealthCheckSucceeded')}",
    )
    need(new["spec"]["providerID"] != old["spec"]["providerID"], saw="it has the same VM")
