"""A cluster as its user sees it: made by clusterctl and kubectl, looked at by probes."""

from __future__ import annotations

import base64
from typing import Any

from e2e.cloud import Footprint
from e2e.kube import INFRASTRUCTURE, SECRET, Kube, Object
from e2e.management import Management
from e2e.waits import need

CONTROL_PLANE_MARK = "cluster.x-k8s.io/control-plane"
PAIR = ("OscCluster", "OscMachine")
"""Our kinds that something in the cloud stands behind."""


class Cluster:
    """One cluster, in a namespace of its own."""

    def __init__(
        self, management: Management, namespace: str, name: str, footprint: Footprint
    ) -> None:
        """Know its name; nothing is made."""
        self.management = management
        self.footprint = footprint
        self.kube: Kube = management.kube.within(namespace)
        self.namespace = namespace
        self.name = name

    # --- What a user does ------------------------------------------------------------------------

    def manifest(self, *flags: str, **variables: str) -> str:
        """Return what clusterctl makes of a flavour; ``variables`` go before the usual ones."""
        words = ["generate", "cluster", self.name, f"--target-namespace={self.namespace}"]
        return self.management.clusterctl.run(*words, *flags, variables=variables)

    def apply(self, manifest: str) -> None:
        """Apply a manifest."""
        self.management.kubectl.run("apply", "-f", "-", given=manifest)
        self.footprint.learn(self._one("clusters", self.name)["metadata"]["uid"])

    def pause(self, *, paused: bool) -> None:
        """Pause the cluster, or let it go on."""
        self.kube.patch(self.management.core, "clusters", self.name, {"spec": {"paused": paused}})

    def delete(self) -> None:
        """Ask for the deletion of the cluster, and nothing else."""
        self.kube.delete(self.management.core, "clusters", self.name)

    def move_to(self, target: Cluster) -> None:
        """Move everything of the namespace to another management cluster."""
        place = target.management.kubeconfig
        flags = [f"--to-kubeconfig={place}", f"--namespace={self.namespace}"]
        self.management.clusterctl.run("move", *flags)

    # --- What there is ---------------------------------------------------------------------------

    def objects(self, *kinds: str) -> list[Object]:
        """Return the objects of these kinds, or of all of Cluster API's, and then secrets too."""
        known = [*self.kube.of_cluster_api(), SECRET]
        chosen = [each for each in known if not kinds or each.kind in kinds]
        missing = set(kinds) - {each.kind for each in chosen}
        assert not missing, f"There is no kind {', '.join(missing)}, only {known}."
        return [row for each in chosen for row in self.kube.of_kind(each)]

    def osc_cluster(self) -> Object:
        """Return the OscCluster that the Cluster names."""
        reference = self._one("clusters", self.name)["spec"].get("infrastructureRef")
        need(reference, saw=f"Cluster {self.name} has no infrastructureRef")
        assert reference is not None, "It is needed."
        return self._one("oscclusters", reference["name"], INFRASTRUCTURE)

    def machines(self, *, control_plane: bool) -> list[Object]:
        """Return the Machines of the control plane, or the others."""
        rows = self.kube.items(self.management.core, "machines")
        ours = [row for row in rows if row["spec"]["clusterName"] == self.name]
        return [row for row in ours if (CONTROL_PLANE_MARK in _labels(row)) is control_plane]

    def osc_machine(self, machine: Object) -> Object:
        """Return the OscMachine of a Machine."""
        reference = machine["spec"]["infrastructureRef"]
        return self._one("oscmachines", reference["name"], INFRASTRUCTURE)

    def bootstrap(self, machine: Object) -> bytes:
        """Return the bootstrap data of a Machine."""
        name = machine["spec"]["bootstrap"]["dataSecretName"]
        return base64.b64decode(self._one("secrets", name, "v1")["data"]["value"])

    # --- Probes ----------------------------------------------------------------------------------

    def is_provisioned(self) -> Object:
        """Find the Cluster in phase Provisioned."""
        found = self._one("clusters", self.name)
        status = found.get("status") or {}
        need(
            status.get("phase") == "Provisioned",
            saw=f"Cluster {self.name} is {status.get('phase')}, {_told(self.osc_cluster())}",
        )
        return found

    def has_control_plane_vm(self) -> Object:
        """Find the one Machine of the control plane with a provisioned OscMachine."""
        machines = self.machines(control_plane=True)
        need(len(machines) == 1, saw=f"{len(machines)} Machines are of the control plane")
        return self.has_vm(machines[0])

    def has_vm(self, machine: Object) -> Object:
        """Find a Machine that took over what its OscMachine says."""
        found = self._one("machines", machine["metadata"]["name"])
        status = found.get("status") or {}
        need(
            found["spec"].get("providerID") and status.get("addresses"),
            saw=f"Machine {found['metadata']['name']} is {status.get('phase')}, "
            f"{_told(self.osc_machine(found))}",
        )
        return found

    def is_gone_itself(self) -> None:
        """Find no Cluster."""
        need(not self.objects("Cluster"), saw="there still is a Cluster")

    def is_gone(self) -> None:
        """Find nothing left of the cluster."""
        # While one of these is there, the others need no look.
        left = [identity(each) for each in self.objects("Cluster", "Machine", *PAIR)]
        left = left or [identity(each) for each in self.objects()]
        need(not left, saw=f"there still is {', '.join(sorted(left))}")

    def says(self, kind: str, type_: str, status: str) -> None:
        """Find a condition with this status on all objects of a kind, and at least one."""
        rows = self.objects(kind)
        need(rows, saw=f"there is no {kind}")
        for row in rows:
            found = condition(row, type_)
            need(
                found.get("status") == status,
                saw=f"{identity(row)} has {type_} {found.get('status')}, {found.get('message')}",
            )

    def _one(self, plural: str, name: str, api_version: str = "") -> Object:
        found = self.kube.get(api_version or self.management.core, plural, name)
        need(found is not None, saw=f"there is no {name} of {plural}")
        assert found is not None, "It is needed."
        return found


def identity(of: Object) -> str:
    """Return kind and name."""
    return f"{of['kind']}/{of['metadata']['name']}"


def condition(of: Object, type_: str) -> dict[str, Any]:
    """Return a condition of an object; empty when it has none of that type."""
    rows = (of.get("status") or {}).get("conditions") or ()
    return next((row for row in rows if row["type"] == type_), {})


def _labels(of: Object) -> dict[str, str]:
    return of["metadata"].get("labels") or {}


def _told(of: Object) -> str:
    ready = condition(of, "Ready")
    return (
        f"and {identity(of)} has Ready {ready.get('status')} {ready.get('reason')}: "
        f"{ready.get('message')}"
    )
