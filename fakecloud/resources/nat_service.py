"""NAT services: CreateNatService, DeleteNatService, ReadNatServices.

https://docs.outscale.com/en/userguide/About-NAT-Services.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, check_id, prune
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.rules import addresses, public_ips, routing

kind(
    "NatService",
    id="NatServiceId",
    prefix="nat",
    refs={"SubnetId": "Subnet", "NetId": "Net"},
    index=("_ClientToken",),
    lifecycle={"deleting": Then(5, "deleted"), "deleted": Then(3600, None)},
    tombstones=frozenset({"deleting", "deleted"}),
    absent=5032,
    resource_type="natgateway",
    read="ReadNatServices",
    answer="NatServices",
    quota="nat_gateway_limit",
)


@action
def CreateNatService(
    call: Call, PublicIpId: str, SubnetId: str, ClientToken: str | None = None
) -> Data:
    """Create a NAT service in a public subnet with a public IP that nothing else uses."""
    check_id(KINDS["Subnet"], SubnetId)
    check_id(KINDS["PublicIp"], PublicIpId)
    for known in call.same("NatService", ClientToken):
        if known["SubnetId"] != SubnetId:
            raise errors.refusal(4091, f"The ClientToken was used for {known.id}, which differs.")
        return {"NatService": known}
    subnet = call.own("Subnet", SubnetId)
    public_ip = call.own("PublicIp", PublicIpId)
    if not routing.is_public(call.store, subnet):
        raise errors.refusal(
            9045, f"{SubnetId} has no route to an internet service. Add one to its route table."
        )
    if any(name in public_ip.data for name in (*public_ips.LINK, "_LoadBalancerName")):
        raise errors.refusal(
            9029, f"The public IP {public_ip['PublicIp']} is in use. Unlink it first."
        )
    if any(row.is_live for row in call.find("NatService", "SubnetId", SubnetId)):
        raise errors.refusal(9037, f"{SubnetId} has a NAT service already.")
    nat = call.create(
        "NatService",
        {
            "NetId": subnet["NetId"],
            "PublicIps": [{"PublicIp": public_ip["PublicIp"], "PublicIpId": public_ip.id}],
            "SubnetId": SubnetId,
            **prune(ClientToken=ClientToken or None, _ClientToken=ClientToken or None),
        },
        state="available",
    )
    addresses.take(call, subnet, nat.id)
    call.edit(public_ip).update(
        LinkPublicIpId=f"eipassoc-{call.world.token(8)}", NatServiceId=nat.id
    )
    return {"NatService": nat}


@action
def DeleteNatService(call: Call, NatServiceId: str) -> Data:
    """Delete a NAT service; its public IP is free again, and its routes stay."""
    nat = call.get("NatService", NatServiceId, live=False)
    if not nat.is_live:
        return {}
    for public_ip in call.store.rows("PublicIp", "NatServiceId", nat.id):
        public_ips.unlink(call.store, public_ip)
    addresses.release(call.store, nat.id)
    call.edit(nat).pop("PublicIps")
    call.delete(nat, state="deleting")
    return {}
