"""Net peerings: asked for by one side, decided by the other, seen by both."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

SOURCE, ACCEPTER, THIRD = "123456789012", "210987654321", "333333333333"
WEEK_S = 7 * 24 * 3600


class Place:
    """Two Nets of two accounts."""

    def __init__(self):
        self.cloud = FakeCloud()
        self.source = self.cloud.client()
        self.accepter = self.cloud.client(account=ACCEPTER)
        self.third = self.cloud.client(account=THIRD)
        self.near = self.source.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
        self.far = self.accepter.CreateNet(IpRange="10.1.0.0/16")["Net"]["NetId"]

    def ask(self, **changed):
        request = {"SourceNetId": self.near, "AccepterNetId": self.far, **changed}
        return self.source.CreateNetPeering(**request)["NetPeering"]

    def state(self, id_):
        read = self.source.ReadNetPeerings(Filters={"NetPeeringIds": [id_]})["NetPeerings"]
        return read[0]["State"]["Name"] if read else "gone"

    def brought_to(self, state):
        """Give the identifier of a peering in a state."""
        if state == "failed":
            return self.ask(AccepterOwnerId=THIRD)["NetPeeringId"]
        id_ = self.ask()["NetPeeringId"]
        if state == "active":
            self.accepter.AcceptNetPeering(NetPeeringId=id_)
        elif state == "rejected":
            self.accepter.RejectNetPeering(NetPeeringId=id_)
        elif state == "deleted":
            self.source.DeleteNetPeering(NetPeeringId=id_)
        elif state == "expired":
            self.cloud.clock.advance(WEEK_S)
        assert self.state(id_) == state
        return id_


@pytest.fixture
def place():
    return Place()


def refused_with(action, **request):
    with pytest.raises(ApiError) as refused:
        action(**request)
    return refused.value.code, refused.value.status


def test_a_peering_waits_for_the_other_side(place):
    peering = place.ask()
    assert peering == {
        "AccepterNet": {"AccountId": ACCEPTER, "IpRange": "10.1.0.0/16", "NetId": place.far},
        "ExpirationDate": "2026-01-08T00:00:00.000Z",
        "NetPeeringId": peering["NetPeeringId"],
        "SourceNet": {"AccountId": SOURCE, "IpRange": "10.0.0.0/16", "NetId": place.near},
        "State": {
            "Message": f"Pending acceptance by {ACCEPTER}",
            "Name": "pending-acceptance",
        },
        "Tags": [],
    }


def test_both_sides_see_it(place):
    peering = place.ask()
    assert place.source.ReadNetPeerings()["NetPeerings"] == [peering]
    assert place.accepter.ReadNetPeerings()["NetPeerings"] == [peering]
    assert place.third.ReadNetPeerings()["NetPeerings"] == []


def test_asking_again_gives_the_same_peering(place):
    assert place.ask() == place.ask()


def test_an_accepted_peering_is_active(place):
    id_ = place.ask()["NetPeeringId"]
    for _ in range(2):
        peering = place.accepter.AcceptNetPeering(NetPeeringId=id_)["NetPeering"]
        assert peering["State"] == {"Message": "Active", "Name": "active"}
    place.cloud.clock.advance(WEEK_S)
    assert place.state(id_) == "active"


def test_an_active_peering_is_not_asked_for_again(place):
    place.brought_to("active")
    request = {"SourceNetId": place.near, "AccepterNetId": place.far}
    assert refused_with(place.source.CreateNetPeering, **request) == ("9067", 409)


def test_a_peering_works_both_ways(place):
    back = place.accepter.CreateNetPeering(SourceNetId=place.far, AccepterNetId=place.near)
    place.brought_to("active")
    assert place.state(back["NetPeering"]["NetPeeringId"]) == "rejected"
    again = place.accepter.CreateNetPeering(SourceNetId=place.far, AccepterNetId=place.near)
    assert again["NetPeering"]["State"]["Name"] == "rejected"


@pytest.mark.parametrize("reason", ["overlap", "owner"])
def test_a_peering_that_cannot_be_is_failed(place, reason):
    changed = {"AccepterOwnerId": THIRD}
    if reason == "overlap":
        near = place.source.CreateNet(IpRange="10.0.128.0/17")["Net"]["NetId"]
        changed = {"AccepterNetId": near}
    assert place.ask(**changed)["State"] == {
        "Message": "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range",
        "Name": "failed",
    }


def test_a_net_is_not_its_own_peer(place):
    with pytest.raises(ApiError) as refused:
        place.ask(AccepterNetId=place.near)
    assert refused.value.code == "4199"
    assert refused.value.details == (
        f"The provided value '{place.near}' for parameter AccepterNetId is invalid. "
        "The values for AccepterNetId and SourceNetId must be different."
    )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"SourceNetId": "foo"}, "4104"),
        ({"SourceNetId": "vpc-12345678"}, "5065"),
        ({"AccepterNetId": "foo"}, "5065"),
        ({"AccepterNetId": "vpc-12345678"}, "5065"),
    ],
)
def test_an_unknown_net_is_refused(place, changed, code):
    assert refused_with(place.ask, **changed)[0] == code


def test_a_forgotten_peering_expires(place):
    id_ = place.ask()["NetPeeringId"]
    place.cloud.clock.advance(WEEK_S - 1)
    assert place.state(id_) == "pending-acceptance"
    place.cloud.clock.advance(1)
    (peering,) = place.source.ReadNetPeerings()["NetPeerings"]
    assert peering["State"] == {"Message": "Expired", "Name": "expired"}
    place.cloud.clock.advance(3600)
    assert place.state(id_) == "gone"


OK = ("", 200)


@pytest.mark.parametrize(
    ("state", "accept", "reject", "delete"),
    [
        ("pending-acceptance", OK, OK, OK),
        ("active", OK, ("6004", 409), OK),
        ("rejected", ("6004", 409), OK, ("6004", 409)),
        ("failed", ("6004", 409), ("6004", 409), OK),
        ("expired", ("6004", 409), ("6004", 409), ("6004", 409)),
        ("deleted", ("6004", 409), ("6004", 409), OK),
    ],
)
def test_each_state_allows_its_own_changes(state, accept, reject, delete):
    for action, wanted in (("Accept", accept), ("Reject", reject), ("Delete", delete)):
        place = Place()
        id_ = place.brought_to(state)
        side = place.source if action == "Delete" else place.accepter
        try:
            getattr(side, f"{action}NetPeering")(NetPeeringId=id_)
            outcome = OK
        except ApiError as error:
            outcome = error.code, error.status
        assert (action, outcome) == (action, wanted)


@pytest.mark.parametrize("action", ["Accept", "Reject", "Delete"])
@pytest.mark.parametrize(("id_", "code"), [("pcx-12345678", "5035"), ("foo", "4104")])
def test_an_unknown_peering_is_refused(place, action, id_, code):
    call = getattr(place.source, f"{action}NetPeering")
    assert refused_with(call, NetPeeringId=id_)[0] == code


def test_a_third_account_decides_nothing(place):
    id_ = place.ask()["NetPeeringId"]
    assert refused_with(place.third.AcceptNetPeering, NetPeeringId=id_) == ("5035", 400)
    assert refused_with(place.third.DeleteNetPeering, NetPeeringId=id_) == ("5035", 400)
    assert refused_with(place.third.RejectNetPeering, NetPeeringId=id_) == ("8011", 400)


def test_each_side_does_its_own_part(place):
    id_ = place.ask()["NetPeeringId"]
    assert refused_with(place.source.AcceptNetPeering, NetPeeringId=id_) == ("8011", 400)
    assert refused_with(place.accepter.DeleteNetPeering, NetPeeringId=id_) == ("8011", 400)
    place.accepter.AcceptNetPeering(NetPeeringId=id_)
    place.accepter.DeleteNetPeering(NetPeeringId=id_)
    assert place.state(id_) == "deleted"


def test_an_active_peering_holds_both_nets(place):
    id_ = place.ask()["NetPeeringId"]
    assert refused_with(place.source.DeleteNet, NetId=place.near) == ("9097", 409)
    place.accepter.AcceptNetPeering(NetPeeringId=id_)
    assert refused_with(place.accepter.DeleteNet, NetId=place.far) == ("9097", 409)
    place.source.DeleteNetPeering(NetPeeringId=id_)
    place.source.DeleteNet(NetId=place.near)
    place.accepter.DeleteNet(NetId=place.far)


def test_the_quotas_of_peerings_are_kept():
    place = Place()
    place.cloud.set_quota("networklink_request_limit", 1)
    place.cloud.set_quota("networklink_limit", 0)
    place.ask()
    other = place.accepter.CreateNet(IpRange="10.2.0.0/16")["Net"]["NetId"]
    assert refused_with(place.ask, AccepterNetId=other) == ("10034", 400)
    (peering,) = place.source.ReadNetPeerings()["NetPeerings"]
    id_ = peering["NetPeeringId"]
    assert refused_with(place.accepter.AcceptNetPeering, NetPeeringId=id_) == ("10035", 400)
    place.cloud.set_quota("networklink_limit", 1)
    place.accepter.AcceptNetPeering(NetPeeringId=id_)
    place.ask(AccepterNetId=other)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"AccepterNetAccountIds": [ACCEPTER]}, True),
        ({"AccepterNetIpRanges": ["10.0.0.0/16"]}, False),
        ({"AccepterNetNetIds": ["vpc-12345678"]}, False),
        ({"ExpirationDates": ["2026-01-08T00:00:00.000Z"]}, True),
        ({"NetPeeringIds": ["pcx-1234578"]}, False),
        ({"SourceNetAccountIds": [ACCEPTER]}, False),
        ({"SourceNetIpRanges": ["10.0.0.0/16"]}, True),
        ({"StateMessages": [f"Pending acceptance by {ACCEPTER}"]}, True),
        ({"StateNames": ["active", "deleted"]}, False),
        ({"TagKeys": ["Name"]}, False),
    ],
)
def test_peerings_are_filtered(place, filters, found):
    peering = place.ask()
    read = place.source.ReadNetPeerings(Filters=filters)["NetPeerings"]
    assert read == ([peering] if found else [])
