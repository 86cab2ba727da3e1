"""Net access points: Create, Update, Delete, Read, and ReadNetAccessPointServices.

https://docs.outscale.com/en/userguide/About-Net-Access-Points.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, check_id, seed
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.rows import Row
from fakecloud.rules import services

kind(
    "Service",
    id="ServiceId",
    prefix="pl",
    index=("ServiceName",),
    absent=5040,
    visible=lambda _row, _account: True,
    read="ReadNetAccessPointServices",
    answer="Services",
)

kind(
    "NetAccessPoint",
    id="NetAccessPointId",
    prefix="vpce",
    refs={"NetId": "Net"},
    weak={"RouteTableIds": "RouteTable"},
    lifecycle={
        "pending": Then(10, "available"),
        "deleting": Then(10, "deleted"),
        "deleted": Then(3600, None),
    },
    tombstones=frozenset({"deleted"}),
    absent=5034,
    resource_type="vpc-endpoint",
    read="ReadNetAccessPoints",
    answer="NetAccessPoints",
    quota="network_endpoint_limit",
)


@seed
def known_services(call: Call) -> None:
    """Give a region the services that access points lead to."""
    for service in services.services(call.region):
        call.create("Service", service, id_=service["ServiceId"])


def tables_of(call: Call, net_id: str, ids: list[str]) -> list[str]:
    """Return the identifiers of route tables of a Net, each once; raise 5046 or 4086."""
    for id_ in dict.fromkeys(ids):
        table = call.own("RouteTable", id_)
        if table["NetId"] != net_id:
            raise errors.refusal(
                4086, f"The route table {id_} is in the Net {table['NetId']}, not in {net_id}."
            )
    return list(dict.fromkeys(ids))


def check_tables(*lists: list[str] | None) -> None:
    """Refuse identifiers of route tables that cannot exist, before anything is looked up."""
    for ids in lists:
        for id_ in ids or ():
            check_id(KINDS["RouteTable"], id_)


@action
def CreateNetAccessPoint(
    call: Call, NetId: str, ServiceName: str, RouteTableIds: list[str] | None = None
) -> Data:
    """Give a Net access to a service of OUTSCALE, one for each service.

    Raise 5040 for an unknown service and 9038 for one that the Net has access to.
    """
    check_id(KINDS["Net"], NetId)
    check_tables(RouteTableIds)
    net = call.own("Net", NetId)
    found = call.store.rows("Service", "ServiceName", ServiceName)
    if not found:
        raise errors.refusal(5040)
    tables = tables_of(call, net.id, RouteTableIds or [])
    for other in call.store.rows("NetAccessPoint", "NetId", net.id):
        if other["ServiceName"] == ServiceName and other.state in ("pending", "available"):
            raise errors.refusal(
                9038, f"The Net {net.id} has {other.id}, which leads to {ServiceName}."
            )
    point = call.create(
        "NetAccessPoint",
        {
            "NetId": net.id,
            "RouteTableIds": tables,
            "ServiceName": ServiceName,
            "_ServiceId": found[0].id,
        },
        state="pending",
    )
    return {"NetAccessPoint": point}


@action
def UpdateNetAccessPoint(
    call: Call,
    NetAccessPointId: str,
    AddRouteTableIds: list[str] | None = None,
    RemoveRouteTableIds: list[str] | None = None,
) -> Data:
    """Add route tables to an access point, or take some away."""
    check_id(KINDS["NetAccessPoint"], NetAccessPointId)
    check_tables(AddRouteTableIds, RemoveRouteTableIds)
    if not AddRouteTableIds and not RemoveRouteTableIds:
        raise errors.refusal(7000, parameters="AddRouteTableIds, RemoveRouteTableIds", least="1")
    point = call.own("NetAccessPoint", NetAccessPointId)
    added = tables_of(call, point["NetId"], AddRouteTableIds or [])
    gone = tables_of(call, point["NetId"], RemoveRouteTableIds or [])
    kept = [id_ for id_ in point["RouteTableIds"] if id_ not in gone]
    call.edit(point)["RouteTableIds"] = list(dict.fromkeys([*kept, *added]))
    return {"NetAccessPoint": point}


@action
def DeleteNetAccessPoint(call: Call, NetAccessPointId: str) -> Data:
    """Delete an access point and its routes; deleting it again changes nothing."""
    point: Row = call.get("NetAccessPoint", NetAccessPointId, live=False)
    if point.state in ("pending", "available"):
        call.edit(point)["RouteTableIds"] = []
        call.delete(point, state="deleting")
    return {}
