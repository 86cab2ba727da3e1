"""A cloud for one of many: who wrote sees it, and the others share what they read."""

import contextlib

import pytest

from provider.osc.errors import ApiError
from provider.osc.shared import SharedReads
from provider.osc.sharing import MAX_AGE_S, Sharing, SharingSites
from tests.unit.provider.osc.manual_clock import ManualClock

TAGS = {"Tags": ["owner=me"]}
MINE = [{"Key": "owner", "Value": "me"}]


class Counting:
    """A cloud that numbers its Reads, and can lose the answer of a call."""

    region = "eu-west-2"
    alone = contextlib.nullcontext()

    def __init__(self):
        self.reads = 0
        self.loses = False

    def call(self, action, /, **_request):
        if self.loses:
            raise ApiError(action)
        return {}

    def read(self, _action, /, **_request):
        self.reads += 1
        return [{"Number": self.reads, "Tags": MINE}]


@pytest.fixture
def cloud():
    return Counting()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def both(cloud, clock):
    reads = SharedReads(cloud, clock)
    return [SharingSites(cloud, reads, clock, {}, owner="owner=me") for _ in range(2)]


def test_what_all_ask_is_read_once(both, cloud):
    for each in both:
        assert each.read("ReadVms", Filters=TAGS) == [{"Number": 1, "Tags": MINE}]
    assert cloud.reads == 1


def test_an_answer_serves_for_a_few_seconds(both, cloud, clock):
    both[0].read("ReadVms", Filters=TAGS)
    clock.sleep(MAX_AGE_S + 0.1)
    both[1].read("ReadVms", Filters=TAGS)
    assert cloud.reads == 2


@pytest.mark.parametrize("filters", [{}, {"VmIds": ["i-1"]}, {"ClientTokens": ["a"]}])
def test_what_one_asks_is_read_anew(both, cloud, filters):
    for each in both:
        each.read("ReadVms", Filters=filters)
    assert cloud.reads == 2


@pytest.mark.parametrize("loses", [False, True])
def test_who_wrote_sees_it(both, cloud, clock, loses):
    writer, other = both
    other.read("ReadVms", Filters=TAGS)
    clock.sleep(1)
    cloud.loses = loses
    if loses:
        with pytest.raises(ApiError):
            writer.call("CreateVms")
    else:
        writer.call("CreateVms")
    clock.sleep(1)
    assert writer.read("ReadVms", Filters=TAGS) == [{"Number": 2, "Tags": MINE}]
    assert other.read("ReadVms", Filters=TAGS) == [{"Number": 2, "Tags": MINE}]


def test_others_need_not_see_it_at_once(both, clock):
    writer, other = both
    other.read("ReadVms", Filters=TAGS)
    writer.call("CreateVms")
    clock.sleep(1)
    assert other.read("ReadVms", Filters=TAGS) == [{"Number": 1, "Tags": MINE}]


def test_the_memory_tells_the_next_look_what_was_written(cloud, clock):
    reads, memory = SharedReads(cloud, clock), {}
    first = Sharing(cloud, reads, clock, memory, owner="owner=me")
    first.read("ReadVms", Filters=TAGS)
    first.call("CreateVms")
    clock.sleep(1)
    assert Sharing(cloud, reads, clock, memory, owner="owner=me").read("ReadVms", Filters=TAGS) == [
        {"Number": 2, "Tags": MINE}
    ]


class Marked(Counting):
    """A cloud with one VM of each of two owners, and one of somebody else's."""

    def read(self, _action, /, **request):
        self.reads += 1
        rows = [{"Key": "of/a", "Value": "owned"}, {"Key": "of/b", "Value": "owned"}]
        assert request == {"Filters": {"TagValues": ["owned"]}}
        return [{"Tags": [row]} for row in (*rows, {"Key": "other", "Value": "owned"})]


def test_all_owners_are_answered_by_one_read(clock):
    cloud = Marked()
    reads = SharedReads(cloud, clock)
    for owner in ("a", "b", "c"):
        each = Sharing(cloud, reads, clock, {}, owner=f"of/{owner}=owned")
        seen = each.read("ReadVms", Filters={"Tags": [f"of/{owner}=owned"]})
        assert [row["Tags"][0]["Key"] for row in seen] == ([f"of/{owner}"] if owner != "c" else [])
    assert cloud.reads == 1


@pytest.mark.parametrize(("is_calm", "expected"), [(True, 1), (False, 2)])
def test_an_older_answer_serves_who_is_calm(cloud, clock, is_calm, expected):
    reads = SharedReads(cloud, clock, calm_age_s=30)
    Sharing(cloud, reads, clock, {}, owner="owner=me").read("ReadVms", Filters=TAGS)
    clock.sleep(29)
    late = Sharing(cloud, reads, clock, {}, owner="owner=me", is_calm=is_calm)
    late.read("ReadVms", Filters=TAGS)
    assert cloud.reads == expected


def test_who_is_calm_sees_what_it_wrote_all_the_same(cloud, clock):
    reads, memory = SharedReads(cloud, clock, calm_age_s=30), {}
    late = Sharing(cloud, reads, clock, memory, owner="owner=me", is_calm=True)
    late.read("ReadVms", Filters=TAGS)
    late.call("CreateTags")
    clock.sleep(1)
    late.read("ReadVms", Filters=TAGS)
    assert cloud.reads == 2


def test_load_balancers_are_read_for_all(cloud, clock):
    reads = SharedReads(cloud, clock)
    for _ in range(3):
        Sharing(cloud, reads, clock, {}, owner="owner=me").read("ReadLoadBalancers")
    assert cloud.reads == 1


@pytest.mark.parametrize("action", ["ReadSubnets", "ReadPublicIps"])
def test_what_a_cluster_compares_before_it_makes_something_is_read_anew(cloud, clock, action):
    reads = SharedReads(cloud, clock)
    for _ in range(2):
        Sharing(cloud, reads, clock, {}, owner="owner=me").read(action, Filters={})
    assert cloud.reads == 2
