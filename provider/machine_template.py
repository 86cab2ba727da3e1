"""OscMachineTemplate: what machines made from it are like, for scaling up from none.

https://cluster-api.sigs.k8s.io/developer/providers/contracts/infra-machine
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provider import conditions
from provider.api import v1beta2
from provider.outcome import Outcome
from provider.rules import capacity
from provider.rules.names import MACHINE_FINALIZER


def reconcile(osc_machine_template: Mapping[str, Any]) -> Outcome:
    """Return a status that tells capacity and architecture; no cloud is asked for it.

    A VM type whose name does not tell its size has no capacity here.
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
    found = capacity.capacity(spec.template.spec.vm)
    kept = {key: value for key, value in status.items() if key != "capacity"}
    told = {**kept, "nodeInfo": capacity.node_info()}
    return Outcome(status=told | ({"capacity": found} if found else {}))
