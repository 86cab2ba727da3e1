"""Spec 1: what the quick start promises of the infrastructure of a cluster."""

from __future__ import annotations

import base64

from e2e.cluster import condition
from e2e.spec import Spec
from e2e.waits import need

COUNTS = ("--control-plane-machine-count=1", "--worker-machine-count=2")


def test_a_cluster_of_the_default_flavour_is_provisioned(spec: Spec) -> None:
    """Follow a user from clusterctl to the VM of the first control plane machine."""
    cluster = spec.cluster
    with spec.step("clusterctl generate cluster, and kubectl apply"):
        cluster.apply(cluster.manifest(*COUNTS))
    with spec.step("The Cluster is Provisioned, with the endpoint of its OscCluster"):
        found = spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        endpoint = found["spec"]["controlPlaneEndpoint"]
        assert endpoint == cluster.osc_cluster()["spec"]["controlPlaneEndpoint"]
        (balancer,) = spec.footprint.rows("LoadBalancers")
        assert endpoint == {"host": balancer["DnsName"], "port": 6443}
    with spec.step("The control plane Machine has a VM, a provider id and addresses"):
        machine = spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        osc_machine = cluster.osc_machine(machine)
        provider_id = machine["spec"]["providerID"]
        assert provider_id == osc_machine["spec"]["providerID"]
        (vm,) = spec.footprint.rows("Vms")
        assert provider_id == f"aws:///{vm['Placement']['SubregionName']}/{vm['VmId']}"
        addresses = machine["status"]["addresses"]
        assert addresses == osc_machine["status"]["addresses"]
        assert {"type": "InternalIP", "address": vm["PrivateIp"]} in addresses
    with spec.step("Its user data is what the kubeadm bootstrap provider made"):
        data = base64.b64decode(vm["UserData"])
        assert cluster.bootstrap(machine) in data
        assert b"kubeadm init" in data
    with spec.step("Machines of the MachineDeployment wait for the control plane"):
        spec.eventually(lambda: _workers_wait(spec), within="noticed")
        spec.throughout(lambda: _workers_wait(spec), for_="quiet")
    with spec.step("The OscCluster and the OscMachine are Ready, with nothing to say"):
        for each in (cluster.osc_cluster(), cluster.osc_machine(machine)):
            ready = condition(each, "Ready")
            assert (ready["status"], ready["message"]) == ("True", ""), ready


def _workers_wait(spec: Spec) -> None:
    """Find that both workers wait for bootstrap data, and for nothing else."""
    machines = spec.cluster.machines(control_plane=False)
    need(len(machines) == 2, saw=f"there are {len(machines)} worker Machines")
    for machine in machines:
        name, phase = machine["metadata"]["name"], machine["status"].get("phase")
        need(phase == "Pending", saw=f"Machine {name} is {phase}")
        osc_machine = spec.cluster.osc_machine(machine)
        provider_id = osc_machine["spec"].get("providerID")
        need(provider_id is None, saw=f"OscMachine {name} has {provider_id}")
        told = condition(osc_machine, "Ready")
        waits = told.get("reason") == "WaitingForBootstrapData"
        need(waits, saw=f"OscMachine {name} has Ready {told}")
    vms = spec.count("Vms")
    need(vms == 1, saw=f"there are {vms} VMs")
