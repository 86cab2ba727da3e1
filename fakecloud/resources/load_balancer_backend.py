"""Backends of load balancers: Register, Deregister, Link, Unlink, and ReadVmsHealth.

https://docs.outscale.com/en/userguide/About-Load-Balancers.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import load_balancing, parameters

CHECKED_AFTER_S = 10.0
"""How long a new backend is not yet known to be healthy. The real time depends on its answers."""


@action
def RegisterVmsInLoadBalancer(call: Call, LoadBalancerName: str, BackendVmIds: list[str]) -> Data:
    """Register VMs as backends; repeating it changes nothing."""
    parameters.required(LoadBalancerName=LoadBalancerName, BackendVmIds=BackendVmIds)
    return LinkLoadBalancerBackendMachines(call, LoadBalancerName, BackendVmIds=BackendVmIds)


@action
def LinkLoadBalancerBackendMachines(
    call: Call,
    LoadBalancerName: str,
    BackendIps: list[str] | None = None,
    BackendVmIds: list[str] | None = None,
) -> Data:
    """Register VMs as backends by their identifiers or public IPs.

    Raise 4047 for what is no address, 6003 for a terminated VM, and 4086 for a VM in another
    network than the load balancer.
    """
    _check_backends(BackendIps, BackendVmIds)
    balancer = load_balancing.find(call, LoadBalancerName)
    ids = list(dict.fromkeys(BackendVmIds or ()))
    for id_ in ids:
        _check_vm(call, balancer, id_)
    backends = list(dict.fromkeys([*_living(call, balancer), *ids]))
    data = call.edit(balancer)
    data["BackendVmIds"] = backends
    data["BackendIps"] = list(dict.fromkeys([*data["BackendIps"], *(BackendIps or ())]))
    registered = data["_RegisteredOn"]
    data["_RegisteredOn"] = {id_: registered.get(id_, call.now) for id_ in data["BackendVmIds"]}
    return {}


def _check_backends(ips: list[str] | None, vm_ids: list[str] | None) -> None:
    parameters.some(BackendIps=ips, BackendVmIds=vm_ids)
    parameters.ids("Vm", vm_ids or [])
    for ip in ips or ():
        if not load_balancing.is_address(ip):
            raise errors.refusal(4047, f"BackendIps has '{ip}', which is no IPv4 address.")


def _check_vm(call: Call, balancer: Row, vm_id: str) -> None:
    vm = call.get("Vm", vm_id, live=False)
    if not vm.is_live:
        raise errors.refusal(6003, f"The VM '{vm_id}' is '{vm.state}'. Use a VM that exists.")
    net_id, other = vm.get("NetId"), balancer.get("NetId")
    if net_id != other:
        raise errors.refusal(
            4086,
            id=vm_id,
            vm=net_id or "the public cloud",
            name=balancer["LoadBalancerName"],
            balancer=other or "the public cloud",
        )


def _living(call: Call, balancer: Row) -> list[str]:
    # A VM that is gone leaves the answers at once, and the row with the next change.
    ids: list[str] = call.view(balancer)["BackendVmIds"]
    return ids


@action
def DeregisterVmsInLoadBalancer(call: Call, LoadBalancerName: str, BackendVmIds: list[str]) -> Data:
    """Take VMs away from the backends; raise 5063 for one that is no backend."""
    parameters.required(LoadBalancerName=LoadBalancerName, BackendVmIds=BackendVmIds)
    return UnlinkLoadBalancerBackendMachines(call, LoadBalancerName, BackendVmIds=BackendVmIds)


@action
def UnlinkLoadBalancerBackendMachines(
    call: Call,
    LoadBalancerName: str,
    BackendIps: list[str] | None = None,
    BackendVmIds: list[str] | None = None,
) -> Data:
    """Take backends away; raise 5063 for a VM and 5025 for an IP that is no backend."""
    _check_backends(BackendIps, BackendVmIds)
    balancer = load_balancing.find(call, LoadBalancerName)
    living = _living(call, balancer)
    for id_ in BackendVmIds or ():
        if id_ not in living:
            raise errors.refusal(5063, param="VmId", id=id_)
    for ip in BackendIps or ():
        if ip not in balancer["BackendIps"]:
            raise errors.refusal(
                5025, f"'{ip}' is no backend of the load balancer '{LoadBalancerName}'."
            )
    data = call.edit(balancer)
    data["BackendVmIds"] = [id_ for id_ in living if id_ not in (BackendVmIds or ())]
    data["BackendIps"] = [ip for ip in data["BackendIps"] if ip not in (BackendIps or ())]
    registered = data["_RegisteredOn"]
    data["_RegisteredOn"] = {id_: registered[id_] for id_ in data["BackendVmIds"]}
    return {}


@action
def ReadVmsHealth(call: Call, LoadBalancerName: str, BackendVmIds: list[str] | None = None) -> Data:
    """Tell of each backend VM, or of some, whether it answers the health check."""
    parameters.ids("Vm", BackendVmIds or [])
    balancer = load_balancing.find(call, LoadBalancerName)
    living = _living(call, balancer)
    for id_ in BackendVmIds or ():
        if id_ not in living:
            raise errors.refusal(5063, param="VmId", id=id_)
    chosen = dict.fromkeys(BackendVmIds or living)
    return {"BackendVmHealth": [_health(call, balancer, id_) for id_ in chosen]}


def _health(call: Call, balancer: Row, vm_id: str) -> Data:
    vm = call.get("Vm", vm_id)
    if vm.state in ("stopping", "stopped", "shutting-down", "quarantine"):
        return {
            "Description": f"Instance is in {vm.state} state.",
            "State": "DOWN",
            "StateReason": "Instance",
            "VmId": vm_id,
        }
    waited = call.now - balancer["_RegisteredOn"][vm_id]
    has_started = balancer.state in load_balancing.SETTLED and vm.state == "running"
    if has_started and waited >= CHECKED_AFTER_S:
        return {"State": "UP", "VmId": vm_id}
    return {
        "Description": "Instance registration is pending",
        "State": "DOWN",
        "StateReason": "ELB",
        "VmId": vm_id,
    }
