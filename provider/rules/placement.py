"""Where a VM stands in relation to others: the tags that keep VMs together or apart.

VMs that have a tag with the same value are put on the same server or cluster of servers
(attract), or on different ones (repulse); if need be not at all, when it is strict.

https://docs.outscale.com/en/userguide/Configuring-a-VM-with-User-Data-and-OUTSCALE-Tags.html
"""

from __future__ import annotations

from collections.abc import Iterable

from provider.api import v1beta2
from provider.problem import Problem
from provider.rules import names, user_data

_PREFIX = "osc.fcu."
_RULES = tuple(f"{_PREFIX}{verb}_" for verb in ("repulse", "attract"))


def tags(vm: v1beta2.Vm, role: str, deployment: str) -> dict[str, str]:
    """Return the placement tags of a VM, which go before tags of the same name in its spec.

    A worker that asks for nothing, there or here, keeps away from the other workers of its
    MachineDeployment. Of repulse and attract, repulse wins, as in the Go provider.
    """
    asked = vm.placement
    server = _tag(
        "server", asked.repulse_server or "", asked.attract_server, strict=asked.server_strict
    )
    cluster = _tag(
        "cluster", asked.repulse_cluster, asked.attract_cluster, strict=asked.cluster_strict
    )
    wanted = server | cluster
    is_free = not wanted and asked.repulse_server is None and not _has_rule(vm.tags)
    if is_free and role == names.WORKER:
        return _tag("server", deployment, "", strict=False)
    return wanted


def _tag(what: str, repulse: str, attract: str, *, strict: bool) -> dict[str, str]:
    verb, value = ("repulse", repulse) if repulse else ("attract", attract)
    return {f"{_PREFIX}{verb}_{what}{'_strict' if strict else ''}": value} if value else {}


def _has_rule(keys: Iterable[str]) -> bool:
    return any(user_data.tag_name(key).startswith(_RULES) for key in keys)


def problems(path: str, placement: v1beta2.Placement) -> list[Problem]:
    """Return what is wrong with a placement: nothing is both together and apart."""
    pairs = {
        "Server": (placement.repulse_server or "", placement.attract_server),
        "Cluster": (placement.repulse_cluster, placement.attract_cluster),
    }
    return [
        Problem(
            path,
            f"repulse{what} is '{repulse}' and attract{what} is '{attract}'. Keep one of the two.",
        )
        for what, (repulse, attract) in pairs.items()
        if repulse and attract
    ]
