"""Listeners of load balancers: CreateLoadBalancerListeners, DeleteLoadBalancerListeners.

https://docs.outscale.com/en/userguide/Adding-or-Deleting-Listeners.html
"""

from __future__ import annotations

from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rules import load_balancing, parameters


@action
def CreateLoadBalancerListeners(call: Call, LoadBalancerName: str, Listeners: list[Data]) -> Data:
    """Add listeners to a load balancer, which reloads."""
    parameters.required(LoadBalancerName=LoadBalancerName, Listeners=Listeners)
    balancer = load_balancing.find(call, LoadBalancerName)
    fresh = [load_balancing.listener(call, wanted) for wanted in Listeners]
    load_balancing.add_listeners(call, call.edit(balancer), fresh)
    load_balancing.changed(call, balancer)
    return {"LoadBalancer": balancer}


@action
def DeleteLoadBalancerListeners(
    call: Call, LoadBalancerName: str, LoadBalancerPorts: list[int]
) -> Data:
    """Remove listeners and their rules from a load balancer, which reloads."""
    parameters.required(LoadBalancerName=LoadBalancerName, LoadBalancerPorts=LoadBalancerPorts)
    balancer = load_balancing.find(call, LoadBalancerName)
    gone = {
        load_balancing.listener_at(balancer, port)["LoadBalancerPort"] for port in LoadBalancerPorts
    }
    for rule in call.find("ListenerRule", "_LoadBalancerName", LoadBalancerName):
        if rule["_LoadBalancerPort"] in gone:
            call.delete(rule)
    data = call.edit(balancer)
    data["Listeners"] = [each for each in data["Listeners"] if each["LoadBalancerPort"] not in gone]
    for port in gone:
        del data["_ListenerIds"][str(port)]
    used = {str(each["BackendPort"]) for each in data["Listeners"]}
    data["_BackendPolicies"] = {
        port: names for port, names in data["_BackendPolicies"].items() if port in used
    }
    load_balancing.changed(call, balancer)
    return {"LoadBalancer": balancer}
