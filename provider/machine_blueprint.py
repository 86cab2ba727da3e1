"""The blueprint of a machine: what its objects say, and all that follows from it."""

from __future__ import annotations

import base64
import dataclasses
import functools
import random
from collections.abc import Mapping, MutableMapping
from typing import Any

from provider import conditions, placing
from provider.api import reading, v1beta2
from provider.clock import Clock
from provider.engine import intents
from provider.engine.resource import Refusal, Resource
from provider.resources import machine_site
from provider.resources.flexible_gpu import FlexibleGpu
from provider.resources.load_balancer_backend import LoadBalancerBackend
from provider.resources.machine_ip import MachineIp
from provider.resources.machine_scope import MachineScope
from provider.resources.machine_vm import Launch, MachineVm
from provider.rules import capacity, names, placement, validation

CONTROL_PLANE_LABEL = "cluster.x-k8s.io/control-plane"
DEPLOYMENT_LABEL = "cluster.x-k8s.io/deployment-name"


@dataclasses.dataclass(frozen=True)
class MachineObjects:
    """All that one reconcile of an OscMachine may know of Kubernetes."""

    osc_machine: Mapping[str, Any]
    machine: Mapping[str, Any] | None = None
    """The Machine that owns it, or None when there is none (yet, or any more)."""
    cluster: Mapping[str, Any] | None = None
    osc_cluster: Mapping[str, Any] | None = None
    bootstrap: Mapping[str, Any] | None = None
    """The Secret with its bootstrap data, while it has no VM."""
    siblings: tuple[Mapping[str, Any], ...] = ()
    """The other OscMachines of the cluster."""
    elder: Mapping[str, Any] | None = None
    """The OscMachine of which this is a copy: the VM is that one's."""


class Blueprint:
    """What a machine is to be; no cloud is asked for it."""

    def __init__(self, objects: MachineObjects) -> None:
        """Read the objects; none of them is changed."""
        self.objects = objects
        self.metadata = objects.osc_machine["metadata"]
        self.name = str(self.metadata["name"])
        self.is_going = "deletionTimestamp" in self.metadata
        self.kept_uid = _label(objects.osc_machine, names.CLUSTER_UID_LABEL)
        self.uid = self.kept_uid or _label(objects.osc_cluster, names.CLUSTER_UID_LABEL)
        if not self.uid and (self.is_going or _is_of_others(objects.osc_cluster)):
            self.uid = str((objects.cluster or {}).get("metadata", {}).get("uid", ""))
        raw = objects.osc_machine.get("spec")
        self.spec, self.problems = reading.read(v1beta2.OscMachineSpec, raw)
        vm = self.spec.vm
        self.role = self._role(vm.role if "role" in vm.model_fields_set else "")
        self._status: Mapping[str, Any] = objects.osc_machine.get("status") or {}

    def _role(self, given: str) -> str:
        if given:
            return given
        for each in (self.objects.machine, self.objects.osc_machine):
            labels = (each or {}).get("metadata", {}).get("labels") or {}
            if CONTROL_PLANE_LABEL in labels:
                return names.CONTROL_PLANE
        return names.WORKER

    @property
    def known_vm(self) -> str:
        """The id of the VM that this machine has or had; empty when there never was one."""
        parsed = names.parse_provider_id(self.spec.provider_id)
        return parsed[1] if parsed else self._ids(MachineVm.KIND).get("default", "")

    def _ids(self, kind: str) -> Mapping[str, str]:
        return (self._status.get("resources") or {}).get(kind) or {}

    @property
    def waits_for_cluster(self) -> str:
        """What has to come before a VM is made in the cluster; empty when it may be."""
        obj = self.objects.osc_cluster
        if obj is None:
            return "Waiting for an OscCluster to be provisioned"
        what = f"Waiting for the OscCluster {obj['metadata']['name']}"
        if "deletionTimestamp" in obj["metadata"]:
            return f"{what}, which is being deleted"
        status = obj.get("status") or {}
        is_there = bool((status.get("initialization") or {}).get("provisioned"))
        return "" if is_there and self.uid else f"{what} to be provisioned"

    # --- What is looked at -----------------------------------------------------------------------

    def scope(self) -> MachineScope:
        """Return whose resources are looked at."""
        known = {
            kind: frozenset(self._ids(kind).values()) for kind in (FlexibleGpu.KIND, MachineIp.KIND)
        }
        used = self.spec.vm.resource_id
        known[MachineVm.KIND] = frozenset({self.known_vm, used} - {""})
        return MachineScope(
            names.owner(self.uid),
            tags={names.MACHINE: self.name},
            existing={MachineVm.KIND: {used: "default"}} if used else {},
            about={"uid": self.uid},
            name=self.name,
            token=names.machine_token(self.name, self.uid),
            older_token=names.older_machine_token(self.name, self.uid),
            known=known,
            balancer=self._balancer(),
            is_going=self.is_going,
            is_moved=bool(self.known_vm and not self._ids(MachineVm.KIND)),
        )

    def kinds(self) -> list[type[Resource]]:
        """Return the kinds that this machine can have anything of: each costs a Read."""
        opened = {kind for kind, _ in intents.load(self._status)}
        has_gpu = self._model or self._ids(FlexibleGpu.KIND)
        has_address = self.spec.vm.public_ip or self._ids(MachineIp.KIND) or self.is_going
        kinds: list[type[Resource]] = []
        if has_gpu or FlexibleGpu.KIND in opened:
            kinds.append(FlexibleGpu)
        if has_address or MachineIp.KIND in opened:
            kinds.append(MachineIp)
        kinds.append(MachineVm)
        if self.role == names.CONTROL_PLANE and (self._balancer() or self.is_going):
            kinds.append(LoadBalancerBackend)
        return kinds

    @property
    def _model(self) -> str:
        """The model of its GPU. The Go provider let a control plane ask for one, and gave none."""
        return "" if self.role == names.CONTROL_PLANE else self.spec.vm.flexible_gpu.model

    @property
    def _pool(self) -> str:
        """The pool of its public IP. That of a machine without one means nothing."""
        return self.spec.vm.public_ip_pool if self.spec.vm.public_ip else ""

    def _balancer(self) -> str:
        """Return the name of the load balancer of the Kubernetes API; empty when there is none."""
        if self.objects.osc_cluster is None:
            return ""
        network = self.site.network
        if "loadbalancer" in network.disable:
            return ""
        name = names.cluster_of(self.objects.osc_cluster)
        return network.load_balancer.name or names.load_balancer(name, self.uid)

    @functools.cached_property
    def site(self) -> machine_site.Cluster:
        """What has to be known of its cluster to place it; raises ``Refusal``."""
        obj = self.objects.osc_cluster or {"metadata": {"name": ""}}
        spec, problems = reading.read(v1beta2.OscClusterSpec, obj.get("spec"))
        if problems and not self.is_going:
            raise Refusal("\n".join([f"The OscCluster {obj['metadata']['name']}:", *problems]))
        resources = (obj.get("status") or {}).get("resources") or {}
        return machine_site.Cluster(names.cluster_of(obj), self.uid, spec.network, resources)

    # --- What is wanted --------------------------------------------------------------------------

    def check(self) -> None:
        """Raise ``Refusal`` for a spec that no VM can be made from in this cluster."""
        lines = [str(each) for each in validation.problems(self.spec)]
        network = self.site.network
        is_offline = "internet" in network.disable and not network.net.resource_id
        if self.spec.vm.public_ip and is_offline:
            lines.append(
                "spec.vm.publicIp: The machine is to have a public IP, but spec.network.disable of "
                "the OscCluster has internet. Remove one of the two."
            )
        if lines:
            raise Refusal("\n".join(lines))

    def choice(
        self,
        places: list[machine_site.Subnet],
        known: list[tuple[str, str]],
        *,
        memory: MutableMapping[str, Any],
        clock: Clock,
        chance: random.Random,
    ) -> placing.Choice:
        """Return how to choose one of ``places``, when ``known`` is there or about to be.

        Raise ``Refusal`` when none of them will do.
        """
        labels = self.metadata.get("labels") or {}
        gpus = [key for kind, key in known if kind == FlexibleGpu.KIND]
        machine = self.objects.machine or {}
        return placing.Choice(
            places,
            self.spec.vm,
            failure_domain=(machine.get("spec") or {}).get("failureDomain", ""),
            before=[self._status.get("failureDomain", ""), *gpus],
            mates=placing.Mates.of(self.name, labels, self.objects.siblings),
            memory=memory,
            clock=clock,
            chance=chance,
        )

    def launch(self, place: machine_site.Subnet) -> Launch:
        """Return what its VM is made from; raise ``Refusal`` without bootstrap data."""
        secret = self.objects.bootstrap or {}
        data = secret.get("data") or {}
        if "value" not in data:
            name = (secret.get("metadata") or {}).get("name", "")
            raise Refusal(
                f"The Secret {name} has {', '.join(sorted(data)) or 'no data'}, but bootstrap data "
                "stands under the key value. Look at what made it."
            )
        vm = self.spec.vm
        return Launch(
            vm=vm,
            volumes=tuple(self.spec.volumes),
            subnet_id=place.id,
            tags=self._said_tags,
            bootstrap=base64.b64decode(data["value"]),
            form=base64.b64decode(data.get("format") or "").decode(),
        )

    def _checks_traffic(self, there: MachineVm | None) -> bool:
        asked = self.spec.vm.source_dest_check
        return (there is None or there.checks_traffic) if asked is None else asked

    @property
    def _said_tags(self) -> dict[str, str]:
        """The tags that the spec asks for, and those that place the VM."""
        labels = (self.objects.machine or {}).get("metadata", {}).get("labels") or {}
        deployment = labels.get(DEPLOYMENT_LABEL, "")
        vm = self.spec.vm
        return {**vm.tags, **placement.tags(vm, self.role, deployment)}

    def desired(
        self,
        there: MachineVm | None,
        subregion: str,
        launch: Launch | None,
        groups: frozenset[str],
    ) -> list[Resource]:
        """Return all that is wanted in a subregion: beside a VM, or with what to make one from."""
        spec = self.spec.vm
        owner, owned = names.owner(self.uid)
        marks = {owner: owned, names.MACHINE: self.name, names.NAME: self.name}
        desired: list[Resource] = []
        gpu = address = None
        if self._model:
            generation = capacity.gpu_generation(spec.vm_type)
            gpu = FlexibleGpu(key=subregion, model=self._model, generation=generation, tags=marks)
            desired.append(gpu)
        if spec.public_ip and not self._pool:
            address = MachineIp(key="default", tags=marks)
            desired.append(address)
        said: dict[str, str] = {}
        if there is not None:
            # Its user data has given it these, with the public IP that its start attaches.
            address_there = there.row.get("PublicIp") if self.spec.vm.public_ip else ""
            said = self._said_tags | ({names.AUTO_ATTACH: address_there} if address_there else {})
        node = {names.NODE_NAME: there.node_name} if there is not None and there.node_name else {}
        vm = MachineVm(
            key="default",
            id=spec.resource_id,
            gpu=gpu,
            public_ip=address,
            public_ip_pool=self._pool,
            checks_traffic=self._checks_traffic(there),
            security_groups=groups,
            token=names.machine_token(self.name, self.uid),
            older_token=names.older_machine_token(self.name, self.uid),
            launch=launch,
            tags={**said, **marks, **names.role_tags([self.role]), **node},
            is_managed=not spec.resource_id,
        )
        desired.append(vm)
        balancer = self._balancer()
        if balancer and self.role == names.CONTROL_PLANE:
            desired.append(LoadBalancerBackend(key=balancer, vm=vm))
        return desired


def _is_of_others(osc_cluster: Mapping[str, Any] | None) -> bool:
    """Tell whether somebody else looks after an OscCluster, who need not know of its label."""
    return osc_cluster is not None and conditions.is_externally_managed(osc_cluster["metadata"])


def _label(obj: Mapping[str, Any] | None, label: str) -> str:
    metadata = (obj or {}).get("metadata") or {}
    return str((metadata.get("labels") or {}).get(label, ""))
