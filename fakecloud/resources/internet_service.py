"""Internet services: Create, Delete, Link, Unlink, ReadInternetServices.

https://docs.outscale.com/en/userguide/About-Internet-Services.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, check_id
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rules import routing

# While it is linked it has the keys NetId and State, and holds the Net.
kind(
    "InternetService",
    id="InternetServiceId",
    prefix="igw",
    refs={"NetId": "Net"},
    absent=5001,
    in_use=9024,
    resource_type="internet-gateway",
    read="ReadInternetServices",
    answer="InternetServices",
    filters={"LinkNetIds": "NetId", "LinkStates": "State"},
    quota="igw_limit",
)


@action
def CreateInternetService(call: Call) -> Data:
    """Create an internet service that is linked to no Net."""
    return {"InternetService": call.create("InternetService", {})}


@action
def DeleteInternetService(call: Call, InternetServiceId: str) -> Data:
    """Delete an internet service; raise 9024 while it is linked."""
    service = call.own("InternetService", InternetServiceId)
    if service.get("NetId"):
        raise errors.refusal(9024, gateway=service.id, net=service["NetId"])
    call.delete(service)
    return {}


@action
def LinkInternetService(call: Call, InternetServiceId: str, NetId: str) -> Data:
    """Link an internet service to a Net, of which each has at most one."""
    check_id(KINDS["Net"], NetId)
    service = call.own("InternetService", InternetServiceId)
    net = call.own("Net", NetId)
    if service.get("NetId"):
        raise errors.refusal(9024, gateway=service.id, net=service["NetId"])
    other = routing.internet_service(call.store, net.id)
    if other is not None:
        raise errors.refusal(9065, net=net.id, gateway=other.id)
    call.edit(service)["NetId"] = net.id
    call.become(service, "available")
    return {}


@action
def UnlinkInternetService(call: Call, InternetServiceId: str, NetId: str) -> Data:
    """Unlink an internet service from a Net that has no more use for it.

    Raise 1007 when it is not linked to the Net, 1004 while a NIC of the Net has a public IP, 1005
    while the Net has a load balancer that faces the internet, and 1018 while it has a NAT service.
    """
    check_id(KINDS["Net"], NetId)
    service = call.own("InternetService", InternetServiceId)
    net = call.own("Net", NetId)
    if service.get("NetId") != net.id:
        raise errors.refusal(1007, gateway=service.id, net=net.id)
    store = call.store
    for nic in store.rows("Nic", "NetId", net.id):
        for address in store.rows("PublicIp", "NicId", nic.id):
            raise errors.refusal(1004, net=net.id, user=address["PublicIp"])
    for balancer in store.rows("LoadBalancer", "NetId", net.id):
        if balancer.is_live and balancer.get("LoadBalancerType") != "internal":
            raise errors.refusal(1005, net=net.id, user=balancer["LoadBalancerName"])
    for nat in store.rows("NatService", "NetId", net.id):
        if nat.is_live:
            raise errors.refusal(1018, net=net.id, user=nat.id)
    data = call.edit(service)
    del data["NetId"], data["State"]
    return {}
