"""OscMachineTemplate: what machines made from it are like, for scaling up from none.

https://cluster-api.sigs.k8s.io/developer/providers/contracts/infra-machine
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provider import conditions
from provider.api import v1beta2
from provider.clock import Clock
from provider.outcome import Outcome
from provider.reasons import Reason
from provider.rules import capacity
from provider.rules.names import MACHINE_FINALIZER

CAPACITY = "CapacityKnown"


def reconcile(osc_machine_template: Mapping[str, Any], clock: Clock) -> Outcome:
    """Return a status that tells capacity and architecture; no cloud is asked for it.

    A VM type whose name does not tell its size has no capacity here, but a condition that says so.
    """
    metadata = osc_machine_template["metadata"]
    if conditions.paused("OscMachineTemplate", None, metadata).status == "True":
        return Outcome()
    if "deletionTimestamp" in metadata:
        # Early versions of the Go provider gave templates the finalizer of machines.
        finalizers = metadata.get("finalizers") or ()
        return Outcome(
            metadata={"finalizers": [each for each in finalizers if each != MACHINE_FINALIZER]}
        )
    spec = v1beta2.OscMachineTemplateSpec.model_validate(osc_machine_template.get("spec") or {})
    status: Mapping[str, Any] = osc_machine_template.get("status") or {}
    vm = spec.template.spec.vm
    found = capacity.capacity(vm)
    told = {**status, "capacity": found, "nodeInfo": capacity.node_info()}
    old = list(status.get("conditions") or ())
    rows = [each for each in old if each["type"] != CAPACITY]
    if not found:
        told.pop("capacity")
        unknown = [_unknown(vm.vm_type)]
        rows += conditions.merge(old, unknown, metadata.get("generation", 1), clock.now())
    if rows != old:
        told["conditions"] = rows
    return Outcome(status=told)


def _unknown(vm_type: str) -> conditions.Condition:
    return conditions.Condition(
        CAPACITY,
        "False",
        Reason.CAPACITY_UNKNOWN,
        f"spec.template.spec.vm.vmType is {vm_type}, whose name tells no size, and OUTSCALE "
        "publishes none. To scale up from none, set capacity.cluster-autoscaler.kubernetes.io/cpu, "
        "/memory and /gpu-count on the MachineDeployment.",
    )
