"""Backends: the control planes behind the load balancer of the Kubernetes API.

Identity: the names of the load balancer and of the VM that is registered with it.
https://docs.outscale.com/en/userguide/About-Load-Balancers.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from provider.engine import world as worlds
from provider.engine.resource import Resource
from provider.osc import cloud as clouds
from provider.resources import machine_scope
from provider.resources import want as wants
from provider.resources.machine_scope import MachineScope
from provider.resources.machine_vm import MachineVm
from provider.rules import names


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadBalancerBackend(Resource):
    """The VM of a control plane, registered as a backend; its key is the load balancer's name."""

    KIND: ClassVar[str] = "loadBalancerBackend"
    CONDITION: ClassVar[str] = "LoadBalancerBackendReady"
    NEEDS_INTENT: ClassVar[bool] = False
    TAKES_TAGS: ClassVar[bool] = False

    vm: MachineVm
    """It is registered when this runs, and taken away before this is deleted."""

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterator[Self]:
        """Find the VM among the backends of the cluster's load balancers, except the CCM's."""
        mine = machine_scope.of(scope)
        vms = [each for each in world.of(MachineVm.KIND) if isinstance(each, MachineVm)]
        if not vms:
            return
        for row in cloud.read("ReadLoadBalancers"):
            if not _is_ours(row, mine):
                continue
            backends = set(row.get("BackendVmIds") or ())
            for vm in vms:
                if vm.id in backends:
                    name = row["LoadBalancerName"]
                    yield cls(key=name, id=f"{name}/{vm.id}", vm=vm)

    def create(self, cloud: clouds.Cloud) -> Self:
        """Register the VM; doing it twice changes nothing."""
        cloud.call(
            "LinkLoadBalancerBackendMachines",
            LoadBalancerName=self.key,
            BackendVmIds=[self.vm.id],
        )
        return dataclasses.replace(self, id=f"{self.key}/{self.vm.id}")

    def delete(self, cloud: clouds.Cloud) -> None:
        """Take the VM away from the backends."""
        cloud.call(
            "UnlinkLoadBalancerBackendMachines",
            LoadBalancerName=self.key,
            BackendVmIds=[self.vm.id],
        )


def _is_ours(row: Mapping[str, Any], scope: MachineScope) -> bool:
    """Tell the load balancer of the Kubernetes API from the CCM's, which has the CCM's care."""
    name = row["LoadBalancerName"]
    tags = wants.tags_of(row)
    uid = scope.about.get("uid", "")
    if name == scope.balancer or tags.get(names.NAME) == names.load_balancer_mark(name, uid):
        return True
    return tags.get(scope.owner[0]) == scope.owner[1] and names.CCM_SERVICE not in tags
