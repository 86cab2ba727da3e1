"""What of a machine is lost: for good, or only in answers that are late.

A VM that was made a moment ago is lacking in some answers, as what makes them is told a bit later.
One that is gone is shown as terminated for about an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from provider import looking
from provider.clock import Clock
from provider.engine import world as worlds
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.reasons import Reason
from provider.resources import want as wants
from provider.resources.flexible_gpu import FlexibleGpu
from provider.resources.machine_ip import MachineIp
from provider.resources.machine_scope import MachineScope
from provider.resources.machine_vm import MachineVm
from provider.rules import names

LOST = {
    "terminated": Reason.VM_TERMINATED,
    "shutting-down": Reason.VM_TERMINATED,
    "quarantine": Reason.VM_QUARANTINED,
}
"""States of a VM that does not work any more, and the reasons that tell so."""
GONE = "gone"
"""What ``status.vmState`` says of a VM that does not exist."""
_MISSED = "missedAt"


def may_be_late(
    vm: MachineVm | None,
    status: Mapping[str, Any],
    memory: MutableMapping[str, Any] | None,
    clock: Clock,
) -> bool:
    """Tell whether a VM that the machine had is missing for so short that it may be there.

    Of one that was seen to go, nothing is waited for.
    """
    if vm is not None or memory is None or status.get("vmState") in {*LOST, GONE}:
        (memory or {}).pop(_MISSED, None)
        return False
    missed_s: float = memory.setdefault(_MISSED, clock.monotonic_s())
    return clock.monotonic_s() - missed_s < looking.LATE_S


def expect(
    kinds: Iterable[type[Resource]],
    status: Mapping[str, Any],
    seen: worlds.World,
    memory: MutableMapping[str, Any] | None,
    clock: Clock,
) -> None:
    """Raise ``LateError`` for what was made beside the VM a moment ago, and is not seen yet."""
    beside = (each for each in kinds if each in (FlexibleGpu, MachineIp))
    if memory is not None:
        looking.expect(beside, status.get("resources") or {}, seen, memory, clock)


def not_shown(id_: str) -> str:
    """Return what is told while it may be there."""
    return f"The cloud does not show the VM {id_}; it is looked for again"


def why(vm: MachineVm | None, id_: str) -> tuple[Reason, str] | None:
    """Return why a VM does not work any more, and will not; None when it does."""
    if vm is None:
        reason, what = Reason.VM_GONE, f"The VM {id_} does not exist any more"
    elif vm.state in LOST:
        reason, what = LOST[vm.state], f"The VM {vm.id} is {vm.state}"
    else:
        return None
    return reason, f"{what}, and a machine has one VM for life. Delete the Machine."


def check_label(cloud: clouds.Cloud, scope: MachineScope, id_: str) -> None:
    """Raise ``Refusal`` for a machine whose VM was made under another label than it has now.

    The token of the VM tells for which machine it was made, whoever names it.
    """
    for row in cloud.read("ReadVms", Filters={"VmIds": [id_]}):
        for tag in worlds.rivals(wants.tags_of(row), scope):
            token = names.machine_token(scope.name, tag.rpartition("/")[2])
            if row.get("ClientToken") == token and row["State"] not in LOST:
                raise Refusal(
                    f"The label {names.CLUSTER_UID_LABEL} is {scope.about['uid']}, but the VM "
                    f"{id_} of this machine has the tag {tag}. Put the label back."
                )
