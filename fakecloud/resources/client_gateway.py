"""Client gateways, the customer's side of a VPN: Create, Delete, ReadClientGateways.

https://docs.outscale.com/en/userguide/About-Client-Gateways.html
"""

from __future__ import annotations

from fakecloud.call import Call, action
from fakecloud.kinds import Data, Then, kind
from fakecloud.rules import addresses, tunnels

kind(
    "ClientGateway",
    id="ClientGatewayId",
    prefix="cgw",
    lifecycle={"deleting": Then(10, "deleted"), "deleted": Then(3600, None)},
    tombstones=frozenset({"deleting", "deleted"}),
    absent=5015,
    in_use=1001,
    resource_type="customer-gateway",
    read="ReadClientGateways",
    answer="ClientGateways",
    quota="cgw_limit",
)


@action
def CreateClientGateway(call: Call, BgpAsn: int, ConnectionType: str, PublicIp: str) -> Data:
    """Register the customer's end of VPN connections."""
    tunnels.check_type(ConnectionType)
    tunnels.check_asn(BgpAsn)
    addresses.private(PublicIp)
    gateway = call.create(
        "ClientGateway",
        {"BgpAsn": BgpAsn, "ConnectionType": ConnectionType, "PublicIp": PublicIp},
        state="available",
    )
    return {"ClientGateway": gateway}


@action
def DeleteClientGateway(call: Call, ClientGatewayId: str) -> Data:
    """Delete a client gateway; raise 1001 while a VPN connection uses it."""
    call.delete(call.own("ClientGateway", ClientGatewayId), state="deleting")
    return {}
