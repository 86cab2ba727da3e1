"""Net peerings between Nets of one or two accounts: Create, Accept, Reject, Delete, Read.

https://docs.outscale.com/en/userguide/About-Net-Peerings.html
"""

from __future__ import annotations

from fakecloud import clock, errors
from fakecloud.call import Call, absent, action, check_id
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.rows import Row
from fakecloud.rules import addresses
from fakecloud.store import Store

DAY_S = 24 * 3600.0
ACCEPTANCE_S = 7 * DAY_S
MEMORY_S = 3600.0
"""How long a peering that came to nothing stays readable. The real time is not documented."""

FAILED = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
OVER = ("deleted", "expired", "failed", "rejected")


def _expired(store: Store, row: Row) -> None:
    data = store.edit(row)
    data["State"]["Message"] = "Expired"
    data["_Holds"] = []
    data.pop("_PendingOf", None)


kind(
    "NetPeering",
    id="NetPeeringId",
    prefix="pcx",
    # A request holds the Net that it comes from; once it is accepted, both.
    refs={"_Holds": "Net"},
    weak={"SourceNet.NetId": "Net", "AccepterNet.NetId": "Net"},
    index=("_PendingOf",),
    state="State.Name",
    lifecycle={
        "pending-acceptance": Then(ACCEPTANCE_S, "expired"),
        **{state: Then(MEMORY_S, None) for state in OVER},
    },
    tombstones=frozenset(OVER),
    on={"expired": _expired},
    absent=5035,
    visible=lambda row, account: account in sides(row),
    resource_type="vpc-peering-connection",
    read="ReadNetPeerings",
    answer="NetPeerings",
)


def sides(row: Row) -> tuple[str, str]:
    """Return the accounts of the source and of the accepter."""
    return row["SourceNet"]["AccountId"], row["AccepterNet"]["AccountId"]


def side(net: Row) -> Data:
    """Describe a Net as one side of a peering."""
    return {"AccountId": net.account, "IpRange": net["IpRange"], "NetId": net.id}


def peerings(call: Call, source: str, accepter: str) -> list[Row]:
    """Return the live peerings from one Net to another."""
    return [
        row
        for row in call.store.rows("NetPeering", "SourceNet.NetId", source)
        if row["AccepterNet"]["NetId"] == accepter and row.is_live
    ]


def enter(call: Call, row: Row, state: str, message: str, holds: list[str]) -> None:
    """Put a peering into a state, with what it then says and holds."""
    data = call.edit(row)
    data["_Holds"] = holds
    data.pop("_PendingOf", None)
    call.become(row, state)
    data["State"]["Message"] = message


@action
def CreateNetPeering(
    call: Call, AccepterNetId: str, SourceNetId: str, AccepterOwnerId: str | None = None
) -> Data:
    """Ask for a peering from a Net of the caller to another; asking again gives the same one.

    Raise 4199 for one Net on both sides, and 9067 when the peering is there. Nets that overlap
    give a peering in the state ``failed``, and one that is there the other way round, ``rejected``.
    """
    source = call.own("Net", SourceNetId)
    if source.id == AccepterNetId:
        raise errors.refusal(4199, id=AccepterNetId)
    accepter = call.store.row("Net", AccepterNetId)
    if accepter is None or not accepter.is_live:
        raise absent(KINDS["Net"], AccepterNetId)
    for row in peerings(call, source.id, accepter.id):
        if row.state == "pending-acceptance":
            return {"NetPeering": row}
        raise errors.refusal(9067, peering=row.id, source=source.id, accepter=accepter.id)
    pending = call.store.count("NetPeering", "_PendingOf", call.account)
    call.within("networklink_request_limit", pending + 1)
    row = call.create(
        "NetPeering",
        {
            "AccepterNet": side(accepter),
            "ExpirationDate": clock.stamp(call.now + ACCEPTANCE_S),
            "SourceNet": side(source),
            "State": {"Message": f"Pending acceptance by {accepter.account}"},
            "_Holds": [source.id],
            "_PendingOf": call.account,
        },
        state="pending-acceptance",
    )
    overlap = addresses.network(source["IpRange"]).overlaps(addresses.network(accepter["IpRange"]))
    if overlap or AccepterOwnerId not in (None, "", accepter.account):
        enter(call, row, "failed", FAILED, [])
        del call.edit(row)["ExpirationDate"]
    elif any(other.state == "active" for other in peerings(call, accepter.id, source.id)):
        enter(call, row, "rejected", f"Rejected by {accepter.account}", [])
    return {"NetPeering": row}


def wrong_state(row: Row, wanted: str) -> errors.ApiError:
    """Make the error for a peering that is in no state to be changed so."""
    return errors.refusal(6004, f"The Net peering {row.id} is {row.state}, but must be {wanted}.")


def wrong_side(row: Row, account: str) -> errors.ApiError:
    """Make the error for an account that may not decide this."""
    return errors.refusal(8011, f"The account {account} may not do this to the peering {row.id}.")


@action
def AcceptNetPeering(call: Call, NetPeeringId: str) -> Data:
    """Accept a peering as the owner of the accepter Net; an active one stays active."""
    row = call.get("NetPeering", NetPeeringId, live=False)
    if row["AccepterNet"]["AccountId"] != call.account:
        raise wrong_side(row, call.account)
    if row.state == "active":
        return {"NetPeering": row}
    if row.state != "pending-acceptance":
        raise wrong_state(row, "pending-acceptance")
    source, accepter = row["SourceNet"]["NetId"], row["AccepterNet"]["NetId"]
    for net_id in (source, accepter):
        held = [each for each in call.store.rows("NetPeering", "_Holds", net_id) if each.is_live]
        active = sum(each.state == "active" for each in held)
        call.within("networklink_limit", active + 1)
    for other in peerings(call, accepter, source):
        enter(call, other, "rejected", f"Rejected by {call.account}", [])
    enter(call, row, "active", "Active", [source, accepter])
    return {"NetPeering": row}


@action
def RejectNetPeering(call: Call, NetPeeringId: str) -> Data:
    """Reject a pending peering as the owner of the accepter Net."""
    check_id(KINDS["NetPeering"], NetPeeringId)
    row = call.store.row("NetPeering", NetPeeringId)
    if row is None:
        raise absent(KINDS["NetPeering"], NetPeeringId)
    if row["AccepterNet"]["AccountId"] != call.account:
        raise wrong_side(row, call.account)
    if row.state == "rejected":
        return {}
    if row.state != "pending-acceptance":
        raise wrong_state(row, "pending-acceptance")
    enter(call, row, "rejected", f"Rejected by {call.account}", [])
    return {}


@action
def DeleteNetPeering(call: Call, NetPeeringId: str) -> Data:
    """Delete a peering: a pending one as its source, an active one as either side."""
    row = call.get("NetPeering", NetPeeringId, live=False)
    if row.state == "deleted":
        return {}
    if row.state in ("rejected", "expired"):
        raise wrong_state(row, "pending-acceptance, active or failed")
    if row.state == "pending-acceptance" and row["SourceNet"]["AccountId"] != call.account:
        raise wrong_side(row, call.account)
    enter(call, row, "deleted", f"Deleted by {call.account}", [])
    return {}
